/** A real SQLite file in a folder of its own, with a clock that the test sets. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { migrateStore } from "../../lib/store/migrate.ts";
import { openStore } from "../../lib/store/sqlite.ts";
import type { Store } from "../../lib/store/store.ts";

export interface TestClock {
  /** Set by tests: milliseconds since 1970. */
  ms: number;
  readonly now: () => number;
}

export interface TestStore {
  readonly store: Store;
  readonly clock: TestClock;
  readonly folder: string;
  readonly file: string;
  /** The same file by another connection, as another program would have it. */
  readonly reopen: () => Store;
  /** Plain SQL past all of our code, with the driver's defaults. */
  readonly raw: (sql: string) => unknown[];
  readonly end: () => void;
}

export function makeClock(text = "2026-11-23T08:00:00Z"): TestClock {
  const clock = { ms: Date.parse(text), now: () => clock.ms };
  return clock;
}

export function makeTestStore(now?: string): TestStore {
  const folder = mkdtempSync(join(tmpdir(), "picodollar-test-"));
  const file = join(folder, "books.sqlite");
  const clock = makeClock(now);
  migrateStore({ file, clock });
  const opened: Store[] = [];
  const reopen = (): Store => {
    const store = openStore({ file, clock });
    opened.push(store);
    return store;
  };
  const raw = (sql: string): unknown[] => readRows(file, sql);
  const end = (): void => {
    for (const store of opened) store.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { store: reopen(), clock, folder, file, reopen, raw, end };
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
