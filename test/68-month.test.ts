// Goal of this test: the month's report is what the books say, by booking day, to the attodollar; what need not be kept is
// forgotten in time and no sooner, and nothing else of an event can be changed.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { job as reportJob } from "../jobs/report.ts";
import { job as tidyJob } from "../jobs/tidy.ts";
import type { AccountId } from "../lib/accounts/account.ts";
import type { NoticeSender } from "../lib/accounts/notice.ts";
import { postTransfer } from "../lib/ledger/transfer.ts";
import { verifyBooks } from "../lib/ledger/verify.ts";
import { amountOf } from "../lib/money/amount.ts";
import { takeEvent } from "../lib/payments/event.ts";
import { giveCredit } from "../lib/staff/credit.ts";
import { eventDays, forgetOld, mailDays } from "../lib/staff/retention.ts";
import { readExpectedSchema } from "../lib/store/migrate.ts";
import { billDay } from "../lib/usage/bill.ts";
import { readUsageFile } from "../lib/usage/file.ts";
import { importUsage } from "../lib/usage/import.ts";
import { sha256Hex } from "../lib/util/digest.ts";
import { addAccount, dayUtc, meters, topUp, usageFile } from "./support/books.ts";
import { runTestJob } from "./support/job.ts";
import { makeSender } from "./support/site.ts";
import { makeTestStore, type TestStore } from "./support/store.ts";

let test: TestStore;
let sender: NoticeSender;
let ada: AccountId;
let bob: AccountId;
beforeEach(async () => {
  test = makeTestStore("2026-10-31T23:59:59Z");
  sender = await makeSender(test.clock);
  ada = await addAccount(test.store, "ada@example.org");
  bob = await addAccount(test.store, "bob@example.org");
});
afterEach(() => test.end());

const month = async (name: string) =>
  JSON.parse((await runTestJob(test, reportJob, ["month", name], { json: true })).said[0] ?? "");

describe("the report of a month", () => {
  it("has what was booked in it, and what stood before and at its end", async () => {
    await topUp(test.store, ada, amountOf(10n ** 19n));
    test.clock.ms += 1000;
    const by = { operator: "colin", reason: "r" };
    await test.store.write((tx) =>
      giveCredit(tx, { kind: "gift", account: ada, amount: amountOf(5n), batch: "b", ...by }),
    );
    const { lines } = readUsageFile(usageFile([`2026-10-30,${bob},box,upload,1`]));
    await test.store.write((tx) => importUsage(tx, { lines, meters, complete: [dayUtc("2026-10-30")] }));
    await billDay(test.store, dayUtc("2026-10-30"), meters);
    expect(await month("2026-10")).toEqual({
      month: "2026-10",
      moved: [{ code: "topup", transfers: 1, amount: "10.000000000000000000" }],
      before: {},
      after: { customer: "10.000000000000000000", "stripe-clearing": "-10.000000000000000000" },
      owing: { accounts: 0, amount: "0.000000000000000000" },
    });
    expect(await month("2026-11")).toEqual({
      month: "2026-11",
      moved: [
        { code: "bill", transfers: 1, amount: "0.000000000250000000" },
        { code: "gift", transfers: 1, amount: "0.000000000000000005" },
      ],
      before: { customer: "10.000000000000000000", "stripe-clearing": "-10.000000000000000000" },
      after: {
        customer: "9.999999999750000005",
        "stripe-clearing": "-10.000000000000000000",
        revenue: "0.000000000250000000",
        goodwill: "-0.000000000000000005",
      },
      owing: { accounts: 1, amount: "-0.000000000250000000" },
    });
  });

  it("adds up what together is more than one amount of the books may be, and so do the books", async () => {
    // It comes and goes: neither balance is ever more than 4 million.
    for (const payout of ["po_1", "po_2", "po_3"])
      await test.store.write(async (tx) => {
        const amount = amountOf(4_000_000n * 10n ** 18n);
        const own = { id: `payout/${payout}`, amount, reference: payout };
        await postTransfer(tx, { ...own, code: "payout", debit: "bank", credit: "stripe-clearing" });
        const back = { ...own, id: `${own.id}/returned` };
        await postTransfer(tx, {
          ...back,
          code: "payout-returned",
          debit: "stripe-clearing",
          credit: "bank",
        });
      });
    const { moved, after } = await month("2026-10");
    const total = "12000000.000000000000000000";
    expect(moved).toEqual([
      { code: "payout", transfers: 3, amount: total },
      { code: "payout-returned", transfers: 3, amount: total },
    ]);
    expect(Object.values(after)).not.toContain(total);
    const found: unknown[] = [];
    await test.store.read((tx) => verifyBooks(tx, readExpectedSchema({}), (finding) => found.push(finding)));
    expect(found).toEqual([]);
  });

  it("can be read by people, and is refused for what is no month", async () => {
    await topUp(test.store, ada, amountOf(10n ** 19n));
    const { said } = await runTestJob(test, reportJob, ["month", "2026-10"]);
    expect(said.join("\n")).toMatch(/owed to customers +0\.0{18} +10\.0{18}/);
    expect(await runTestJob(test, reportJob, ["month", "2026-13"])).toMatchObject({ outcome: "misused" });
  });
});

