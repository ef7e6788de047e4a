// Goal of this test: a site that has chosen a PostgreSQL server works by its built programs as one with a file does, and whatever happens to
// server and connection, no acknowledged fact is lost and none is doubled: a run again ends in the books of a clean one.
// `SWEEP=all` harms a night at each of its questions.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readLauncher, readProgram } from "../build/launcher.ts";
import { addDays, dayOf, systemClock } from "../lib/util/clock.ts";
import { describeRows, fillServer } from "./support/harm.ts";
import { type Bench, job, openBench, type Ran } from "./support/killing.ts";
import { openProxy, type Way } from "./support/proxy.ts";
import {
  addressOf,
  askServer,
  type Cluster,
  makeCluster,
  runServerProgram,
  serverPrograms,
} from "./support/server.ts";
import { readRows } from "./support/store.ts";

const isWhole = process.env.SWEEP === "all";
const token = "service-token";

describe.skipIf(serverPrograms === undefined)("a site with its books on a PostgreSQL server", () => {
  let cluster: Cluster;
  let proxy: Way;
  let bench: Bench;
  const raw = (sql: string, database = "books") => askServer({ ...cluster, database }, sql);
  const secrets = { store_password: "right", usage_token: token, account_key: "ab".repeat(32) };
  const reset = (): void => {
    askServer({ ...cluster, database: "books" }, undefined);
    raw("DROP DATABASE IF EXISTS books WITH (FORCE)", "postgres");
    raw("CREATE DATABASE books TEMPLATE filled", "postgres");
    bench.reset();
    bench.keepSecrets(secrets);
    proxy.plan(undefined);
  };
  const verify = async () => expect(await bench.run(job("ledger", "verify"))).toMatchObject({ code: 0 });
  const page = (path: string, more: Readonly<Record<string, string>> = {}, input = ""): Promise<Ran> =>
    bench.run({
      path: `cgi${path}`,
      environment: {
        REQUEST_METHOD: input === "" ? "GET" : "POST",
        SCRIPT_NAME: path,
        HTTP_HOST: "storage.example.com",
        HTTP_COOKIE: `__Host-session=${"S".repeat(43)}`,
        REMOTE_ADDR: "192.0.2.1",
        ...more,
      },
      input,
    });

  beforeAll(async () => {
    cluster = makeCluster({ login: "scram-sha-256", isSafe: true });
    proxy = await openProxy(cluster);
    const through = { folder: proxy.folder, user: cluster.user };
    bench = openBench(`store: ${addressOf(through, "books")}\n`, "programs: resident\n");
    raw("CREATE DATABASE filled", "postgres");
    await fillServer(addressOf(cluster, "filled"), "right");
  }, 120_000);
  afterAll(() => {
    bench.end();
    proxy.end();
    cluster.end();
  });
  beforeEach(() => reset());

  it("makes its schema, and opens no file", async () => {
    raw("DROP DATABASE books WITH (FORCE)", "postgres");
    raw("CREATE DATABASE books", "postgres");
    expect(await bench.run(job("migrate"))).toMatchObject({
      code: 0,
      out: expect.stringContaining("applied first, seals"),
    });
    expect(await bench.run(job("migrate"))).toMatchObject({
      code: 0,
      out: expect.stringContaining("nothing to do"),
    });
    expect(await bench.run(job("ledger", "verify"))).toMatchObject({
      code: 0,
      out: expect.stringContaining("all is right"),
    });
    expect(existsSync(bench.file)).toBe(false);
  });

  it("bills its nights, once", async () => {
    const first = await bench.run(job("bill"));
    expect(first).toMatchObject({
      code: 0,
      out: expect.stringMatching(/12 accounts with usage, 12 bills written/),
    });
    expect(await bench.run(job("bill"))).toMatchObject({
      code: 0,
      out: expect.stringContaining("no complete day is waiting"),
    });
    await verify();
  });

  it("answers its pages, and says 503 in its own layout while the server is away, or does not let it in", async () => {
    expect((await page("/account/account.cgi")).out).toMatch(/^Status: 303/);
    for (const [harm, mend, code, log] of [
      [() => cluster.stop(), () => cluster.start(), 111, /cannot be reached|starting, ending/],
      [
        () => bench.keepSecrets({ ...secrets, store_password: "wrong" }),
        () => bench.keepSecrets(secrets),
        100,
        /refuses the password/,
      ],
    ] as const) {
      askServer({ ...cluster, database: "books" }, undefined);
      askServer({ ...cluster, database: "postgres" }, undefined);
      harm();
      const answer = await page("/account/account.cgi");
      expect(answer.out).toMatch(/^Status: 503/m);
      expect(answer.out).toContain("<nav");
      expect(answer.out).toMatch(log);
      const ran = await bench.run(job("bill"));
      expect([ran.code, ran.out]).toEqual([code, expect.stringMatching(log)]);
      mend();
      expect((await page("/account/account.cgi")).out).toMatch(/^Status: 303/);
    }
  });

  it("that stays finds the server again after it was away", async () => {
    const socket = join(bench.data, "socket");
    const child: ChildProcess = spawn(process.execPath, [join(bench.release, "servers/programs"), socket], {
      env: { PATH: process.env.PATH, SITE_DATA: bench.data, SITE_SECRETS: bench.secretsFile },
    });
    try {
      for (let tries = 0; !existsSync(socket) && tries < 200; tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 20));
      const ask = () =>
        new Promise<number | undefined>((resolve, reject) => {
          const headers = { host: "storage.example.com", cookie: `__Host-session=${"S".repeat(43)}` };
          request({ socketPath: socket, path: "/account/account.cgi", headers }, (response) => {
            response.resume();
            resolve(response.statusCode);
          })
            .on("error", reject)
            .end();
        });
      expect(await ask()).toBe(303);
      cluster.stop("immediate");
      expect(await ask()).toBe(503);
      cluster.start();
      expect(await ask()).toBe(303);
      // The connection that lay idle dies with its server, which is there again before it is wanted.
      cluster.stop("immediate");
      cluster.start();
      expect(await ask()).toBe(303);
    } finally {
      child.kill();
    }
  });

  it("moves to a file and back, goes on where it was interrupted, and ends in the same books", async () => {
    for (const _night of [1, 2]) expect((await bench.run(job("bill"))).code).toBe(0);
    const file = join(bench.data, "moved.sqlite");
    const [server, other] = [
      addressOf({ folder: proxy.folder, user: cluster.user }, "books"),
      addressOf(cluster, "moved"),
    ];
    const copy = (from: string, to: string) =>
      bench.run(job("store", "copy", `--from=${from}`, `--to=${to}`));
    const refused = await copy(server, `sqlite:${file}`);
    expect([refused.code, refused.out]).toEqual([
      1,
      expect.stringContaining("run first: site maintenance on --read-only"),
    ]);
    writeFileSync(join(bench.data, "maintenance"), "read-only\n");
    const out = await copy(server, `sqlite:${file}`);
    expect([out.code, out.out]).toEqual([
      0,
      expect.stringMatching(/both are right and end in transfer 36, seal /),
    ]);
    expect(describeRows((sql) => readRows(file, sql))).toBe(describeRows(raw));

    raw("DROP DATABASE IF EXISTS moved WITH (FORCE)", "postgres");
    raw("CREATE DATABASE moved", "postgres");
    const through = addressOf({ folder: proxy.folder, user: cluster.user }, "moved");
    proxy.plan({ at: 120, how: "before" });
    const cut = await copy(`sqlite:${file}`, through);
    expect([cut.code, cut.out]).toEqual([111, expect.stringContaining("was lost")]);
    proxy.plan(undefined);
    const back = await copy(`sqlite:${file}`, through);
    const [, rows, written] = /store: (\d+) rows, (\d+) written/.exec(back.out) ?? [];
    expect([back.code, Number(written) < Number(rows), Number(written) > 0], back.out).toEqual([
      0,
      true,
      true,
    ]);
    expect(back.out.split("end in ")[1]).toBe(out.out.split("end in ")[1]);
    const moved = (sql: string) => raw(sql, "moved");
    expect(describeRows(moved)).toBe(describeRows(raw));
    expect((await copy(`sqlite:${file}`, other)).out).toMatch(/ rows, 0 written/);

    // A row that is another one is named, and stays.
    moved("UPDATE account SET email = 'other@example.org' WHERE email = '1@example.org'");
    const differs = await copy(`sqlite:${file}`, other);
    expect([differs.code, differs.out]).toEqual([
      100,
      expect.stringMatching(/account acct_\w+: email is another in the copy/),
    ]);
    moved("UPDATE account SET email = '1@example.org' WHERE email = 'other@example.org'");
    moved("INSERT INTO unwanted_customer VALUES ('cus_1', 1, NULL)");
    expect((await copy(`sqlite:${file}`, other)).out).toMatch(
      /unwanted_customer cus_1: is in the copy alone/,
    );
    // A file may hold what no server takes.
    readRows(
      file,
      "INSERT INTO signup (token_hash, email, password_hash, expires_at) VALUES ('t', 'a' || char(0), '', 1)",
    );
    const odd = await copy(`sqlite:${file}`, other);
    expect([odd.code, odd.out]).toEqual([
      100,
      expect.stringContaining("signup t: the copy refuses this row"),
    ]);
    askServer({ ...cluster, database: "moved" }, undefined);
  }, 60_000);

  it("is backed up into a file that is proved, and opened again by a drill", async () => {
    expect((await bench.run(job("bill"))).code).toBe(0);
    const made = await bench.run(job("backup"));
    expect([made.code, made.out]).toEqual([0, expect.stringContaining("36 transfers proved")]);
    const [name = ""] = readdirSync(join(bench.data, "backups"));
    const file = join(bench.data, "backups", name);
    expect(describeRows((sql) => readRows(file, sql))).toBe(describeRows(raw));
    expect(await bench.run(job("restore", "--drill", file))).toMatchObject({ code: 0 });
    expect(await bench.run(job("restore", file))).toMatchObject({
      code: 1,
      out: expect.stringContaining("site store copy"),
    });
  });

  it("is dumped and restored by PostgreSQL's own programs, with all of its guards", async () => {
    for (const _night of [1, 2]) expect((await bench.run(job("bill"))).code).toBe(0);
    const before = await bench.run(job("ledger", "verify"));
    const dump = join(cluster.folder, "books.dump");
    const login = ["-h", cluster.folder, "-U", cluster.user];
    const environment = { PGPASSWORD: "right" };
    runServerProgram("pg_dump", [...login, "-Fc", "-f", dump, "books"], cluster.folder, environment);
    const right = describeRows(raw);
    askServer({ ...cluster, database: "books" }, undefined);
    raw("DROP DATABASE books WITH (FORCE)", "postgres");
    raw("CREATE DATABASE books TEMPLATE template0", "postgres");
    runServerProgram(
      "pg_restore",
      [...login, "-d", "books", "--exit-on-error", dump],
      cluster.folder,
      environment,
    );
    expect(describeRows(raw)).toBe(right);
    expect(await bench.run(job("ledger", "verify"))).toEqual(before);
    expect(() => raw("TRUNCATE transfer CASCADE")).toThrow(/is append-only/);
  });

  it("has no driver in the programs of a site with a file", () => {
    const other = openBench("", "programs: resident\n");
    try {
      // What each launcher puts together, by its path.
      const of = (release: string): ReadonlyMap<string, boolean> =>
        new Map(
          ["cgi/account", "cgi", "jobs", "servers"].flatMap((folder) =>
            readdirSync(join(release, folder), { withFileTypes: true }).flatMap((entry) => {
              if (!entry.isFile()) return [];
              const text = readProgram(release, readLauncher(join(release, folder, entry.name)));
              const hasDriver = /SCRAM-SHA-256|pg_backend_pid|sslnegotiation/.test(text);
              return [[`${folder}/${entry.name}`, hasDriver] as const];
            }),
          ),
        );
      expect([...of(other.release).values()]).not.toContain(true);
      const ours = of(bench.release);
      expect(ours.size).toBe(of(other.release).size);
      expect([...ours].filter(([, has]) => !has).map(([name]) => name)).toEqual(["cgi/search.cgi"]);
    } finally {
      other.end();
    }
  });

  describe("a night", () => {
    let right: string;
    beforeAll(async () => {
      reset();
      await finish("");
      right = describeRows(raw);
    });
    /** Twice: days are sealed up to the last transfer's, and the bills are transfers. */
    const finish = async (what: string): Promise<void> => {
      for (const _night of [1, 2]) {
        const ran = await bench.run(job("bill"));
        expect([ran.code, ran.out], what).toEqual([0, ran.out]);
      }
    };
    /** What it said that it did is there, whatever happened after. */
    const checkSaid = (out: string): void => {
      for (const [, day] of out.matchAll(/^bill: (\S+): \d+ accounts/gm))
        expect(raw(`SELECT day FROM billed_day WHERE day = '${day}'`)).toHaveLength(1);
      for (const [, day, hash] of out.matchAll(/^seal: (\S+): \d+ transfers, (\w+)/gm))
        expect(raw(`SELECT hash FROM seal WHERE day = '${day}'`)).toEqual([{ hash }]);
    };

    it("begun on two machines at once is one", async () => {
      const other = join(bench.data, "other");
      mkdirSync(other);
      const both = await Promise.all([
        bench.run(job("bill")),
        bench.run({ ...job("bill"), environment: { SITE_DATA: other } }),
      ]);
      const codes = both.map(({ code }) => code).sort();
      // The one that came second was sent away, or found nothing left.
      expect([
        [0, 0],
        [0, 111],
      ]).toContainEqual(codes);
      if (codes[1] === 111)
        expect(both.find(({ code }) => code === 111)?.out).toMatch(/another run is at work/);
      await finish("two at once");
      expect(withoutReports(describeRows(raw))).toBe(withoutReports(right));
    });

    it("cut off before and after what it asks, ends when it is run again in the books of a clean one", async () => {
      proxy.plan({ at: 0, how: "before" });
      await bench.run(job("bill"));
      const { questions, commits } = proxy.counts();
      expect(commits).toBeGreaterThan(5);
      const every = isWhole ? 1 : Math.ceil(questions / 6);
      const harms = [
        ...Array.from({ length: commits }, (_, at) => ({ at: at + 1, isCommit: true })),
        ...Array.from({ length: questions }, (_, at) => ({ at: at + 1, isCommit: false })).filter(
          ({ at }) => at % every === 0,
        ),
      ];
      let lost = 0;
      for (const harm of harms)
        for (const how of ["before", "after"] as const) {
          const what = `${harm.isCommit ? "commit" : "question"} ${harm.at} of ${harm.isCommit ? commits : questions}, ${how}`;
          reset();
          proxy.plan({ ...harm, how });
          const ran = await bench.run(job("bill"));
          expect(proxy.wasHarmed(), what).toBe(true);
          expect([0, 111], `${what}: ${ran.out}`).toContain(ran.code);
          if (ran.code === 111) lost += 1;
          checkSaid(ran.out);
          proxy.plan(undefined);
          await verify();
          await finish(what);
          expect(withoutReports(describeRows(raw)), what).toBe(withoutReports(right));
        }
      expect(lost).toBeGreaterThan(harms.length);
    }, 900_000);

    it.each([
      ["killed in a transaction", "kill"],
      ["restarted", "restart"],
    ])(
      "whose server is %s ends when it is run again in the books of a clean one",
      async (_what, how) => {
        for (const at of isWhole ? [3, 8, 20, 40, 60] : [8, 40]) {
          reset();
          const besides = how === "kill" ? killNewest : restart;
          proxy.plan({ at, how: how === "kill" ? "after" : "before", besides });
          const ran = await bench.run(job("bill"));
          expect([ran.code, ran.out]).toEqual([
            111,
            expect.stringMatching(/lost|cannot be reached|starting|ended a transaction/),
          ]);
          for (const database of ["books", "postgres"]) askServer({ ...cluster, database }, undefined);
          await waitForServer();
          checkSaid(ran.out);
          proxy.plan(undefined);
          await verify();
          await finish(`at ${at}`);
          expect(withoutReports(describeRows(raw)), `at ${at}`).toBe(withoutReports(right));
        }
      },
      120_000,
    );

    /** The server's process that the program speaks with: the server takes all of them down then, and starts anew. */
    function killNewest(): void {
      const [{ pid } = { pid: 0n }] = raw(
        `SELECT pid FROM pg_stat_activity WHERE datname = 'books' AND pid <> pg_backend_pid() AND backend_type = 'client backend'
         ORDER BY query_start DESC LIMIT 1`,
        "postgres",
      ) as { pid: bigint }[];
      process.kill(Number(pid), "SIGKILL");
    }
    function restart(): void {
      for (const database of ["books", "postgres"]) askServer({ ...cluster, database }, undefined);
      cluster.stop("immediate");
      cluster.start();
    }
    async function waitForServer(): Promise<void> {
      for (let tries = 0; tries < 100; tries += 1) {
        try {
          raw("SELECT 1", "postgres");
          return;
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
    }
  });

  it("whose service lost the answer to what it handed in may hand it in again", async () => {
    const day = addDays(dayOf(systemClock.now()), -1);
    const body = `${JSON.stringify({ day, account: "1@example.org", machine: "late", meter: "storage", quantity: 5 })}\n`;
    const hand = () =>
      page(
        "/account/usage.cgi",
        {
          HTTP_AUTHORIZATION: `Bearer ${token}`,
          CONTENT_TYPE: "application/x-ndjson",
          CONTENT_LENGTH: String(body.length),
        },
        body,
      );
    const rows = () => raw("SELECT quantity FROM usage WHERE machine = 'late'");
    proxy.plan({ at: 1, isCommit: true, how: "after" });
    const lost = await hand();
    expect(lost.out).toMatch(/^Status: 503/m);
    expect(lost.out).toMatch(/it may have been kept: do it again/);
    proxy.plan(undefined);
    expect(rows()).toEqual([{ quantity: 5n }]);
    expect((await hand()).out).toMatch(/^Status: 200/m);
    expect(rows()).toEqual([{ quantity: 5n }]);
  });
});

/** Mails to the owner differ by what a night said. */
function withoutReports(books: string): string {
  return books
    .split("\n")
    .filter((line) => !line.startsWith('["outbox"'))
    .join("\n");
}
