// Goal of this test: the stand-in's checkout page pays, declines, and tells late as Stripe's does; its events are
// signed, repeated until they are taken, and proved by the site's own Stripe code, which runs against it here.
import { createHmac } from "node:crypto";
import Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../lib/accounts/account.ts";
import { parseDollars } from "../lib/money/amount.ts";
import { connectStripe } from "../lib/payments/stripe/connect.ts";
import { readSignedEvent, stripeApiVersion } from "../lib/payments/stripe/signed.ts";
import { systemClock } from "../lib/util/clock.ts";
import { errorOf, key, openDesk, provedEvent, type TestDesk, wanted, webhookSecret } from "./support/desk.ts";
import { until } from "./support/release.ts";

let desk: TestDesk;
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk.end());

describe("the checkout page", () => {
  it("shows what is bought, escaped, and that it is a stand-in", async () => {
    const session = await desk.connect().checkout.sessions.create(wanted);
    const response = await fetch(session.url ?? "");
    const html = await response.text();
    expect(html).toContain("Development stand-in for Stripe: no money moves.");
    expect(html).toContain("2 × Credit for &lt;Demo&gt; &amp; &quot;Co&quot;");
    expect(html).toContain("$11.00");
    expect(html).not.toContain("<script");
    expect(response.headers.get("content-security-policy")).toContain(
      "form-action 'self' http://127.0.0.1:8080;",
    );
    expect(html.match(/value="(?:pay|late|decline|cancel)"/g)).toHaveLength(4);
  });

  it("pays: the event comes first, then the way back", async () => {
    const stripe = desk.connect();
    const session = await stripe.checkout.sessions.create(wanted);
    const response = await desk.press(session, "pay");
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe(
      `http://127.0.0.1:8080/account/pay.cgi?order=order_1&session=${session.id}`,
    );
    expect(desk.deliveries).toHaveLength(1);
    const event = provedEvent(desk.deliveries[0]);
    expect(event).toMatchObject({
      object: "event",
      type: "checkout.session.completed",
      api_version: Stripe.API_VERSION,
      livemode: false,
      data: { object: { id: session.id, status: "complete", payment_status: "paid", url: null } },
    });
    const paid = await stripe.checkout.sessions.retrieve(session.id, { expand: ["payment_intent"] });
    expect(paid.payment_intent).toMatchObject({
      object: "payment_intent",
      status: "succeeded",
      amount_received: 1100,
      metadata: { order: "order_1" },
    });
    expect((await stripe.events.list()).data.map(({ id }) => id)).toEqual([event.id]);
    expect(await stripe.events.retrieve(event.id)).toMatchObject({ type: event.type });
  });

  it("pays once, however often it is pressed", async () => {
    const session = await desk.connect().checkout.sessions.create(wanted);
    const answers = await Promise.all([
      desk.press(session, "pay"),
      desk.press(session, "pay"),
      desk.press(session, "late"),
    ]);
    expect(answers.map((response) => response.status).sort()).toEqual([200, 200, 303]);
    expect(desk.deliveries).toHaveLength(1);
  });

  it("tells late of a delayed method", async () => {
    const stripe = desk.connect();
    const session = await stripe.checkout.sessions.create(wanted);
    expect((await desk.press(session, "late")).status).toBe(303);
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
      status: "complete",
      payment_status: "unpaid",
    });
    await until("the second event came", () => desk.deliveries.length === 2);
    const events = desk.deliveries.map((delivery) => provedEvent(delivery));
    expect(events.map((event) => event.type)).toEqual([
      "checkout.session.completed",
      "checkout.session.async_payment_succeeded",
    ]);
    expect(events.map((event) => (event.data.object as Stripe.Checkout.Session).payment_status)).toEqual([
      "unpaid",
      "paid",
    ]);
  });

  it("declines, cancels, and takes no other answer; the session stays open", async () => {
    const stripe = desk.connect();
    const session = await stripe.checkout.sessions.create(wanted);
    const declined = await desk.press(session, "decline");
    expect(declined.status).toBe(402);
    expect(await declined.text()).toContain("Your card was declined.");
    const cancelled = await desk.press(session, "cancel");
    expect(cancelled.headers.get("location")).toBe("http://127.0.0.1:8080/account/account.cgi");
    expect((await desk.press(session, "bribe")).status).toBe(400);
    expect((await stripe.checkout.sessions.retrieve(session.id)).status).toBe("open");
    expect(desk.deliveries).toEqual([]);
  });

  it("is closed once the session has expired, by a call or by its time", async () => {
    const stripe = desk.connect();
    const byCall = await stripe.checkout.sessions.create(wanted);
    const byTime = await stripe.checkout.sessions.create(wanted);
    expect((await stripe.checkout.sessions.expire(byCall.id)).status).toBe("expired");
    desk.pass(86_401_000);
    for (const session of [byCall, byTime]) {
      const response = await desk.press(session, "pay");
      expect(await response.text()).toContain("no longer valid");
      expect((await stripe.checkout.sessions.retrieve(session.id)).status).toBe("expired");
    }
    expect((await errorOf(stripe.checkout.sessions.expire(byTime.id))).message).toContain(
      'status of "expired"',
    );
    await until("both were told of", () => desk.deliveries.length === 2);
  });
});

