// Goal of this test: the development stand-in answers Stripe's official library as Stripe does, within what the
// site uses, and the events that it sends are proved by that library. The site's own Stripe code runs against it.
import { createHmac } from "node:crypto";
import { createServer, get, type Server } from "node:http";
import Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { endServer, listen } from "../dev/listen.ts";
import { type StandIn, startStripe } from "../dev/stripe.ts";
import type { AccountId } from "../lib/accounts/account.ts";
import { parseDollars } from "../lib/money/amount.ts";
import { connectStripe, readSignedEvent, stripeApiVersion } from "../lib/payments/stripe.ts";
import { systemClock } from "../lib/util/clock.ts";

const key = "sk_test_standin_0123456789abcdef";
const webhookSecret = "whsec_0123456789abcdef0123456789abcdef";

interface Delivery {
  readonly raw: Buffer;
  readonly signature: string;
}

let standIn: StandIn;
let webhook: Server;
let webhookUrl: string;
let deliveries: Delivery[];
/** Statuses that the webhook answers next; 200 when there are none. */
let statuses: number[];
let said: string[];
let nowOffsetMs: number;

beforeEach(async () => {
  deliveries = [];
  statuses = [];
  said = [];
  nowOffsetMs = 0;
  webhook = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    deliveries.push({
      raw: Buffer.concat(chunks),
      signature: String(request.headers["stripe-signature"]),
    });
    response.writeHead(statuses.shift() ?? 200).end();
  });
  webhookUrl = `http://127.0.0.1:${await listen(webhook, 0)}/hook`;
  standIn = await startStripe({
    port: 0,
    key,
    webhookSecret,
    webhookUrl,
    clock: { now: () => systemClock.now() + nowOffsetMs },
    apiVersion: Stripe.API_VERSION,
    log: (line) => said.push(line),
    retryDelaysMs: [20, 30, 40],
    lateMs: 30,
  });
});

afterEach(async () => {
  await standIn.close();
  await endServer(webhook);
});

function connect(withKey = key): Stripe {
  const { hostname, port } = new URL(standIn.url);
  return new Stripe(withKey, { host: hostname, port, protocol: "http", maxNetworkRetries: 0 });
}

const wanted: Stripe.Checkout.SessionCreateParams = {
  mode: "payment",
  client_reference_id: "order_1",
  metadata: { order: "order_1" },
  payment_intent_data: { metadata: { order: "order_1" } },
  customer_email: "ada@example.org",
  line_items: [
    {
      quantity: 2,
      price_data: {
        currency: "usd",
        unit_amount: 550,
        product_data: { name: 'Credit for <Demo> & "Co"' },
      },
    },
  ],
  success_url: "http://127.0.0.1:8080/account/pay.cgi?order=order_1&session={CHECKOUT_SESSION_ID}",
  cancel_url: "http://127.0.0.1:8080/account/account.cgi",
};

