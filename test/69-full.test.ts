// Goal of this test: a PostgreSQL server whose disk is full refuses what has no room, whole; it is said to be so, and when there is room again
// the same things are done, once.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addDays, dayOf, systemClock } from "../lib/util/clock.ts";
import { fillServer } from "./support/harm.ts";
import { type Bench, job, openBench } from "./support/killing.ts";
import { addressOf, askServer, type Cluster, makeCluster, serverPrograms } from "./support/server.ts";

const mount = mkdtempSync(join(tmpdir(), "picodollar-full-"));
const canMount =
  serverPrograms !== undefined &&
  process.getuid?.() === 0 &&
  spawnSync("mount", ["-t", "tmpfs", "-o", "size=192m,mode=777", "tmpfs", mount]).status === 0;

describe.skipIf(!canMount)("a server whose disk is full", () => {
  let cluster: Cluster;
  let bench: Bench;
  const filler = join(mount, "filler");
  const raw = (sql: string, database = "books") => askServer({ ...cluster, database }, sql);
  const count = (table: string): bigint =>
    (raw(`SELECT count(*) AS n FROM ${table}`)[0] as { n: bigint } | undefined)?.n ?? -1n;
  /** Takes all room but so much. */
  const fill = (left: number): void => {
    const { bavail, bsize } = statfsSync(mount);
    writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - left)));
  };

  beforeAll(async () => {
    cluster = makeCluster({ isSafe: true, place: mount });
    bench = openBench(`store: ${addressOf(cluster, "books")}\n`);
    mkdirSync(bench.data, { recursive: true });
    raw("CREATE DATABASE books", "postgres");
    await fillServer(addressOf(cluster, "books"));
  }, 120_000);
  afterAll(() => {
    bench?.end();
    cluster?.end();
    spawnSync("umount", [mount]);
    rmSync(mount, { recursive: true, force: true });
  });

  it("keeps nothing of what has no room, and all of it when there is room again", async () => {
    const day = addDays(dayOf(systemClock.now()), -1);
    const accounts = raw("SELECT id FROM account ORDER BY id") as { id: string }[];
    const rows = Array.from({ length: 4000 }, (_, n) => {
      const { id } = accounts[n % accounts.length] ?? { id: "" };
      return `${day},${id},machine-${n},storage,${1_000_000 + n}`;
    });
    const file = join(bench.data, "usage.csv");
    writeFileSync(file, `day,account,machine,meter,quantity\n${rows.join("\n")}\n`);
    const hand = () => bench.run(job("usage", "import", file, "--complete", day));
    const before = [count("usage"), count("transfer")];
    fill(100_000);
    const refused = await hand();
    expect([refused.code, refused.out]).toEqual([111, expect.stringMatching(/disk|room/)]);
    expect([count("usage"), count("transfer")]).toEqual(before);
    truncateSync(filler);
    expect(await hand()).toMatchObject({ code: 0 });
    expect(count("usage")).toBe((before[0] ?? 0n) + 4000n);
    // A night that comes to the end of the room, somewhere in its batches.
    fill(200_000);
    const cut = await bench.run(job("bill"));
    expect([cut.code, cut.out]).toEqual([111, expect.stringMatching(/disk|room|lost|cannot be reached/)]);
    truncateSync(filler);
    for (let tries = 0; tries < 60; tries += 1) {
      // Where not even its log had room, it ends, and is started by its keeper.
      if ((await bench.run(job("ledger", "verify"))).code === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    expect(await bench.run(job("bill"))).toMatchObject({ code: 0 });
    expect(await bench.run(job("bill"))).toMatchObject({
      code: 0,
      out: expect.stringContaining("no complete day"),
    });
    expect(await bench.run(job("ledger", "verify"))).toMatchObject({ code: 0 });
    expect(count("bill_line")).toBe(4000n + 48n);
    expect(count("billed_day")).toBe(3n);
  }, 120_000);
});
