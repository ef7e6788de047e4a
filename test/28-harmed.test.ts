// Goal of this test: the nightly run, killed at any write or sync, or told by the disk that it failed or is full, leaves
// books in which nothing is wrong and nothing acknowledged is lost; run again, it leaves those of a night without harm.
// The suite takes some of the places; `SWEEP=all` takes each.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeBooks, writeBooks } from "./support/harm.ts";
import { askHledger, hasHledger } from "./support/hledger.ts";
import { type Bench, canInject, job, openBench } from "./support/killing.ts";
import { readRows } from "./support/store.ts";

const isWhole = process.env.SWEEP === "all";
let bench: Bench;
let right: string;

/** Bills that the run said it had written before it ended. */
function countSaid(out: string): number {
  return [...out.matchAll(/, (\d+) bills written/g)].reduce((sum, match) => sum + Number(match[1]), 0);
}

describe.skipIf(!canInject)("a night that comes to harm", () => {
  beforeAll(async () => {
    bench = openBench();
    await writeBooks(bench.books);
    bench.reset();
    expect(await bench.run(job("bill"))).toMatchObject({ code: 0 });
    // The next night seals what this one has finished.
    expect(await bench.run(job("bill"))).toMatchObject({ code: 0 });
    right = describeBooks(bench.file);
    expect(readRows(bench.file, "SELECT count(*) AS n FROM transfer WHERE code = 'bill'")).toEqual([
      { n: 24n },
    ]);
    expect(await bench.run(job("ledger", "verify"))).toMatchObject({ code: 0 });
  }, 60_000);
  afterAll(() => bench.end());

  it.each([
    ["pwrite64", "signal=SIGKILL", null, 9],
    ["fsync", "signal=SIGKILL", null, 2],
    ["pwrite64", "error=EIO", 111, 17],
    ["pwrite64", "error=ENOSPC", 111, 17],
    ["fsync", "error=EIO", 111, 2],
    ["fsync", "error=ENOSPC", 111, 2],
  ] as const)(
    "at each %s, %s, is whole after the next run",
    async (call, harm, code, stride) => {
      bench.reset();
      const times = (await bench.count(job("bill"))).get(call) ?? 0;
      let harmed = 0;
      for (let time = 1; time <= times; time += isWhole ? 1 : stride) {
        bench.reset();
        const run = await bench.harm(call, time, harm, job("bill"));
        const what = `${call} ${time} of ${times}: ${run.out}`;
        // At the last writes, when the file is closed, nobody is told any more.
        if (run.code === code) harmed += 1;
        else expect(run.code, what).toBe(0);
        const { n } = readRows(bench.file, "SELECT count(*) AS n FROM transfer WHERE code = 'bill'")[0] as {
          n: bigint;
        };
        expect(Number(n), what).toBeGreaterThanOrEqual(countSaid(run.out));
        expect(await bench.run(job("ledger", "verify")), what).toMatchObject({ code: 0 });
        for (const _ of ["the same night", "the next"])
          expect(await bench.run(job("bill")), what).toMatchObject({ code: 0 });
        expect(describeBooks(bench.file), what).toBe(right);
      }
      expect(harmed).toBeGreaterThan(0);
      if (hasHledger)
        expect(askHledger((await bench.run(job("ledger", "export"))).out, "check")).toMatchObject({
          status: 0,
        });
    },
    600_000,
  );
});
