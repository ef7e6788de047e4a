/**
 * Money by hand: `credit give|gift|charge ACCOUNT AMOUNT`, `credit goodwill --days N` for everybody, and `credit undo BATCH`; each
 * with a reason, and with `--preview` without doing it. The same command again changes nothing.
 */
import { resolveAccount } from "../lib/accounts/account.ts";
import { type Amount, addAmounts, formatExact, parseExact, zero } from "../lib/money/amount.ts";
import {
  batchOf,
  type CreditKind,
  type Given,
  giveCredit,
  planGoodwill,
  readGiven,
  undoCredit,
  wasUndone,
} from "../lib/staff/credit.ts";
import type { Store, WriteTx } from "../lib/store/store.ts";
import { type Job, type JobContext, type JobInput, readBy } from "./run.ts";

const text = { type: "string" } as const;
const kinds: Readonly<Record<string, CreditKind>> = { give: "goodwill", gift: "gift", charge: "charge" };
const mostDays = 366;
/** Accounts looked at, or credited, in one transaction. */
const batchSize = 200;

type By = NonNullable<ReturnType<typeof readBy>>;

export const job: Job = {
  usage:
    "give|gift|charge ACCOUNT AMOUNT | goodwill --days N | undo BATCH   --reason TEXT [--by NAME] [--preview]",
  options: { reason: text, by: text, days: text, preview: { type: "boolean" } },
  run: async (context, input) => {
    const [verb = "", subject = "", amountText = "", ...more] = input.words;
    const by = readBy(context, input.values);
    if (by === undefined || more.length > 0) return "misused";
    const kind = kinds[verb];
    if (kind !== undefined) return giveOne(context, kind, { subject, amountText }, by, input);
    if (verb === "goodwill" && subject === "") return giveAll(context, by, input);
    return verb === "undo" && subject !== "" && amountText === ""
      ? undo(context, subject, by, input)
      : "misused";
  },
};

async function giveOne(
  context: JobContext,
  kind: CreditKind,
  { subject, amountText }: { readonly subject: string; readonly amountText: string },
  by: By,
  { values }: JobInput,
) {
  const amount = parseExact(amountText);
  if (amount === undefined || amount <= zero) {
    context.complain(`credit: "${amountText}" is no amount; write it as 5 or 5.00, with up to 18 decimals`);
    return "misused" as const;
  }
  const store = context.openStore();
  const account = await store.read((tx) => resolveAccount(tx, subject));
  if (account === undefined) {
    context.complain(`credit: "${subject}" is neither an account id nor the address of an account`);
    return "refused" as const;
  }
  const batch = batchOf(kind, String(amount), by.reason);
  const what = `${account.id} ${kind} $${formatExact(amount)}, credit/${batch}/${account.id}`;
  if (values.preview === true) context.say(`credit: would be: ${what}`);
  else {
    const outcome = await store.write((tx) =>
      giveCredit(tx, { kind, account: account.id, amount, batch, ...by }),
    );
    if (outcome === "exists" && (await store.read((tx) => wasUndone(tx, batch, account.id)))) {
      context.complain(`credit: was done, and taken back: ${what}; to do it again, give another reason`);
      return "refused" as const;
    }
    context.say(`credit: ${outcome === "created" ? "done" : "was done before"}: ${what}`);
  }
  return "done" as const;
}

async function giveAll(context: JobContext, by: By, { values }: JobInput) {
  const days =
    typeof values.days === "string" && /^[1-9]\d{0,2}$/.test(values.days) ? Number(values.days) : 0;
  if (days === 0 || days > mostDays) {
    context.complain(`credit: say how many days of its cost each account gets, 1 to ${mostDays}: --days N`);
    return "misused" as const;
  }
  const store = context.openStore();
  const batch = batchOf("goodwill-all", String(days), by.reason);
  const isPreview = values.preview === true;
  const sum = makeSum();
  for (let after = ""; ; ) {
    const from = after;
    const page = await store.read((tx) => planGoodwill(tx, days, context.settings.meters, from, batchSize));
    if (page.last === undefined) break;
    after = page.last;
    const give = (tx: WriteTx, one: Given) => giveCredit(tx, { kind: "goodwill", ...one, batch, ...by });
    sum.add(page.given, isPreview ? [] : await writeEach(store, page.given, give));
    if (isPreview)
      for (const { account, amount } of page.given) context.say(`${account}  $${formatExact(amount)}`);
  }
  context.say(`goodwill: ${isPreview ? "would be" : "done"}: ${sum.describe()}, batch ${batch}`);
  return "done" as const;
}

async function undo(context: JobContext, batch: string, by: By, { values }: JobInput) {
  const store = context.openStore();
  const given = await store.read((tx) => readGiven(tx, batch));
  const isPreview = values.preview === true;
  const sum = makeSum();
  for (let from = 0; from < given.length; from += batchSize) {
    const some = given.slice(from, from + batchSize);
    const undoOne = (tx: WriteTx, one: Given) => undoCredit(tx, { ...one, batch, ...by });
    sum.add(some, isPreview ? [] : await writeEach(store, some, undoOne));
  }
  if (given.length === 0) context.complain(`credit: nothing of batch "${batch}" is left to be taken back`);
  else context.say(`undo: ${isPreview ? "would be" : "done"}: ${sum.describe()}, batch ${batch}`);
  return given.length === 0 ? ("refused" as const) : ("done" as const);
}

type Outcome = "created" | "exists";

/** What became of each, in one transaction; counted after it, since it may have been begun more than once. */
function writeEach(
  store: Store,
  given: readonly Given[],
  write: (tx: WriteTx, one: Given) => Promise<Outcome>,
): Promise<readonly Outcome[]> {
  return store.write(async (tx) => {
    const outcomes: Outcome[] = [];
    for (const one of given) outcomes.push(await write(tx, one));
    return outcomes;
  });
}

/** Counts what was given, by what became of it; as created where nothing is said, in a preview. */
function makeSum() {
  let [count, known] = [0, 0];
  let total: Amount = zero;
  return {
    add: (given: readonly Given[], outcomes: readonly Outcome[]): void => {
      for (const [at, { amount }] of given.entries())
        if (outcomes[at] === "exists") known += 1;
        else {
          count += 1;
          total = addAmounts(total, amount);
        }
    },
    describe: (): string =>
      `${count} accounts, $${formatExact(total)}${known === 0 ? "" : `, ${known} were done before`}`,
  };
}
