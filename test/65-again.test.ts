// Goal of this test: a command that is given again, late, or for what is over already says so and what to do, and changes nothing.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { job as accountJob } from "../jobs/account.ts";
import { job as billJob } from "../jobs/bill.ts";
import { job as billingJob } from "../jobs/billing.ts";
import { job as creditJob } from "../jobs/credit.ts";
import { job as openingJob } from "../jobs/opening.ts";
import { job as refundJob } from "../jobs/refund.ts";
import { job as usageJob } from "../jobs/usage.ts";
import type { AccountId } from "../lib/accounts/account.ts";
import { confirmAddress, proposeAddress, undoAddress } from "../lib/accounts/address.ts";
import { closingWaitMs } from "../lib/accounts/closing.ts";
import { readBalance } from "../lib/ledger/transfer.ts";
import { formatExact } from "../lib/money/amount.ts";
import { eraseClosed } from "../lib/staff/erase.ts";
import { addAccount, emailOf } from "./support/books.ts";
import { runTestJob } from "./support/job.ts";
import { makeTestStore, type TestStore } from "./support/store.ts";

let test: TestStore;
let ada: AccountId;
beforeEach(async () => {
  test = makeTestStore();
  ada = await addAccount(test.store, "ada@example.org");
});
afterEach(() => test.end());

const by = { reason: "an outage", by: "colin" };
const balance = async (): Promise<string> => formatExact(await test.store.read((tx) => readBalance(tx, ada)));

it("credit that was taken back is not said to have been given", async () => {
  const give = () => runTestJob(test, creditJob, ["give", ada, "5"], by);
  const batch = /credit\/(\w+)\//.exec((await give()).said[0] ?? "")?.[1] ?? "";
  expect((await runTestJob(test, creditJob, ["undo", batch], by)).outcome).toBe("done");
  const again = await give();
  expect([again.outcome, again.complained[0]]).toEqual([
    "refused",
    expect.stringMatching(/was done, and taken back: .*; to do it again, give another reason$/),
  ]);
  expect(await balance()).toBe("0.000000000000000000");
});

it.each(["9,87", "0", "-1", "all"])("a refund of %j is told what an amount is", async (amount) => {
  const run = await runTestJob(test, refundJob, [ada, amount], by);
  expect([run.outcome, run.complained]).toEqual([
    "misused",
    [`refund: "${amount}" is no amount; write it as 5 or 9.87`],
  ]);
});

it("an erased account is not closed once more", async () => {
  const close = (money: string) => runTestJob(test, accountJob, ["close", ada], { ...by, money });
  expect((await close("leave")).outcome).toBe("done");
  test.clock.ms += closingWaitMs + 1;
  expect(await eraseClosed(test.store)).toMatchObject({ erased: 1 });
  for (const money of ["leave", "refund"]) {
    const run = await close(money);
    expect([run.outcome, run.said, run.complained[0]]).toEqual([
      "refused",
      [],
      expect.stringMatching(/is erased already; site account refund, gift, or charge settles what came/),
    ]);
  }
});

it("an opening balance is not brought again by the address that its account had before", async () => {
  const file = join(test.folder, "moving.csv");
  const move = (rows: readonly string[]) => {
    writeFileSync(file, ["email,balance", ...rows, ""].join("\n"));
    return runTestJob(test, openingJob, [file], by);
  };
  expect((await move(["ada@example.org,10"])).outcome).toBe("done");
  await test.store.write((tx) => proposeAddress(tx, ada, { email: emailOf("new@example.org"), token: "t" }));
  await test.store.write((tx) => confirmAddress(tx, "t", "undo"));
  const run = await move(["ada@example.org,10", "bob@example.org,3"]);
  expect([run.outcome, run.complained[0]]).toEqual([
    "refused",
    expect.stringContaining(
      "moving.csv:2:1: ada@example.org was an account's that has another address now; leave the line out",
    ),
  ]);
  expect(test.raw("SELECT count(*) AS n FROM account")).toEqual([{ n: 1n }]);
  expect(await test.store.write((tx) => undoAddress(tx, "undo"))).toMatchObject({ ok: true });
});

describe("a day of more than 400 days ago", () => {
  const day = "2026-06-01";
  beforeEach(() => {
    test.clock.ms = Date.parse("2027-08-01T08:00:00Z");
  });
  const usage = (words: readonly string[], values: Record<string, string | boolean> = {}) =>
    runTestJob(test, usageJob, words, values);
  const importOld = async (values: Record<string, string | boolean> = {}) => {
    const file = join(test.folder, "old.csv");
    writeFileSync(file, `day,account,machine,meter,quantity\n${day},${ada},box,storage,1000\n`);
    return usage(["import", file], { old: true, ...values });
  };

  it("that was imported since it was meant is declared and billed, and the night says how", async () => {
    expect((await importOld()).outcome).toBe("done");
    const night = await runTestJob(test, billJob, []);
    expect(night.complained[0]).toMatch(/site usage complete --old 2026-06-01$/);
    const refused = await usage(["complete", day]);
    expect([refused.outcome, refused.complained[0]]).toEqual([
      "refused",
      expect.stringMatching(/lies more than 400 days back; look at the year \(with --old, /),
    ]);
    expect((await usage(["complete", day], { old: true })).said).toEqual([`${day} is complete`]);
    expect((await runTestJob(test, billJob, [])).said).toContainEqual(
      expect.stringMatching(/^bill: 2026-06-01: 1 accounts with usage/),
    );
    expect(await balance()).toMatch(/^-/);
    expect((await runTestJob(test, billJob, [], { day })).outcome).toBe("done");
  });

  it("is declared with its file, or never billed, where that is meant", async () => {
    expect((await importOld({ complete: day })).said[0]).toMatch(/1 rows added, .*2026-06-01 is complete$/);
    const skip = (values: Record<string, string | boolean>) =>
      runTestJob(test, billingJob, ["skip-day", "2026-06-02"], { ...by, ...values });
    expect((await skip({})).outcome).toBe("refused");
    expect((await skip({ old: true })).outcome).toBe("done");
  });
});
