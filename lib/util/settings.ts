/**
 * What the operator decided, as the programs see it. `build/` reads etc/*.yaml, checks it, and bakes the
 * result into each program; no program reads etc/ again. The few things that are known only where a program
 * runs (data folder, secrets file, development overrides) come from the environment, read here and nowhere
 * else but in cgi/support/request.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { NeedsHuman } from "./failure.ts";

/** One price of one meter, in force from `fromDay` (UTC, `YYYY-MM-DD`) on. */
export interface PriceSetting {
  readonly fromDay: string;
  /** Whole picodollars, as a decimal string (JSON has no bigint). */
  readonly picodollars: string;
}

/** `byte-month`: the quantity is byte-days, priced by the month of the day. `unit`: priced as it is counted. */
export type PriceUnit = "byte-month" | "byte" | "unit";

export interface MeterSetting {
  readonly name: string;
  /** What customers read, "Storage". */
  readonly label: string;
  readonly per: PriceUnit;
  /** In order of `fromDay`, at least one. */
  readonly prices: readonly PriceSetting[];
}

/** What customers read; the name itself for a meter that is in the settings no more. */
export function labelOf(meters: readonly MeterSetting[], name: string): string {
  return meters.find((meter) => meter.name === name)?.label ?? name;
}

export type MailTransport = "folder" | "sendmail" | "smtp";

export interface MailSettings {
  /** RFC 5322 mailbox, "Name <address>". */
  readonly from: string;
  readonly transport: MailTransport;
  /** Absolute path of the sendmail program. */
  readonly sendmail: string;
  readonly smtpHost: string;
  readonly smtpPort: number;
  readonly smtpUser: string;
  readonly smtpTls: "starttls" | "tls" | "none";
}

export interface Settings {
  readonly name: string;
  readonly tagline: string;
  /** Base URL without a trailing slash: https, or http on loopback. */
  readonly url: string;
  /** Whether the pages are indexed, and layouts show a search form. */
  readonly search: boolean;
  readonly mail: MailSettings;
  /** Where the books are: "sqlite" for a file in the data folder, or the address of a PostgreSQL server (lib/store/postgres/address.ts). */
  readonly store: string;
  /** Smallest and largest top-up, in whole dollars. */
  readonly topUpMinimum: number;
  readonly topUpMaximum: number;
  /** Whether Stripe reckons tax and takes it besides. */
  readonly hasTax: boolean;
  /** Who sells, for receipts; the site's name where `name` is "". */
  readonly seller: { readonly name: string; readonly address: readonly string[]; readonly taxId: string };
  /** The version of the terms that whoever signs up accepts, "2026-11-01", and their page; both "" where there are none. */
  readonly terms: { readonly version: string; readonly page: string };
  /** Below this many days of cost a customer is warned. */
  readonly warnDays: number;
  /** Days between an empty balance and the day from which a person may delete. */
  readonly countdownDays: number;
  /** How backups of the books are sealed, sent away, and kept (lib/staff/backup.ts). */
  readonly backup: {
    readonly seal: "none" | "age" | "gpg";
    /** Whose key opens them; "" where they are not sealed. */
    readonly recipient: string;
    /** The words of the command that sends one; none for keeping them here alone. */
    readonly copy: readonly string[];
    readonly keep: { readonly days: number; readonly weeks: number; readonly months: number };
  };
  /** Who gets the report of each night, and what is called after a good one; "" for nobody and nothing. */
  readonly reportTo: string;
  readonly heartbeat: string;
  readonly meters: readonly MeterSetting[];
}

/** What only the place knows. */
export interface Place {
  /** Absolute path of the data folder: database, development mail. */
  readonly dataFolder: string;
  /** Path of the secrets file, "" if there is none. */
  readonly secretsFile: string;
  /** Development only: another base URL (loopback http), "" if none. */
  readonly urlOverride: string;
  /** Development only: mail goes to a folder whatever etc/ says. */
  readonly mailToFolder: boolean;
  /** Development only: the books are in the data folder whatever etc/ says. */
  readonly storeInFolder: boolean;
  /** Who runs a command by hand, for the audit log; "" if that is not known. */
  readonly operator: string;
}

/**
 * Reads SITE_DATA, SITE_SECRETS, SITE_URL, SITE_MAIL, SITE_STORE, and who is at the keyboard.
 * @throws NeedsHuman if SITE_DATA is missing, or an override is not one that development may use.
 */
export function readPlace(environment: NodeJS.ProcessEnv = process.env): Place {
  const dataFolder = environment.SITE_DATA ?? "";
  if (!dataFolder.startsWith("/"))
    throw new NeedsHuman(
      "SITE_DATA must be the absolute path of the data folder; set it where the program is started",
    );
  const urlOverride = environment.SITE_URL ?? "";
  if (urlOverride !== "" && !isLoopbackHttp(urlOverride))
    throw new NeedsHuman(
      `SITE_URL=${urlOverride}: only http://127.0.0.1:PORT may be set here; change url in etc/site.yaml`,
    );
  const mail = environment.SITE_MAIL ?? "";
  if (mail !== "" && mail !== "folder")
    throw new NeedsHuman(`SITE_MAIL=${mail}: only "folder" may be set here; change mail in etc/site.yaml`);
  const store = environment.SITE_STORE ?? "";
  if (store !== "" && store !== "sqlite")
    throw new NeedsHuman(`SITE_STORE=${store}: only "sqlite" may be set here; change store in etc/site.yaml`);
  return {
    dataFolder,
    secretsFile: environment.SITE_SECRETS ?? "",
    urlOverride,
    mailToFolder: mail === "folder",
    storeInFolder: store === "sqlite",
    operator: resolveOperator(environment),
  };
}

