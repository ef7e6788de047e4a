/**
 * The store on SQLite. What it guards: every writer takes the write lock before it reads (BEGIN IMMEDIATE: a
 * deferred read-then-write is refused as busy at once, whatever the time-out), transactions of one connection
 * come one after another, and nothing but SQL is awaited inside them.
 */
import type Database from "better-sqlite3";
import type { Clock } from "../util/clock.ts";
import { assert } from "../util/failure.ts";
import { bindable, openDatabase, prepare, type SqliteOptions, translate, usualBusyMs } from "./database.ts";
import { type Finding, hastyMs, type ReadTx, type SqlValue, type Store, type WriteTx } from "./store.ts";
import { checkSchema } from "./version.ts";

/**
 * Opens the books.
 * @throws NeedsHuman naming the file if it is missing, is not ours, or wants `site migrate`
 */
export function openStore(options: SqliteOptions): Store {
  const db = openDatabase(options, true);
  try {
    checkSchema(db, options.file);
  } catch (error) {
    db.close();
    throw error;
  }
  return makeStore(db, options);
}

/**
 * The last transaction of each file in this process. A connection has one transaction at a time; and since the
 * driver waits for another connection's lock without letting the event loop turn, two connections of one
 * process would wait for each other until the time-out. So whoever comes next waits here instead.
 */
const turns = new Map<string, Promise<unknown>>();

function makeStore(db: Database.Database, { clock, busyMs = usualBusyMs }: SqliteOptions): Store {
  const statements = new Map<string, Database.Statement>();
  const find = (sql: string): Database.Statement => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const made = prepare(db, sql);
    statements.set(sql, made);
    return made;
  };
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const mine = (turns.get(db.name) ?? Promise.resolve()).then(work, work);
    turns.set(
      db.name,
      mine.catch(() => undefined),
    );
    return mine;
  };
  return {
    read: (work) => inTurn(() => transact(db, find, clock, "BEGIN", work)),
    write: (work, pace = "usual") =>
      inTurn(async () => {
        const write = () => transact(db, find, clock, "BEGIN IMMEDIATE", work);
        if (pace === "usual") return write();
        db.exec(`PRAGMA busy_timeout = ${hastyMs}`);
        try {
          return await write();
        } finally {
          db.exec(`PRAGMA busy_timeout = ${busyMs}`);
        }
      }),
    close: () => db.close(),
  };
}

async function transact<Result>(
  db: Database.Database,
  find: (sql: string) => Database.Statement,
  clock: Clock,
  begin: "BEGIN" | "BEGIN IMMEDIATE",
  work: (tx: WriteTx) => Promise<Result>,
): Promise<Result> {
  try {
    db.exec(begin);
  } catch (cause) {
    throw translate(cause);
  }
  // SQL here settles within one turn of the event loop; if a turn ends before the work does, the work has
  // awaited something else while it held the lock.
  let alive = true;
  let turned = false;
  const watch = setImmediate(() => {
    turned = true;
  });
  const check = (): void => {
    assert(alive, "a transaction's handle was used after its end");
    assert(!turned, "something other than SQL was awaited inside a transaction");
  };
  try {
    const result = await work(makeTx(find, clock, check));
    check();
    db.exec("COMMIT");
    return result;
  } catch (cause) {
    if (db.inTransaction) db.exec("ROLLBACK");
    throw translate(cause);
  } finally {
    alive = false;
    clearImmediate(watch);
  }
}

function makeTx(find: (sql: string) => Database.Statement, clock: Clock, check: () => void): WriteTx {
  const guard = <Result>(work: () => Result): Promise<Result> => {
    try {
      check();
      return Promise.resolve(work());
    } catch (cause) {
      return Promise.reject(translate(cause));
    }
  };
  const tx: ReadTx = {
    now: clock.now(),
    all: <Row extends object>(sql: string, values: readonly SqlValue[] = []) =>
      guard(() => find(sql).all(values.map(bindable)) as Row[]),
    get: <Row extends object>(sql: string, values: readonly SqlValue[] = []) =>
      guard(() => find(sql).get(values.map(bindable)) as Row | undefined),
    inspect: (expected) => guard(() => inspectFile(find, expected)),
  };
  return { ...tx, run: (sql, values = []) => guard(() => find(sql).run(values.map(bindable)).changes) };
}

/** The file itself, and that nothing which guards it was taken away. */
function inspectFile(
  find: (sql: string) => Database.Statement,
  expected: ReadonlyMap<string, string>,
): readonly Finding[] {
  const findings: Finding[] = [];
  const tell = (table: string, row: string, message: string): void =>
    void findings.push({ table, row, message });
  for (const row of find("PRAGMA integrity_check").all() as { integrity_check: string }[])
    if (row.integrity_check !== "ok") tell("file", "integrity_check", row.integrity_check);
  const astray = find("PRAGMA foreign_key_check").all();
  for (const { table, rowid, parent } of astray as { table: string; rowid: bigint | null; parent: string }[])
    tell(table, String(rowid ?? "?"), `leads to a row of ${parent} that is not there`);
  const found = find("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
  const texts = new Map((found as { name: string; sql: string }[]).map(({ name, sql }) => [name, sql]));
  for (const [name, sql] of expected) {
    const own = texts.get(name);
    if (own === undefined) tell("schema", name, "is not there; something took it away");
    else if (own !== sql) tell("schema", name, "is not as the programs made it");
  }
  return findings;
}
