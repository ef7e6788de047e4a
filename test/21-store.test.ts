// Goal of this test: the store keeps its promises on a real file: durable settings, exact integers, one writer
// at a time, nothing but SQL inside a transaction, and files of other programs or releases refused by name.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { verifyBooks } from "../lib/ledger/verify.ts";
import { openDatabase, readPragma } from "../lib/store/database.ts";
import { migrateStore, readExpectedSchema } from "../lib/store/migrate.ts";
import { openStore } from "../lib/store/sqlite.ts";
import type { WriteTx } from "../lib/store/store.ts";
import { NeedsHuman, TryLater } from "../lib/util/failure.ts";
import { makeOldBooks } from "./support/harm.ts";
import { makeTestStore, openRaw, readRows, type TestStore } from "./support/store.ts";

let test: TestStore;
beforeEach(() => {
  test = makeTestStore();
});
afterEach(() => test.end());

const readSchemaVersion = (): bigint =>
  (test.raw("PRAGMA user_version")[0] as { user_version: bigint }).user_version;

/** As if a newer release had been there. */
function addMigration(version: bigint, oldestReader: bigint): void {
  test.raw(`PRAGMA user_version = ${version}`);
  test.raw(
    `INSERT INTO migration (version, name, oldest_reader, applied_at) VALUES (${version}, 'next', ${oldestReader}, 0)`,
  );
}

const addMode = "INSERT INTO books_mode (only_row, livemode, set_at) VALUES (1, 0, ?)";

describe("the file", () => {
  it("is opened with every commit on disk and recursive triggers on", () => {
    const db = openDatabase({ file: test.file, clock: test.clock }, true);
    const read = (name: string): unknown => readPragma(db, name);
    expect(
      ["synchronous", "journal_mode", "recursive_triggers", "foreign_keys", "trusted_schema"].map(read),
    ).toEqual([2n, "wal", 1n, 1n, 0n]);
    db.close();
  });

  it("is refused where it does not exist, naming the remedy", () => {
    const open = () => openStore({ file: `${test.folder}/none.sqlite`, clock: test.clock });
    expect(open).toThrow(NeedsHuman);
    expect(open).toThrow(/none\.sqlite: .*site migrate/);
  });

  it("is refused where another program made it, and left alone", () => {
    const file = `${test.folder}/other.sqlite`;
    const other = openRaw(file);
    other.exec("CREATE TABLE guests (name TEXT)");
    other.close();
    expect(() => migrateStore({ file, clock: test.clock })).toThrow(/another program/);
    expect(readRows(file, "SELECT name FROM sqlite_schema")).toEqual([{ name: "guests" }]);
  });

  it("is refused where it is older or newer than the programs", () => {
    const own = readSchemaVersion();
    test.raw("PRAGMA user_version = 0");
    expect(test.reopen).toThrow(`schema 0, these programs need ${own}; run: site migrate`);
    addMigration(own + 1n, own + 1n);
    expect(test.reopen).toThrow(/newer release/);
  });

  it("of a newer release is read where that release says that it may be", () => {
    addMigration(readSchemaVersion() + 1n, 1n);
    expect(test.reopen).not.toThrow();
  });

  it("is migrated once", () => {
    expect(migrateStore({ file: test.file, clock: test.clock })).toEqual([]);
  });

  it("of schema 3 keeps every row, its guards, and its seals when the tables of the books are made anew", async () => {
    const file = `${test.folder}/old.sqlite`;
    makeOldBooks(file);
    expect(migrateStore({ file, clock: test.clock })).toContain("chart");
    expect(readRows(file, "SELECT id, picodollars, day FROM transfer")).toEqual([
      { id: "topup/pi_1", picodollars: 10_000_000_000_000n, day: "2026-11-20" },
    ]);
    const store = openStore({ file, clock: test.clock });
    const found: string[] = [];
    await store.read((tx) =>
      verifyBooks(tx, readExpectedSchema({}), ({ table, row, message }) =>
        found.push(`${table} ${row}: ${message}`),
      ),
    );
    store.close();
    // The seal is a made-up one, so that it is seen to be looked at.
    expect(found).toEqual(["seal 2026-11-20: a transfer of this day is another one than when it was sealed"]);
    for (const sql of ["UPDATE transfer SET attodollars = 1", "DELETE FROM ledger_account"])
      expect(() => readRows(file, sql)).toThrow(/is append-only/);
    expect(() =>
      readRows(
        file,
        "INSERT INTO transfer VALUES (2, 'bill/x', 'bill', 'acct_a', 'fees', 1, 0, 'x', '2026-11-21', 1)",
      ),
    ).toThrow("the chart does not allow this transfer");
  });
});

