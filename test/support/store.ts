/**
 * Real books with a clock that the test sets: a SQLite file in a folder of its own, or, where the files of engines.ts are run once more, a
 * database of its own on a real PostgreSQL server.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { inject } from "vitest";
import { migrateStore } from "../../lib/store/migrate.ts";
import { type BooksOptions, openBooks } from "../../lib/store/open.ts";
import { translateDefinition } from "../../lib/store/postgres/schema.ts";
import { joinTokens, readTokens } from "../../lib/store/postgres/text.ts";
import type { Store } from "../../lib/store/store.ts";
import { templateName } from "./cluster.ts";
import { addressOf, askServer } from "./server.ts";

export interface TestClock {
  /** Set by tests: milliseconds since 1970. */
  ms: number;
  readonly now: () => number;
}

export interface TestStore {
  readonly store: Store;
  readonly clock: TestClock;
  readonly folder: string;
  /** Where the books are on SQLite; a name without a file on a server. */
  readonly file: string;
  /** How programs open them. */
  readonly books: BooksOptions;
  /** The same books by another connection, as another program would have them. */
  readonly reopen: () => Store;
  /** Plain SQL past all of our code, with the driver's defaults. */
  readonly raw: (sql: string) => unknown[];
  /** Changes when somebody commits something. */
  readonly watch: () => { readonly version: () => string; readonly end: () => void };
  readonly listTables: () => readonly string[];
  readonly listColumns: (table: string) => readonly string[];
  readonly end: () => void;
}

/** Whether the books of this run are on a server. */
export const isServer = process.env.STORE_ENGINE === "postgres";

/** Where an engine keeps the names of what it has. */
const catalog = isServer
  ? {
      tables: "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'picodollar' ORDER BY 1",
      columns:
        "SELECT attname::text AS name FROM pg_attribute WHERE attrelid = 'TABLE'::regclass AND attnum > 0 ORDER BY attnum",
    }
  : {
      tables: "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
      columns: "SELECT name FROM pragma_table_info('TABLE')",
    };

export function makeClock(text = "2026-11-23T08:00:00Z"): TestClock {
  const clock = { ms: Date.parse(text), now: () => clock.ms };
  return clock;
}

export function makeTestStore(now?: string): TestStore {
  const folder = mkdtempSync(join(tmpdir(), "picodollar-test-"));
  const file = join(folder, "books.sqlite");
  const clock = makeClock(now);
  const made = isServer ? makeServerBooks() : makeFileBooks(file, clock);
  const books: BooksOptions = { file, clock, postgres: made.postgres };
  const opened: Store[] = [];
  const reopen = (): Store => {
    const store = openBooks(books);
    opened.push(store);
    return isServer ? twice(store) : store;
  };
  const end = (): void => {
    for (const store of opened) store.close();
    made.end();
    rmSync(folder, { recursive: true, force: true });
  };
  const { raw } = made;
  const listNames = (sql: string): readonly string[] =>
    (raw(sql) as { name: string }[]).map(({ name }) => name);
  return {
    store: reopen(),
    clock,
    folder,
    file,
    books,
    reopen,
    raw,
    watch: () => (isServer ? watchServer(raw) : watchFile(file)),
    listTables: () => listNames(catalog.tables),
    listColumns: (table) => listNames(catalog.columns.replace("TABLE", table)),
    end,
  };
}

/**
 * Every write's work is done once in vain before it counts, as where a server found that it was not alone: whatever it keeps anywhere
 * but in the books and its result shows in the tests of what calls it.
 */
function twice(store: Store): Store {
  class Vain extends Error {}
  return {
    ...store,
    write: async (work) => {
      await store
        .write(async (tx) => {
          await work(tx);
          throw new Vain();
        })
        .catch((cause: unknown) => {
          if (!(cause instanceof Vain)) throw cause;
        });
      return store.write(work);
    },
  };
}

function makeFileBooks(file: string, clock: TestClock) {
  migrateStore({ file, clock });
  return { raw: (sql: string) => readRows(file, sql), end: () => undefined, postgres: undefined };
}

let made = 0;

function makeServerBooks() {
  const cluster = inject("cluster");
  made += 1;
  const database = `books_${process.pid}_${made}`;
  const admin = { ...cluster, database: "postgres" };
  askServer(admin, `CREATE DATABASE ${database} TEMPLATE ${templateName}`);
  return {
    postgres: { address: addressOf(cluster, database), password: undefined },
    raw: (sql: string) => askServer({ ...cluster, database }, translateRaw(sql)),
    end: () => {
      askServer({ ...cluster, database }, undefined);
      askServer(admin, `DROP DATABASE ${database} WITH (FORCE)`);
    },
  };
}

function watchFile(file: string) {
  const db = openRaw(file);
  const statement = keep(db.prepare("PRAGMA data_version")).safeIntegers();
  return {
    version: () => String((statement.get() as { data_version: bigint }).data_version),
    end: () => void db.close(),
  };
}

/** Where each row lies, and who wrote it. */
function watchServer(raw: TestStore["raw"]) {
  const tables = (raw(catalog.tables) as { name: string }[]).map(({ name }) => name);
  const one = (table: string): string =>
    `(SELECT coalesce(md5(string_agg(ctid::text || '/' || xmin::text, ',')), '') FROM ${table})`;
  const sql = `SELECT ${tables.map(one).join(" || ")} AS version`;
  return { version: () => (raw(sql)[0] as { version: string }).version, end: () => undefined };
}

/** What tests ask in SQLite's words, who know a row by its place. */
function translateRaw(sql: string): string {
  if (/^(?:DROP TRIGGER|CREATE|ALTER)/.test(sql)) return translateDefinition(sql).join(";\n");
  const put = sql
    .replace(/CAST\((\w+) AS TEXT\)/g, "convert_from($1, 'UTF8')")
    .replace(/^REPLACE (.*)/s, "INSERT $1 ON CONFLICT DO NOTHING");
  const tokens = readTokens(put);
  return joinTokens(tokens.map((token) => (token === "rowid" ? "ctid" : token)));
}

/** Plain SQL on a database file, past all of our code. */
export function readRows(file: string, sql: string): unknown[] {
  const db = openRaw(file);
  try {
    const statement = keep(db.prepare(sql)).safeIntegers();
    return statement.reader ? statement.all() : [statement.run()];
  } finally {
    db.close();
  }
}

/** The driver without our pragmas. What it makes is kept, as in lib/store/database.ts, and for the same reason. */
export function openRaw(file: string): Database.Database {
  return keep(new Database(file));
}

export function keep<Native extends object>(native: Native): Native {
  kept.add(native);
  return native;
}

const kept = new Set<object>();
