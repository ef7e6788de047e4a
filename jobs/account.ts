/**
 * Accounts as the staff sees them: found, shown, held from deletion and released, with notes; and the amnesty of all. Money is
 * given and taken by jobs/credit and jobs/refund.
 */
import { type Account, type AccountId, resolveAccount } from "../lib/accounts/account.ts";
import { chooseMoney, closeAccount, readClosing, reopenAccount } from "../lib/accounts/closing.ts";
import { parseEmail } from "../lib/accounts/email.ts";
import { endFactors, readFactor } from "../lib/accounts/factor.ts";
import { composeFactor } from "../lib/accounts/notice.ts";
import { listPasskeys } from "../lib/accounts/passkey.ts";
import { endOtherSessions, listSessions } from "../lib/accounts/session.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import { formatDollars, parseDollars, toCents } from "../lib/money/amount.ts";
import { composeRuleEnded } from "../lib/payments/notice.ts";
import { endRule, readRule } from "../lib/payments/recharge.ts";
import { type Deed, wasNoted, writeAudit } from "../lib/staff/audit.ts";
import { describeAccount, findAccounts } from "../lib/staff/show.ts";
import type { ReadTx, WriteTx } from "../lib/store/store.ts";
import { NeedsHuman } from "../lib/util/failure.ts";
import { randomToken } from "../lib/util/random.ts";
import { readHold, setHold } from "../lib/warnings/hold.ts";
import { readPreference, setPreference } from "../lib/warnings/preference.ts";
import { type Job, type JobContext, type JobInput, readBy } from "./run.ts";

const text = { type: "string" } as const;

export const job: Job = {
  usage:
    "find TEXT | show ACCOUNT | hold|release|note|log-out|factor-off|recharge-off|reopen ACCOUNT --reason TEXT | close ACCOUNT --money refund|leave --reason TEXT | warn ACCOUNT [--days N | --below AMOUNT] [--second ADDRESS] --reason TEXT | amnesty on|off --reason TEXT  [--by NAME] [--preview] [--json]",
  options: {
    reason: text,
    money: text,
    by: text,
    days: text,
    below: text,
    second: text,
    json: { type: "boolean" },
    preview: { type: "boolean" },
  },
  run: async (context, input) => {
    const [verb, subject, ...more] = input.words;
    if (subject === undefined || more.length > 0) return "misused";
    if (verb === "find") return find(context, subject, input.values.json === true);
    if (verb === "amnesty") return declareAmnesty(context, subject, input);
    const account = await context.openStore().read((tx) => resolveAccount(tx, subject));
    if (account === undefined) {
      context.complain(`account: "${subject}" is neither an account id nor the address of an account`);
      return "refused";
    }
    if (verb === "warn") return setWarnings(context, account, input);
    if (verb === "close") return close(context, account, input);
    if (verb === "show") return show(context, account, input.values.json === true);
    const decision = decisions.find((name) => name === verb);
    return decision === undefined ? "misused" : decide(context, decision, account, input);
  },
};

async function find(context: JobContext, words: string, isJson: boolean) {
  const found = await context.openStore().read((tx) => findAccounts(tx, words));
  for (const account of found)
    context.say(
      isJson ? JSON.stringify(account) : `${account.account}  ${account.email}  $${account.balance}`,
    );
  if (found.length === 0) context.complain(`account: nobody is found by "${words}"`);
  return found.length === 0 ? ("refused" as const) : ("done" as const);
}

async function show(context: JobContext, account: Account, isJson: boolean) {
  const shown = await context.openStore().read((tx) => describeAccount(tx, account, context.settings));
  if (isJson) context.say(JSON.stringify(shown));
  else {
    const { transfers, deeds, ...facts } = shown;
    for (const [name, value] of Object.entries(facts)) context.say(`${name.padEnd(12)}${value}`);
    for (const line of transfers)
      context.say(`${line.day}  ${line.change.padStart(26)}  ${line.code}  ${line.reference}`);
    for (const deed of deeds)
      context.say(`${deed.at}  ${deed.operator}: ${deed.action}: ${deed.reason} ${deed.detail}`.trimEnd());
  }
  return "done" as const;
}

const decisions = ["hold", "release", "note", "log-out", "factor-off", "recharge-off", "reopen"] as const;
type Decision = (typeof decisions)[number];

const told: Readonly<Record<Decision, string>> = {
  hold: "is held from deletion",
  release: "is not held",
  note: "has that note",
  "log-out": "is logged in nowhere",
  "factor-off": "has no second factor, and is logged in nowhere",
  "recharge-off": "is not charged automatically",
  reopen: "is not closed",
};

async function decide(context: JobContext, verb: Decision, account: Account, { values }: JobInput) {
  const by = readBy(context, values);
  if (by === undefined) return "misused" as const;
  const isPreview = values.preview === true;
  // What the staff turns off, the owner learns of.
  const notice =
    verb === "factor-off"
      ? composeFactor(context, account, "off")
      : verb === "recharge-off"
        ? composeRuleEnded(context, account, "staff")
        : undefined;
  const outcome = await decideOnce(context, isPreview, async (tx) => {
    const deed = { ...by, action: verb, account: account.id, detail: "" };
    const isKnown = await isDecided(tx, verb, account.id, deed);
    if (isKnown || isPreview) return isKnown;
    if (verb === "hold" || verb === "release") await setHold(tx, account.id, verb === "hold");
    if (verb === "factor-off") await endFactors(tx, account.id);
    if (verb === "recharge-off") await endRule(tx, account.id, "staff");
    if (verb === "log-out" || verb === "factor-off") await endOtherSessions(tx, account.id, "");
    if (verb === "reopen" && !(await reopenAccount(tx, account.id)))
      throw new NeedsHuman(`${account.id} was erased; it cannot be opened again`);
    if (notice !== undefined) await enqueueMail(tx, notice);
    await writeAudit(tx, deed);
    return false;
  });
  context.say(`account: ${outcome}${account.id} ${told[verb]}`);
  return "done" as const;
}

