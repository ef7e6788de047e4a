// Goal of this test: the nightly run, killed at any write or sync, or told by the disk that it failed or is full, leaves
// books in which nothing is wrong and nothing acknowledged is lost; run again, it leaves those of a night without harm.
// The suite takes some of the places; `SWEEP=all` takes each.
import { copyFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { amountOf } from "../lib/money/amount.ts";
import { fulfilCheckout } from "../lib/payments/fulfil.ts";
import { createOrder } from "../lib/payments/order.ts";
import { readUsageFile } from "../lib/usage/file.ts";
import { importUsage } from "../lib/usage/import.ts";
import { addDays, type DayUtc, dayOf, systemClock } from "../lib/util/clock.ts";
import { addAccount, meters, usageFile } from "./support/books.ts";
import { type Bench, canInject, openBench } from "./support/killing.ts";
import { makeTestStore, openRaw, readRows } from "./support/store.ts";

const isWhole = process.env.SWEEP === "all";
let bench: Bench;
let right: string;

/** Accounts that paid some days ago, and two days of usage, which nobody has billed. */
async function writeBooks(file: string): Promise<void> {
  const today = dayOf(systemClock.now());
  const test = makeTestStore(`${addDays(today, -4)}T08:00:00Z`);
  const days: readonly DayUtc[] = [addDays(today, -3), addDays(today, -2)];
  for (let number = 0; number < 12; number += 1) {
    const account = await addAccount(test.store, `${number}@example.org`);
    const order = { id: `order_${number}`, account, amount: amountOf(10n ** 19n), livemode: false };
    await test.store.write(async (tx) => {
      await createOrder(tx, order);
      const facts = {
        orderId: order.id,
        paid: true,
        ended: "" as const,
        netCents: 1000,
        currency: "usd",
        livemode: false,
      };
      await fulfilCheckout(tx, { ...facts, paymentIntent: `pi_${number}` });
    });
    test.clock.ms += 3_600_000;
  }
  test.clock.ms = systemClock.now();
  for (const day of days) {
    const emails = Array.from({ length: 12 }, (_, number) => `${number}@example.org`);
    const rows = emails.flatMap((email, at) =>
      ["a", "b"].map((box) => `${day},${email},${box},storage,${12_345_678_901 * (at + 1)}`),
    );
    const { lines } = readUsageFile(usageFile(rows));
    const taken = await test.store.write((tx) => importUsage(tx, { lines, meters, complete: [day] }));
    expect(taken.ok).toBe(true);
  }
  const db = openRaw(test.file);
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  copyFileSync(test.file, file);
  test.end();
}

/** All that the night wrote, without the moments. */
function describeBooks(): string {
  const tables = {
    transfer: "day, id, code, debit, credit, picodollars, attodollars, reference",
    bill_line: "transfer, machine, meter, quantity, price_atto, picodollars, attodollars",
    balance: "ledger_account, picodollars, attodollars",
    seal: "day, transfers, hash",
    billed_day: "day, accounts",
  };
  const rows = Object.entries(tables).map(([table, columns]) =>
    readRows(bench.file, `SELECT ${columns} FROM ${table} ORDER BY 1, 2`),
  );
  return JSON.stringify(rows, (_, value) => (typeof value === "bigint" ? `${value}` : value), 1);
}

/** Bills that the run said it had written before it ended. */
function countSaid(out: string): number {
  return [...out.matchAll(/, (\d+) bills written/g)].reduce((sum, match) => sum + Number(match[1]), 0);
}

describe.skipIf(!canInject)("a night that comes to harm", () => {
  beforeAll(async () => {
    bench = openBench();
    await writeBooks(bench.books);
    bench.reset();
    expect(bench.run("bill")).toMatchObject({ code: 0 });
    // The next night seals what this one has finished.
    expect(bench.run("bill")).toMatchObject({ code: 0 });
    right = describeBooks();
    expect(readRows(bench.file, "SELECT count(*) AS n FROM transfer WHERE code = 'bill'")).toEqual([
      { n: 24n },
    ]);
    expect(bench.run("ledger", "verify")).toMatchObject({ code: 0 });
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
    (call, harm, code, stride) => {
      const times = bench.count("bill").get(call) ?? 0;
      let harmed = 0;
      for (let time = 1; time <= times; time += isWhole ? 1 : stride) {
        const run = bench.harm(call, time, harm, "bill");
        const what = `${call} ${time} of ${times}: ${run.out}`;
        // At the last writes, when the file is closed, nobody is told any more.
        if (run.code === code) harmed += 1;
        else expect(run.code, what).toBe(0);
        const { n } = readRows(bench.file, "SELECT count(*) AS n FROM transfer WHERE code = 'bill'")[0] as {
          n: bigint;
        };
        expect(Number(n), what).toBeGreaterThanOrEqual(countSaid(run.out));
        expect(bench.run("ledger", "verify"), what).toMatchObject({ code: 0 });
        for (const _ of ["the same night", "the next"])
          expect(bench.run("bill"), what).toMatchObject({ code: 0 });
        expect(describeBooks(), what).toBe(right);
      }
      expect(harmed).toBeGreaterThan(0);
    },
    600_000,
  );
});
