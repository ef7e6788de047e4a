/**
 * Handing a mail over: to a folder (development), a sendmail program, or an SMTP server, as etc/ says.
 * nodemailer writes the message and speaks SMTP, and is imported here only. What a transport answers decides
 * whether the outbox tries again, so unclear cases count as "try again".
 */
import { spawn } from "node:child_process";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import nodemailer from "nodemailer";
import { formatCompact, formatMailDate } from "../util/clock.ts";
import { sha256Hex } from "../util/digest.ts";
import type { MailSettings } from "../util/settings.ts";
import type { ClaimedMail } from "./outbox.ts";

/** What became of one attempt. `permanent`: trying again is in vain, a person must look. */
export type Delivery =
  | { readonly ok: true }
  | { readonly ok: false; readonly permanent: boolean; readonly message: string };

export type Transport = (mail: ClaimedMail) => Promise<Delivery>;

export interface TransportOptions {
  readonly mail: MailSettings;
  readonly smtpPassword: string;
  /** Where the folder transport puts its .eml files; made if need be. */
  readonly folder: string;
}

/** How long a sendmail program may take: Postfix's waits for ever when its queue folder is missing. */
const sendmailLimitMs = 30_000;

export function makeTransport(options: TransportOptions): Transport {
  switch (options.mail.transport) {
    case "folder":
      return async (mail) => settle(writeToFolder(options, mail));
    case "sendmail":
      return async (mail) => settle(runSendmail(options.mail, mail));
    case "smtp":
      return async (mail) => settle(sendBySmtp(options, mail));
  }
}

/** The Message-ID of a mail: the same at each attempt, so that a second copy can be told. */
export function messageIdOf(settings: MailSettings, id: string): string {
  return `<${sha256Hex(id).slice(0, 32)}@${senderAddress(settings).split("@")[1]}>`;
}

async function settle(attempt: Promise<void>): Promise<Delivery> {
  try {
    await attempt;
    return { ok: true };
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    return { ok: false, permanent: cause instanceof Error && isPermanent(cause), message };
  }
}

/** SMTP says it by its code; sendmail by its exit code, 1 and 64 to 67 in every program that was measured. */
function isPermanent(
  error: Error & { responseCode?: unknown; command?: unknown; exitCode?: unknown },
): boolean {
  if (typeof error.exitCode === "number") return [1, 64, 65, 66, 67].includes(error.exitCode);
  // Of this recipient or this message; what refuses us before (password, sender, relaying) is the operator's mistake,
  // and the mails wait until it is mended.
  const isOfMail = error.command === "RCPT TO" || error.command === "DATA";
  return isOfMail && typeof error.responseCode === "number" && error.responseCode >= 500;
}

function messageOf(settings: MailSettings, mail: ClaimedMail) {
  return {
    from: settings.from,
    to: { name: "", address: mail.to },
    subject: mail.subject,
    text: mail.body,
    messageId: messageIdOf(settings, mail.id),
    date: formatMailDate(mail.createdAt),
    headers: { "Auto-Submitted": "auto-generated" },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

async function writeMessage(settings: MailSettings, mail: ClaimedMail): Promise<Uint8Array> {
  const writer = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: "unix" });
  const { message } = await writer.sendMail(messageOf(settings, mail));
  return message as Uint8Array;
}

/** The name is derived from the mail, so a second attempt replaces the first file instead of adding one. */
async function writeToFolder(options: TransportOptions, mail: ClaimedMail): Promise<void> {
  const name = `${formatCompact(mail.createdAt)}-${sha256Hex(mail.id).slice(0, 12)}.eml`;
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const unfinished = join(options.folder, `.${name}.${process.pid}`);
  await writeFile(unfinished, await writeMessage(options.mail, mail), { mode: 0o600 });
  await rename(unfinished, join(options.folder, name));
}

async function runSendmail(settings: MailSettings, mail: ClaimedMail): Promise<void> {
  const message = await writeMessage(settings, mail);
  await new Promise<void>((resolve, reject) => {
    const child = spawn(settings.sendmail, ["-i", "-f", senderAddress(settings), "--", mail.to], {
      stdio: ["pipe", "ignore", "pipe"],
      timeout: sendmailLimitMs,
      killSignal: "SIGKILL",
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-300);
    });
    child.on("error", reject);
    child.on("close", (exitCode, signal) => {
      if (exitCode === 0) return resolve();
      const how = signal === null ? `exit code ${exitCode}` : `ended by ${signal}`;
      reject(Object.assign(new Error(`${settings.sendmail}: ${how} ${said.trim()}`), { exitCode }));
    });
    // A program that exits without reading closes the pipe; its exit code tells more than EPIPE.
    child.stdin.on("error", () => undefined);
    child.stdin.end(message);
  });
}

async function sendBySmtp(options: TransportOptions, mail: ClaimedMail): Promise<void> {
  const { smtpHost, smtpPort, smtpTls, smtpUser } = options.mail;
  const mailer = nodemailer.createTransport({
    host: smtpHost,
    port: smtpPort,
    secure: smtpTls === "tls",
    requireTLS: smtpTls === "starttls",
    ignoreTLS: smtpTls === "none",
    connectionTimeout: 20_000,
    greetingTimeout: 20_000,
    socketTimeout: 60_000,
    ...(smtpUser === "" ? {} : { auth: { user: smtpUser, pass: options.smtpPassword } }),
  });
  try {
    await mailer.sendMail(messageOf(options.mail, mail));
  } finally {
    mailer.close();
  }
}

/** The bare address in "Name <address>", for the envelope. */
function senderAddress(settings: MailSettings): string {
  return /<([^>]+)>/.exec(settings.from)?.[1] ?? settings.from;
}