describe("what need not be kept", () => {
  it("is forgotten in time, and the hash of an event stays", async () => {
    const raw = Buffer.from('{"id":"evt_1"}');
    const event = { id: "evt_1", type: "other", apiVersion: "x", raw, objectId: "", told: undefined };
    await test.store.write((tx) => takeEvent(tx, event, sender));
    test.raw(
      `INSERT INTO outbox (id, recipient, subject, body, has_token, state, created_at, due_at, settled_at)
       VALUES ('m', 'a@example.org', 's', 'text', 0, 'sent', 1, 1, ${test.clock.ms}),
              ('w', 'a@example.org', 's', 'text', 0, 'queued', 1, 1, NULL)`,
    );
    const none = { events: 0, mails: 0, signups: 0, sessions: 0, links: 0 };
    test.clock.ms += mailDays * 86_400_000;
    expect(await forgetOld(test.store)).toEqual(none);
    test.clock.ms += 1;
    expect(await forgetOld(test.store)).toEqual({ ...none, mails: 1 });
    expect(test.raw("SELECT id, body FROM outbox ORDER BY id")).toEqual([
      { id: "m", body: "" },
      { id: "w", body: "text" },
    ]);
    test.clock.ms += (eventDays - mailDays) * 86_400_000;
    const { said } = await runTestJob(test, tidyJob, []);
    expect(said).toEqual(["tidy: forgot what 1 events said, 0 mails, 0 sign-ups, 0 sessions, 0 links"]);
    expect(test.raw("SELECT id, length(raw) AS size, raw_sha256, outcome FROM stripe_event")).toEqual([
      { id: "evt_1", size: 0n, raw_sha256: sha256Hex(raw), outcome: "ignored" },
    ]);
    expect(await test.store.write((tx) => takeEvent(tx, event, sender))).toMatchObject({ outcome: "known" });
  });

  it.each([
    "UPDATE stripe_event SET outcome = 'created'",
    "UPDATE stripe_event SET raw = x'00'",
    "UPDATE stripe_event SET raw = x'' ",
    `UPDATE stripe_event SET raw = x'', raw_sha256 = '${"0".repeat(64)}', outcome = 'x'`,
    "DELETE FROM stripe_event",
  ])("is all that %s could change", async (sql) => {
    const raw = Buffer.from("x");
    const event = { id: "evt_1", type: "other", apiVersion: "x", raw, objectId: "", told: undefined };
    await test.store.write((tx) => takeEvent(tx, event, sender));
    expect(() => test.raw(sql)).toThrow(/stripe_event is append-only/);
  });
});
