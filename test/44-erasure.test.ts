// Goal of this test: an account is not erased while money may still come to it or leave it, the house keeps only what somebody said to
// leave, and what stands on an erased account all the same is told every night.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { job as accountJob } from "../jobs/account.ts";
import { job as closeJob } from "../jobs/close.ts";
import { job as creditJob } from "../jobs/credit.ts";
import type { AccountId } from "../lib/accounts/account.ts";
import { readBalance } from "../lib/ledger/transfer.ts";
import { verifyBooks } from "../lib/ledger/verify.ts";
import { claimMail, enqueueMail, markSent } from "../lib/mail/outbox.ts";
import { formatDollars } from "../lib/money/amount.ts";
import { takeFacts } from "../lib/payments/event.ts";
import { noteEnd } from "../lib/payments/order.ts";
import { readExpectedSchema } from "../lib/store/migrate.ts";
import { billDay } from "../lib/usage/bill.ts";
import { readUsageFile } from "../lib/usage/file.ts";
import { importUsage } from "../lib/usage/import.ts";
import { dayUtc, meters, usageFile } from "./support/books.ts";
import { runTestJob } from "./support/job.ts";
import { makeSender } from "./support/site.ts";
import { makeVisitor, passwordOf, type Visitor } from "./support/visitor.ts";

const current = passwordOf("ada@example.org");
const dayMs = 86_400_000;

let visitor: Visitor;
let ada: AccountId;
beforeEach(async () => {
  visitor = await makeVisitor();
  ada = await visitor.become("ada@example.org");
});
afterEach(async () => {
  await visitor.test.store.read((tx) =>
    verifyBooks(tx, readExpectedSchema({}), (finding) => expect(finding).toBeUndefined()),
  );
  await visitor.end();
});

const balance = async () => formatDollars(await visitor.test.store.read((tx) => readBalance(tx, ada)));
const close = async (money: "refund" | "leave" | "" = "") => {
  await visitor.get("close");
  const answer = await visitor.post("close", { current, sure: "yes", ...(money === "" ? {} : { money }) });
  expect(answer.status).toBe(200);
};
const finish = async () => {
  const said: string[] = [];
  const complain = (cause: unknown) => ({ said: [String(cause)], complained: [] as readonly string[] });
  const run = await runTestJob(visitor.test, closeJob, []).catch(complain);
  said.push(...run.said, ...run.complained);
  return said;
};
const pay = async (): Promise<string> => {
  const started = await visitor.post("pay", { amount: "10" });
  await visitor.tellWebhook((await visitor.payAtStripe(started.headers.get("Location") ?? "")).event);
  return visitor.standIn.sessions()[0]?.payment_intent ?? "";
};
/** Begins a payment that comes later, such as a bank debit. */
const payLate = async () => {
  const started = await visitor.post("pay", { amount: "10" });
  await visitor.pressAtStripe(started.headers.get("Location") ?? "", "late");
};
const arrive = async () => {
  const [session] = visitor.standIn.sessions();
  await visitor.standIn.succeed(session?.id ?? "");
  await tellAll();
};
const tellAll = async () => {
  await expect.poll(() => visitor.deliveries.length).toBe(visitor.standIn.events().length);
  for (const delivery of visitor.deliveries) await visitor.tellWebhook(delivery);
};
const take = async (told: Parameters<typeof takeFacts>[1]) => {
  const sender = await makeSender(visitor.test.clock);
  expect(await visitor.test.store.write((tx) => takeFacts(tx, told, sender))).toMatchObject({ ok: true });
};
const dispute = (paymentIntent: string, ...movements: readonly [id: string, cents: number][]) =>
  take({
    kind: "dispute",
    facts: {
      id: "dp_1",
      paymentIntent,
      currency: "usd",
      status: "needs_response",
      movements: movements.map(([id, cents]) => ({
        id,
        cents,
        category: "dispute",
        feeCents: 0,
        currency: "usd",
        source: "dp_1",
        paymentIntent: "",
        createdMs: 1,
      })),
    },
  });