describe("transactions", () => {
  it("give integers back as bigints, exactly beyond 2^53", async () => {
    const row = await test.store.read((tx) => tx.get<{ n: bigint }>("SELECT 9007199254740993 AS n"));
    expect(row?.n).toBe(9007199254740993n);
  });

  it("refuse a number that is not whole", async () => {
    await expect(test.store.read((tx) => tx.get("SELECT ? AS n", [0.5]))).rejects.toThrow(/whole number/);
  });

  it("are undone whole when the work throws", async () => {
    const work = async (tx: WriteTx): Promise<void> => {
      await tx.run(addMode, [tx.now]);
      throw new Error("changed my mind");
    };
    await expect(test.store.write(work)).rejects.toThrow("changed my mind");
    expect(test.raw("SELECT * FROM books_mode")).toEqual([]);
  });

  it("refuse to wait for anything but SQL, and are undone", async () => {
    const work = async (tx: WriteTx): Promise<void> => {
      await tx.run(addMode, [tx.now]);
      await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await expect(test.store.write(work)).rejects.toThrow(/something other than SQL/);
    expect(test.raw("SELECT * FROM books_mode")).toEqual([]);
  });

  it("end with their handle", async () => {
    let kept: WriteTx | undefined;
    await test.store.write(async (tx) => {
      kept = tx;
    });
    await expect(kept?.get("SELECT 1 AS one")).rejects.toThrow(/after its end/);
  });

  it("of one connection come one after another, also when they are begun at once", async () => {
    const seen: string[] = [];
    const work = (name: string) =>
      test.store.write(async (tx) => {
        seen.push(`${name} begins`);
        await tx.get("SELECT 1 AS one");
        await tx.get("SELECT 2 AS two");
        seen.push(`${name} ends`);
      });
    await Promise.all([work("a"), work("b")]);
    expect(seen).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  });

  it("of two resident writers on two connections lose nothing", async () => {
    const other = test.reopen();
    await test.store.write((tx) => tx.run("CREATE TABLE counter (n INTEGER NOT NULL) STRICT"));
    await test.store.write((tx) => tx.run("INSERT INTO counter VALUES (0)"));
    const addOne = async (tx: WriteTx): Promise<void> => {
      const row = await tx.get<{ n: bigint }>("SELECT n FROM counter");
      await tx.run("UPDATE counter SET n = ?", [(row?.n ?? 0n) + 1n]);
    };
    const many = (store: typeof other) => Promise.all(Array.from({ length: 50 }, () => store.write(addOne)));
    await Promise.all([many(test.store), many(other)]);
    expect(test.raw("SELECT n FROM counter")).toEqual([{ n: 100n }]);
  });

  it("that write hold the lock from their beginning, those that read do not", async () => {
    const other = openRaw(test.file);
    other.exec("PRAGMA busy_timeout = 0");
    const tryToWrite = (): string => {
      try {
        other.exec("BEGIN IMMEDIATE; ROLLBACK");
        return "free";
      } catch (error) {
        return String(error);
      }
    };
    expect(await test.store.write(async () => tryToWrite())).toContain("database is locked");
    expect(await test.store.read(async () => tryToWrite())).toBe("free");
    other.close();
  });

  it("that cannot get the lock say so as something to try later", async () => {
    const blocker = openRaw(test.file);
    blocker.exec("BEGIN IMMEDIATE");
    const hasty = openStore({ file: test.file, clock: test.clock, busyMs: 20 });
    try {
      await expect(hasty.write((tx) => tx.run(addMode, [0]))).rejects.toThrow(TryLater);
      // And in haste at once, whatever the others wait.
      const startedAt = performance.now();
      await expect(test.store.write((tx) => tx.run(addMode, [0]), "hasty")).rejects.toThrow(TryLater);
      expect(performance.now() - startedAt).toBeLessThan(2000);
    } finally {
      blocker.close();
      hasty.close();
    }
  });
});

describe("append-only tables", () => {
  it.each(["UPDATE books_mode SET livemode = 1", "DELETE FROM books_mode"])(
    "refuse %s from any client",
    (sql) => {
      test.raw("INSERT INTO books_mode (only_row, livemode, set_at) VALUES (1, 0, 0)");
      expect(() => test.raw(sql)).toThrow(/books_mode is append-only/);
    },
  );

  it("refuse REPLACE, which slips past triggers on DELETE by default", () => {
    test.raw("INSERT INTO books_mode (only_row, livemode, set_at) VALUES (1, 0, 0)");
    expect(() => test.raw("REPLACE INTO books_mode (only_row, livemode, set_at) VALUES (1, 1, 0)")).toThrow(
      /books_mode is append-only/,
    );
    expect(test.raw("SELECT livemode FROM books_mode")).toEqual([{ livemode: 0n }]);
  });
});