/** Whether it is so already: then nothing is done, and nothing is written down. */
async function isDecided(tx: ReadTx, verb: Decision, account: AccountId, deed: Deed): Promise<boolean> {
  switch (verb) {
    case "hold":
    case "release":
      return (await readHold(tx, account)) === (verb === "hold");
    case "note":
      return wasNoted(tx, deed);
    case "log-out":
      return (await listSessions(tx, account, "")).length === 0;
    case "reopen":
      return (await readClosing(tx, account)) === undefined;
    case "recharge-off":
      return (await readRule(tx, account))?.isOn !== true;
    case "factor-off":
      return (await readFactor(tx, account)) === undefined && (await listPasskeys(tx, account)).length === 0;
  }
}

/** In the customer's name, who is told by no mail: whoever asked by letter may have no mailbox any more. */
async function close(context: JobContext, account: Account, { values }: JobInput) {
  const by = readBy(context, values);
  const { money } = values;
  if (by === undefined || (money !== "refund" && money !== "leave")) return "misused" as const;
  const isPreview = values.preview === true;
  if ((await context.openStore().read((tx) => readClosing(tx, account.id)))?.isDone === true) {
    context.complain(
      `account: ${account.id} is erased already; site account refund, gift, or charge settles what came to it since`,
    );
    return "refused" as const;
  }
  const outcome = await decideOnce(context, isPreview, async (tx) => {
    const before = await readClosing(tx, account.id);
    if (before?.isDone === true || before?.money === money || isPreview) return before?.money === money;
    if (before === undefined) await closeAccount(tx, account.id, { money, token: randomToken() });
    else await chooseMoney(tx, account.id, money);
    await writeAudit(tx, { ...by, action: "close", account: account.id, detail: `money: ${money}` });
    return false;
  });
  const words = money === "refund" ? "is to be given back" : "stays with us";
  context.say(`account: ${outcome}${account.id} is closed; what is left ${words}`);
  return "done" as const;
}

/** Carries a decision out, or only looks; what the report begins with. `work` answers whether it was so before. */
async function decideOnce(
  context: JobContext,
  isPreview: boolean,
  work: (tx: WriteTx) => Promise<boolean>,
): Promise<string> {
  const wasSo = await context.openStore().write(work);
  if (wasSo) return "as before: ";
  return isPreview ? "would be: " : "";
}

/** What is not given goes back to what the site says. */
async function setWarnings(context: JobContext, account: Account, { values }: JobInput) {
  const by = readBy(context, values);
  if (by === undefined) return "misused" as const;
  const days =
    typeof values.days === "string" && /^[1-9]\d{0,2}$/.test(values.days) ? Number(values.days) : undefined;
  const below = typeof values.below === "string" ? parseDollars(values.below) : undefined;
  const cents = below === undefined ? undefined : toCents(below);
  const second = typeof values.second === "string" ? parseEmail(values.second) : undefined;
  const isWrong = (name: string, read: unknown): boolean => values[name] !== undefined && read === undefined;
  if (
    isWrong("days", days) ||
    isWrong("below", cents) ||
    isWrong("second", second) ||
    (days ?? 0) > 365 ||
    cents === 0
  ) {
    context.complain("account: --days is 1 to 365, --below an amount such as 5.00, --second an address");
    return "misused" as const;
  }
  if (days !== undefined && cents !== undefined) return "misused" as const;
  const preference = { warnDays: days, warnBelowCents: cents, secondEmail: second };
  const isPreview = values.preview === true;
  const outcome = await decideOnce(context, isPreview, async (tx) => {
    const isKnown = JSON.stringify(await readPreference(tx, account.id)) === JSON.stringify(preference);
    if (isKnown || isPreview) return isKnown;
    await setPreference(tx, account.id, preference);
    const detail = `days ${days ?? "-"}, below ${below === undefined ? "-" : formatDollars(below)}, second ${second === undefined ? "-" : "set"}`;
    await writeAudit(tx, { ...by, action: "warn", account: account.id, detail });
    return false;
  });
  const when =
    days !== undefined
      ? `below ${days} days`
      : below !== undefined
        ? `below ${formatDollars(below)}`
        : "as the site says";
  context.say(
    `account: ${outcome}${account.id} is warned ${when}${second === undefined ? "" : `, at ${second} too`}`,
  );
  return "done" as const;
}

async function declareAmnesty(context: JobContext, word: string, { values }: JobInput) {
  if (word !== "on" && word !== "off") return "misused" as const;
  const by = readBy(context, values);
  if (by === undefined) return "misused" as const;
  const isPreview = values.preview === true;
  const outcome = await decideOnce(context, isPreview, async (tx) => {
    const isKnown = (await readHold(tx, undefined)) === (word === "on");
    if (isKnown || isPreview) return isKnown;
    await setHold(tx, undefined, word === "on");
    await writeAudit(tx, { ...by, action: `amnesty ${word}`, account: undefined, detail: "" });
    return false;
  });
  context.say(`account: ${outcome}the amnesty is ${word}`);
  return "done" as const;
}
