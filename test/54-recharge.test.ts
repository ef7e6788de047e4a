// Goal of this test: a card is charged while its owner is away only as the owner agreed, with the password: below the balance that was
// named, once a day, in a month no more than was allowed; what fails is tried less and less, then never; and nobody is charged twice,
// whatever dies, is lost, or runs at once.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { templateShapes } from "../build/shapes.ts";
import { job as accountJob } from "../jobs/account.ts";
import { job as rechargeJob } from "../jobs/recharge.ts";
import type { AccountId } from "../lib/accounts/account.ts";
import type { NoticeSender } from "../lib/accounts/notice.ts";
import { postTransfer, readBalance } from "../lib/ledger/transfer.ts";
import { amountOf, formatDollars, parseDollars, zero } from "../lib/money/amount.ts";
import { rechargeAccounts } from "../lib/payments/charging.ts";
import { takeFacts } from "../lib/payments/event.ts";
import { judgeRecharge, type Recharge, type RechargeFacts } from "../lib/payments/recharge.ts";
import { reconcile } from "../lib/payments/reconcile.ts";
import { connectStripe, type StripeDesk } from "../lib/payments/stripe/connect.ts";
import { eraseClosed } from "../lib/staff/erase.ts";
import type { DayUtc } from "../lib/util/clock.ts";
import { NeedsHuman, TryLater } from "../lib/util/failure.ts";
import { audit } from "./support/books.ts";
import { runTestJob } from "./support/job.ts";
import { makeSender } from "./support/site.ts";
import { makeVisitor, passwordOf, type Visitor } from "./support/visitor.ts";

const dayMs = 86_400_000;

describe("whether an account is charged", () => {
  const today = "2026-11-23" as DayUtc;
  const rule = {
    number: 2,
    isOn: true,
    why: "owner",
    belowCents: 500,
    amountCents: 2000,
    capCents: 4000,
    paymentMethod: "pm_1",
    setAt: 0,
  } as const;
  const dollars = (text: string) => parseDollars(text) ?? zero;
  const one = (day: string, state: Recharge["state"], change: Partial<Recharge> = {}): Recharge => ({
    number: 1,
    rule: 2,
    day: day as DayUtc,
    amount: dollars("20"),
    state,
    ...change,
  });
  const judge = (change: Partial<RechargeFacts> = {}) =>
    judgeRecharge({
      rule,
      balance: dollars("4.99"),
      hasCard: true,
      isClosed: false,
      isDisputed: false,
      recharges: [],
      today,
      ...change,
    });

  it.each<[string, string, Partial<RechargeFacts>]>([
    ["charge", "a cent less than was named", {}],
    ["enough", "exactly what was named", { balance: dollars("5") }],
    ["charge", "a balance below nothing", { balance: amountOf(-1n) }],
    ["off", "nothing agreed to", { rule: undefined }],
    ["off", "turned off", { rule: { ...rule, isOn: false } }],
    ["off", "no card", { hasCard: false }],
    ["off", "a closed account", { isClosed: true }],
    ["disputed", "a disputed payment", { isDisputed: true }],
    ["open", "a charge of which nobody knows, however old", { recharges: [one("2026-10-01", "open")] }],
    ["today", "a charge today", { recharges: [one(today, "paid")] }],
    ["today", "one that never came to a charge today", { recharges: [one(today, "ended")] }],
    ["charge", "a charge yesterday", { recharges: [one("2026-11-22", "paid")] }],
    [
      "capped",
      "two charges this month",
      { recharges: [one("2026-11-22", "paid"), one("2026-11-01", "paid")] },
    ],
    [
      "charge",
      "one of two last month",
      { recharges: [one("2026-11-22", "paid"), one("2026-10-31", "paid")] },
    ],
    [
      "charge",
      "one of two that failed under another agreement",
      {
        recharges: [one("2026-11-22", "failed", { rule: 1 }), one("2026-11-01", "paid")],
      },
    ],
    [
      "capped",
      "a cap that the other agreement reached",
      {
        recharges: [one("2026-11-22", "paid", { rule: 1 }), one("2026-11-21", "paid", { rule: 1 })],
      },
    ],
    ["charge", "the day after the first failure", { recharges: [one("2026-11-22", "failed")] }],
    [
      "waiting",
      "the day after the second",
      {
        recharges: [one("2026-11-22", "failed"), one("2026-11-21", "failed")],
      },
    ],
    [
      "charge",
      "three days after the second",
      {
        recharges: [one("2026-11-20", "failed"), one("2026-11-19", "failed")],
      },
    ],
    [
      "charge",
      "the day after a failure that a payment came before",
      {
        recharges: [one("2026-11-22", "failed"), one("2026-11-21", "paid"), one("2026-11-20", "failed")],
      },
    ],
  ])("%s: %s", (wanted, _what, change) => {
    expect(judge(change)).toBe(wanted);
  });
});

