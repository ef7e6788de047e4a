// Goal of this test: a payment is credited once, and only to the order that it pays, however often, late, or
// wrongly it is told of; what is forged is refused before it is read.
import Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../lib/accounts/account.ts";
import type { NoticeSender } from "../lib/accounts/notice.ts";
import { readBalance } from "../lib/ledger/transfer.ts";
import { amountOf } from "../lib/money/amount.ts";
import { type StripeEvent, takeEvent } from "../lib/payments/event.ts";
import type { CheckoutFacts } from "../lib/payments/facts.ts";
import { fulfilCheckout } from "../lib/payments/fulfil.ts";
import { createOrder, findOrder } from "../lib/payments/order.ts";
import { connectStripe } from "../lib/payments/stripe/connect.ts";
import { readSignedEvent, stripeApiVersion } from "../lib/payments/stripe/signed.ts";
import { addAccount, audit } from "./support/books.ts";
import { makeSender } from "./support/site.ts";
import { makeTestStore, type TestStore } from "./support/store.ts";

const tenDollars = amountOf(10n ** 19n);

describe("a paid order", () => {
  let test: TestStore;
  let ada: AccountId;
  let sender: NoticeSender;
  beforeEach(async () => {
    test = makeTestStore();
    sender = await makeSender(test.clock);
    ada = await addAccount(test.store, "ada@example.org");
    await order("order_1", false);
  });
  afterEach(() => test.end());

  const order = (id: string, livemode: boolean) =>
    test.store.write((tx) => createOrder(tx, { id, account: ada, amount: tenDollars, livemode }));
  const balance = () => test.store.read((tx) => readBalance(tx, ada));
  const facts = (change: Partial<CheckoutFacts> = {}): CheckoutFacts => ({
    orderId: "order_1",
    paid: true,
    ended: "",
    taxCents: 0,
    paymentIntent: "pi_1",
    netCents: 1000,
    currency: "usd",
    livemode: false,
    ...change,
  });
  const fulfil = (change: Partial<CheckoutFacts> = {}) =>
    test.store.write((tx) => fulfilCheckout(tx, facts(change)));
  const event = (change: Partial<StripeEvent> = {}): StripeEvent => ({
    id: "evt_1",
    type: "checkout.session.completed",
    apiVersion: stripeApiVersion,
    raw: Buffer.from('{"id":"evt_1"}'),
    objectId: "cs_1",
    told: checkout(),
    ...change,
  });
  const checkout = (change: Partial<CheckoutFacts> = {}) => ({
    kind: "checkout" as const,
    facts: facts(change),
  });
  const take = (change: Partial<StripeEvent> = {}) =>
    test.store.write((tx) => takeEvent(tx, event(change), sender));

  it("is read back as it was written", async () => {
    expect(await test.store.read((tx) => findOrder(tx, "order_1"))).toEqual({
      id: "order_1",
      account: ada,
      amount: tenDollars,
      livemode: false,
      createdAt: test.clock.ms,
    });
  });

  it("is credited once: by the event, the event again, the page, and a second event about it", async () => {
    expect(await take()).toEqual({ outcome: "created", alarming: false });
    expect(await take()).toEqual({ outcome: "known", alarming: false });
    expect(await fulfil()).toEqual({ ok: true, outcome: "exists" });
    expect(await take({ id: "evt_2", type: "checkout.session.async_payment_succeeded" })).toEqual({
      outcome: "exists",
      alarming: false,
    });
    expect(await balance()).toBe(tenDollars);
    expect(await audit(test.store)).toEqual({ sum: 0n, differing: [] });
  });

  it("is credited once by the page and the event at the same moment", async () => {
    const other = test.reopen();
    await Promise.all([take(), fulfil(), other.write((tx) => fulfilCheckout(tx, facts()))]);
    expect(await balance()).toBe(tenDollars);
  });

  it("waits where the method pays later", async () => {
    const unpaid = facts({ paid: false, paymentIntent: "" });
    expect(await take({ told: { kind: "checkout", facts: unpaid } })).toEqual({
      outcome: "not-paid-yet",
      alarming: false,
    });
    expect(await balance()).toBe(0n);
    await take({ id: "evt_2", type: "checkout.session.async_payment_succeeded" });
    expect(await balance()).toBe(tenDollars);
  });

  it("is credited when the later event comes first", async () => {
    await take({ id: "evt_2", type: "checkout.session.async_payment_succeeded" });
    await take({ told: checkout({ paid: false, paymentIntent: "" }) });
    expect(await balance()).toBe(tenDollars);
  });

  it.each([
    ["unknown-order", { orderId: "order_2" }],
    ["other-mode", { livemode: true }],
    ["amount-differs", { netCents: 1001 }],
    ["amount-differs", { netCents: 999 }],
    ["amount-differs", { currency: "eur" }],
    ["no-payment", { paymentIntent: "" }],
    ["no-payment", { paymentIntent: "seti_1" }],
  ] as const)("is refused as %s where Stripe says %j, and the event kept", async (why, change) => {
    expect(await fulfil(change)).toMatchObject({ ok: false, why });
    expect(await take({ told: checkout(change) })).toMatchObject({ alarming: true });
    expect(await balance()).toBe(0n);
    expect(test.raw("SELECT outcome FROM stripe_event")).toMatchObject([
      { outcome: expect.stringMatching(/^refused: /) },
    ]);
  });

  it("of another API version is kept and reported, not guessed at", async () => {
    expect(await take({ apiVersion: "2020-01-01", told: undefined })).toEqual({
      outcome: "other-version",
      alarming: true,
    });
    expect(test.raw("SELECT api_version, CAST(raw AS TEXT) AS raw FROM stripe_event")).toEqual([
      { api_version: "2020-01-01", raw: '{"id":"evt_1"}' },
    ]);
    expect(await balance()).toBe(0n);
  });

  it("that was refused or could not be read is judged again when Stripe sends it again", async () => {
    expect(await take({ told: checkout({ orderId: "order_2" }) })).toMatchObject({ alarming: true });
    await order("order_2", false);
    expect(await take({ told: checkout({ orderId: "order_2" }) })).toEqual({
      outcome: "created",
      alarming: false,
    });
    expect(await take({ id: "evt_2", told: undefined })).toMatchObject({ outcome: "other-version" });
    expect(await take({ id: "evt_2", told: checkout({ paymentIntent: "pi_2" }) })).toMatchObject({
      outcome: "created",
    });
    expect(await balance()).toBe(2n * tenDollars);
    expect(test.raw("SELECT count(*) AS n FROM stripe_event")).toEqual([{ n: 2n }]);
  });

  it("is paid once: a second payment about the same order is refused, and reported", async () => {
    expect(await fulfil()).toMatchObject({ ok: true, outcome: "created" });
    expect(await fulfil({ paymentIntent: "pi_2" })).toMatchObject({ ok: false, why: "paid-twice" });
    expect(await take({ told: checkout({ paymentIntent: "pi_2" }) })).toMatchObject({ alarming: true });
    expect(await balance()).toBe(tenDollars);
  });

  it("in test mode never meets live money in the same books", async () => {
    await expect(order("order_2", true)).rejects.toThrow(/hold test payments, and stripe_key is a live key/);
    expect(test.raw("SELECT id FROM payment_order")).toEqual([{ id: "order_1" }]);
  });
});

