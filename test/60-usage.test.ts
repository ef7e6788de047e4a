// Goal of this test: usage goes in whole or not at all, each fault named by its line; a night bills each account
// and day once, to the attodollar, however often and in whatever order it is run.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../lib/accounts/account.ts";
import { readBalance } from "../lib/ledger/transfer.ts";
import { verifyBooks } from "../lib/ledger/verify.ts";
import { amountOf, formatExact } from "../lib/money/amount.ts";
import { readExpectedSchema } from "../lib/store/migrate.ts";
import { billAccounts, billDay, readBillLines } from "../lib/usage/bill.ts";
import { completeDay, readDaysToBill, readUndeclaredDays, skipDay } from "../lib/usage/day.ts";
import { readUsageFile } from "../lib/usage/file.ts";
import { readHistory } from "../lib/usage/history.ts";
import { importUsage } from "../lib/usage/import.ts";
import { readCorrections } from "../lib/usage/revision.ts";
import { addAccount, audit, dayUtc, meters, topUp, usageFile } from "./support/books.ts";
import { makeTestStore, type TestStore } from "./support/store.ts";

const header = "day,account,machine,meter,quantity";

describe("usage in the books", () => {
  let test: TestStore;
  let ada: AccountId;
  beforeEach(async () => {
    test = makeTestStore("2026-11-23T08:00:00Z");
    ada = await addAccount(test.store, "ada@example.org");
  });
  afterEach(() => test.end());

  const take = (rows: readonly string[], complete?: string) => {
    const isLong = rows.some((one) => one.split(",").length > 5);
    const { lines, faults } = readUsageFile(usageFile(rows, isLong ? `${header},revision` : header));
    expect(faults).toEqual([]);
    const days = complete === undefined ? [] : [dayUtc(complete)];
    return test.store.write((tx) => importUsage(tx, { lines, meters, complete: days }));
  };
  const verify = async () => {
    const found: string[] = [];
    await test.store.read((tx) =>
      verifyBooks(tx, readExpectedSchema({}), ({ table, row: which, message }) =>
        found.push(`${table} ${which}: ${message}`),
      ),
    );
    return found;
  };
  const countRows = () => test.raw("SELECT count(*) AS n FROM usage");

  it("is added once; the same rows again are known", async () => {
    const rows = [`2026-11-22,${ada},box,storage,1000`, "2026-11-22,ADA@example.org,box,upload,5"];
    expect(await take(rows)).toEqual({ ok: true, added: 2, known: 0, revised: 0, retired: 0 });
    expect(await take(rows)).toEqual({ ok: true, added: 0, known: 2, revised: 0, retired: 0 });
  });

  it.each([
    [
      "2026-11-22,eve@example.org,box,storage,1",
      /"eve@example.org" is neither an account id nor the address/,
    ],
    ["2026-11-22,acct_none,box,storage,1", /"acct_none" is neither/],
    [
      "2026-11-22,ada@example.org,box,storaeg,1",
      /"storaeg" is no meter of etc\/prices.yaml, which has storage, upload/,
    ],
    [
      "2026-11-22,ada@example.org,box,upload,400000000000001",
      /would cost \$100000\.000000000250000000; more than \$100000\.0+ for a machine and day/,
    ],
    [
      "2026-11-24,ada@example.org,box,storage,1",
      /lies in the future \(today is 2026-11-23 UTC\); if that is meant: --future/,
    ],
    ["2025-12-31,ada@example.org,box,storage,1", /no price on 2025-12-31; its first one is of 2026-01-01/],
    ["2026-11-22,ada@example.org,box,storage,999", /quantity 999 differs from 1000, given before/],
  ])("refuses %s, and with it the whole file", async (row, message) => {
    const result = await take(["2026-11-22,ada@example.org,box,storage,1000", row]);
    expect(result).toMatchObject({
      ok: false,
      faults: [{ line: 3, message: expect.stringMatching(message) }],
    });
    expect(countRows()).toEqual([{ n: 0n }]);
  });

  it("refuses days of more than 400 days ago", async () => {
    test.clock.ms = Date.parse("2027-12-28T08:00:00Z");
    expect(await take([`2026-11-23,${ada},box,storage,1`])).toMatchObject({ ok: true });
    expect(await take([`2026-11-22,${ada},box,storage,1`])).toMatchObject({
      ok: false,
      faults: [
        {
          line: 2,
          column: 1,
          message: "day 2026-11-22 lies more than 400 days back; if that is meant: --old",
        },
      ],
    });
  });

  it("takes old days and days to come where that is said to be meant", async () => {
    const { lines } = readUsageFile(
      usageFile([`2026-11-25,${ada},box,storage,1`, `2026-01-01,${ada},box,storage,1`]),
    );
    const taken = (flags: object) =>
      test.store.write((tx) => importUsage(tx, { lines, meters, complete: [], ...flags }));
    test.clock.ms = Date.parse("2026-11-23T08:00:00Z") + 86_400_000 * 100;
    expect(await taken({ takesFuture: true })).toMatchObject({ ok: false, faults: [{ line: 3 }] });
    test.clock.ms = Date.parse("2026-11-23T08:00:00Z");
    expect(await taken({ takesOld: true })).toMatchObject({ ok: false, faults: [{ line: 2 }] });
    expect(await taken({ takesOld: true, takesFuture: true })).toMatchObject({ ok: true, added: 2 });
  });

  it("does not close a day by a file that has no row of it: the one of the night before", async () => {
    const stale = [`2026-11-21,${ada},box,storage,1000`];
    await take(stale, "2026-11-21");
    expect(await take(stale, "2026-11-22")).toMatchObject({
      ok: false,
      faults: [
        { message: expect.stringMatching(/^no row is of 2026-11-22, .* site usage complete 2026-11-22$/) },
      ],
    });
    expect(await take([`2026-11-22,${ada},box,storage,7`], "2026-11-22")).toMatchObject({
      ok: true,
      added: 1,
    });
  });

  it("does not take a day of another year for complete", async () => {
    for (const day of ["0001-01-01", "2020-01-01"])
      expect(await test.store.write((tx) => completeDay(tx, dayUtc(day), "person"))).toMatchObject({
        why: "too-old",
      });
    expect(test.raw("SELECT 1 FROM complete_day")).toEqual([]);
  });

  it("refuses another quantity for a known row, and new rows for a complete day", async () => {
    await take([`2026-11-22,${ada},box,storage,1000`], "2026-11-22");
    expect(await take([`2026-11-22,${ada},box,storage,1001`])).toMatchObject({ ok: false });
    expect(await take([`2026-11-22,${ada},other,storage,5`])).toMatchObject({
      ok: false,
      faults: [
        {
          line: 2,
          message: "day 2026-11-22 is complete already and takes no new rows; send it as revision 2",
        },
      ],
    });
    expect(await take([`2026-11-22,${ada},box,storage,1000`])).toEqual({
      ok: true,
      added: 0,
      known: 1,
      revised: 0,
      retired: 0,
    });
  });

  it("measured again before its day is billed is billed as it was measured last", async () => {
    await take([`2026-11-21,${ada},box,storage,1000`], "2026-11-21");
    expect(
      await take([`2026-11-21,${ada},box,storage,400,2`, `2026-11-21,${ada},box,storage,500,3`]),
    ).toEqual({
      ok: true,
      added: 0,
      known: 0,
      revised: 2,
      retired: 0,
    });
    expect(await take([`2026-11-21,${ada},box,storage,400,2`])).toMatchObject({ known: 1 });
    const { total } = await billDay(test.store, dayUtc("2026-11-21"), meters);
    expect(total).toBe(500n * 8_333_333n);
    expect(test.raw("SELECT quantity, revision FROM bill_line")).toEqual([{ quantity: 500n, revision: 3n }]);
    expect(await verify()).toEqual([]);
  });

  it("measured again after its day was billed is made up for by transfers, more or less, once", async () => {
    await topUp(test.store, ada, amountOf(10n ** 18n));
    await take([`2026-11-21,${ada},box,storage,1000`], "2026-11-21");
    await billDay(test.store, dayUtc("2026-11-21"), meters);
    const again = [`2026-11-21,${ada},box,storage,400,2`, `2026-11-21,${ada},late,upload,7,2`];
    expect(await take(again)).toMatchObject({ revised: 2 });
    expect(await take(again)).toMatchObject({ revised: 0, known: 2 });
    expect(await take([`2026-11-21,${ada},box,storage,400,3`])).toMatchObject({ revised: 1 });
    const rows = test.raw(
      "SELECT id, code, picodollars * 1000000 + attodollars AS atto FROM transfer WHERE reference = '2026-11-21'",
    );
    expect(rows).toEqual([
      { id: `bill/${ada}/2026-11-21`, code: "bill", atto: 8_333_333_000n },
      { id: `bill/${ada}/2026-11-21/r2`, code: "bill-less", atto: 600n * 8_333_333n },
      { id: `bill/${ada}/2026-11-21/r3`, code: "bill-more", atto: 7n * 250_000_000n },
    ]);
    const lines = await test.store.read((tx) => readCorrections(tx, [`bill/${ada}/2026-11-21/r2`]));
    expect([...lines.values()]).toEqual([
      [
        {
          machine: "box",
          meter: "storage",
          quantity: 400n,
          priceAtto: 8_333_333n,
          amount: -600n * 8_333_333n,
        },
      ],
    ]);
    // The night goes by without billing it again, and verify looks at payments too: the one here is made up.
    expect(await billDay(test.store, dayUtc("2026-11-21"), meters)).toMatchObject({ created: 0 });
    expect((await verify()).filter((one) => !one.includes("no order"))).toEqual([]);
  });

  it.each([
    ["out of its order", [`ROW,3,3`], /^revision 3 is not the next one of this row, which is 2$/],
    [
      "with another quantity",
      [`ROW,3,2`, `ROW,4,2`],
      /^quantity 4 differs from 3, given before; send it as the next/,
    ],
    [
      "before its first one",
      [`2026-11-20,ACCOUNT,new,storage,3,2`, `2026-11-20,ACCOUNT,new,storage,3,1`],
      /^revision 2 of this row is there already/,
    ],
  ])("is refused where a revision comes %s", async (_what, rows, message) => {
    await take([`2026-11-21,${ada},box,storage,1`]);
    const named = rows.map((one) =>
      one.replace("ROW", `2026-11-21,${ada},box,storage`).replace("ACCOUNT", ada),
    );
    expect(await take(named)).toMatchObject({ faults: [{ message: expect.stringMatching(message) }] });
    expect(test.raw("SELECT 1 FROM usage_revision")).toEqual([]);
  });

  it("measured again until it comes to nothing has no bill, and nothing is wrong with that", async () => {
    await take([`2026-11-21,${ada},box,upload,1,2`]);
    await take([`2026-11-21,${ada},box,upload,0,3`]);
    await test.store.write((tx) => completeDay(tx, dayUtc("2026-11-21"), "person"));
    expect(await billDay(test.store, dayUtc("2026-11-21"), meters)).toMatchObject({ created: 0 });
    expect(await verify()).toEqual([]);
  });

  it("is not revised at another price than it was billed at", async () => {
    await take([`2026-11-21,${ada},box,storage,1000`], "2026-11-21");
    await billDay(test.store, dayUtc("2026-11-21"), meters);
    const dearer = meters.map((one) => ({ ...one, prices: [{ fromDay: "2026-01-01", picodollars: "251" }] }));
    const { lines } = readUsageFile(usageFile([`2026-11-21,${ada},box,storage,2,2`], `${header},revision`));
    await expect(
      test.store.write((tx) => importUsage(tx, { lines, meters: dearer, complete: [] })),
    ).rejects.toThrow(/was a price of the past changed/);
  });

  it("is not revised at another price than it was revised at, or than anybody was billed at", async () => {
    const bob = await addAccount(test.store, "bob@example.org");
    const takeAt = (picodollars: string, row: string) => {
      const own = meters.map((one) => ({ ...one, prices: [{ fromDay: "2026-01-01", picodollars }] }));
      const { lines } = readUsageFile(usageFile([row], `${header},revision`));
      return test.store.write((tx) => importUsage(tx, { lines, meters: own, complete: [] }));
    };
    await take([`2026-11-21,${bob},box,storage,1000`], "2026-11-21");
    await billDay(test.store, dayUtc("2026-11-21"), meters);
    const refused = /was a price of the past changed/;
    // Billed for others alone; then measured for this account, which has no bill; then on another machine, by a meter that nobody had.
    await expect(takeAt("500", `2026-11-21,${ada},box,storage,1000,2`)).rejects.toThrow(refused);
    await takeAt("250", `2026-11-21,${ada},box,storage,1000,2`);
    await expect(takeAt("500", `2026-11-21,${ada},box,storage,0,3`)).rejects.toThrow(refused);
    await takeAt("500", `2026-11-21,${ada},box,upload,7,2`);
    await expect(takeAt("250", `2026-11-21,${bob},late,upload,7,2`)).rejects.toThrow(refused);
    await takeAt("250", `2026-11-21,${ada},box,storage,0,3`);
    const days = { from: dayUtc("2026-11-21"), to: dayUtc("2026-11-21") };
    const cost = (await test.store.read((tx) => readHistory(tx, ada, days))).reduce(
      (sum, { amount }) => sum + amount,
      0n,
    );
    expect(cost).toBe(-(await test.store.read((tx) => readBalance(tx, ada))));
    expect(await verify()).toEqual([]);
  });

  it("cannot be complete before the day is over", async () => {
    expect(await take([`2026-11-23,${ada},box,storage,1`], "2026-11-23")).toMatchObject({ ok: false });
    expect(countRows()).toEqual([{ n: 0n }]);
    const declared = await test.store.write((tx) => completeDay(tx, dayUtc("2026-11-23"), "person"));
    expect(declared).toMatchObject({ ok: false, why: "not-over" });
  });

  it("waits for days that nobody declared, and tells of them", async () => {
    await take([`2026-11-19,${ada},box,storage,1`]);
    await take([`2026-11-20,${ada},box,storage,1`], "2026-11-20");
    expect(await test.store.read(readDaysToBill)).toEqual(["2026-11-20"]);
    expect(await test.store.read(readUndeclaredDays)).toEqual(["2026-11-19", "2026-11-21", "2026-11-22"]);
  });

  it("is not billed on a day that was skipped, whether it was complete or not, and takes no more", async () => {
    const skip = (day: string, reason: string) => test.store.write((tx) => skipDay(tx, dayUtc(day), reason));
    await take([`2026-11-20,${ada},box,storage,1`], "2026-11-20");
    await take([`2026-11-21,${ada},box,storage,1`]);
    for (const day of ["2026-11-20", "2026-11-21"])
      expect(await skip(day, "the disks were away")).toMatchObject({ ok: true, outcome: "created" });
    expect(await skip("2026-11-21", "the disks were away")).toMatchObject({ outcome: "exists" });
    expect(await skip("2026-11-21", "no")).toMatchObject({
      why: "differs",
      detail: "2026-11-21 is skipped already, because: the disks were away",
    });
    expect(await skip("2026-11-23", "no")).toMatchObject({ why: "not-over" });
    expect(await test.store.read(readDaysToBill)).toEqual([]);
    expect(await test.store.read(readUndeclaredDays)).toEqual(["2026-11-22"]);
    await expect(billDay(test.store, dayUtc("2026-11-20"), meters)).rejects.toThrow(/is skipped/);
    expect(await take([`2026-11-21,${ada},box,upload,1`])).toMatchObject({
      faults: [{ message: "day 2026-11-21 is skipped already and takes no new rows" }],
    });
    expect(await take([`2026-11-21,${ada},box,storage,1`], "2026-11-21")).toMatchObject({
      faults: [{ message: "day 2026-11-21 is skipped, and never billed" }],
    });
    expect(await test.store.write((tx) => completeDay(tx, dayUtc("2026-11-21"), "person"))).toMatchObject({
      why: "skipped",
    });
    expect(() =>
      test.raw("INSERT INTO billed_day (day, accounts, billed_at) VALUES ('2026-11-20', 1, 1)"),
    ).toThrow("this day is skipped");
    expect(test.raw("SELECT 1 FROM transfer")).toEqual([]);
  });

  it("is not skipped where somebody was billed for it already, were it by a night that died", async () => {
    await take([`2026-11-21,${ada},box,storage,1000`], "2026-11-21");
    await billDay(test.store, dayUtc("2026-11-21"), meters);
    const skip = () => test.store.write((tx) => skipDay(tx, dayUtc("2026-11-21"), "no"));
    expect(await skip()).toMatchObject({ why: "billed" });
    test.raw("DROP TRIGGER billed_day_no_delete");
    test.raw("DELETE FROM billed_day");
    expect(await skip()).toMatchObject({ why: "billed", detail: expect.stringContaining(`bill/${ada}/`) });
  });

  it("bills the worked example to the last digit, with its lines", async () => {
    // By hand: October has 31 days. 250 picodollars = 250,000,000 attodollars; / 31 = 8,064,516.129..., rounded
    // down 8,064,516 a byte-day. 259,688,348 x 8,064,516 = 2,094,260,837,459,568. Upload: 1,000 x 250,000,000
    // = 250,000,000,000. Together 2,094,510,837,459,568. $10 less that: 9.997905489162540432.
    await topUp(test.store, ada, amountOf(10n ** 19n));
    await take(
      [`2026-10-05,${ada},box,storage,259688348`, `2026-10-05,${ada},box,upload,1000`],
      "2026-10-05",
    );
    const report = await billDay(test.store, dayUtc("2026-10-05"), meters);
    expect(report).toMatchObject({ accounts: 1, created: 1, total: 2_094_510_837_459_568n });
    const id = `bill/${ada}/2026-10-05`;
    const { balance, bills } = await test.store.read(async (tx) => ({
      balance: await readBalance(tx, ada),
      bills: await readBillLines(tx, [id]),
    }));
    expect(formatExact(balance)).toBe("9.997905489162540432");
    expect(bills.get(id)).toMatchObject([
      {
        machine: "box",
        meter: "storage",
        quantity: 259_688_348n,
        priceAtto: 8_064_516n,
        amount: 2_094_260_837_459_568n,
      },
      { machine: "box", meter: "upload", quantity: 1000n, priceAtto: 250_000_000n, amount: 250_000_000_000n },
    ]);
  });

  it("is billed once, however often and at once the night is run", async () => {
    const bob = await addAccount(test.store, "bob@example.org");
    await take([`2026-11-21,${ada},box,storage,1000`, `2026-11-21,${bob},box,storage,7`], "2026-11-21");
    const day = dayUtc("2026-11-21");
    const other = test.reopen();
    const reports = await Promise.all([billDay(test.store, day, meters), billDay(other, day, meters)]);
    expect(reports.map((report) => report.created).sort()).toEqual([0, 2]);
    expect(await billDay(test.store, day, meters)).toMatchObject({ created: 0, total: 0n });
    expect(test.raw("SELECT count(*) AS n FROM transfer")).toEqual([{ n: 2n }]);
    expect(await audit(test.store)).toEqual({ sum: 0n, differing: [] });
    expect(await test.store.read(readDaysToBill)).toEqual([]);
  });

  it("is never billed before its day was declared complete", async () => {
    await take([`2026-10-05,${ada},box,storage,1`]);
    await expect(billDay(test.store, dayUtc("2026-10-05"), meters)).rejects.toThrow(
      /complete before it is billed/,
    );
    expect(test.raw("SELECT 1 FROM transfer")).toEqual([]);
  });

  it("goes on where a night that died left off", async () => {
    const accounts: AccountId[] = [];
    for (let number = 0; number < 250; number += 1)
      accounts.push(await addAccount(test.store, `customer${number}@example.org`));
    await take(
      accounts.map((account) => `2026-11-21,${account},box,storage,1000`),
      "2026-11-21",
    );
    // A disk that fails in the third batch of a hundred.
    let writes = 0;
    const dying = {
      ...test.store,
      write: ((work) => {
        writes += 1;
        return writes === 3 ? Promise.reject(new Error("killed")) : test.store.write(work);
      }) as typeof test.store.write,
    };
    await expect(billDay(dying, dayUtc("2026-11-21"), meters)).rejects.toThrow("killed");
    expect(test.raw("SELECT count(*) AS n FROM transfer")).toEqual([{ n: 200n }]);
    expect(await test.store.read(readDaysToBill)).toEqual(["2026-11-21"]);
    expect(await billDay(test.store, dayUtc("2026-11-21"), meters)).toMatchObject({
      accounts: 250,
      created: 50,
    });
    expect(await audit(test.store)).toEqual({ sum: 0n, differing: [] });
  });

  it("is the same night by ranges of accounts at once, one of which dies half-way", async () => {
    const accounts: AccountId[] = [];
    for (let number = 0; number < 250; number += 1)
      accounts.push(await addAccount(test.store, `customer${number}@example.org`));
    accounts.sort();
    const day = dayUtc("2026-11-21");
    await take(
      accounts.map((account) => `${day},${account},box,storage,1000`),
      day,
    );
    const middle = accounts[120] ?? "";
    const [other, third] = [test.reopen(), test.reopen()];
    let writes = 0;
    const dying = {
      ...other,
      write: ((work) => {
        writes += 1;
        return writes === 2 ? Promise.reject(new Error("killed")) : other.write(work);
      }) as typeof other.write,
    };
    const ranges = await Promise.allSettled([
      billAccounts(dying, day, meters, { after: middle }),
      billAccounts(third, day, meters, { through: middle }),
    ]);
    expect(ranges.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    // No range marks the day: the night does, when all of them are whole.
    expect(await test.store.read(readDaysToBill)).toEqual([day]);
    expect(test.raw("SELECT count(*) AS n FROM transfer")).toEqual([{ n: 221n }]);
    expect(await billDay(test.store, day, meters)).toMatchObject({ accounts: 250, created: 29 });
    expect(await test.store.read(readDaysToBill)).toEqual([]);
    expect(await verify()).toEqual([]);
  });

  it("bills what was sent late while the night was past its account", async () => {
    const accounts = [ada, await addAccount(test.store, "bob@example.org")].sort();
    const [first, last] = accounts;
    const day = dayUtc("2026-11-21");
    await take([`${day},${last},box,storage,1000`], day);
    // Between the last page of accounts and the mark: the first account had no usage, and has some now.
    let reads = 0;
    const late = {
      ...test.store,
      read: (async (work) => {
        reads += 1;
        if (reads === 2) await take([`${day},${first},box,storage,7,2`]);
        return test.store.read(work);
      }) as typeof test.store.read,
    };
    const { total, ...counts } = await billDay(late, day, meters);
    expect(counts).toEqual({ day, accounts: 2, created: 2 });
    expect(total).toBe(1007n * 8_333_333n);
    expect(await test.store.read(readDaysToBill)).toEqual([]);
    expect(test.raw("SELECT debit FROM transfer ORDER BY debit")).toEqual(
      accounts.map((debit) => ({ debit })),
    );
    expect(test.raw("SELECT accounts FROM billed_day")).toEqual([{ accounts: 2n }]);
    expect(await verify()).toEqual([]);
  });

  it("stops loudly when the price of a billed day was changed", async () => {
    await take([`2026-11-21,${ada},box,storage,1000`], "2026-11-21");
    await billDay(test.store, dayUtc("2026-11-21"), meters);
    const dearer = meters.map((meter) => ({
      ...meter,
      prices: [{ fromDay: "2026-01-01", picodollars: "251" }],
    }));
    await expect(billDay(test.store, dayUtc("2026-11-21"), dearer)).rejects.toThrow(
      /was a price of the past changed/,
    );
  });

  it("bills the others where one account cannot be billed, and the day stays open for that one", async () => {
    const bob = await addAccount(test.store, "bob@example.org");
    // 93 rows of just under $100,000 each are more than the books hold.
    const rows = Array.from({ length: 93 }, (_, box) => `2026-11-21,${ada},box${box},upload,400000000000000`);
    await take([...rows, `2026-11-21,${bob},box,storage,1000`], "2026-11-21");
    const bill = () => billDay(test.store, dayUtc("2026-11-21"), meters);
    await expect(bill()).rejects.toThrow(`1 of 2 accounts could not be billed, the others are`);
    await expect(bill()).rejects.toThrow(`${ada}: 9300000.`);
    expect(test.raw("SELECT debit FROM transfer")).toEqual([{ debit: bob }]);
    expect(test.raw("SELECT 1 FROM billed_day")).toEqual([]);
    expect(await audit(test.store)).toEqual({ sum: 0n, differing: [] });
  });

  it("bills the others where a price of an older build is more than the books keep, and names whose, which, and when", async () => {
    const bob = await addAccount(test.store, "bob@example.org");
    await take([`2026-11-21,${ada},box,upload,1`, `2026-11-21,${bob},box,storage,1000`], "2026-11-21");
    const dear = meters.map((meter) =>
      meter.per === "byte"
        ? { ...meter, prices: [{ fromDay: "2026-01-01", picodollars: "9223372036855" }] }
        : meter,
    );
    await expect(billDay(test.store, dayUtc("2026-11-21"), dear)).rejects.toThrow(
      `2026-11-21: 1 of 2 accounts could not be billed, the others are; run it again when this is mended: ${ada}: etc/prices.yaml: meter "upload" costs 9223372036855000000 attodollars a unit on 2026-11-21`,
    );
    expect(test.raw("SELECT debit FROM transfer")).toEqual([{ debit: bob }]);
    const most = dear.map((meter) =>
      meter.per === "byte"
        ? { ...meter, prices: [{ fromDay: "2026-01-01", picodollars: "9223372036854" }] }
        : meter,
    );
    expect(await billDay(test.store, dayUtc("2026-11-21"), most)).toMatchObject({ created: 1 });
    expect(formatExact(await test.store.read((tx) => readBalance(tx, ada)))).toBe("-9.223372036854000000");
    expect(await verify()).toEqual([]);
  });

  it("bills nothing for a day that costs nothing, and marks it billed", async () => {
    await take([`2026-11-21,${ada},box,storage,0`], "2026-11-21");
    expect(await billDay(test.store, dayUtc("2026-11-21"), meters)).toMatchObject({
      accounts: 1,
      created: 0,
    });
    expect(await test.store.read(readDaysToBill)).toEqual([]);
  });
});
