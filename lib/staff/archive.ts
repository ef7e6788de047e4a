/** All that is kept of an account as one file: JSON for programs, CSV for people. */
import { strToU8, zipSync } from "fflate";
import type { MeterSetting } from "../util/settings.ts";
import { statementCsv, statementJson, usageCsv, usageJson } from "./export.ts";
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
    "statement.json": write(statementJson(statement)),
    "statement.csv": statementCsv(statement, details, meters),
    "usage.json": write(usageJson(usage)),
    "usage.csv": usageCsv(usage, meters),
  };
  const entries = Object.entries(files).map(([name, text]) => [name, strToU8(text)] as const);
  return zipSync(Object.fromEntries(entries), { mtime: nowMs, level: 6 });
}