describe("a recharge", () => {
  let visitor: Visitor;
  let ada: AccountId;
  let stripe: StripeDesk;
  let sender: NoticeSender;
  /** What the job's templates were given last. */
  const given = new Map<string, object>();
  beforeEach(async () => {
    visitor = await makeVisitor();
    ada = await visitor.become("ada@example.com");
    const plain = await makeSender(visitor.test.clock);
    given.clear();
    const render: typeof plain.renderer.render = (name, data) => {
      given.set(name, data);
      return plain.renderer.render(name, data);
    };
    sender = { ...plain, renderer: { ...plain.renderer, render } };
    stripe = connectStripe(visitor.secrets);
  });
  afterEach(() => visitor.end());

  const password = passwordOf("ada@example.com");
  const wish = { below: "5", amount: "20", cap: "50" };
  const balance = async () => formatDollars(await visitor.test.store.read((tx) => readBalance(tx, ada)));
  const run = (desk = stripe, books = visitor.test.store) => rechargeAccounts(books, desk, sender, true);
  const mails = (name: string) =>
    visitor.test.raw(
      `SELECT subject, body FROM outbox WHERE id LIKE '${name}/%' ORDER BY created_at, rowid`,
    ) as {
      subject: string;
      body: string;
    }[];
  const rules = () =>
    visitor.test.raw("SELECT is_on AS isOn, why FROM recharge_rule ORDER BY number") as {
      isOn: bigint;
      why: string;
    }[];
  /** Spends so much, as a bill would. */
  const spend = (text: string) =>
    visitor.test.store.write((tx) =>
      postTransfer(tx, {
        id: `bill/${ada}/${tx.now}`,
        code: "bill",
        debit: ada,
        credit: "revenue",
        amount: parseDollars(text) ?? zero,
        reference: "2026-11-22",
      }),
    );
  /** Agrees, and saves a card by a button of the stand-in's page. */
  const agree = async (button: string, change: Partial<typeof wish> = {}) => {
    const started = await visitor.post("recharge", { ...wish, ...change, do: "card", current: password });
    expect(started.status).toBe(303);
    const back = await visitor.pressAtStripe(started.headers.get("Location") ?? "", button);
    return visitor.get("recharge", Object.fromEntries(back.searchParams));
  };

  it("is agreed to with the password and a card, charged at the next run, told by mail, and not charged again that day", async () => {
    expect((await agree("save-good")).status).toBe(303);
    const page = await visitor.get("recharge");
    expect(page.body).toContain(
      "When your balance is below $5.00, we charge $20.00 to your card ending in 4242",
    );
    expect(mails("recharge-on")).toEqual([
      {
        subject: expect.any(String),
        body: expect.stringContaining("balance is below $5.00, we charge $20.00"),
      },
    ]);
    expect(await run()).toMatchObject({ accounts: 1, charged: 1, failed: 0, troubles: [] });
    expect(await balance()).toBe("$20.00");
    expect(mails("recharged")).toEqual([
      {
        subject: "Picodollar: we charged $20.00 to your card",
        body: expect.stringContaining("$20.00 of at most $50.00"),
      },
    ]);
    await spend("19");
    expect(await run()).toMatchObject({ charged: 0, waiting: 1 });
    visitor.test.clock.ms += dayMs;
    expect(await run()).toMatchObject({ charged: 1 });
    visitor.test.clock.ms += dayMs;
    await spend("20");
    expect(await run()).toMatchObject({ charged: 0, waiting: 1 });
    expect(await balance()).toBe("$1.00");
    visitor.test.clock.ms += 31 * dayMs;
    expect(await run()).toMatchObject({ charged: 1 });
    expect(await audit(visitor.test.store)).toEqual({ sum: 0n, differing: [] });
    await visitor.logIn("ada@example.com");
    expect((await visitor.get("payments")).body.match(/, on its own/g)).toHaveLength(3);
  });

  it.each([
    [
      "save-declined",
      "",
      [
        ["1", "owner"],
        ["0", "failures"],
      ],
    ],
    [
      "save-poor",
      "there is not enough money on it",
      [
        ["1", "owner"],
        ["0", "failures"],
      ],
    ],
  ])(
    "that fails (%s) is tried after a day, after three more, then never, and each try is told",
    async (button, why, ended) => {
      await agree(button);
      const days: number[] = [];
      for (let day = 0; day < 30; day += 1) {
        const { failed } = await run();
        if (failed > 0) days.push(day);
        visitor.test.clock.ms += dayMs;
      }
      expect(days).toEqual([0, 1, 4]);
      const told = mails("recharge-failed");
      expect(told).toHaveLength(3);
      expect(told[0]?.body).toContain(why);
      expect(told[1]?.body).toContain(`We try again on 2026-11-27.`);
      expect(told[2]?.body).toContain("We do not try again");
      expect(rules().map(({ isOn, why }) => [String(isOn), why])).toEqual(ended);
      expect(visitor.standIn.intents()).toHaveLength(3);
      await visitor.logIn("ada@example.com");
      expect((await visitor.get("recharge")).body).toContain("The last charges failed, one after the other");
      expect((await visitor.get("payments")).body.match(/Failed/g)).toHaveLength(3);
    },
  );

  it.each([
    ["mail/recharged", "save-good"],
    ["mail/recharge-failed", "save-poor"],
  ])("gives %s what is said of it, no more and no less", async (name, button) => {
    await agree(button);
    await run();
    expect(Object.keys(given.get(name) ?? {}).sort()).toEqual(Object.keys(templateShapes[name] ?? {}).sort());
  });

  it("for which the bank asks for its owner is not tried again, and a link to pay is mailed", async () => {
    await agree("save-owner");
    expect(await run()).toMatchObject({ failed: 1 });
    visitor.test.clock.ms += dayMs;
    expect(await run()).toMatchObject({ accounts: 0 });
    expect(mails("recharge-failed")[0]?.body).toMatch(
      /it asks for you, at each charge\. Nothing[\s\S]*account\/pay\.cgi/,
    );
    expect(rules().at(-1)).toEqual({ isOn: 0n, why: "bank" });
  });

  it.each(["save-lost", "forgotten at Stripe"])(
    "of a card that is no more (%s) is not tried again",
    async (button) => {
      await agree(button === "save-lost" ? button : "save-good");
      if (button !== "save-lost")
        for (const customer of visitor.standIn.wallet.customers()) visitor.standIn.wallet.forget(customer);
      expect(await run()).toMatchObject({ failed: 1, troubles: [] });
      expect(rules().at(-1)).toEqual({ isOn: 0n, why: "card" });
      expect(mails("recharge-failed")[0]?.body).not.toMatch(/lost|stolen/);
    },
  );

  it("is never turned on again by a purchase, a day that passes, or a card page from before", async () => {
    await agree("save-declined");
    const started = await visitor.post("recharge", { ...wish, do: "card", current: password });
    await visitor.post("recharge", { do: "off" });
    await visitor.pressAtStripe(started.headers.get("Location") ?? "", "save-good");
    const paid = await visitor.post("pay", { amount: "10" });
    const { event } = await visitor.payAtStripe(paid.headers.get("Location") ?? "");
    for (const delivery of visitor.deliveries) await visitor.tellWebhook(delivery);
    await visitor.tellWebhook(event);
    await spend("9");
    visitor.test.clock.ms += dayMs;
    expect(await run()).toMatchObject({ accounts: 0, charged: 0 });
    expect(rules().map(({ isOn }) => isOn)).toEqual([1n, 0n]);
    // The card of the page that nobody waits for any more is Stripe's to forget.
    expect(visitor.standIn.wallet.customers()).toHaveLength(1);
  });

  it("takes the password for everything but turning it off", async () => {
    for (const current of ["", "not the password"]) {
      const refused = await visitor.post("recharge", { ...wish, do: "card", current });
      expect([refused.status, refused.body.includes("The current password is wrong")]).toEqual([422, true]);
    }
    await agree("save-good");
    const raised = await visitor.post("recharge", {
      ...wish,
      cap: "5000",
      do: "on",
      current: "not the password",
    });
    expect(raised.status).toBe(422);
    expect(rules()).toHaveLength(1);
    const set = await visitor.post("recharge", { ...wish, cap: "5000", do: "on", current: password });
    expect(set.body).toContain("no more than $5000.00");
    expect(mails("recharge-on")).toHaveLength(2);
    expect((await visitor.post("recharge", { do: "off" })).body).toContain("It is off.");
    expect((await visitor.post("recharge", { do: "off" })).body).toContain("It is off.");
    expect(mails("recharge-off")).toHaveLength(1);
    expect(
      visitor.logged.filter((line) => /recharge-o/.test(line)).map((line) => line.split(" ")[2]),
    ).toEqual(["recharge-on", "recharge-on", "recharge-off"]);
  });

  it.each([
    ["below", { below: "0" }, "Type below which balance"],
    ["below", { below: "x" }, "Type below which balance"],
    ["below", { below: "5.001" }, "Type below which balance"],
    ["amount", { amount: "4" }, "Type how much to charge"],
    ["amount", { amount: "100000" }, "Type how much to charge"],
    ["cap", { cap: "19.99" }, "Type how much may be charged in a month"],
    ["cap", { cap: "10000.01" }, "Type how much may be charged in a month"],
  ])("is not agreed to with a wrong %s: %j", async (_name, change, message) => {
    const refused = await visitor.post("recharge", { ...wish, ...change, do: "card", current: password });
    expect([refused.status, refused.body.includes(message)]).toEqual([422, true]);
    expect(refused.body).toContain(`value="${Object.values(change)[0]}"`);
  });

  it("is saved by the webhook alone, where its owner does not come back, and twice is once", async () => {
    const started = await visitor.post("recharge", { ...wish, do: "card", current: password });
    const back = await visitor.pressAtStripe(started.headers.get("Location") ?? "", "save-good");
    await expect.poll(() => visitor.deliveries.length).toBe(2);
    for (const delivery of [...visitor.deliveries, ...visitor.deliveries])
      expect((await visitor.tellWebhook(delivery)).status).toBe(200);
    expect(visitor.test.raw("SELECT type, outcome FROM stripe_event ORDER BY type")).toEqual([
      { type: "checkout.session.completed", outcome: "created" },
      { type: "setup_intent.succeeded", outcome: "ignored" },
    ]);
    expect((await visitor.get("recharge", Object.fromEntries(back.searchParams))).status).toBe(303);
    expect(rules()).toHaveLength(1);
    expect(mails("recharge-on")).toHaveLength(1);
    expect(visitor.logged.filter((line) => line.startsWith("stripe-webhook"))).toEqual([]);
  });

  it("is not taken from a page on which nothing was saved, nor from another customer's", async () => {
    const started = await visitor.post("recharge", { ...wish, do: "card", current: password });
    const [page] = visitor.test.raw("SELECT id FROM card_page") as { id: string }[];
    const shown = await visitor.get("recharge", { card: page?.id ?? "" });
    expect(shown.body).toContain("Stripe has not confirmed your card yet");
    const other = await visitor.again();
    await other.become("bob@example.com");
    await visitor.pressAtStripe(started.headers.get("Location") ?? "", "save-good");
    expect((await other.get("recharge", { card: page?.id ?? "" })).status).toBe(303);
    expect(rules()).toEqual([]);
  });

  it("with another card takes the place of the one before, which Stripe is told to forget", async () => {
    await agree("save-declined");
    await run();
    const [first] = visitor.standIn.wallet.customers();
    await agree("save-good");
    visitor.test.clock.ms += dayMs;
    expect(await run()).toMatchObject({ charged: 1 });
    expect(visitor.standIn.wallet.customers()).not.toContain(first);
    await visitor.logIn("ada@example.com");
    await visitor.post("recharge", { do: "remove" });
    expect(visitor.test.raw("SELECT account FROM saved_card")).toEqual([]);
    expect(await run()).toMatchObject({ accounts: 0, troubles: [] });
    expect(visitor.standIn.wallet.customers()).toEqual([]);
    expect(visitor.test.raw("SELECT customer FROM unwanted_customer WHERE done_at IS NULL")).toEqual([]);
  });

  it("is charged once by two runs at the same moment, and by the webhook besides", async () => {
    await agree("save-good");
    const [one, two] = [visitor.test.reopen(), visitor.test.reopen()];
    await Promise.all([run(stripe, one), run(stripe, two)]);
    for (const delivery of visitor.deliveries) await visitor.tellWebhook(delivery);
    await run();
    expect(await balance()).toBe("$20.00");
    expect(visitor.standIn.intents()).toHaveLength(1);
    expect(mails("recharged")).toHaveLength(1);
  });

  it("of which the answer was lost is found by the next run, the webhook, or the reconciliation", async () => {
    const lost: StripeDesk = {
      ...stripe,
      charge: async (request) => {
        await stripe.charge(request);
        throw new TryLater("Stripe cannot be reached; try again");
      },
    };
    const finders = [
      () => run(),
      () => {
        // Stripe has forgotten the key by then.
        visitor.test.clock.ms += dayMs;
        return run();
      },
      () => Promise.all(visitor.deliveries.map((delivery) => visitor.tellWebhook(delivery))),
      () => reconcile(visitor.test.store, stripe, undefined, sender, () => undefined),
    ];
    await agree("save-good", { cap: "100" });
    for (const [at, find] of finders.entries()) {
      expect(await run(lost)).toMatchObject({ charged: 0, isCut: true });
      await expect.poll(() => visitor.deliveries.length).toBe(visitor.standIn.events().length);
      await find();
      expect(await balance()).toBe("$20.00");
      expect(visitor.standIn.intents()).toHaveLength(at + 1);
      expect(mails("recharged")).toHaveLength(at + 1);
      await spend("20");
      visitor.test.clock.ms += dayMs;
    }
    expect(await audit(visitor.test.store)).toEqual({ sum: 0n, differing: [] });
  });

  it("that never reached Stripe is asked again under the same order while it is wanted, and given up where it is not", async () => {
    const away: StripeDesk = {
      ...stripe,
      charge: () => Promise.reject(new TryLater("Stripe cannot be reached; try again")),
    };
    await agree("save-good");
    await run(away);
    await run();
    expect(await balance()).toBe("$20.00");
    await spend("20");
    visitor.test.clock.ms += dayMs;
    await run(away);
    await visitor.logIn("ada@example.com");
    await visitor.post("recharge", { do: "off" });
    visitor.test.clock.ms += 2 * 3_600_000;
    expect(await run()).toMatchObject({ charged: 0, failed: 0, troubles: [] });
    expect(visitor.standIn.intents()).toHaveLength(1);
    expect(visitor.test.raw("SELECT how FROM checkout_end")).toEqual([{ how: "expired" }]);
    expect(await run()).toMatchObject({ charged: 0, troubles: [] });
  });

  it("that never reached Stripe is judged again before it is asked again: credit may have come since, or a dispute", async () => {
    const away: StripeDesk = {
      ...stripe,
      charge: () => Promise.reject(new TryLater("Stripe cannot be reached; try again")),
    };
    await agree("save-good");
    expect(await run(away)).toMatchObject({ isCut: true });
    // Paid by hand, so that it is enough; and of that payment a dollar is disputed.
    const started = await visitor.post("pay", { amount: "100" });
    await visitor.tellWebhook((await visitor.payAtStripe(started.headers.get("Location") ?? "")).event);
    expect(await run()).toMatchObject({ charged: 0, waiting: 0, troubles: [] });
    const paymentIntent = visitor.standIn.intents()[0]?.id ?? "";
    const movement = { id: "txn_d", category: "dispute", cents: -100, feeCents: 0, currency: "usd" } as const;
    const dispute = {
      kind: "dispute",
      facts: {
        id: "dp_1",
        paymentIntent,
        currency: "usd",
        status: "needs_response",
        movements: [{ ...movement, source: "dp_1", paymentIntent: "", createdMs: 1 }],
      },
    } as const;
    await visitor.test.store.write((tx) => takeFacts(tx, dispute, sender));
    await spend("97");
    expect(await balance()).toBe("$2.00");
    expect((await run()).troubles).toEqual([expect.stringContaining("a payment is disputed")]);
    // A call may last an hour; then it is looked for once more, and given up.
    expect(visitor.test.raw("SELECT how FROM checkout_end")).toEqual([]);
    visitor.test.clock.ms += 2 * 3_600_000;
    expect(await run()).toMatchObject({ charged: 0, troubles: [] });
    expect(visitor.test.raw("SELECT how FROM checkout_end")).toEqual([{ how: "expired" }]);
    expect(visitor.standIn.intents()).toHaveLength(1);
    expect(await balance()).toBe("$2.00");
  });

  it("that is older than Stripe's memory of keys is looked for, and not asked again", async () => {
    const away: StripeDesk = { ...stripe, charge: () => Promise.reject(new TryLater("away")) };
    await agree("save-good");
    await run(away);
    visitor.test.clock.ms += dayMs;
    const asked: string[] = [];
    const counting: StripeDesk = {
      ...stripe,
      charge: (request) => {
        asked.push(request.order.id);
        return stripe.charge(request);
      },
    };
    expect(await run(counting)).toMatchObject({ charged: 1 });
    // The next day's own charge, under a key of its own.
    expect(asked).toHaveLength(1);
    expect(
      visitor.test.raw(
        "SELECT number, how FROM recharge r LEFT JOIN checkout_end e USING (payment_order) ORDER BY number",
      ),
    ).toEqual([
      { number: 1n, how: "expired" },
      { number: 2n, how: null },
    ]);
  });

  it("that Stripe does not take at all is told, and stays claimed", async () => {
    const refusing: StripeDesk = {
      ...stripe,
      charge: () => Promise.reject(new NeedsHuman("Stripe refused the call: Invalid API Key")),
    };
    await agree("save-good");
    const report = await run(refusing);
    expect(report.troubles).toEqual([expect.stringContaining("Invalid API Key")]);
    expect(rules().at(-1)?.isOn).toBe(1n);
    expect(mails("recharge-failed")).toEqual([]);
  });

  it("that Stripe does not find, or a customer that it does not forget, keeps nobody else from being charged", async () => {
    await agree("save-good");
    await run({ ...stripe, charge: () => Promise.reject(new TryLater("away")) });
    await visitor.become("bob@example.com");
    const started = await visitor.post("recharge", {
      ...wish,
      do: "card",
      current: passwordOf("bob@example.com"),
    });
    const back = await visitor.pressAtStripe(started.headers.get("Location") ?? "", "save-good");
    await visitor.get("recharge", Object.fromEntries(back.searchParams));
    visitor.test.raw("INSERT INTO unwanted_customer VALUES ('cus_1', 1, NULL)");
    const no = () => Promise.reject(new NeedsHuman("Stripe refused the call: no"));
    expect(await run({ ...stripe, findCharge: no, forgetCustomer: no })).toMatchObject({
      charged: 1,
      troubles: [expect.stringMatching(/^order .*: no$/), "customer cus_1: Stripe refused the call: no"],
      isCut: false,
    });
  });

  it("ends with a dispute, and its owner is told", async () => {
    await agree("save-good");
    await run();
    const [intent] = visitor.standIn.intents();
    visitor.standIn.vault.dispute(intent?.id ?? "");
    await expect.poll(() => visitor.deliveries.length).toBe(visitor.standIn.events().length);
    for (const delivery of visitor.deliveries) await visitor.tellWebhook(delivery);
    visitor.test.clock.ms += dayMs;
    expect((await run()).troubles).toEqual([
      expect.stringContaining("a payment is disputed; its recharges are off"),
    ]);
    expect(mails("recharge-off")[0]?.body).toContain("because a payment of yours is disputed");
    expect(rules().at(-1)).toEqual({ isOn: 0n, why: "dispute" });
  });

  it("is not begun where tax is taken, which cannot be reckoned while its owner is away", async () => {
    const taxed = await visitor.again({ settings: { hasTax: true } });
    taxed.setCookie(visitor.cookie());
    expect((await taxed.get("recharge")).body).toContain("It is not offered here.");
    await taxed.post("recharge", { ...wish, do: "card", current: password });
    expect(visitor.test.raw("SELECT id FROM card_page")).toEqual([]);
    await agree("save-good");
    expect(await rechargeAccounts(visitor.test.store, stripe, sender, false)).toMatchObject({
      accounts: 0,
      charged: 0,
    });
  });

  it("is none of a checkout's payment intent, nor of somebody else's on the same account at Stripe", async () => {
    const started = await visitor.post("pay", { amount: "10" });
    await visitor.payAtStripe(started.headers.get("Location") ?? "");
    const [intent] = visitor.standIn.intents();
    const told = await stripe.ask("charge", intent?.id ?? "");
    expect(await visitor.test.store.write((tx) => takeFacts(tx, told, sender))).toEqual({
      ok: true,
      outcome: "not-a-recharge",
    });
    expect(await balance()).toBe("$0.00");
  });

  it("is not begun for a closed account; an erasure forgets the card, here and at Stripe", async () => {
    await agree("save-good");
    await visitor.post("close", { current: password, sure: "yes" });
    expect(await run()).toMatchObject({ accounts: 1, charged: 0 });
    visitor.test.clock.ms += 8 * dayMs;
    expect(await eraseClosed(visitor.test.store)).toEqual({ erased: 1, waiting: [], stranded: [] });
    expect(await run()).toMatchObject({ accounts: 0, charged: 0 });
    expect(visitor.standIn.wallet.customers()).toEqual([]);
    expect(visitor.test.raw("SELECT account FROM saved_card")).toEqual([]);
    const exported = JSON.stringify(visitor.test.raw("SELECT recipient, subject, body FROM outbox"));
    expect(exported).not.toContain("4242");
  });

  it("runs as a job, which says what it did, and asks Stripe for nothing where nobody has it on", async () => {
    expect(await runTestJob(visitor.test, rechargeJob, [])).toMatchObject({
      outcome: "done",
      said: ["recharge: nobody has it on"],
    });
    await agree("save-good");
    const { secrets } = visitor;
    expect(await runTestJob(visitor.test, rechargeJob, [], {}, { secrets })).toMatchObject({
      outcome: "done",
      said: ["recharge: 1 accounts have it on, 1 charged, 0 failed, 0 waiting"],
      complained: [],
    });
    await spend("20");
    visitor.test.clock.ms += dayMs;
    const nowhere = { ...secrets, stripe_api: "http://127.0.0.1:9" };
    await expect(runTestJob(visitor.test, rechargeJob, [], {}, { secrets: nowhere })).rejects.toThrow(
      "Stripe was away; the rest is charged by the next run",
    );
    await expect(runTestJob(visitor.test, rechargeJob, [])).rejects.toThrow("stripe_key is not set");
    const taxed = await runTestJob(
      visitor.test,
      rechargeJob,
      [],
      {},
      { secrets, settings: { hasTax: true } },
    );
    expect(taxed.complained).toEqual(["recharge: nothing new is charged while payments.tax is yes"]);
  });

  it("is turned off by the staff, with a reason, and its owner is told", async () => {
    await agree("save-good");
    const off = () =>
      runTestJob(visitor.test, accountJob, ["recharge-off", ada], { by: "colin", reason: "by telephone" });
    expect((await off()).said).toEqual([`account: ${ada} is not charged automatically`]);
    expect((await off()).said[0]).toContain("as before");
    expect(rules().at(-1)).toEqual({ isOn: 0n, why: "staff" });
    expect(mails("recharge-off")).toHaveLength(1);
    const shown = await runTestJob(visitor.test, accountJob, ["show", ada]);
    expect(shown.said.join("\n")).toContain("off: staff");
  });
});