function press(session: { readonly id: string }, outcome: string): Promise<Response> {
  return fetch(`${standIn.url}/c/pay/${session.id}`, {
    method: "POST",
    body: new URLSearchParams({ outcome }),
    redirect: "manual",
  });
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = systemClock.now() + 5000;
  while (!holds()) {
    if (systemClock.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function errorOf(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error;
    throw error;
  }
  throw new Error("the call was not refused");
}

function provedEvent(delivery: Delivery | undefined): Stripe.Event {
  if (delivery === undefined) throw new Error("nothing was delivered");
  return Stripe.webhooks.constructEvent(delivery.raw, delivery.signature, webhookSecret);
}

describe("the API", () => {
  it("makes a session, open and unpaid, and finds it again", async () => {
    const stripe = connect();
    const session = await stripe.checkout.sessions.create(wanted);
    expect(session).toMatchObject({
      object: "checkout.session",
      mode: "payment",
      amount_total: 1100,
      amount_subtotal: 1100,
      total_details: { amount_tax: 0 },
      currency: "usd",
      client_reference_id: "order_1",
      metadata: { order: "order_1" },
      customer_email: "ada@example.org",
      payment_intent: null,
      payment_status: "unpaid",
      status: "open",
      livemode: false,
      ui_mode: "hosted_page",
      url: `${standIn.url}/c/pay/${session.id}`,
    });
    expect(session.id).toMatch(/^cs_test_[a-z0-9]{50,}$/);
    expect(session.expires_at - session.created).toBe(86_400);
    expect(session.lastResponse.requestId).toMatch(/^req_/);
    expect(session.lastResponse.apiVersion).toBe(Stripe.API_VERSION);
    const again = await stripe.checkout.sessions.retrieve(session.id);
    expect({ ...again }).toEqual({ ...session });
  });

  it("lists sessions newest first, page by page", async () => {
    const stripe = connect();
    const made: string[] = [];
    for (const order of ["order_1", "order_2", "order_3"])
      made.unshift((await stripe.checkout.sessions.create({ ...wanted, client_reference_id: order })).id);
    const first = await stripe.checkout.sessions.list({ limit: 2 });
    expect(first.data.map((session) => session.id)).toEqual(made.slice(0, 2));
    expect(first.has_more).toBe(true);
    const all: string[] = [];
    for await (const session of stripe.checkout.sessions.list({ limit: 1 })) all.push(session.id);
    expect(all).toEqual(made);
  });

  it.each([
    ["another key", "sk_test_other_key_aaaa", "Invalid API Key provided: sk_test_****aaaa"],
    ["a live key", "sk_live_standin_0123456789abcdef", "Invalid API Key provided: sk_live_****cdef"],
  ])("refuses %s", async (_name, other, message) => {
    const error = await errorOf(connect(other).checkout.sessions.create(wanted));
    expect(error).toBeInstanceOf(Stripe.errors.StripeAuthenticationError);
    expect(error).toMatchObject({ statusCode: 401, message });
  });

  it("takes the key by basic authentication, and refuses a request without one", async () => {
    const basic = Buffer.from(`${key}:`).toString("base64");
    const url = `${standIn.url}/v1/events`;
    expect((await fetch(url, { headers: { Authorization: `Basic ${basic}` } })).status).toBe(200);
    const bare = await fetch(url);
    expect(bare.status).toBe(401);
    expect(await bare.text()).toContain("You did not provide an API key");
  });

  it.each<[string, Partial<Stripe.Checkout.SessionCreateParams>, string, string]>([
    ["another mode", { mode: "subscription" }, "mode", "parameter_missing"],
    ["no items", { line_items: [] }, "line_items", "parameter_missing"],
    ["no way back", { success_url: "" }, "success_url", "url_invalid"],
    ["a way back that is no URL", { success_url: "/account/" }, "success_url", "url_invalid"],
    ["a parameter that it does not know", { locale: "de" }, "locale", "parameter_unknown"],
    ["a life of a minute", { expires_at: 1_800_000_000 }, "expires_at", "parameter_invalid"],
  ])("refuses %s", async (_name, change, param, code) => {
    const error = await errorOf(connect().checkout.sessions.create({ ...wanted, ...change }));
    expect(error).toBeInstanceOf(Stripe.errors.StripeInvalidRequestError);
    expect(error).toMatchObject({ statusCode: 400, param, code });
  });

  it.each([
    ["another currency", { currency: "eur" }, "line_items[0][price_data][currency]", "parameter_invalid"],
    [
      "half a cent",
      { unit_amount: 10.5 },
      "line_items[0][price_data][unit_amount]",
      "parameter_invalid_integer",
    ],
    ["less than 50 cents", { unit_amount: 49 }, "line_items", "amount_too_small"],
  ])("refuses %s", async (_name, change, param, code) => {
    const price = { currency: "usd", unit_amount: 1000, product_data: { name: "Credit" }, ...change };
    const line_items = [{ quantity: 1, price_data: price }];
    const error = await errorOf(connect().checkout.sessions.create({ ...wanted, line_items }));
    expect(error).toMatchObject({ statusCode: 400, param, code });
  });

  it("says so when it does not know an object or an address", async () => {
    const stripe = connect();
    const calls = [
      stripe.checkout.sessions.retrieve("cs_test_x"),
      stripe.paymentIntents.retrieve("pi_x"),
      stripe.events.retrieve("evt_x"),
    ];
    const errors = await Promise.all(calls.map((call) => errorOf(call)));
    expect(errors.map((error) => [error.statusCode, error.code, error.message])).toEqual([
      [404, "resource_missing", "No such checkout.session: 'cs_test_x'"],
      [404, "resource_missing", "No such payment_intent: 'pi_x'"],
      [404, "resource_missing", "No such event: 'evt_x'"],
    ]);
    const error = await errorOf(stripe.customers.list());
    expect(error.message).toMatch(/^Unrecognized request URL \(GET: \/v1\/customers\)/);
  });

  it("refuses to be asked under another host name", async () => {
    const { port } = new URL(standIn.url);
    const asked = { host: "127.0.0.1", port, path: "/v1/events", headers: { Host: "evil.example" } };
    const status = await new Promise((resolve, reject) => {
      get(asked, (response) => resolve(response.resume().statusCode)).on("error", reject);
    });
    expect(status).toBe(421);
  });
});

describe("an idempotency key", () => {
  it("brings the first answer again, even after it was paid", async () => {
    const stripe = connect();
    const first = await stripe.checkout.sessions.create(wanted, { idempotencyKey: "order_1" });
    await press(first, "pay");
    const second = await stripe.checkout.sessions.create(wanted, { idempotencyKey: "order_1" });
    expect({ ...second }).toEqual({ ...first });
    expect(second.lastResponse.headers["idempotent-replayed"]).toBe("true");
    expect(first.lastResponse.headers["idempotent-replayed"]).toBeUndefined();
    expect((await stripe.checkout.sessions.list()).data).toHaveLength(1);
  });

  it("is refused with other parameters", async () => {
    const stripe = connect();
    await stripe.checkout.sessions.create(wanted, { idempotencyKey: "order_1" });
    const other = { ...wanted, client_reference_id: "order_2" };
    const error = await errorOf(stripe.checkout.sessions.create(other, { idempotencyKey: "order_1" }));
    expect(error).toBeInstanceOf(Stripe.errors.StripeIdempotencyError);
    expect(error.statusCode).toBe(400);
  });

  it("stays free when the call was refused", async () => {
    const stripe = connect();
    await errorOf(stripe.checkout.sessions.create({ ...wanted, line_items: [] }, { idempotencyKey: "k" }));
    const session = await stripe.checkout.sessions.create(wanted, { idempotencyKey: "k" });
    expect(session.status).toBe("open");
  });
});

describe("the checkout page", () => {
  it("shows what is bought, escaped, and that it is a stand-in", async () => {
    const session = await connect().checkout.sessions.create(wanted);
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
    const stripe = connect();
    const session = await stripe.checkout.sessions.create(wanted);
    const response = await press(session, "pay");
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe(
      `http://127.0.0.1:8080/account/pay.cgi?order=order_1&session=${session.id}`,
    );
    expect(deliveries).toHaveLength(1);
    const event = provedEvent(deliveries[0]);
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
    const session = await connect().checkout.sessions.create(wanted);
    const answers = await Promise.all([press(session, "pay"), press(session, "pay"), press(session, "late")]);
    expect(answers.map((response) => response.status).sort()).toEqual([200, 200, 303]);
    expect(deliveries).toHaveLength(1);
  });

  it("tells late of a delayed method", async () => {
    const stripe = connect();
    const session = await stripe.checkout.sessions.create(wanted);
    expect((await press(session, "late")).status).toBe(303);
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
      status: "complete",
      payment_status: "unpaid",
    });
    await until("the second event came", () => deliveries.length === 2);
    const events = deliveries.map((delivery) => provedEvent(delivery));
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
    const stripe = connect();
    const session = await stripe.checkout.sessions.create(wanted);
    const declined = await press(session, "decline");
    expect(declined.status).toBe(402);
    expect(await declined.text()).toContain("Your card was declined.");
    const cancelled = await press(session, "cancel");
    expect(cancelled.headers.get("location")).toBe("http://127.0.0.1:8080/account/account.cgi");
    expect((await press(session, "bribe")).status).toBe(400);
    expect((await stripe.checkout.sessions.retrieve(session.id)).status).toBe("open");
    expect(deliveries).toEqual([]);
  });

  it("is closed once the session has expired, by a call or by its time", async () => {
    const stripe = connect();
    const byCall = await stripe.checkout.sessions.create(wanted);
    const byTime = await stripe.checkout.sessions.create(wanted);
    expect((await stripe.checkout.sessions.expire(byCall.id)).status).toBe("expired");
    nowOffsetMs = 86_401_000;
    for (const session of [byCall, byTime]) {
      const response = await press(session, "pay");
      expect(await response.text()).toContain("no longer valid");
      expect((await stripe.checkout.sessions.retrieve(session.id)).status).toBe("expired");
    }
    expect((await errorOf(stripe.checkout.sessions.expire(byTime.id))).message).toContain(
      'status of "expired"',
    );
    await until("both were told of", () => deliveries.length === 2);
  });
});

