// Goal of this test: the development stand-in's API answers Stripe's official library as Stripe does, within what
// the site uses.
import { get } from "node:http";
import Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorOf, key, openDesk, type TestDesk, wanted } from "./support/desk.ts";

let desk: TestDesk;
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk.end());

describe("the API", () => {
  it("makes a session, open and unpaid, and finds it again", async () => {
    const stripe = desk.connect();
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
      url: `${desk.url}/c/pay/${session.id}`,
    });
    expect(session.id).toMatch(/^cs_test_[a-z0-9]{50,}$/);
    expect(session.expires_at - session.created).toBe(86_400);
    expect(session.lastResponse.requestId).toMatch(/^req_/);
    expect(session.lastResponse.apiVersion).toBe(Stripe.API_VERSION);
    const again = await stripe.checkout.sessions.retrieve(session.id);
    expect({ ...again }).toEqual({ ...session });
  });

  it("lists sessions newest first, page by page", async () => {
    const stripe = desk.connect();
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
    const error = await errorOf(desk.connect(other).checkout.sessions.create(wanted));
    expect(error).toBeInstanceOf(Stripe.errors.StripeAuthenticationError);
    expect(error).toMatchObject({ statusCode: 401, message });
  });

  it("takes the key by basic authentication, and refuses a request without one", async () => {
    const basic = Buffer.from(`${key}:`).toString("base64");
    const url = `${desk.url}/v1/events`;
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
    const error = await errorOf(desk.connect().checkout.sessions.create({ ...wanted, ...change }));
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
    const error = await errorOf(desk.connect().checkout.sessions.create({ ...wanted, line_items }));
    expect(error).toMatchObject({ statusCode: 400, param, code });
  });

  it("says so when it does not know an object or an address", async () => {
    const stripe = desk.connect();
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
    const { port } = new URL(desk.url);
    const asked = { host: "127.0.0.1", port, path: "/v1/events", headers: { Host: "evil.example" } };
    const status = await new Promise((resolve, reject) => {
      get(asked, (response) => resolve(response.resume().statusCode)).on("error", reject);
    });
    expect(status).toBe(421);
  });
});

describe("an idempotency key", () => {
  it("brings the first answer again, even after it was paid", async () => {
    const stripe = desk.connect();
    const first = await stripe.checkout.sessions.create(wanted, { idempotencyKey: "order_1" });
    await desk.press(first, "pay");
    const second = await stripe.checkout.sessions.create(wanted, { idempotencyKey: "order_1" });
    expect({ ...second }).toEqual({ ...first });
    expect(second.lastResponse.headers["idempotent-replayed"]).toBe("true");
    expect(first.lastResponse.headers["idempotent-replayed"]).toBeUndefined();
    expect((await stripe.checkout.sessions.list()).data).toHaveLength(1);
  });

  it("is refused with other parameters", async () => {
    const stripe = desk.connect();
    await stripe.checkout.sessions.create(wanted, { idempotencyKey: "order_1" });
    const other = { ...wanted, client_reference_id: "order_2" };
    const error = await errorOf(stripe.checkout.sessions.create(other, { idempotencyKey: "order_1" }));
    expect(error).toBeInstanceOf(Stripe.errors.StripeIdempotencyError);
    expect(error.statusCode).toBe(400);
  });

  it("stays free when the call was refused", async () => {
    const stripe = desk.connect();
    await errorOf(stripe.checkout.sessions.create({ ...wanted, line_items: [] }, { idempotencyKey: "k" }));
    const session = await stripe.checkout.sessions.create(wanted, { idempotencyKey: "k" });
    expect(session.status).toBe("open");
  });
});