describe("a signature", () => {
  const now = Date.parse("2026-11-23T08:00:00Z");
  const payload = JSON.stringify({
    id: "evt_1",
    object: "event",
    type: "checkout.session.completed",
    api_version: stripeApiVersion,
    data: {
      object: {
        id: "cs_1",
        client_reference_id: "order_of_a_stranger",
        metadata: { order: "order_1" },
        payment_status: "paid",
        payment_intent: "pi_1",
        amount_total: 1100,
        total_details: { amount_tax: 100 },
        currency: "usd",
        livemode: false,
      },
    },
  });
  const sign = (secret: string, seconds = now / 1000): string =>
    Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: seconds });
  const read = (header: string, body = payload, secrets = ["whsec_new", "whsec_old"]) =>
    readSignedEvent(Buffer.from(body), header, secrets, now);

  it("lets the event in, its amount without tax", () => {
    expect(read(sign("whsec_new"))).toMatchObject({
      ok: true,
      event: {
        id: "evt_1",
        objectId: "cs_1",
        told: {
          kind: "checkout",
          facts: {
            orderId: "order_1",
            paid: true,
            ended: "",
            taxCents: 100,
            paymentIntent: "pi_1",
            netCents: 1000,
            currency: "usd",
            livemode: false,
          },
        },
      },
    });
  });

  it.each(["null", "7", '{"id":"evt_1","object":"v2.core.event"}', "not JSON"])(
    "over %s is no event",
    (body) => {
      const header = Stripe.webhooks.generateTestHeaderString({
        payload: body,
        secret: "whsec_new",
        timestamp: now / 1000,
      });
      expect(read(header, body)).toEqual({ ok: false, why: "no-event" });
    },
  );

  it("by the secret before this one is good too", () => {
    expect(read(sign("whsec_old"))).toMatchObject({ ok: true });
  });

  it.each([
    ["by another secret", sign("whsec_other"), payload],
    ["for other bytes", sign("whsec_new"), payload.replace("1100", "9900")],
    ["of ten minutes ago", sign("whsec_new", now / 1000 - 600), payload],
    ["of a day ahead", sign("whsec_new", now / 1000 + 86_400), payload],
    ["that is missing", "", payload],
    ["that is nonsense", "t=now,v1=00", payload],
  ])("%s is refused", (_what, header, body) => {
    expect(read(header, body)).toEqual({ ok: false, why: "forged" });
  });
});

describe("the connection to Stripe", () => {
  it.each(["whsec_x", "pk_test_x", "SK_LIVE_x", "sk_org_live_x", "x"])(
    "refuses %s, which is no key",
    (key) => {
      expect(() => connectStripe({ stripe_key: key })).toThrow(/is no key of Stripe's/);
    },
  );

  it("needs a key, and knows a live one", () => {
    expect(() => connectStripe({})).toThrow(/stripe_key is not set/);
    expect(connectStripe({ stripe_key: "sk_live_x" }).livemode).toBe(true);
    expect(connectStripe({ stripe_key: "rk_live_x" }).livemode).toBe(true);
    expect(connectStripe({ stripe_key: "sk_test_x" }).livemode).toBe(false);
  });

  it("goes to a stand-in with test keys and on this machine only", () => {
    const local = "http://127.0.0.1:12111";
    expect(() => connectStripe({ stripe_key: "sk_live_x", stripe_api: local })).toThrow(/stripe_api/);
    expect(() => connectStripe({ stripe_key: "sk_test_x", stripe_api: "http://example.org" })).toThrow(
      /stripe_api/,
    );
    expect(() => connectStripe({ stripe_key: "sk_test_x", stripe_api: local })).not.toThrow();
  });
});
