// Goal of this test: mail goes to an SMTP server as it should: one envelope, the message whole, no password and no
// mail without the encryption that the operator asked for; what is refused for good is told from what can wait.
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ClaimedMail } from "../lib/mail/outbox.ts";
import { makeTransport } from "../lib/mail/transport.ts";
import type { MailSettings } from "../lib/util/settings.ts";

const mail: ClaimedMail = {
  id: "signup/1",
  to: "ada@example.org",
  subject: "Hello",
  body: "First line\n.a line that begins with a dot\nLast line\n",
  hasToken: false,
  attempts: 1,
  createdAt: Date.parse("2026-11-23T08:00:00Z"),
};

let server: Server;
let port: number;
let commands: string[];
let message: string;
/** What the server answers to a command, by its first word; 250 to all else. */
let replies: Record<string, string>;

/** Just enough of RFC 5321 for one mail at a time. */
function serve(socket: Socket): void {
  let inData = false;
  socket.setEncoding("utf8");
  socket.write("220 test\r\n");
  let rest = "";
  socket.on("data", (text: string): void => {
    // A TLS handshake: this server has none.
    if (text.startsWith("\u0016")) {
      socket.destroy();
      return;
    }
    const lines = (rest + text).split("\r\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (inData && line !== ".") message += `${line.replace(/^\./, "")}\n`;
      else if (inData) {
        inData = false;
        socket.write(`${replies["."] ?? "250 taken"}\r\n`);
      } else {
        commands.push(line);
        const verb = line.split(/[ :]/)[0]?.toUpperCase() ?? "";
        inData = verb === "DATA" && replies.DATA === undefined;
        socket.write(`${replies[verb] ?? (verb === "DATA" ? "354 go on" : "250 ok")}\r\n`);
      }
    }
  });
  socket.on("error", () => undefined);
}

beforeEach(async () => {
  [commands, message, replies] = [[], "", {}];
  server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const send = (change: Partial<MailSettings> = {}) => {
  const settings: MailSettings = {
    from: "Picodollar <accounts@picodollar.example>",
    transport: "smtp",
    sendmail: "",
    smtpHost: "127.0.0.1",
    smtpPort: port,
    smtpUser: "",
    smtpTls: "none",
    ...change,
  };
  return makeTransport({ mail: settings, smtpPassword: "secret", folder: "" })(mail);
};

describe("an SMTP server", () => {
  it("gets one envelope and the whole message", async () => {
    expect(await send()).toEqual({ ok: true });
    expect(commands.filter((line) => /^(MAIL|RCPT)/.test(line))).toEqual([
      "MAIL FROM:<accounts@picodollar.example>",
      "RCPT TO:<ada@example.org>",
    ]);
    expect(message).toContain("To: ada@example.org\n");
    expect(message).toMatch(/^Message-ID: <[0-9a-f]{32}@picodollar\.example>$/m);
    expect(message).toContain("\nFirst line\n.a line that begins with a dot\nLast line\n");
  });

  it.each([
    ["no such user", { RCPT: "550 no such user" }, true],
    ["a message that it will not have", { ".": "554 no" }, true],
    ["a full mailbox", { RCPT: "452 full" }, false],
    ["a sender that must log in first", { MAIL: "530 authentication required" }, false],
    ["a sender that it does not know", { MAIL: "550 bad sender" }, false],
    ["a server that is closed", { EHLO: "554 closed", HELO: "554 closed" }, false],
  ])("that refuses for %s: given up %j: %s", async (_why, answers, permanent) => {
    replies = answers;
    expect(await send()).toMatchObject({ ok: false, permanent });
    expect(message === "" || "." in answers).toBe(true);
  });

  it("without the encryption that was asked for gets neither password nor mail", async () => {
    for (const smtpTls of ["starttls", "tls"] as const)
      expect(await send({ smtpTls, smtpUser: "accounts" })).toMatchObject({ ok: false, permanent: false });
    expect(commands.filter((line) => /^(AUTH|MAIL|DATA)/.test(line))).toEqual([]);
    expect(message).toBe("");
  });

  it("that is not there leaves the mail waiting", async () => {
    const other = port;
    await new Promise((resolve) => server.close(resolve));
    expect(await send({ smtpPort: other })).toMatchObject({ ok: false, permanent: false });
    server = createServer(serve);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
});
