// Goal of this test: what the store promises on SQLite (test/21-store) it promises on a PostgreSQL server: exact integers, writes as if
// alone, nothing but SQL inside them, guards that no client gets past, and servers that will not do refused by name.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifyBooks } from "../lib/ledger/verify.ts";
import { amountOf } from "../lib/money/amount.ts";
import { fulfilCheckout } from "../lib/payments/fulfil.ts";
import { createOrder } from "../lib/payments/order.ts";
import { withBooksAlone } from "../lib/store/alone.ts";
import { programVersion } from "../lib/store/known.ts";
import { migrations, readExpectedSchema, readSeeds } from "../lib/store/migrate.ts";
import { openBooks } from "../lib/store/open.ts";
import { connect, sessionWords } from "../lib/store/postgres/connection.ts";
import { withServerLock } from "../lib/store/postgres/lock.ts";
import { migratePostgres } from "../lib/store/postgres/migrate.ts";
import { translateStatement } from "../lib/store/postgres/text.ts";
import type { SqlValue, Store, WriteTx } from "../lib/store/store.ts";
import { migrateBooks } from "../lib/store/upgrade.ts";
import { NeedsHuman, TryLater } from "../lib/util/failure.ts";
import { addAccount } from "./support/books.ts";
import { projectFolder } from "./support/served.ts";
import { addressOf, askServer, type Cluster, makeCluster, serverPrograms } from "./support/server.ts";
import { makeClock } from "./support/store.ts";

const clock = makeClock();
const addMode = "INSERT INTO books_mode (only_row, livemode, set_at) VALUES (1, 0, ?)";

describe("a statement is put right", () => {
  it.each<[string, readonly SqlValue[], string]>([
    ["a = ? AND b = ?", [1n, "x"], "a = $1::int8 AND b = $2::text"],
    [
      "a = '?' AND b = ? -- ?\nAND c = ?",
      [new Uint8Array(1), null],
      "a = '?' AND b = $1::bytea -- ?\nAND c = $2",
    ],
    ["'it''s ?' || ?", [5], "'it''s ?' || $1::int8"],
    ["price_atto AS priceAtto, t.postedAt", [], 'price_atto AS "priceAtto", t."postedAt"'],
    ["a IS ? OR a IS NOT b", ["x"], "a IS NOT DISTINCT FROM $1::text OR a IS DISTINCT FROM b"],
    [
      "a IS NULL AND b IS NOT NULL AND (c) IS NOT TRUE",
      [],
      "a IS NULL AND b IS NOT NULL AND (c) IS NOT TRUE",
    ],
    ["instr(raw, CAST(substr(id, 7) AS BLOB))", [], "instr(raw, convert_to(substr(id, 7) , 'UTF8'))"],
    ["CAST(a AS TEXT)", [], "CAST(a AS TEXT)"],
    ["j CROSS JOIN transfer t ON t.id = j.value", [], "j  JOIN transfer t ON t.id = j.value"],
    ["a CROSS JOIN b WHERE 1", [], "a CROSS JOIN b WHERE 1"],
    ["sum(a) + coalesce(sum(max(b, (c))), 0)", [], "sum(a)::int8 + coalesce(sum(max(b, (c)))::int8, 0)"],
    ["raw = x''", [], "raw = '\\x'::bytea"],
  ])("%s", (sql, values, expected) => {
    expect(translateStatement(sql, values)).toBe(expected);
  });
});