describe("delivery of an event", () => {
  it("is tried again with a fresh signature until it is taken", async () => {
    desk.statuses.push(500, 302, 200);
    const session = await desk.connect().checkout.sessions.create(wanted);
    await desk.press(session, "pay");
    await until("it was taken", () => desk.said.some((line) => line.endsWith("was taken")));
    expect(desk.deliveries).toHaveLength(3);
    const ids = desk.deliveries.map((delivery) => provedEvent(delivery).id);
    expect(new Set(ids).size).toBe(1);
    expect(desk.said[0]).toContain("answered 500");
    expect(desk.said[1]).toContain("answered 302");
  });

  it("is given up after the last try, and that is said", async () => {
    desk.statuses.push(500, 500, 500, 500, 200);
    const session = await desk.connect().checkout.sessions.create(wanted);
    await desk.press(session, "pay");
    await until("it was given up", () => desk.said.some((line) => line.endsWith("given up")));
    expect(desk.deliveries).toHaveLength(4);
  });

  it("is signed as the documentation says", async () => {
    const session = await desk.connect().checkout.sessions.create(wanted);
    await desk.press(session, "pay");
    const [delivery] = desk.deliveries;
    const time = /^t=(\d+),v1=[0-9a-f]{64}$/.exec(delivery?.signature ?? "")?.[1];
    const proof = createHmac("sha256", webhookSecret).update(`${time}.${delivery?.raw}`).digest("hex");
    expect(delivery?.signature).toBe(`t=${time},v1=${proof}`);
  });
});

describe("the site's own Stripe code", () => {
  it("makes a session, reads what was paid, and proves the event", async () => {
    const amount = parseDollars("10");
    if (amount === undefined) throw new Error("10 is an amount");
    const checkouts = connectStripe({ stripe_key: key, stripe_api: desk.url });
    const order = {
      id: "order_abc",
      account: "acct_abc" as AccountId,
      amount,
      livemode: false,
      createdAt: systemClock.now(),
    };
    const request = {
      order,
      email: "ada@example.org",
      description: "Credit for Demo",
      successUrl: "http://127.0.0.1:8080/account/pay.cgi?order=order_abc",
      cancelUrl: "http://127.0.0.1:8080/account/account.cgi",
      hasTax: false,
    };
    const { session, url } = await checkouts.create(request);
    expect(await checkouts.create(request)).toEqual({ session, url });
    expect(await checkouts.read(session)).toMatchObject({ paid: false, paymentIntent: "", netCents: 1000 });
    await desk.press({ id: session }, "pay");
    const facts = await checkouts.read(session);
    expect(facts).toMatchObject({ orderId: "order_abc", paid: true, netCents: 1000, livemode: false });
    const [delivery] = desk.deliveries;
    if (delivery === undefined) throw new Error("nothing was delivered");
    const read = readSignedEvent(delivery.raw, delivery.signature, [webhookSecret], systemClock.now());
    expect(read).toMatchObject({
      ok: true,
      event: { apiVersion: stripeApiVersion, told: { kind: "checkout", facts } },
    });
  });
});
