/**
 * Many rows at once: a statement for fifty of them takes half the time of fifty statements. There are two statements for each
 * insert, the long one and the one for what is left over.
 */
import { assert } from "../util/failure.ts";
import type { SqlValue, WriteTx } from "./store.ts";

const rowsAtOnce = 50;

/** `insert` is all before VALUES, `after` all behind it; each row has as many values as `insert` has columns. */
export async function insertRows(
  tx: WriteTx,
  insert: string,
  rows: readonly (readonly SqlValue[])[],
  after = "",
): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const marks = `(${first.map(() => "?").join(", ")})`;
  const sqlFor = (count: number): string =>
    `${insert} VALUES ${Array.from({ length: count }, () => marks).join(", ")} ${after}`;
  const [many, one] = [sqlFor(rowsAtOnce), sqlFor(1)];
  for (let from = 0; from < rows.length; ) {
    const isMany = from + rowsAtOnce <= rows.length;
    const count = isMany ? rowsAtOnce : 1;
    const values: SqlValue[] = [];
    for (const row of rows.slice(from, from + count)) values.push(...row);
    const written = await tx.run(isMany ? many : one, values);
    assert(written === count, "every row is written");
    from += count;
  }
}
