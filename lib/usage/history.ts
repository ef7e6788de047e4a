/**
 * What an account's usage cost, by day, machine, and meter, as it holds now: the lines of its bills with what was measured again
 * since. Their sum is what the ledger moved for those days.
 */
import type { AccountId } from "../accounts/account.ts";
import { type Amount, addAmounts, amountOf, zero } from "../money/amount.ts";
import type { ReadTx } from "../store/store.ts";
import type { DayUtc } from "../util/clock.ts";

export interface HistoryLine {
  readonly day: DayUtc;
  readonly machine: string;
  readonly meter: string;
  /** As it was last measured. */
  readonly quantity: bigint;
  /** Attodollars per unit of the quantity. */
  readonly priceAtto: bigint;
  readonly amount: Amount;
}

/** Reads the days from `from` to `to`, both included, in the order of day, machine, meter. */
export async function readHistory(
  tx: ReadTx,
  account: AccountId,
  { from, to }: { readonly from: DayUtc; readonly to: DayUtc },
): Promise<readonly HistoryLine[]> {
  const bill = `bill/${account}/`;
  const rows = await tx.all<Omit<HistoryLine, "amount">>(
    `WITH line AS (
       SELECT substr(transfer, ${bill.length + 1}) AS day, machine, meter, quantity, price_atto, revision
       FROM bill_line WHERE transfer BETWEEN ? AND ?
       UNION ALL
       SELECT day, machine, meter, quantity, price_atto, revision FROM usage_revision
       WHERE day BETWEEN ? AND ? AND account = ? AND price_atto IS NOT NULL)
     SELECT day, machine, meter, quantity, price_atto AS priceAtto FROM (
       SELECT line.*, row_number() OVER (PARTITION BY day, machine, meter ORDER BY revision DESC) AS place FROM line) newest
     WHERE place = 1 ORDER BY day, machine, meter`,
    [bill + from, bill + to, from, to, account],
  );
  return rows.map(({ day, machine, meter, quantity, priceAtto }) => ({
    day,
    machine,
    meter,
    quantity,
    priceAtto,
    amount: amountOf(quantity * priceAtto),
  }));
}

/** Sums by a key, in the order in which keys come first. */
export function sumBy(
  lines: readonly HistoryLine[],
  keyOf: (line: HistoryLine) => string,
): ReadonlyMap<string, Amount> {
  const sums = new Map<string, Amount>();
  for (const line of lines) {
    const key = keyOf(line);
    sums.set(key, addAmounts(sums.get(key) ?? zero, line.amount));
  }
  return sums;
}
