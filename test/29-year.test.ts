// Goal of this test: a year of nights with everything that goes wrong with them (killed, run twice, run by two at once, in the
// wrong time zone; usage late, measured again, handed in again) ends in the ledger, the standings, and the mails of one clean
// run over the same arrivals under the same clock. The suite takes some weeks; `YEAR=all` takes a year of 200 accounts.
import { describe, expect, it } from "vitest";
import { verifyBooks } from "../lib/ledger/verify.ts";
import { readExpectedSchema } from "../lib/store/migrate.ts";
import { expectSameTotals, exportBooks, hasHledger } from "./support/hledger.ts";
import { makeSettings, packageRenderer } from "./support/site.ts";
import {
  type Arrival,
  dyingAt,
  Killed,
  makeRandom,
  openYear,
  planYear,
  type Random,
  runNight,
  takeArrival,
  type World,
} from "./support/year.ts";

const isWhole = process.env.YEAR === "all";
const [days, accounts] = isWhole ? [366, 200] : [66, 12];
const seed = Number(process.env.SEED ?? 20_261_127);
const hourMs = 3_600_000;
const zones = ["America/St_Johns", "Pacific/Kiritimati", "Asia/Kathmandu", "Europe/London", "nonsense"];

/** What went wrong, so that a run in which nothing did proves nothing. */
interface Troubles {
  killed: number;
  twice: number;
  atOnce: number;
}

async function goClean(world: World, plan: readonly (readonly Arrival[])[]): Promise<void> {
  for (const arrivals of plan) {
    world.test.clock.ms += hourMs;
    for (const arrival of arrivals) await takeArrival(world, world.test.store, arrival);
    world.test.clock.ms += hourMs;
    await runNight(world, world.test.store);
    world.test.clock.ms += 22 * hourMs;
  }
}

async function goWrong(
  world: World,
  plan: readonly (readonly Arrival[])[],
  random: Random,
  troubles: Troubles,
): Promise<void> {
  const { store } = world.test;
  const other = world.test.reopen();
  /** Until it comes through: each time the process may die at one of its writes. */
  const insist = async (work: (own: typeof store) => Promise<void>): Promise<void> => {
    for (;;) {
      const own = random(3) === 0 ? dyingAt(store, 1 + random(4), random(2) === 0) : store;
      try {
        return await work(own);
      } catch (cause) {
        if (!(cause instanceof Killed)) throw cause;
        troubles.killed += 1;
      }
    }
  };
  for (const arrivals of plan) {
    process.env.TZ = zones[random(zones.length)];
    world.test.clock.ms += hourMs;
    for (const arrival of arrivals) {
      await insist((own) => takeArrival(world, own, arrival));
      if (random(4) === 0) await takeArrival(world, other, arrival);
    }
    world.test.clock.ms += hourMs;
    const kind = random(4);
    if (kind === 0) {
      troubles.atOnce += 1;
      const runs = await Promise.allSettled([runNight(world, store), runNight(world, other)]);
      // The second finds the first at work.
      const refused = runs.filter((run) => run.status === "rejected");
      expect(refused.map((run) => String(run.reason))).toEqual([
        expect.stringContaining("another run is at work"),
      ]);
    }
    await insist((own) => runNight(world, own));
    if (kind === 1) {
      troubles.twice += 1;
      await runNight(world, other);
    }
    world.test.clock.ms += 22 * hourMs;
  }
}

/** Everything that customers and books have of it, with accounts named by their number. */
async function describeWorld({ test, ids }: World): Promise<string> {
  const rows = (sql: string): string[] =>
    test
      .raw(sql)
      .map((row) => JSON.stringify(row, (_, value) => (typeof value === "bigint" ? String(value) : value)));
  const all = [
    ...(await exportBooks(test, "csv")).trim().split("\n"),
    ...rows(
      "SELECT transfer, machine, meter, quantity, revision, price_atto, picodollars, attodollars FROM bill_line",
    ),
    ...rows("SELECT day, account, machine, meter, revision, quantity, transfer FROM usage_revision"),
    ...rows("SELECT account, number, state, since, step, picodollars, attodollars, day FROM standing"),
    ...rows("SELECT id, recipient, subject, body FROM outbox WHERE id LIKE 'warn/%'"),
    ...rows("SELECT day, accounts FROM billed_day"),
  ];
  const text = ids.reduce((sum, id, at) => sum.replaceAll(id, `acct_${at}`), all.join("\n"));
  return text.split("\n").sort().join("\n");
}

describe("a year of nights", () => {
  it("with everything that goes wrong is a year in which nothing did", async () => {
    const plan = planYear(days, accounts, makeRandom(seed));
    const [settings, renderer] = [await makeSettings(), await packageRenderer()];
    const [clean, wrong] = [
      await openYear(accounts, settings, renderer),
      await openYear(accounts, settings, renderer),
    ];
    const zone = process.env.TZ;
    const troubles: Troubles = { killed: 0, twice: 0, atOnce: 0 };
    try {
      await goClean(clean, plan);
      await goWrong(wrong, plan, makeRandom(seed + 1), troubles);
      expect(await describeWorld(wrong)).toBe(await describeWorld(clean));
      for (const { test } of [clean, wrong]) {
        await test.store.read((tx) =>
          verifyBooks(tx, readExpectedSchema({}), (finding) => expect(finding).toBeUndefined()),
        );
        if (hasHledger) await expectSameTotals(test);
      }
      // Much went wrong, and much happened.
      expect(Math.min(...Object.values(troubles)), JSON.stringify(troubles)).toBeGreaterThan(days / 12);
      const count = (sql: string): bigint => (clean.test.raw(sql)[0] as { n: bigint }).n;
      expect(count("SELECT count(*) AS n FROM outbox WHERE id LIKE 'warn/%'")).toBeGreaterThan(10n);
      expect(count("SELECT count(*) AS n FROM transfer WHERE code LIKE 'bill-%'")).toBeGreaterThan(5n);
      expect(count("SELECT count(*) AS n FROM seal")).toBeGreaterThan(BigInt(days - 5));
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
      for (const { test } of [clean, wrong]) test.end();
    }
  }, 3_600_000);
});
