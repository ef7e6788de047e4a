/**
 * A month for whoever keeps the house's own books: what was moved by each kind of transfer, and what stood on each account at its
 * end. By booking day (UTC), exact; a kind moves money between two accounts only, so both follow from the same sums.
 */
import { pairs } from "../ledger/chart.ts";
import {
  type Amount,
  type AmountSums,
  addAmounts,
  amountOf,
  amountSums,
  fromColumns,
  fromSums,
  zero,
} from "../money/amount.ts";
import type { ReadTx } from "../store/store.ts";
import type { DayUtc } from "../util/clock.ts";

export interface MonthLine {
  readonly code: string;
  readonly transfers: bigint;
  readonly amount: Amount;
}

export interface Month {
  readonly moved: readonly MonthLine[];
  /** Credits less debits, by kind of account, before the month and at its end: what customers hold is positive. */
  readonly before: ReadonlyMap<string, Amount>;
  readonly after: ReadonlyMap<string, Amount>;
  /** Customers who owe at the end, and how much; at the end of the newest day for a month that is not over. */
  readonly owing: { readonly accounts: bigint; readonly amount: Amount };
}

/** `first` and `last` are the days of the month. */
export async function readMonth(tx: ReadTx, first: DayUtc, last: DayUtc): Promise<Month> {
  const moved = await sumCodes(tx, "day BETWEEN ? AND ?", [first, last]);
  return {
    moved,
    before: balancesOf(await sumCodes(tx, "day < ?", [first])),
    after: balancesOf(await sumCodes(tx, "day <= ?", [last])),
    owing: await readOwing(tx, last),
  };
}

async function sumCodes(tx: ReadTx, where: string, days: readonly DayUtc[]): Promise<readonly MonthLine[]> {
  const rows = await tx.all<AmountSums & { readonly code: string; readonly transfers: bigint }>(
    `SELECT code, count(*) AS transfers, ${amountSums}
     FROM transfer WHERE ${where} GROUP BY code ORDER BY code`,
    days,
  );
  return rows.map(({ code, transfers, ...amount }) => ({ code, transfers, amount: fromSums(amount) }));
}

function balancesOf(lines: readonly MonthLine[]): ReadonlyMap<string, Amount> {
  const balances = new Map<string, Amount>();
  const add = (kind: string, amount: Amount): void =>
    void balances.set(kind, addAmounts(balances.get(kind) ?? zero, amount));
  for (const { code, amount } of lines) {
    const pair = Object.entries(pairs).find(([own]) => own === code)?.[1];
    if (pair === undefined) continue;
    add(pair.debit, amountOf(-amount));
    add(pair.credit, amount);
  }
  return balances;
}

/** Whole numbers only: the attodollars' sum is carried downwards, and its rest is never less than nothing. */
async function readOwing(tx: ReadTx, last: DayUtc): Promise<{ accounts: bigint; amount: Amount }> {
  const row = await tx.get<{ accounts: bigint; picodollars: bigint | null; attodollars: bigint | null }>(
    `SELECT count(*) AS accounts, sum(p) AS picodollars, sum(a) AS attodollars FROM (
       SELECT sum(p) AS p, sum(a) AS a FROM (
         SELECT credit AS id, picodollars AS p, attodollars AS a FROM transfer WHERE day <= ?
         UNION ALL SELECT debit, -picodollars, -attodollars FROM transfer WHERE day <= ?) moved
       WHERE id IN (SELECT id FROM ledger_account WHERE kind = 'customer')
       GROUP BY id HAVING sum(p) + (sum(a) - (sum(a) % 1000000 + 1000000) % 1000000) / 1000000 < 0) owing`,
    [last, last],
  );
  const columns = { picodollars: row?.picodollars ?? 0n, attodollars: row?.attodollars ?? 0n };
  return { accounts: row?.accounts ?? 0n, amount: fromColumns(columns) };
}
