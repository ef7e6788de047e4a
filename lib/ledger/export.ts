/**
 * The journal for other programs: as a journal of hledger with a balance assertion behind every posting, as CSV, and as
 * lines of JSON. The order is that of days and ids, so that two books of the same facts give the same bytes.
 *
 * In hledger what we own is positive and what we owe negative, the reverse of our balances (credits less debits): a $10
 * top-up is `assets:stripe-clearing $10 = $10` and `liabilities:customers:acct_x $-10 = $-10`.
 */
import { amountOf, formatExact } from "../money/amount.ts";
import type { ReadTx } from "../store/store.ts";
import type { HouseAccount } from "./chart.ts";
import { type JournalEntry, readJournal } from "./journal.ts";

export const exportFormats = ["hledger", "csv", "json"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** The lines of the export, without their line feeds. */
export async function* exportLedger(tx: ReadTx, format: ExportFormat): AsyncGenerator<string> {
  if (format === "csv") yield "day,id,code,debit,credit,amount,reference";
  if (format === "hledger")
    yield* ["; The ledger's transfers, by day and id. Amounts are exact.", "decimal-mark .", ""];
  const balances = new Map<string, bigint>();
  for await (const entry of readJournal(tx))
    if (format === "hledger") yield writeTransaction(entry, balances);
    else yield format === "csv" ? writeRow(entry) : writeObject(entry);
}

function writeObject({ amount, ...entry }: JournalEntry): string {
  return JSON.stringify({ ...entry, amount: formatExact(amount) });
}

function writeRow({ day, id, code, debit, credit, amount, reference }: JournalEntry): string {
  return [day, id, code, debit, credit, formatExact(amount), reference].map(quoteField).join(",");
}

/** RFC 4180. */
function quoteField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function writeTransaction(entry: JournalEntry, balances: Map<string, bigint>): string {
  const { day, id, code, debit, credit, amount, reference } = entry;
  const post = (account: string, change: bigint): string => {
    const after = (balances.get(account) ?? 0n) + change;
    balances.set(account, after);
    return `    ${nameAccount(account)}  ${writeAmount(change)} = ${writeAmount(after)}`;
  };
  // Parentheses hold hledger's code of a transaction; a semicolon would begin a comment.
  const head = `${day} * (${clean(id)}) ${clean(code)} ${clean(reference)}`.trimEnd();
  return `${head}\n${post(debit, amount)}\n${post(credit, -amount)}\n`;
}

function writeAmount(attodollars: bigint): string {
  const text = formatExact(amountOf(attodollars));
  return text.startsWith("-") ? `$-${text.slice(1)}` : `$${text}`;
}

function clean(text: string): string {
  return text.replace(/[;()\s]+/g, " ");
}

const names: Readonly<Record<HouseAccount, string>> = {
  "stripe-clearing": "assets:stripe-clearing",
  bank: "assets:bank",
  tax: "liabilities:tax",
  fees: "expenses:fees",
  revenue: "revenues:usage",
  goodwill: "expenses:goodwill",
  refunds: "liabilities:refunds",
  disputes: "liabilities:disputes",
  adjustments: "equity:adjustments",
};

/** The name in hledger of one of our ledger accounts. */
export function nameAccount(id: string): string {
  return Object.entries(names).find(([own]) => own === id)?.[1] ?? `liabilities:customers:${id}`;
}