/** The baked settings with the place's development overrides. */
export function applyPlace(settings: Settings, place: Place): Settings {
  const url = place.urlOverride === "" ? settings.url : place.urlOverride;
  const mail: MailSettings = place.mailToFolder ? { ...settings.mail, transport: "folder" } : settings.mail;
  return { ...settings, url, mail, store: place.storeInFolder ? "sqlite" : settings.store };
}

/** True for http://127.0.0.1[:port], http://[::1][:port], and http://localhost[:port], with nothing after it. */
export function isLoopbackHttp(url: string): boolean {
  return /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:\d{1,5})?$/.test(url);
}

export const secretNames = [
  "stripe_key",
  "stripe_webhook_secret",
  "stripe_webhook_secret_old",
  "stripe_api",
  "usage_token",
  "usage_token_old",
  "account_key",
  "account_key_old",
  "smtp_password",
  "store_password",
] as const;
export type SecretName = (typeof secretNames)[number];
export type Secrets = Readonly<Partial<Record<SecretName, string>>>;

/**
 * Reads `name = value` lines (blank lines and `#` comments allowed); returns only the names asked for.
 * @throws NeedsHuman naming file and line for an unknown name, a repeated one, or a file that others may read.
 */
export function readSecrets(file: string, wanted: readonly SecretName[]): Secrets {
  if (file === "" || wanted.length === 0) return {};
  let text: string;
  try {
    if ((statSync(file).mode & 0o007) !== 0)
      throw new NeedsHuman(`${file}: everybody on this machine can read the secrets; run: chmod o= ${file}`);
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if (cause instanceof NeedsHuman) throw cause;
    throw new NeedsHuman(`${file}: the secrets file cannot be read`, { cause });
  }
  const found = new Map<SecretName, string>();
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const match = /^\s*([a-z_]+)\s*=\s*(\S+)\s*$/.exec(line);
    const name = secretNames.find((known) => known === match?.[1]);
    if (match?.[2] === undefined || name === undefined)
      throw new NeedsHuman(`${file}:${index + 1}: not "name = value" with one of ${secretNames.join(", ")}`);
    if (found.has(name)) throw new NeedsHuman(`${file}:${index + 1}: ${name} is set twice; keep one line`);
    found.set(name, match[2]);
  }
  return Object.fromEntries([...found].filter(([name]) => wanted.includes(name)));
}

/** The data folder for commands run by hand: SITE_DATA, or the usual one: data/ beside the site's sources. */
export function resolveDataFolder(sourceFolder: string, usual = join(sourceFolder, "data")): string {
  return resolve(process.env.SITE_DATA ?? usual);
}

/** The secrets file for commands run by hand: SITE_SECRETS, or the usual one: etc/secrets of the site; "" where there is none. */
export function resolveSecretsFile(
  sourceFolder: string,
  usual = join(sourceFolder, "etc", "secrets"),
): string {
  const { SITE_SECRETS } = process.env;
  if (SITE_SECRETS !== undefined) return resolve(SITE_SECRETS);
  return existsSync(usual) ? usual : "";
}

/** Who is at the keyboard: SITE_OPERATOR, who became another user by sudo, or the user. */
export function resolveOperator(environment: NodeJS.ProcessEnv = process.env): string {
  const { SITE_OPERATOR, SUDO_USER, USER, LOGNAME } = environment;
  return SITE_OPERATOR ?? SUDO_USER ?? USER ?? LOGNAME ?? "";
}

/** HOME for programs that keep keys there: gpg, and ssh. */
export function inheritedHome(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.HOME ?? "/";
}

/** From now on the books are where the site says, as in production; called by build/warming. */
export function forgetStore(environment: NodeJS.ProcessEnv = process.env): void {
  Reflect.deleteProperty(environment, "SITE_STORE");
}

/** The socket that systemd listens at for this process (sd_listen_fds(3)), by its number; undefined where there is none. */
export function inheritedSocket(environment: NodeJS.ProcessEnv = process.env): number | undefined {
  const { LISTEN_FDS, LISTEN_PID } = environment;
  return LISTEN_FDS === "1" && LISTEN_PID === String(process.pid) ? 3 : undefined;
}

/** Where ssh finds the keys of whoever is logged in. */
export function inheritedAgent(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const { SSH_AUTH_SOCK } = environment;
  return SSH_AUTH_SOCK === undefined ? {} : { SSH_AUTH_SOCK };
}

/** PATH for programs that are started from here; they get nothing else of our environment. */
export function inheritedPath(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.PATH ?? "/usr/local/bin:/usr/bin:/bin";
}
