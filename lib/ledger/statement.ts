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
  // Days follow one another as numbers do, so all that is newer than the first line is left out of its balance.
  const later = rows[0] === undefined ? amountOf(0n) : await sumChanges(tx, account, rows[0].number + 1n);
  let after = subtractAmounts(balance, later);
  const lines: StatementLine[] = [];
  for (const { picodollars, attodollars, credit, ...row } of rows.slice(0, page.limit)) {
    const moved = fromColumns({ picodollars, attodollars });
    const change = credit === account ? moved : amountOf(-moved);
    lines.push({ ...row, change, balanceAfter: after });
    after = subtractAmounts(after, change);
  }
  return { balance, lines, olderBefore: rows.length > page.limit ? lines.at(-1)?.number : undefined };
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

interface TransferRow {
  readonly number: bigint;
  readonly transferId: string;
  readonly code: TransferCode;
  readonly day: DayUtc;
  readonly reference: string;
  readonly credit: string;
  readonly picodollars: bigint;
  readonly attodollars: bigint;
}
