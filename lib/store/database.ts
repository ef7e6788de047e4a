/**
 * Opening a SQLite file, and the only files that import the driver lie in this folder. What is guarded here:
 * every commit reaches the disk (synchronous=FULL), no integer is rounded (safe integers), and a file of
 * another program is refused. Called by the other files of this folder.
 */
import Database from "better-sqlite3";
import type { Clock } from "../util/clock.ts";
import { assert, NeedsHuman, TryLater } from "../util/failure.ts";
import type { SqlValue } from "./store.ts";

/** "pico" in ASCII: tells our files from other SQLite databases. */
export const applicationId = 0x7069636f;

export interface SqliteOptions {
  /** The database file; it must exist and have the programs' schema. */
  readonly file: string;
  readonly clock: Clock;
  /** Path of the native addon, where the driver cannot find it by itself (in a bundle). */
  readonly addonFile?: string | undefined;
  /** How long a transaction waits for another process's lock; 5 seconds unless told. */
  readonly busyMs?: number;
}

export const usualBusyMs = 5000;

/** Opens the file with every pragma set and proved; `site migrate` may create it. */
export function openDatabase(options: SqliteOptions, mustExist: boolean): Database.Database {
  const db = connectFile(options, mustExist);
  try {
    setPragmas(db, options.file);
  } catch (cause) {
    db.close();
    throw cause instanceof NeedsHuman ? cause : translate(cause);
  }
  return db;
}

/** A connection as the driver makes it, without any pragma. */
export function connectFile(options: Omit<SqliteOptions, "clock">, mustExist: boolean): Database.Database {
  try {
    const settings = {
      fileMustExist: mustExist,
      timeout: options.busyMs ?? usualBusyMs,
      ...loadAddon(options),
    };
    return keep(new Database(options.file, settings));
  } catch (cause) {
    const what = mustExist
      ? "cannot be opened; if it does not exist yet, run: site migrate"
      : "cannot be made";
    throw new NeedsHuman(`${options.file}: the database ${what}`, { cause });
  }
}

/** A database that is gone when it is closed. */
export function openInMemory(native: { readonly addonFile?: string | undefined }): Database.Database {
  return keep(new Database(":memory:", loadAddon(native)));
}

export interface PlainOptions {
  readonly file: string;
  /** As in SqliteOptions. */
  readonly addonFile?: string | undefined;
}

/** A file that is no books (plain.ts), as the driver opens it; "read" never writes. */
export function connectPlain(options: PlainOptions, how: "make" | "read"): Database.Database {
  const reads = how === "read";
  const db = keep(
    new Database(options.file, { readonly: reads, fileMustExist: reads, ...loadAddon(options) }),
  );
  return db.defaultSafeIntegers(true);
}

const addons = new Map<string, object>();

/** The driver's option for an addon by its path; loaded here, since `require` looks for it in seven steps more. */
function loadAddon({ addonFile }: { readonly addonFile?: string | undefined }): {
  readonly nativeBinding?: string;
} {
  if (addonFile === undefined) return {};
  const known = addons.get(addonFile);
  const module = { exports: known ?? {} };
  if (known === undefined) process.dlopen(module, addonFile);
  addons.set(addonFile, module.exports);
  // The driver takes the addon itself too; its types say a path only.
  return { nativeBinding: module.exports as unknown as string };
}

function setPragmas(db: Database.Database, file: string): void {
  db.defaultSafeIntegers(true);
  const isOurs = readPragma(db, "application_id") === BigInt(applicationId);
  if (!isOurs && prepare(db, "SELECT count(*) FROM sqlite_schema").pluck().get() !== 0n)
    throw new NeedsHuman(
      `${file}: this is a database of another program; point SITE_DATA at the site's own data folder`,
    );
  // FULL: the driver opens WAL files with NORMAL, under which a power cut can lose a committed payment.
  // recursive_triggers: without it REPLACE deletes rows behind the append-only triggers' backs.
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA recursive_triggers = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA secure_delete = ON;
  `);
  assert(readPragma(db, "synchronous") === 2n, "synchronous is FULL");
  assert(readPragma(db, "journal_mode") === "wal", "journal_mode is WAL");
}

/** The value of a pragma. The driver's own `pragma` would leave a statement to the garbage collector. */
export function readPragma(db: Database.Database, name: string): unknown {
  return prepare(db, `PRAGMA ${name}`).pluck().get();
}

/** Prepares a statement. Nobody else calls the driver's `prepare`: see `keep`. */
export function prepare(db: Database.Database, sql: string): Database.Statement {
  return keep(db.prepare(sql));
}

/** As the driver takes a value; it would bind a number as a fraction. */
export function bindable(value: SqlValue): string | bigint | Uint8Array | null {
  if (typeof value !== "number") return value;
  assert(Number.isSafeInteger(value), `${value} is bound as a whole number`);
  return BigInt(value);
}

/**
 * Holds on to the driver's objects for as long as the process lives. From Node 24.19 on, version 12 of the
 * driver aborts the process when the garbage collector takes one of them (WiseLibs/better-sqlite3#1515);
 * version 13 does not, and does not run on Node 20. A program makes a few dozen.
 */
function keep<Native extends object>(native: Native): Native {
  kept.add(native);
  return native;
}

const kept = new Set<object>();

/** SQLite's result codes (sqlite.org/rescode.html) as our two kinds of failure; everything else is a bug. */
export function translate(cause: unknown): unknown {
  if (!(cause instanceof Database.SqliteError)) return cause;
  const code = cause.code;
  if (code.startsWith("SQLITE_BUSY")) return new TryLater("the database is busy; try again", { cause });
  if (code === "SQLITE_FULL")
    return new TryLater("the disk that holds the database is full; free some room", { cause });
  if (code.startsWith("SQLITE_IOERR")) return new TryLater("the disk failed under the database", { cause });
  if (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB")
    return new NeedsHuman("the database file is damaged or is no database; restore it from a backup", {
      cause,
    });
  if (code.startsWith("SQLITE_READONLY") || code.startsWith("SQLITE_CANTOPEN"))
    return new NeedsHuman("the database cannot be written; look at the owner and mode of file and folder", {
      cause,
    });
  return cause;
}