const refund = (paymentIntent: string, change: { paidBy?: string; failed?: boolean; returnedBy?: string }) =>
  take({
    kind: "refund",
    facts: {
      id: "re_1",
      orderId: "",
      paymentIntent,
      cents: 1000,
      currency: "usd",
      failed: false,
      paidBy: "",
      returnedBy: "",
      ...change,
    },
  });

describe("an erasure waits", () => {
  it("for the bill of usage that came late, as a revision without a first row", async () => {
    const day = dayUtc("2026-11-22");
    const row = usageFile([`${day},${ada},box,upload,4000,2`], "day,account,machine,meter,quantity,revision");
    const { lines } = readUsageFile(row);
    await visitor.test.store.write((tx) => importUsage(tx, { lines, meters, complete: [day] }));
    await close();
    visitor.test.clock.ms += 7 * dayMs;
    expect((await finish())[1]).toMatch(/: its usage of 2026-11-22 is not billed yet$/);
    await billDay(visitor.test.store, day, meters);
    expect(await finish()).toEqual(["close: 1 accounts erased, 0 waiting"]);
    expect(await balance()).toBe("$0.00");
  });

  it("for a payment that was begun, and a month at most", async () => {
    await payLate();
    await tellAll();
    await close("leave");
    visitor.test.clock.ms += 7 * dayMs;
    expect(await finish()).toEqual([
      "close: 0 accounts erased, 1 waiting",
      expect.stringMatching(/^close: acct_\w+: order_\w+ may still be paid, until 2026-12-23$/),
    ]);
    visitor.test.clock.ms += 23 * dayMs;
    expect(await finish()).toEqual(["close: 1 accounts erased, 0 waiting"]);
  });

  it("no more for one that came, or of which nothing will come", async () => {
    await payLate();
    await arrive();
    await close("leave");
    visitor.test.clock.ms += 7 * dayMs;
    expect(await finish()).toEqual(["close: 1 accounts erased, 0 waiting"]);
    await visitor.become("bob@example.org");
    await visitor.post("pay", { amount: "10" });
    await visitor.get("close");
    await visitor.post("close", { current: passwordOf("bob@example.org"), sure: "yes" });
    visitor.test.clock.ms += 7 * dayMs;
    expect((await finish())[1]).toMatch(/order_\w+ may still be paid/);
    const [open] = visitor.test.raw("SELECT id FROM payment_order ORDER BY created_at DESC") as {
      id: string;
    }[];
    await visitor.test.store.write((tx) => noteEnd(tx, open?.id ?? "", "expired"));
    expect(await finish()).toEqual(["close: 1 accounts erased, 0 waiting"]);
  });

  it("for a refund until its money has left, or come back", async () => {
    const paymentIntent = await pay();
    await refund(paymentIntent, {});
    await close();
    visitor.test.clock.ms += 7 * dayMs;
    expect((await finish())[1]).toMatch(/: refund\/re_1 is under way; site reconcile asks Stripe/);
    await refund(paymentIntent, { paidBy: "txn_r" });
    expect(await finish()).toEqual(["close: 1 accounts erased, 0 waiting"]);
  });

  it("for a dispute until it is given back, or told to be lost", async () => {
    const paymentIntent = await pay();
    await dispute(paymentIntent, ["txn_1", -1000]);
    await close("refund");
    visitor.test.clock.ms += 7 * dayMs;
    const waits = /: dispute dp_1 is not decided, as far as Stripe told; waited for until 2027-03-23$/;
    expect((await finish())[1]).toMatch(waits);
    await dispute(paymentIntent, ["txn_1", -1000], ["txn_2", 1000]);
    expect((await finish())[1]).toMatch(/: give \$10\.0+ back: /);
    await dispute(paymentIntent, ["txn_1", -1000], ["txn_2", 1000], ["txn_3", -1000]);
    const until = /until 2027-03-30$/;
    expect((await finish())[1]).toMatch(until);
    // Another one that is lost says nothing of this one.
    const insert = (id: string, of: string) =>
      visitor.test.store.write((tx) =>
        tx.run(
          "INSERT INTO stripe_event (id, type, api_version, raw, outcome, received_at) VALUES (?, ?, ?, ?, ?, ?)",
          [
            id,
            "charge.dispute.closed",
            "1",
            Buffer.from(JSON.stringify({ data: { object: { id: of, status: "lost" } } })),
            "exists",
            tx.now,
          ],
        ),
      );
    await insert("evt_1", "dp_2");
    expect((await finish())[1]).toMatch(until);
    await insert("evt_2", "dp_1");
    expect(await finish()).toEqual(["close: 1 accounts erased, 0 waiting"]);
  });

  it("for a dispute of which no end was told until it is four months old", async () => {
    await dispute(await pay(), ["txn_1", -1000]);
    await close();
    visitor.test.clock.ms += 120 * dayMs - 1;
    expect((await finish())[0]).toBe("close: 0 accounts erased, 1 waiting");
    visitor.test.clock.ms += 1;
    expect(await finish()).toEqual(["close: 1 accounts erased, 0 waiting"]);
  });
});

