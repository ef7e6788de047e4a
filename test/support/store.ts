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
  readonly end: () => void;
}

/** Whether the books of this run are on a server. */
export const isServer = process.env.STORE_ENGINE === "postgres";

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
    return store;
  };
  const end = (): void => {
    for (const store of opened) store.close();
    made.end();
    rmSync(folder, { recursive: true, force: true });
  };
  return { store: reopen(), clock, folder, file, books, reopen, raw: made.raw, end };
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