describe.skipIf(serverPrograms === undefined)("on a PostgreSQL server", () => {
  let cluster: Cluster;
  let database: string;
  let count = 0;
  const opened: Store[] = [];
  const booksOf = (name = database) => ({
    file: "",
    clock,
    postgres: { address: addressOf(cluster, name), password: "right" as string | undefined },
  });
  const open = (change: object = {}, name = database): Store => {
    const books = booksOf(name);
    const store = openBooks({ ...books, postgres: { ...books.postgres, ...change } });
    opened.push(store);
    return store;
  };
  const raw = (sql: string, name = database) => askServer({ ...cluster, database: name }, sql);
  const make = (name: string, how = "") => raw(`CREATE DATABASE ${name} ${how}`, "postgres");

  beforeAll(async () => {
    cluster = makeCluster({ login: "scram-sha-256" });
    make("template_books");
    await migrateBooks(booksOf("template_books"));
  });
  afterAll(() => cluster.end());
  beforeEach(() => {
    count += 1;
    database = `books_${count}`;
    make(database, "TEMPLATE template_books");
  });
  afterEach(() => {
    for (const store of opened.splice(0)) store.close();
  });

  describe("transactions", () => {
    it("give integers back as bigints, exactly beyond 2^53, and sums of them too", async () => {
      const row = await open().read((tx) =>
        tx.get(
          "SELECT 9007199254740993 AS n, sum(x) AS total, max(1, 2) AS most FROM (SELECT ? AS x UNION ALL SELECT ?) y",
          [9_007_199_254_740_993n, -1],
        ),
      );
      expect(row).toEqual({ n: 9007199254740993n, total: 9007199254740992n, most: 2n });
    });

    it("give bytes and texts back as they were", async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
      const row = await open().read((tx) =>
        tx.get<{ bytes: Uint8Array; text: string }>("SELECT ? AS bytes, ? AS text", [
          bytes,
          "a\\'b\u{1f600}",
        ]),
      );
      expect(row?.text).toBe("a\\'b\u{1f600}");
      expect(Buffer.from(row?.bytes ?? []).equals(bytes)).toBe(true);
    });

    it("order texts by their bytes, whatever the server's language does", async () => {
      const store = open();
      await store.write(async (tx) => {
        for (const id of ["b", "B", "a", "_", "ä"])
          await tx.run("INSERT INTO ledger_account (id, kind, opened_at) VALUES (?, 'customer', 0)", [
            `x${id}`,
          ]);
      });
      const rows = await store.read((tx) =>
        tx.all<{ id: string }>("SELECT id FROM ledger_account WHERE id > ? ORDER BY id LIMIT ?", ["x", 9]),
      );
      expect(rows.map(({ id }) => id)).toEqual(["xB", "x_", "xa", "xb", "xä"]);
      expect(raw("SELECT 'B' < 'a' AS bytewise")).toEqual([{ bytewise: 0n }]);
    });

    it("refuse a number that is not whole", async () => {
      await expect(open().read((tx) => tx.get("SELECT ? AS n", [0.5]))).rejects.toThrow(/whole number/);
    });

    it("are undone whole when the work throws", async () => {
      const work = async (tx: WriteTx): Promise<void> => {
        await tx.run(addMode, [tx.now]);
        throw new Error("changed my mind");
      };
      await expect(open().write(work)).rejects.toThrow("changed my mind");
      expect(raw("SELECT * FROM books_mode")).toEqual([]);
    });

    it("refuse to wait for anything but SQL, and are undone", async () => {
      const work = async (tx: WriteTx): Promise<void> => {
        await tx.run(addMode, [tx.now]);
        await new Promise((resolve) => setTimeout(resolve, 5));
      };
      await expect(open().write(work)).rejects.toThrow(/something other than SQL/);
      expect(raw("SELECT * FROM books_mode")).toEqual([]);
    });

    it("end with their handle", async () => {
      let kept: WriteTx | undefined;
      await open().write(async (tx) => {
        kept = tx;
      });
      await expect(kept?.get("SELECT 1 AS one")).rejects.toThrow(/after its end/);
    });

    it("do not keep what a statement failed in, even where the failure was passed over", async () => {
      const work = async (tx: WriteTx): Promise<void> => {
        await tx.run(addMode, [1]);
        await tx.run(addMode, [2]).catch(() => undefined);
      };
      await expect(open().write(work)).rejects.toThrow(/append-only/);
      expect(raw("SELECT * FROM books_mode")).toEqual([]);
    });

    it("that read write nothing", async () => {
      await expect(open().read((tx) => (tx as WriteTx).run(addMode, [1]))).rejects.toThrow(/takes no writes/);
    });

    it("of one connection come one after another, also when they are begun at once", async () => {
      const seen: string[] = [];
      const store = open();
      const work = (name: string) =>
        store.write(async (tx) => {
          seen.push(`${name} begins`);
          await Promise.all([tx.get("SELECT 1 AS one"), tx.get("SELECT 2 AS two")]);
          seen.push(`${name} ends`);
        });
      await Promise.all([work("a"), work("b")]);
      expect(seen).toEqual(["a begins", "a ends", "b begins", "b ends"]);
    });

    it("of many writers on many connections lose nothing, and each is begun again at most a few times", async () => {
      raw("CREATE TABLE picodollar.counter (n bigint NOT NULL)");
      raw("INSERT INTO counter VALUES (0)");
      let runs = 0;
      const addOne = async (tx: WriteTx): Promise<void> => {
        runs += 1;
        const row = await tx.get<{ n: bigint }>("SELECT n FROM counter");
        await tx.run("UPDATE counter SET n = ?", [(row?.n ?? 0n) + 1n]);
      };
      const stores = Array.from({ length: 8 }, () => open());
      await Promise.all(stores.flatMap((store) => Array.from({ length: 25 }, () => store.write(addOne))));
      expect(raw("SELECT n FROM counter")).toEqual([{ n: 200n }]);
      expect(runs).toBeGreaterThan(200);
      expect(runs).toBeLessThanOrEqual(400);
    });

    it("go by an index also where the table was empty when the server last looked", async () => {
      for (const table of ["transfer", "ledger_account"]) raw(`VACUUM ANALYZE ${table}`);
      // A plan that a trigger keeps is made so too.
      const plan = await open().write((tx) =>
        tx.all("EXPLAIN SELECT 1 FROM transfer WHERE id = ?", ["bill/1"]),
      );
      expect(JSON.stringify(plan)).toMatch(/Index (?:Only )?Scan/);
    });

    it("number their rows without gaps, also side by side", async () => {
      const stores = Array.from({ length: 4 }, () => open());
      const note = (tx: WriteTx) =>
        tx.run("INSERT INTO hold (account, is_held, decided_at) VALUES (NULL, 1, 0)");
      await Promise.all(stores.flatMap((store) => Array.from({ length: 10 }, () => store.write(note))));
      expect(raw("SELECT count(*) AS n, max(number) AS last FROM hold")).toEqual([{ n: 40n, last: 40n }]);
    });

    it("that take the same payments on several machines at once credit each once", async () => {
      const stores = Array.from({ length: 4 }, () => open());
      const [store] = stores;
      if (store === undefined) throw new Error("there are four");
      const accounts = await Promise.all(
        ["a", "b", "c"].map((name) => addAccount(store, `${name}@example.org`)),
      );
      const orders = accounts.map((account, at) => ({
        id: `order_${at}`,
        account,
        amount: amountOf(10n ** 19n),
        livemode: false,
      }));
      for (const order of orders) await store.write((tx) => createOrder(tx, order));
      const facts = {
        paid: true,
        ended: "" as const,
        taxCents: 0,
        netCents: 1000,
        currency: "usd",
        livemode: false,
      };
      const told = stores.flatMap((own) =>
        orders.map(({ id }, at) =>
          own.write((tx) => fulfilCheckout(tx, { ...facts, orderId: id, paymentIntent: `pi_${at}` })),
        ),
      );
      expect((await Promise.all(told)).every(({ ok }) => ok)).toBe(true);
      expect(raw("SELECT id, number FROM transfer ORDER BY id")).toHaveLength(3);
      const wrong: unknown[] = [];
      await store.read((tx) => verifyBooks(tx, readExpectedSchema({}), (finding) => wrong.push(finding)));
      expect(wrong).toEqual([]);
    });

    it("that cannot have the lock say so as something to try later", async () => {
      const blocker = await connect(booksOf().postgres);
      await blocker.send("BEGIN; LOCK TABLE picodollar.migration IN ACCESS EXCLUSIVE MODE");
      try {
        await expect(open({ busyMs: 20 }).write((tx) => tx.run(addMode, [0]))).rejects.toThrow(TryLater);
        // And in haste at once, whatever the others wait.
        const startedAt = performance.now();
        await expect(open({}).write((tx) => tx.run(addMode, [0]), "hasty")).rejects.toThrow(TryLater);
        expect(performance.now() - startedAt).toBeLessThan(2000);
      } finally {
        blocker.close();
      }
    });

    it("keep what was committed on the disk, also where the server would not wait", async () => {
      const row = await open().write((tx) => tx.get("SELECT current_setting('synchronous_commit') AS kept"));
      expect(row).toEqual({ kept: "on" });
    });
  });

  describe("what a server answers while it is at work", () => {
    it.each([
      ["53100", TryLater, /the disk that holds the database is full/],
      ["53200", TryLater, /no room left/],
      ["57014", TryLater, /took too long/],
      ["25006", TryLater, /takes no writes now/],
      ["58030", TryLater, /disk failed/],
      ["XX001", NeedsHuman, /found damage in the database/],
      ["42501", NeedsHuman, /this role may not do that/],
      ["23505", Error, /as it is/],
    ] as const)("%s is told as what it is, and nothing is kept", async (code, kind, message) => {
      raw(
        `CREATE FUNCTION picodollar.fail() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'as it is' USING ERRCODE = '${code}'; END$$`,
      );
      const failed = open().write(async (tx) => {
        await tx.run(addMode, [1]);
        await tx.get("SELECT fail() AS x");
      });
      await expect(failed).rejects.toThrow(kind);
      await expect(failed).rejects.toThrow(message);
      expect(raw("SELECT * FROM books_mode")).toEqual([]);
    });

    it.each(["40001", "40P01"])("%s is begun again, a few times and not for ever", async (code) => {
      raw("CREATE SEQUENCE picodollar.runs");
      raw(
        `CREATE FUNCTION picodollar.fail(enough bigint) RETURNS bigint LANGUAGE plpgsql AS
         $$BEGIN IF nextval('runs') < enough THEN RAISE EXCEPTION 'again' USING ERRCODE = '${code}'; END IF; RETURN 1; END$$`,
      );
      const runTo = (least: number) => open().write((tx) => tx.get("SELECT fail(?) AS x", [least]));
      expect(await runTo(3)).toEqual({ x: 1n });
      await expect(runTo(1000)).rejects.toThrow(/the database is busy/);
      expect(raw("SELECT last_value AS runs FROM runs")).toEqual([{ runs: 9n }]);
    });
  });

  describe("guards", () => {
    it.each([
      "UPDATE books_mode SET livemode = 1",
      "DELETE FROM books_mode",
      "TRUNCATE books_mode",
      "INSERT INTO books_mode VALUES (1, 1, 0) ON CONFLICT (only_row) DO UPDATE SET livemode = 1",
    ])("refuse %s from any client", (sql) => {
      raw("INSERT INTO books_mode (only_row, livemode, set_at) VALUES (1, 0, 0)");
      expect(() => raw(sql)).toThrow(/books_mode is append-only/);
      // Nor from one that looks for tables elsewhere.
      const elsewhere = sql.replace("books_mode", "picodollar.books_mode");
      expect(() => raw(`BEGIN; SET LOCAL search_path = public; ${elsewhere}`)).toThrow(
        /books_mode is append-only/,
      );
      raw("ROLLBACK");
    });

    it("are all there, and one that was taken away or changed is told", async () => {
      const verify = async () => {
        const found: string[] = [];
        await open().read((tx) =>
          verifyBooks(tx, readExpectedSchema({}), ({ table, row, message }) =>
            found.push(`${table} ${row}: ${message}`),
          ),
        );
        return found;
      };
      expect(await verify()).toEqual([]);
      for (const [sql, back, told] of [
        [
          "ALTER TABLE transfer DISABLE TRIGGER transfer_no_update",
          "ALTER TABLE transfer ENABLE TRIGGER transfer_no_update",
          /^schema transfer_no_update: is not as/,
        ],
        [
          "ALTER TABLE seal DROP CONSTRAINT seal_hash_check",
          "ALTER TABLE seal ADD CONSTRAINT seal_hash_check CHECK (length(hash) = 64)",
          /^schema seal: is not as/,
        ],
        [
          "DROP INDEX transfer_reference",
          "CREATE INDEX transfer_reference ON transfer (reference)",
          /^schema transfer_reference: is not there/,
        ],
        [
          "ALTER TABLE balance DISABLE TRIGGER ALL",
          "ALTER TABLE balance ENABLE TRIGGER ALL",
          /^schema balance: is not as/,
        ],
        [
          "ALTER TABLE signup ALTER terms DROP NOT NULL",
          "ALTER TABLE signup ALTER terms SET NOT NULL",
          /^schema signup: is not as/,
        ],
      ] as const) {
        raw(sql);
        expect(await verify(), sql).toContainEqual(expect.stringMatching(told));
        raw(back);
        expect(await verify(), back).toEqual([]);
      }
    });
  });

  describe("a server that will not do is named", () => {
    const failure = (change: object, name?: string) =>
      open(change, name)
        .read((tx) => tx.get("SELECT 1 AS one"))
        .then(
          () => "opened",
          (error: unknown) => error,
        );
    const address = (database = "x") => addressOf(cluster, database);

    it.each<[string, () => Promise<unknown> | unknown, new () => Error, RegExp]>([
      [
        "one that is not there",
        () => failure({ address: "postgres://a@/x?host=/tmp/nowhere" }),
        TryLater,
        /nowhere: the PostgreSQL server cannot be reached/,
      ],
      [
        "a port where nobody listens",
        () => failure({ address: "postgres://a@127.0.0.1:1/x" }),
        TryLater,
        /127\.0\.0\.1:1\/x: .*cannot be reached/,
      ],
      [
        "a wrong password",
        () => failure({ password: "wrong" }),
        NeedsHuman,
        /refuses the password; store_password/,
      ],
      [
        "no password",
        () => failure({ password: undefined }),
        NeedsHuman,
        /wants a password; put store_password/,
      ],
      [
        "a role that there is not",
        () => failure({ address: address(database).replace("pico@", "nobody@") }),
        NeedsHuman,
        /password/,
      ],
      [
        "no such database",
        () => failure({ address: address("none") }),
        NeedsHuman,
        /no such database; make it/,
      ],
      [
        "an empty database",
        () => failure({}, "postgres"),
        NeedsHuman,
        /has no books of ours; run: site migrate/,
      ],
      [
        "another machine without encryption",
        () => failure({ address: "postgres://a@db.example/x" }),
        NeedsHuman,
        /another machine/,
      ],
    ])("%s", async (_what, fail, kind, message) => {
      const error = await fail();
      expect(error).toBeInstanceOf(kind);
      expect(String(error)).toMatch(message);
    });

    it("by its schema, too old, and newer than the programs, unless it says that they may", async () => {
      const add = (oldest: number) =>
        raw(
          `INSERT INTO migration (version, name, oldest_reader, applied_at) VALUES (99, 'next', ${oldest}, 0)`,
        );
      add(1);
      expect(await failure({})).toBe("opened");
      raw("DELETE FROM migration WHERE version = 99");
      add(99);
      expect(String(await failure({}))).toMatch(/made by a newer release \(schema 99\)/);
      raw("DELETE FROM migration WHERE version > 3");
      expect(String(await failure({}))).toContain(
        `schema 3, these programs need ${programVersion}; run: site migrate`,
      );
    });

    it("by its encoding, and by what others keep there", async () => {
      make("latin", "ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0");
      await expect(migrateBooks(booksOf("latin"))).rejects.toThrow(/encoding is LATIN1/);
      make("others");
      raw("CREATE TABLE public.guests (name text)", "others");
      await expect(migrateBooks(booksOf("others"))).rejects.toThrow(/another program, with tables in public/);
      make("strange");
      raw("CREATE SCHEMA picodollar", "strange");
      await expect(migrateBooks(booksOf("strange"))).rejects.toThrow(/is another program's/);
    });
  });

  describe("migrations", () => {
    it("are applied once, also by several at once", async () => {
      make("fresh");
      const all = await Promise.all([1, 2, 3].map(() => migrateBooks(booksOf("fresh"))));
      expect(all.map((names) => names.length).sort((a, b) => a - b)).toEqual([0, 0, programVersion]);
      expect(await migrateBooks(booksOf("fresh"))).toEqual([]);
      expect(raw("SELECT count(*) AS n FROM migration", "fresh")).toEqual([{ n: BigInt(programVersion) }]);
    });

    const next = (sql: string) => {
      const migration = { version: programVersion + 1, name: "next", oldestReader: programVersion + 1, sql };
      const plan = { migrations: [...migrations, migration], connect, sessionWords };
      return migratePostgres(
        { ...booksOf().postgres, clock },
        { ...plan, schema: readExpectedSchema({}), seeds: readSeeds({}) },
      );
    };

    it("that come later are translated as well", async () => {
      await next(`
-- A comment; with a sign.
CREATE TABLE note (number INTEGER PRIMARY KEY, text TEXT NOT NULL, raw BLOB) STRICT;
CREATE TRIGGER note_no_delete BEFORE DELETE ON note BEGIN SELECT raise(ABORT, 'note is append-only'); END;
ALTER TABLE note ADD COLUMN more TEXT NOT NULL DEFAULT 'x';
DROP TRIGGER preference_no_update;
CREATE TRIGGER preference_no_update BEFORE UPDATE ON preference WHEN NEW.warn_days IS NOT OLD.warn_days
BEGIN SELECT raise(ABORT, 'no'); END;
INSERT INTO note (text, raw) VALUES ('a;b', x'00ff');`);
      expect(raw("SELECT number, text, more, raw FROM note")).toEqual([
        { number: 1n, text: "a;b", more: "x", raw: Buffer.from([0, 255]) },
      ]);
      expect(() => raw("DELETE FROM note")).toThrow("note is append-only");
      expect(() => raw("TRUNCATE note")).toThrow("note is append-only");
    });

    it("that fail leave the database as it was", async () => {
      await expect(
        next("CREATE TABLE note (n INTEGER) STRICT; INSERT INTO note VALUES ('x');"),
      ).rejects.toThrow(/migration next: the server refuses a step of it/);
      expect(raw("SELECT max(version) AS version FROM migration")).toEqual([
        { version: BigInt(programVersion) },
      ]);
      expect(() => raw("SELECT * FROM note")).toThrow(/does not exist/);
    });
  });

  it("work of which there is one is one on all machines", async () => {
    const at = (folder: string, work: () => Promise<unknown>) =>
      withBooksAlone(booksOf(), { folder, name: "bill" }, work);
    const other = `${cluster.folder}/..`;
    await at("/tmp", async () => {
      await expect(at(other.replace("..", ""), async () => "ran")).rejects.toThrow(
        /held by a run on this or another machine/,
      );
    });
    await expect(at("/tmp", async () => "ran")).resolves.toBe("ran");
  });

  it("a connection whose other end is silent is given up for another one", async () => {
    const store = open({ busyMs: 100 });
    const read = () =>
      store.read(async (tx) => (await tx.get<{ pid: bigint }>("SELECT pg_backend_pid() AS pid"))?.pid);
    const pid = Number(await read());
    // As a machine that lost its power: nothing is closed, and nothing answered.
    process.kill(pid, "SIGSTOP");
    try {
      const begun = performance.now();
      expect(await read()).not.toBe(BigInt(pid));
      expect(performance.now() - begun).toBeLessThan(10_000);
    } finally {
      process.kill(pid, "SIGCONT");
    }
  });

  it("work of which there is one goes on elsewhere where its machine says nothing more", async () => {
    const { postgres } = booksOf();
    const silentMs = 800;
    const script = `
      import { withServerLock } from ${JSON.stringify(join(projectFolder, "out/lib/store/postgres/lock.js"))};
      await withServerLock(${JSON.stringify(postgres)}, "bill", async () => {
        process.stdout.write("held");
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      }, ${silentMs});
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
    try {
      await new Promise((resolve) => child.stdout.once("data", resolve));
      const take = () => withServerLock(postgres, "bill", async () => "ran");
      await wait(3 * silentMs);
      await expect(take()).rejects.toThrow(/held by a run on this or another machine/);
      // Its connection stays open, as that of a machine without power.
      child.kill("SIGSTOP");
      await wait(2 * silentMs);
      await expect(take()).resolves.toBe("ran");
    } finally {
      child.kill("SIGKILL");
    }
  });
});
