/** The books copied while programs go on writing: one moment of them, whole, in a new file. */
import { NeedsHuman } from "../util/failure.ts";
import { syncFile } from "../util/files.ts";
import { openDatabase, prepare, type SqliteOptions, translate } from "./database.ts";

/**
 * Writes a copy, which is on the disk when this returns. Readers and writers of the books are not kept waiting.
 * @throws NeedsHuman if the file is there already, or cannot be written
 */
export function copyStore(options: SqliteOptions, to: string): void {
  const db = openDatabase(options, true);
  try {
    prepare(db, "VACUUM INTO ?").run(to);
  } catch (cause) {
    throw new NeedsHuman(`${to}: the copy of the books cannot be written`, { cause: translate(cause) });
  } finally {
    db.close();
  }
  syncFile(to);
}
