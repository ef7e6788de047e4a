/**
 * SQLite files that are no books: made once by one process, afterwards only read. Nothing here is meant to outlive
 * a power cut, since such a file is made again from its sources. Called by lib/search.
 */
import { rmSync } from "node:fs";
import type Database from "better-sqlite3";
import { bindable, connectPlain, type PlainOptions, prepare } from "./database.ts";
import type { SqlValue } from "./store.ts";

export type { PlainOptions } from "./database.ts";

export interface PlainFile {
  readonly all: <Row extends object>(sql: string, values?: readonly SqlValue[]) => readonly Row[];
  readonly run: (sql: string, values?: readonly SqlValue[]) => void;
}

/** Makes a new file in one transaction, in place of one that was there. If `work` fails, there is none. */
export function makePlainFile(options: PlainOptions, work: (file: PlainFile) => void): void {
  rmSync(options.file, { force: true });
  const db = connectPlain(options, "make");
  try {
    // The page size and secure_delete (freed room is zeroed) make the bytes depend on what is written alone.
    db.exec(`
      PRAGMA page_size = 4096;
      PRAGMA secure_delete = ON;
      PRAGMA journal_mode = OFF;
      PRAGMA synchronous = OFF;
      PRAGMA locking_mode = EXCLUSIVE;
    `);
    db.exec("BEGIN");
    work(offer(db));
    db.exec("COMMIT");
    db.close();
  } catch (cause) {
    db.close();
    rmSync(options.file, { force: true });
    throw cause;
  }
}

/** Reads a file that is there; nothing can be written to it. */
export function readPlainFile<Result>(options: PlainOptions, work: (file: PlainFile) => Result): Result {
  const db = connectPlain(options, "read");
  try {
    return work(offer(db));
  } finally {
    db.close();
  }
}

function offer(db: Database.Database): PlainFile {
  const statements = new Map<string, Database.Statement>();
  const find = (sql: string): Database.Statement => {
    const statement = statements.get(sql) ?? prepare(db, sql);
    statements.set(sql, statement);
    return statement;
  };
  return {
    all: <Row extends object>(sql: string, values: readonly SqlValue[] = []) =>
      find(sql).all(values.map(bindable)) as Row[],
    run: (sql, values = []) => void find(sql).run(values.map(bindable)),
  };
}
