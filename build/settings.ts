/**
 * etc/site.yaml, etc/prices.yaml, and etc/cluster.yaml, read and checked once, when the site is built. Programs get the result
 * baked in and never read etc/.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseEmail } from "../lib/accounts/email.ts";
import { mostPicodollars } from "../lib/money/price.ts";
import { hidePassword, parseAddress } from "../lib/store/postgres/address.ts";
import { parseDay } from "../lib/util/clock.ts";
import { assert } from "../lib/util/failure.ts";
import {
  isLoopbackHttp,
  type MailSettings,
  type MeterSetting,
  type PriceSetting,
  type Settings,
} from "../lib/util/settings.ts";
import type { Fault } from "./fault.ts";
import { type Cluster, readCluster } from "./host/cluster.ts";
import {
  offsetOfKey,
  readChoice,
  readGroup,
  readKeys,
  readList,
  readSection,
  readText,
  readTexts,
  readWhole,
  readYaml,
  type Section,
} from "./section.ts";
import { readUtf8 } from "./text.ts";

const siteKeys = [
  "name",
  "tagline",
  "url",
  "search",
  "assets",
  "compress",
  "mail",
  "store",
  "payments",
  "seller",
  "terms",
  "warnings",
  "night",
  "backup",
];

/** Stands for what cannot be read, so that layouts and links are looked at in the same run. */
const standIn = "http://127.0.0.1";

/**
 * Reads all of them. Where there are faults, the settings are only good for finding more faults. `compress` and
 * `assets` are for the builder alone, and programs are not given them.
 */
export function readSettings(sourceFolder: string): {
  readonly settings: Settings;
  readonly compress: boolean;
  /** Whether assets keep their names alone. */
  readonly isPlain: boolean;
  /** Where the site runs. */
  readonly cluster: Cluster;
  readonly faults: readonly Fault[];
} {
  const site = readFile(sourceFolder, "etc/site.yaml", siteKeys);
  const prices = readFile(sourceFolder, "etc/prices.yaml", ["currency", "meters"]);
  const { compress, isPlain, ...general } = readSite(
    site.section ?? readYaml("", `{name: "-", url: "${standIn}"}`, siteKeys).section,
  );
  const meters = prices.section === undefined ? [] : readMeters(prices.section);
  const { cluster, faults } = readCluster(
    sourceFolder,
    URL.canParse(general.url) ? new URL(general.url).hostname : "",
  );
  const all = [...site.faults, ...prices.faults, ...faults];
  return { settings: { ...general, meters }, compress, isPlain, cluster, faults: all };
}

function readFile(sourceFolder: string, file: string, keys: readonly string[]) {
  const path = join(sourceFolder, file);
  if (!existsSync(path)) return faulty(file, { line: 0, message: "not found; `site init` makes one" });
  const text = readUtf8(path);
  return typeof text === "string" ? readYaml(file, text, keys) : faulty(file, text);
}

function faulty(file: string, wrong: { readonly line: number; readonly message: string }) {
  return { section: undefined, faults: [{ file, ...wrong }] as Fault[] };
}

function readSite(
  site: Section | undefined,
): Omit<Settings, "meters"> & { readonly compress: boolean; readonly isPlain: boolean } {
  assert(site !== undefined, "the stand-in can be read");
  const name = readText(site, "name");
  const url = readUrl(site);
  const payments = readGroup(site, "payments", ["minimum", "maximum", "tax"]);
  const warnings = readGroup(site, "warnings", ["days", "countdown"]);
  const seller = readGroup(site, "seller", ["name", "address", "tax_id"]);
  const night = readGroup(site, "night", ["report", "heartbeat"]);
  const topUpMinimum = readWhole(payments, "minimum", { least: 1, most: 100_000, fallback: 5 });
  const topUpMaximum = readWhole(payments, "maximum", { least: 1, most: 100_000, fallback: 1000 });
  if (topUpMinimum > topUpMaximum)
    site.reader.report(offsetOfKey(site, "payments"), '"payments.minimum" is more than "payments.maximum"');
  return {
    name,
    tagline: readText(site, "tagline", " ").trim(),
    url,
    search: readChoice(site, "search", ["yes", "no"], "no") === "yes",
    compress: readChoice(site, "compress", ["yes", "no"], "no") === "yes",
    isPlain: readChoice(site, "assets", ["hashed", "plain"], "hashed") === "plain",
    mail: readMail(site, name, url),
    store: readStore(site),
    topUpMinimum,
    topUpMaximum,
    hasTax: readChoice(payments, "tax", ["yes", "no"], "no") === "yes",
    seller: {
      name: readText(seller, "name", " ").trim(),
      address: readTexts(seller, "address"),
      taxId: readText(seller, "tax_id", " ").trim(),
    },
    terms: readTerms(site),
    warnDays: readWhole(warnings, "days", { least: 1, most: 365, fallback: 7 }),
    countdownDays: readWhole(warnings, "countdown", { least: 1, most: 365, fallback: 7 }),
    backup: readBackup(readGroup(site, "backup", ["seal", "recipient", "copy", "keep"])),
    ...readNight(night),
  };
}

