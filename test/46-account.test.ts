// Goal of this test: the account page says how the account stands: until when the credit lasts and how that was reckoned, and day by
// day what comes where it is used up, as the mails say it.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { job as warnJob } from "../jobs/warn.ts";
import type { AccountId } from "../lib/accounts/account.ts";
import { amountOf } from "../lib/money/amount.ts";
import { giveCredit } from "../lib/staff/credit.ts";
import { billDay } from "../lib/usage/bill.ts";
import { readUsageFile } from "../lib/usage/file.ts";
import { importUsage } from "../lib/usage/import.ts";
import { dayUtc, meters, usageFile } from "./support/books.ts";
import { runTestJob } from "./support/job.ts";
import { makeVisitor, type Visitor } from "./support/visitor.ts";

const address = "ada@example.org";
const dayMs = 86_400_000;

let visitor: Visitor;
let ada: AccountId;
beforeEach(async () => {
  visitor = await makeVisitor();
  ada = await visitor.become(address);
});
afterEach(() => visitor.end());

const dayOf = (ms: number) => dayUtc(new Date(ms).toISOString().slice(0, 10));
const give = (cents: bigint, kind: "gift" | "charge", batch: string) => {
  const by = { operator: "colin", reason: batch };
  const credit = { kind, account: ada, amount: amountOf(cents * 10n ** 16n), batch, ...by } as const;
  return visitor.test.store.write((tx) => giveCredit(tx, credit));
};
/** Bills a day on which a gigabyte was stored: $0.0083 in a month of 30 days. */
async function billGigabyte(): Promise<void> {
  const day = dayOf(visitor.test.clock.ms - dayMs);
  const { lines } = readUsageFile(usageFile([`${day},${ada},box,storage,1000000000`]));
  await visitor.test.store.write((tx) => importUsage(tx, { lines, meters, complete: [day] }));
  await billDay(visitor.test.store, day, meters);
}
interface Given {
  readonly daysLeft: string;
  readonly runsOut: string;
  readonly since: string;
  readonly deletionFrom: string;
  readonly steps: { day: string; isDeletion: string }[];
}
const look = async (): Promise<Given & { body: string }> => {
  await visitor.logIn(address);
  const { body } = await visitor.get("account");
  return { ...(visitor.given.get("account/account") as Given), body };
};

describe("the account page", () => {
  it("says until when the credit lasts, and how that was reckoned", async () => {
    await give(100n, "gift", "a");
    await billGigabyte();
    const today = dayOf(visitor.test.clock.ms);
    const page = await look();
    // 1 dollar less a day is 0.9916...; at 0.00833... a day that is 119 days.
    expect([page.daysLeft, page.runsOut]).toEqual(["119", dayOf(Date.parse(today) + 119 * dayMs)]);
    expect(page.body).toContain(`119 days, to ${page.runsOut}: $0.99 at $0.008333333000000000 a day`);
    expect(page.steps).toEqual([]);
  });

  it("says nothing of an end where nothing is spent, or where it is ten years away", async () => {
    expect(await look()).toMatchObject({ daysLeft: "", runsOut: "" });
    await give(1_000_000n, "gift", "a");
    await billGigabyte();
    expect((await look()).runsOut).toBe("");
  });

  it("counts down day by day where the credit is used up, to the day that the mails say", async () => {
    await give(1n, "gift", "a");
    await billGigabyte();
    await give(100n, "charge", "b");
    const since = dayOf(visitor.test.clock.ms);
    await runTestJob(visitor.test, warnJob, []);
    const first = await look();
    const deletion = dayOf(Date.parse(since) + 7 * dayMs);
    expect(first).toMatchObject({ since, deletionFrom: deletion, runsOut: expect.any(String) });
    expect(first.steps).toHaveLength(8);
    expect(first.steps.at(0)).toEqual({ day: since, isDeletion: "" });
    expect(first.steps.at(-1)).toEqual({ day: deletion, isDeletion: "yes" });
    const [mail] = visitor.test.raw("SELECT body FROM outbox WHERE id LIKE 'warn/%'") as { body: string }[];
    expect(mail?.body).toContain(deletion);
    expect(first.body).not.toContain("That lasts for");
    for (let day = 1; day <= 7; day += 1) {
      visitor.test.clock.ms += dayMs;
      await runTestJob(visitor.test, warnJob, []);
      expect((await look()).deletionFrom).toBe(deletion);
    }
    const last = await look();
    expect(last.steps).toEqual([{ day: deletion, isDeletion: "yes" }]);
    // Paying ends it.
    await give(500n, "gift", "c");
    expect(await look()).toMatchObject({ since: "", deletionFrom: "", steps: [] });
  });
});
