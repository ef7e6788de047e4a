/**
 * The books copied while programs go on writing: one moment of them, whole, in a new file, whichever engine they are on. So a backup is the
 * same file for both, and is proved in the same way. Called by jobs/backup.
 */
import { NeedsHuman } from "../util/failure.ts";
import { syncFile } from "../util/files.ts";
import { openDatabase, prepare, type SqliteOptions, translate } from "./database.ts";
import { migrateStore } from "./migrate.ts";
import { snapshotBooks } from "./move.ts";
import { type BooksOptions, openBooks } from "./open.ts";
import { readShapes } from "./shape.ts";

/** @throws NeedsHuman if the file is there already, or cannot be written */
export async function copyBooks(books: BooksOptions, to: string): Promise<void> {
  if (books.postgres === undefined) return copyStore(books, to);
  const file = { file: to, clock: books.clock, addonFile: books.addonFile };
  migrateStore(file);
  const [from, into] = [openBooks(books), openBooks(file)];
  try {
    await snapshotBooks(from, into, readShapes(books));
  } finally {
    from.close();
    into.close();
  }
  syncFile(to);
}

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