/** The engine of the books, and where its server is. */
function readStore(site: Section): string {
  const store = readText(site, "store", "sqlite");
  const wrong = store === "sqlite" ? undefined : parseAddress(store);
  if (typeof wrong === "string")
    site.reader.report(
      offsetOfKey(site, "store"),
      `"store" is ${JSON.stringify(hidePassword(store))}; ${wrong}`,
    );
  return store;
}

/** Both or neither: a version without a page is one that nobody could read. */
function readTerms(site: Section): Settings["terms"] {
  const terms = readGroup(site, "terms", ["version", "page"]);
  const [version, page] = [readText(terms, "version", " ").trim(), readText(terms, "page", " ").trim()];
  if ((version === "") !== (page === ""))
    site.reader.report(offsetOfKey(site, "terms"), '"terms" wants both "version" and "page"');
  if (page !== "" && !/^\/[\w./-]*$/.test(page))
    site.reader.report(
      offsetOfKey(site, "terms"),
      `"terms.page" is ${JSON.stringify(page)}; it must be a path such as /terms.html`,
    );
  return { version, page };
}

function readBackup(backup: Section): Settings["backup"] {
  const seal = readChoice(backup, "seal", ["none", "age", "gpg"], "none") ?? "none";
  const recipient = readText(backup, "recipient", " ").trim();
  if ((seal === "none") !== (recipient === ""))
    backup.reader.report(
      offsetOfKey(backup, "recipient"),
      '"backup" wants both "seal" (age or gpg) and "recipient", or neither',
    );
  if (/^-/.test(recipient))
    backup.reader.report(offsetOfKey(backup, "recipient"), '"backup.recipient" must be the name of a key');
  const copy = readText(backup, "copy", " ").trim();
  if (copy !== "" && !copy.includes("{file}"))
    backup.reader.report(
      offsetOfKey(backup, "copy"),
      '"backup.copy" must say {file}, where the file\'s path goes',
    );
  const keep = readGroup(backup, "keep", ["days", "weeks", "months"]);
  const count = (key: string, fallback: number): number =>
    readWhole(keep, key, { least: 1, most: 1000, fallback });
  return {
    seal,
    recipient,
    copy: copy === "" ? [] : copy.split(/\s+/),
    keep: { days: count("days", 14), weeks: count("weeks", 8), months: count("months", 12) },
  };
}

function readNight(night: Section): Pick<Settings, "reportTo" | "heartbeat"> {
  const reportTo = readText(night, "report", " ").trim();
  if (reportTo !== "" && parseEmail(reportTo) === undefined)
    night.reader.report(
      offsetOfKey(night, "report"),
      `"night.report" is ${JSON.stringify(reportTo)}; it must be an address`,
    );
  const heartbeat = readText(night, "heartbeat", " ").trim();
  if (heartbeat !== "" && !(URL.canParse(heartbeat) && /^https?:$/.test(new URL(heartbeat).protocol)))
    night.reader.report(
      offsetOfKey(night, "heartbeat"),
      `"night.heartbeat" is ${JSON.stringify(heartbeat)}; it must be an http or https address`,
    );
  return { reportTo, heartbeat };
}

/** Links in mails and redirects are built from it, so it is an origin and nothing more. */
function readUrl(site: Section): string {
  const url = readText(site, "url");
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const right = isLoopbackHttp(url) || (parsed?.protocol === "https:" && parsed.origin === url);
  if (url !== "" && !right)
    site.reader.report(
      offsetOfKey(site, "url"),
      `"url" is ${JSON.stringify(url)}; it must be https://HOST without a path or a slash at its end (http for 127.0.0.1 only)`,
    );
  return right ? url : standIn;
}

