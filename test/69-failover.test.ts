// Goal of this test: where a second server follows the first and takes its place in the middle of a night, nothing that was said to be done
// is lost, and the night that is run again bills each account once.
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeRows, fillServer } from "./support/harm.ts";
import { type Bench, job, openBench } from "./support/killing.ts";
import { openProxy, type Way } from "./support/proxy.ts";
import {
  addressOf,
  askServer,
  type Cluster,
  makeCluster,
  runServerProgram,
  serverPrograms,
} from "./support/server.ts";

describe.skipIf(serverPrograms === undefined)("a server that takes another's place", () => {
  let first: Cluster;
  let second: { readonly folder: string; readonly data: string };
  let proxy: Way;
  let bench: Bench;
  /** Where the way leads. */
  const target = { folder: "" };
  const user = "pico";
  const raw = (sql: string, database = "books") => askServer({ folder: target.folder, user, database }, sql);
  const control = (...words: readonly string[]) =>
    void runServerProgram("pg_ctl", ["-D", second.data, "-w", ...words], second.folder);

  beforeAll(async () => {
    first = makeCluster({ isSafe: true });
    target.folder = first.folder;
    proxy = await openProxy(target);
    bench = openBench(`store: ${addressOf({ folder: proxy.folder, user }, "books")}\n`);
    raw("CREATE DATABASE books", "postgres");
    await fillServer(addressOf(first, "books"));
    mkdirSync(bench.data, { recursive: true });
    const folder = join(first.folder, "second");
    second = { folder: first.folder, data: folder };
    runServerProgram(
      "pg_basebackup",
      ["-h", first.folder, "-U", user, "-D", folder, "-R", "-X", "stream", "-c", "fast"],
      first.folder,
    );
    mkdirSync(join(first.folder, "socket"), { mode: 0o777 });
    chmodSync(join(first.folder, "socket"), 0o777);
    control("-l", join(first.folder, "second.log"), "-o", `-k ${join(first.folder, "socket")}`, "start");
    // From here on a commit is kept on both before it is said to be.
    raw("ALTER SYSTEM SET synchronous_standby_names = '*'", "postgres");
    raw("SELECT pg_reload_conf()", "postgres");
    for (let tries = 0; tries < 100; tries += 1) {
      const [row] = raw(
        "SELECT count(*) AS n FROM pg_stat_replication WHERE sync_state = 'sync'",
        "postgres",
      );
      if ((row as { n: bigint }).n === 1n) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }, 120_000);
  afterAll(() => {
    control("-m", "immediate", "stop");
    bench.end();
    proxy.end();
    first.end();
  });

  it("has all that was said to be done, and the night goes on there", async () => {
    proxy.plan({
      at: 6,
      isCommit: true,
      how: "before",
      besides: () => {
        askServer({ folder: first.folder, user, database: "postgres" }, undefined);
        first.stop("immediate");
      },
    });
    const cut = await bench.run(job("bill"));
    expect([cut.code, cut.out]).toEqual([111, expect.stringMatching(/lost|cannot be reached/)]);
    target.folder = join(first.folder, "socket");
    // Before it is told that it is the first now, it takes no writes.
    proxy.plan(undefined);
    const early = await bench.run(job("bill"));
    expect([early.code, early.out]).toEqual([111, expect.stringMatching(/takes no writes now/)]);
    control("promote");
    for (const [, day, hash] of cut.out.matchAll(/^seal: (\S+): \d+ transfers, (\w+)/gm))
      expect(raw(`SELECT hash FROM seal WHERE day = '${day}'`)).toEqual([{ hash }]);
    raw("ALTER SYSTEM RESET synchronous_standby_names", "postgres");
    raw("SELECT pg_reload_conf()", "postgres");
    expect(await bench.run(job("ledger", "verify"))).toMatchObject({ code: 0 });
    for (const _night of [1, 2]) expect((await bench.run(job("bill"))).code).toBe(0);
    const after = describeRows(raw);
    expect(await bench.run(job("ledger", "verify"))).toMatchObject({ code: 0 });

    const bills = /\["transfer",\["id","bill\//g;
    expect(after.match(bills)).toHaveLength(24);
    expect(raw("SELECT count(*) AS n FROM billed_day")).toEqual([{ n: 2n }]);
  }, 60_000);
});
