/**
 * What may be forgotten at any time, kept as one JSON file beside the releases (dist/.cache/): answers of the
 * validator and of other hosts. A file that is missing, damaged, or of another form is as good as none, and it is
 * written whole or not at all. Called by judge.ts and external.ts.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { hasCode, NeedsHuman } from "../../lib/util/failure.ts";
import { putInPlace } from "../aside.ts";

/** The entries that `isRight` lets through; none where the file cannot be used. */
export function readCache<Value>(
  file: string,
  isRight: (value: unknown) => value is Value,
): Map<string, Value> {
  const entries = new Map<string, Value>();
  for (const [key, value] of Object.entries(readObject(file))) if (isRight(value)) entries.set(key, value);
  return entries;
}

/** @throws NeedsHuman if the folder cannot be written */
export function writeCache(file: string, entries: ReadonlyMap<string, unknown>): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    putInPlace(file, [`${JSON.stringify(Object.fromEntries(entries))}\n`]);
  } catch (cause) {
    if (!hasCode(cause, ["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENOTDIR", "EISDIR", "EEXIST"]))
      throw cause;
    throw new NeedsHuman(`${file}: cannot be written; see to its permissions and the space on its disk`, {
      cause,
    });
  }
}

function readObject(file: string): object {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof value === "object" && value !== null ? value : {};
  } catch (error) {
    // Damaged or not there: what it would have spared is done again.
    if (error instanceof SyntaxError || hasCode(error, ["ENOENT", "ENOTDIR", "EISDIR", "EACCES"])) return {};
    throw error;
  }
}