describe("delivery of an event", () => {
  it("is tried again with a fresh signature until it is taken", async () => {
    statuses = [500, 302, 200];
    const session = await connect().checkout.sessions.create(wanted);
    await press(session, "pay");
    await until("it was taken", () => said.some((line) => line.endsWith("was taken")));
    expect(deliveries).toHaveLength(3);
    const ids = deliveries.map((delivery) => provedEvent(delivery).id);
    expect(new Set(ids).size).toBe(1);
    expect(said[0]).toContain("answered 500");
    expect(said[1]).toContain("answered 302");
  });

  it("is given up after the last try, and that is said", async () => {
    statuses = [500, 500, 500, 500, 200];
    const session = await connect().checkout.sessions.create(wanted);
    await press(session, "pay");
    await until("it was given up", () => said.some((line) => line.endsWith("given up")));
    expect(deliveries).toHaveLength(4);
  });

  it("is signed as the documentation says", async () => {
    const session = await connect().checkout.sessions.create(wanted);
    await press(session, "pay");
    const [delivery] = deliveries;
    const time = /^t=(\d+),v1=[0-9a-f]{64}$/.exec(delivery?.signature ?? "")?.[1];
    const proof = createHmac("sha256", webhookSecret).update(`${time}.${delivery?.raw}`).digest("hex");
    expect(delivery?.signature).toBe(`t=${time},v1=${proof}`);
  });
});

describe("the site's own Stripe code", () => {
  it("makes a session, reads what was paid, and proves the event", async () => {
    const amount = parseDollars("10");
    if (amount === undefined) throw new Error("10 is an amount");
    const checkouts = connectStripe({ stripe_key: key, stripe_api: standIn.url });
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
    };
    const { session, url } = await checkouts.create(request);
    expect(await checkouts.create(request)).toEqual({ session, url });
    expect(await checkouts.read(session)).toMatchObject({ paid: false, paymentIntent: "", netCents: 1000 });
    await press({ id: session }, "pay");
    const facts = await checkouts.read(session);
    expect(facts).toMatchObject({ orderId: "order_abc", paid: true, netCents: 1000, livemode: false });
    const [delivery] = deliveries;
    if (delivery === undefined) throw new Error("nothing was delivered");
    const read = readSignedEvent(delivery.raw, delivery.signature, [webhookSecret], systemClock.now());
    expect(read).toMatchObject({ ok: true, event: { apiVersion: stripeApiVersion, checkout: facts } });
  });
});
