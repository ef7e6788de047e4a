/**
 * A customer's statement: the transfers of one account, newest first, each with the balance after it. The
 * balance is walked back from the present one, so the newest line always shows what the account page shows.
 */
import { type Amount, amountOf, fromColumns, subtractAmounts } from "../money/amount.ts";
import type { ReadTx } from "../store/store.ts";
import type { DayUtc } from "../util/clock.ts";
import type { TransferCode } from "./chart.ts";
import { readBalance } from "./transfer.ts";

export interface StatementLine {
  /** Position in the journal; pages of the statement are cut by it. */
  readonly number: bigint;
  readonly transferId: string;
  readonly code: TransferCode;
  readonly day: DayUtc;
  readonly reference: string;
  /** Positive where the balance rose. */
  readonly change: Amount;
  readonly balanceAfter: Amount;
}

export interface Statement {
  readonly balance: Amount;
  readonly lines: readonly StatementLine[];
  /** Where the next older page begins; undefined on the last one. */
  readonly olderBefore: bigint | undefined;
}

/** Which lines: those older than journal number `before`, of booking days from `from` to `to`, both included; all unless told. */
export interface StatementPage {
  readonly before: bigint | undefined;
  readonly limit: number;
  readonly from?: DayUtc | undefined;
  readonly to?: DayUtc | undefined;
}

/** A position as it stands in an address; undefined for anything that is none, which shows the newest lines. */
export function readPosition(text: string): bigint | undefined {
  return /^[1-9]\d{0,17}$/.test(text) ? BigInt(text) : undefined;
}

/** Reads up to `limit` lines, newest first. */
export async function readStatement(tx: ReadTx, account: string, page: StatementPage): Promise<Statement> {
  const balance = await readBalance(tx, account);
  const rows = await tx.all<TransferRow>(
    `SELECT number, id AS transferId, code, day, reference, credit, picodollars, attodollars FROM transfer
     WHERE number < ? AND (debit = ? OR credit = ?) AND day BETWEEN ? AND ? ORDER BY number DESC LIMIT ?`,
    [page.before ?? 2n ** 62n, account, account, page.from ?? "", page.to ?? "~", page.limit + 1],
  );
  const shown = rows.slice(0, page.limit);
  const between = await readBetween(tx, account, shown, page);
  // All that is newer than the first line is left out of its balance.
  const later = rows[0] === undefined ? amountOf(0n) : await sumChanges(tx, account, rows[0].number + 1n);
  let after = subtractAmounts(balance, later);
  const lines: StatementLine[] = [];
  for (const row of shown) {
    for (const newer of between.filter(
      ({ number }) => number > row.number && number < (lines.at(-1)?.number ?? 0n),
    ))
      after = subtractAmounts(after, changeOf(newer, account));
    const { picodollars, attodollars, credit, ...line } = row;
    const change = changeOf(row, account);
    lines.push({ ...line, change, balanceAfter: after });
    after = subtractAmounts(after, change);
  }
  return { balance, lines, olderBefore: rows.length > page.limit ? lines.at(-1)?.number : undefined };
}

/** What lies between lines of some days, and is of others: days follow one another as numbers do, unless the clock was set back. */
async function readBetween(
  tx: ReadTx,
  account: string,
  shown: readonly TransferRow[],
  page: StatementPage,
): Promise<readonly Moved[]> {
  const [newest, oldest] = [shown[0], shown.at(-1)];
  if (newest === undefined || oldest === undefined || (page.from ?? page.to) === undefined) return [];
  return tx.all<Moved>(
    `SELECT number, credit, picodollars, attodollars FROM transfer
     WHERE number BETWEEN ? AND ? AND (debit = ? OR credit = ?) AND NOT (day BETWEEN ? AND ?)`,
    [oldest.number, newest.number, account, account, page.from ?? "", page.to ?? "~"],
  );
}

function changeOf({ credit, ...columns }: Moved, account: string): Amount {
  const moved = fromColumns(columns);
  return credit === account ? moved : amountOf(-moved);
}

/** How much the account's balance changed by the transfers from journal number `from` on. */
async function sumChanges(tx: ReadTx, account: string, from: bigint): Promise<Amount> {
  const row = await tx.get<{ picodollars: bigint; attodollars: bigint }>(
    `SELECT coalesce(sum(CASE WHEN credit = ? THEN picodollars ELSE -picodollars END), 0) AS picodollars,
            coalesce(sum(CASE WHEN credit = ? THEN attodollars ELSE -attodollars END), 0) AS attodollars
     FROM transfer WHERE number >= ? AND (debit = ? OR credit = ?)`,
    [account, account, from, account, account],
  );
  return row === undefined ? amountOf(0n) : fromColumns(row);
}

interface Moved {
  readonly number: bigint;
  readonly credit: string;
  readonly picodollars: bigint;
  readonly attodollars: bigint;
}

interface TransferRow extends Moved {
  readonly transferId: string;
  readonly code: TransferCode;
  readonly day: DayUtc;
  readonly reference: string;
}
