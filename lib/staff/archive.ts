/** All that is kept of an account as one file: JSON for programs, CSV for people. */
import { strToU8, zipSync } from "fflate";
import { formatExact } from "../money/amount.ts";
import type { MeterSetting } from "../util/settings.ts";
import { statementCsv, usageCsv } from "./export.ts";
import type { Portrait } from "./portrait.ts";

/** A ZIP archive; `nowMs` becomes the date of its files. */
export function archivePortrait(
  portrait: Portrait,
  meters: readonly MeterSetting[],
  nowMs: number,
): Uint8Array {
  const { facts, statement, details, usage } = portrait;
  const write = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`;
  const files = {
    "account.json": write(facts),
    "statement.json": write(
      statement.map(({ number, change, balanceAfter, transferId, ...line }) => ({
        number: String(number),
        id: transferId,
        ...line,
        change: formatExact(change),
        balanceAfter: formatExact(balanceAfter),
      })),
    ),
    "statement.csv": statementCsv(statement, details, meters),
    "usage.json": write(
      usage.map(({ quantity, priceAtto, amount, ...line }) => ({
        ...line,
        quantity: String(quantity),
        attodollarsPerUnit: String(priceAtto),
        amount: formatExact(amount),
      })),
    ),
    "usage.csv": usageCsv(usage, meters),
  };
  const entries = Object.entries(files).map(([name, text]) => [name, strToU8(text)] as const);
  return zipSync(Object.fromEntries(entries), { mtime: nowMs, level: 6 });
}