it("a mail that is on its way while its account is erased is not written back", async () => {
  await close();
  visitor.test.clock.ms += 7 * dayMs;
  const mail = {
    id: `warn/${ada}/9`,
    to: "ada@example.org",
    subject: "for Ada",
    body: "of Ada",
    hasToken: false,
  };
  await visitor.test.store.write((tx) => enqueueMail(tx, mail));
  const claim = async () => {
    for (;;) {
      const claimed = await visitor.test.store.write(claimMail);
      if (claimed === undefined || claimed.id === mail.id) return claimed;
    }
  };
  const claimed = await claim();
  expect(await finish()).toEqual(["close: 1 accounts erased, 0 waiting"]);
  if (claimed === undefined) throw new Error("a mail is due");
  const left = () =>
    visitor.test.raw(`SELECT state, recipient, subject, body FROM outbox WHERE id = '${mail.id}'`);
  const erased = [{ state: "parked", recipient: "", subject: "", body: "" }];
  expect(left()).toEqual(erased);
  await visitor.test.store.write((tx) => markSent(tx, claimed));
  expect(left()).toEqual(erased);
});

it.each(["", "leave"] as const)(
  "what is paid after a closing is given back, and not kept: %j was said of what was left",
  async (money) => {
    await payLate();
    await close(money);
    visitor.test.clock.ms += 3 * dayMs;
    await arrive();
    expect(await balance()).toBe("$10.00");
    visitor.test.clock.ms += 4 * dayMs;
    expect(await finish()).toEqual([
      "close: 0 accounts erased, 1 waiting",
      expect.stringMatching(/give \$10\.0+ back: site account refund/),
    ]);
    expect(await balance()).toBe("$10.00");
    const by = { reason: "keep it", by: "colin" };
    await runTestJob(visitor.test, accountJob, ["close", ada], { ...by, money: "leave" });
    expect(await finish()).toEqual(["close: 1 accounts erased, 0 waiting"]);
  },
);

it("what comes to an erased account is told every night, until a person has settled it", async () => {
  const paymentIntent = await pay();
  await refund(paymentIntent, { paidBy: "txn_r" });
  await close();
  visitor.test.clock.ms += 7 * dayMs;
  expect(await finish()).toEqual(["close: 1 accounts erased, 0 waiting"]);
  await refund(paymentIntent, { paidBy: "txn_r", failed: true, returnedBy: "txn_b" });
  for (let night = 0; night < 2; night += 1) {
    const run = runTestJob(visitor.test, closeJob, []);
    await expect(run).rejects.toThrow("money stands on erased accounts; see above");
  }
  const by = { reason: "bank is gone", by: "colin" };
  await runTestJob(visitor.test, creditJob, ["charge", ada, "10.00"], by);
  expect(await finish()).toEqual(["close: 0 accounts erased, 0 waiting"]);
  await dispute(paymentIntent, ["txn_1", -1000]);
  await expect(runTestJob(visitor.test, closeJob, [])).rejects.toThrow("money stands on erased accounts");
  await runTestJob(visitor.test, creditJob, ["gift", ada, "10.00"], by);
  expect(await finish()).toEqual(["close: 0 accounts erased, 0 waiting"]);
  expect(await balance()).toBe("$0.00");
});
