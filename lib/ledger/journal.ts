/**
 * The journal read from its beginning, a batch at a time, so that memory stays flat however many transfers there are: in
 * the order of days and ids, which does not depend on who was quicker on a day. Called by seal.ts, export.ts, verify.ts.
 */
import { type Amount, fromColumns } from "../money/amount.ts";
import type { ReadTx } from "../store/store.ts";
import type { DayUtc } from "../util/clock.ts";

export interface JournalEntry {
  readonly day: DayUtc;
  readonly id: string;
  readonly code: string;
  readonly debit: string;
  readonly credit: string;
  readonly amount: Amount;
  readonly reference: string;
}

interface JournalRow extends Omit<JournalEntry, "amount"> {
  readonly picodollars: bigint;
  readonly attodollars: bigint;
}

const batchSize = 2000;

/** Every transfer, or those of one day. All of it is read within `tx`. */
export async function* readJournal(tx: ReadTx, day?: DayUtc): AsyncGenerator<JournalEntry> {
  let [lastDay, lastId] = ["", ""];
  for (;;) {
    const rows = await tx.all<JournalRow>(
      `SELECT day, id, code, debit, credit, picodollars, attodollars, reference FROM transfer
       WHERE (day, id) > (?, ?) AND day BETWEEN ? AND ? ORDER BY day, id LIMIT ?`,
      [lastDay, lastId, day ?? "", day ?? "9999-99-99", batchSize],
    );
    for (const { picodollars, attodollars, ...row } of rows)
      yield { ...row, amount: fromColumns({ picodollars, attodollars }) };
    const last = rows.at(-1);
    if (last === undefined || rows.length < batchSize) return;
    [lastDay, lastId] = [last.day, last.id];
  }
}
