/** What lines of a statement are made of: rows of usage, for bills and for what was measured again. */
import type { StatementLine } from "../ledger/statement.ts";
import type { ReadTx } from "../store/store.ts";
import { type BillLine, readBillLines } from "./bill.ts";
import { readCorrections } from "./revision.ts";

export type DetailLine = Pick<BillLine, "machine" | "meter" | "quantity" | "priceAtto" | "amount">;

/** By the transfer's id; nothing for lines that are no usage. */
export async function readDetails(
  tx: ReadTx,
  lines: readonly StatementLine[],
): Promise<ReadonlyMap<string, readonly DetailLine[]>> {
  const idsOf = (codes: readonly string[]): string[] =>
    lines.filter(({ code }) => codes.includes(code)).map(({ transferId }) => transferId);
  return new Map<string, readonly DetailLine[]>([
    ...(await readBillLines(tx, idsOf(["bill"]))),
    ...(await readCorrections(tx, idsOf(["bill-more", "bill-less"]))),
  ]);
}