function readMail(site: Section, name: string, url: string): MailSettings {
  const mail = readGroup(site, "mail", ["from", "transport", "sendmail", "smtp"]);
  const smtp = readGroup(mail, "smtp", ["host", "port", "user", "tls"]);
  // An address at a bare number is none; on loopback no mail leaves the machine anyway.
  const host = URL.canParse(url) && !isLoopbackHttp(url) ? new URL(url).hostname : "localhost";
  const transport = readChoice(mail, "transport", ["folder", "sendmail", "smtp"], "folder") ?? "folder";
  const from = readText(mail, "from", `${quoteName(name)} <accounts@${host}>`);
  if (!/^(?:[^<>",;:()]*|"[^"<>]*") ?<[^<>@\s",;]+@[^<>@\s",;]+>$|^[^<>@\s",;]+@[^<>@\s",;]+$/.test(from))
    mail.reader.report(
      offsetOfKey(mail, "from"),
      `"mail.from" is ${JSON.stringify(from)}; it must be an address, or Name <address>`,
    );
  const sendmail = readText(mail, "sendmail", "/usr/sbin/sendmail");
  if (!sendmail.startsWith("/"))
    mail.reader.report(offsetOfKey(mail, "sendmail"), '"mail.sendmail" must be an absolute path');
  return {
    from,
    transport,
    sendmail,
    smtpHost: readText(smtp, "host", transport === "smtp" ? undefined : " ").trim(),
    smtpPort: readWhole(smtp, "port", { least: 1, most: 65_535, fallback: 587 }),
    smtpUser: readText(smtp, "user", " ").trim(),
    smtpTls: readChoice(smtp, "tls", ["starttls", "tls", "none"], "starttls") ?? "starttls",
  };
}

/** RFC 5322: a name with a comma or the like stands in quotes, or it would be read as two mailboxes. */
function quoteName(name: string): string {
  return /[()<>[\]:;@\\,."]/.test(name) ? `"${name.replace(/["\\<>]/g, "")}"` : name;
}

function readMeters(prices: Section): readonly MeterSetting[] {
  readChoice(prices, "currency", ["USD"]);
  const meters = readSection(prices, "meters");
  if (meters === undefined) {
    prices.reader.report(
      offsetOfKey(prices, "meters"),
      '"meters" is missing; it must hold a key for each meter',
    );
    return [];
  }
  return readKeys(meters).flatMap(({ name, offset }) => {
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(name))
      meters.reader.report(
        offset,
        `the meter "${name}" must have a name of small letters, digits, and hyphens`,
      );
    const meter = readSection(meters, name, ["label", "per", "prices"]);
    return meter === undefined ? [] : [readMeter(meter, name)];
  });
}

function readMeter(meter: Section, name: string): MeterSetting {
  const per = readChoice(meter, "per", ["byte-month", "byte", "unit"]) ?? "unit";
  const prices = readList(meter, "prices", ["from", "picodollars"]).map((price): PriceSetting => {
    const fromDay = readText(price, "from");
    if (fromDay !== "" && parseDay(fromDay) === undefined)
      price.reader.report(
        offsetOfKey(price, "from"),
        `"${price.path}.from" is "${fromDay}"; it must be a day, 2026-01-01`,
      );
    const picodollars = readWhole(price, "picodollars", { least: 0, most: 999_999_999_999_999 });
    const most = mostPicodollars(per);
    if (picodollars > most)
      price.reader.report(
        offsetOfKey(price, "picodollars"),
        `"${price.path}.picodollars" is ${picodollars}; the books keep at most ${most} per ${per}: price a smaller unit, such as an hour in the place of a day`,
      );
    return { fromDay, picodollars: String(picodollars) };
  });
  const ordered = prices.every(
    (price, index) => index === 0 || (prices[index - 1]?.fromDay ?? "") < price.fromDay,
  );
  if (!ordered)
    meter.reader.report(
      offsetOfKey(meter, "prices"),
      `"${meter.path}.prices" must go from older to newer days, each once`,
    );
  return { name, label: readText(meter, "label", name), per, prices };
}
