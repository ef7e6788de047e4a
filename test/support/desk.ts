/**
 * The development stand-in for Stripe with a webhook that keeps what is delivered, and Stripe's official library
 * to ask it.
 */
import { createServer } from "node:http";
import Stripe from "stripe";
import { endServer, listen } from "../../dev/listen.ts";
import type { StandInBooks } from "../../dev/standin/books.ts";
import { startStripe } from "../../dev/stripe.ts";
import { systemClock } from "../../lib/util/clock.ts";

export const key = "sk_test_standin_0123456789abcdef";
export const webhookSecret = "whsec_0123456789abcdef0123456789abcdef";

export interface Delivery {
  readonly raw: Buffer;
  readonly signature: string;
}

export interface TestDesk {
  readonly url: string;
  readonly deliveries: readonly Delivery[];
  /** Statuses that the webhook answers next; 200 when there are none. */
  readonly statuses: number[];
  readonly said: readonly string[];
  /** Lets time pass for the stand-in. */
  readonly pass: (ms: number) => void;
  readonly connect: (withKey?: string) => Stripe;
  /** Presses a button on a session's page. */
  readonly press: (session: { readonly id: string }, outcome: string) => Promise<Response>;
  readonly books: StandInBooks;
  readonly end: () => Promise<void>;
}

export const wanted: Stripe.Checkout.SessionCreateParams = {
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

export async function openDesk(): Promise<TestDesk> {
  const deliveries: Delivery[] = [];
  const statuses: number[] = [];
  const said: string[] = [];
  let passedMs = 0;
  const webhook = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    deliveries.push({
      raw: Buffer.concat(chunks),
      signature: String(request.headers["stripe-signature"]),
    });
    response.writeHead(statuses.shift() ?? 200).end();
  });
  const standIn = await startStripe({
    port: 0,
    key,
    webhookSecret,
    webhookUrl: `http://127.0.0.1:${await listen(webhook, 0)}/hook`,
    clock: { now: () => systemClock.now() + passedMs },
    apiVersion: Stripe.API_VERSION,
    log: (line) => said.push(line),
    retryDelaysMs: [20, 30, 40],
    lateMs: 30,
  });
  const { hostname, port } = new URL(standIn.url);
  return {
    url: standIn.url,
    deliveries,
    statuses,
    said,
    pass: (ms) => {
      passedMs += ms;
    },
    connect: (withKey = key) =>
      new Stripe(withKey, { host: hostname, port, protocol: "http", maxNetworkRetries: 0 }),
    press: (session, outcome) =>
      fetch(`${standIn.url}/c/pay/${session.id}`, {
        method: "POST",
        body: new URLSearchParams({ outcome }),
        redirect: "manual",
      }),
    books: standIn.books,
    end: async () => {
      await standIn.close();
      await endServer(webhook);
    },
  };
}

export async function errorOf(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error;
    throw error;
  }
  throw new Error("the call was not refused");
}

export function provedEvent(delivery: Delivery | undefined): Stripe.Event {
  if (delivery === undefined) throw new Error("nothing was delivered");
  return Stripe.webhooks.constructEvent(delivery.raw, delivery.signature, webhookSecret);
}
