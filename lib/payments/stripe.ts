/**
 * Stripe's library, imported here only: making Checkout Sessions and refunds, reading what became of them, and proving
 * that an event was signed. Everything that leaves this file is ours: orders, facts, failures.
 */
import Stripe from "stripe";
import { toCents } from "../money/amount.ts";
import { assert, NeedsHuman, type Refusal, refuse, TryLater } from "../util/failure.ts";
import { isLoopbackHttp, type Secrets } from "../util/settings.ts";
import { type EventFacts, kindOf, type StripeEvent } from "./event.ts";
import {
  type CheckoutFacts,
  type DisputeObject,
  type MovementFacts,
  type RefundFacts,
  type RefundObject,
  readCheckout,
  readDispute,
  readMovement,
  readRefund,
  type SessionObject,
} from "./facts.ts";
import type { Order } from "./order.ts";
import { listAll } from "./pages.ts";

/** The API version that events must have; it is the library's own. */
export const stripeApiVersion: string = Stripe.API_VERSION;

export interface CheckoutRequest {
  readonly order: Order;
  readonly email: string;
  /** What Stripe's page shows: "Credit for NAME". */
  readonly description: string;
  readonly successUrl: string;
  readonly cancelUrl: string;
  /** Whether Stripe reckons tax and takes it besides. */
  readonly hasTax: boolean;
}

/** A refund that was written down here first; its id is the idempotency key. */
export interface RefundRequest {
  readonly id: string;
  readonly paymentIntent: string;
  readonly cents: number;
}

export interface StripeDesk {
  readonly livemode: boolean;
  /** Makes the session of an order, or finds it again: the order's id is the idempotency key. */
  readonly create: (request: CheckoutRequest) => Promise<{ readonly session: string; readonly url: string }>;
  readonly read: (session: string) => Promise<CheckoutFacts>;
  /** What Stripe says now of an object that an event told of. */
  readonly ask: (kind: EventFacts["kind"], id: string) => Promise<EventFacts>;
  readonly refund: (request: RefundRequest) => Promise<RefundFacts>;
  /** One that was begun here, if Stripe has it: keys are forgotten after a day, so it is looked for before it is asked again. */
  readonly findRefund: (request: RefundRequest) => Promise<RefundFacts | undefined>;
  /** Every movement of the money that Stripe holds for us since a time (milliseconds since 1970), newest first. */
  readonly movements: (sinceMs: number) => AsyncIterable<MovementFacts>;
  /** Every refund since a time, newest first. */
  readonly refunds: (sinceMs: number) => AsyncIterable<RefundFacts>;
  /** The sessions that paid with a payment intent: one, or none where it is not of this site. */
  readonly findCheckout: (paymentIntent: string) => Promise<CheckoutFacts | undefined>;
}

// Stripe takes 30 minutes to 24 hours. Counted from the order, so that a repeated call says the same.
const checkoutLifeSeconds = 3600;
// Stripe's own tolerance for old signatures; the library does not look at signatures from the future.
const toleranceSeconds = 300;

/** @throws NeedsHuman if there is no key, or stripe_api is set for anything but tests on this machine */
export function connectStripe(secrets: Secrets): StripeDesk {
  const key = secrets.stripe_key;
  if (key === undefined) throw new NeedsHuman("stripe_key is not set in the secrets file; payments need it");
  const mode = /^(?:sk|rk)_(test|live)_/.exec(key)?.[1];
  if (mode === undefined)
    throw new NeedsHuman(
      "stripe_key in the secrets file is no key of Stripe's; they begin with sk_test_, sk_live_, rk_test_, or rk_live_",
    );
  const livemode = mode === "live";
  const stripe = new Stripe(key, { ...standIn(secrets, livemode), maxNetworkRetries: 2, timeout: 15_000 });
  return {
    livemode,
    create: (request) => translated(() => createSession(stripe, request)),
    read: (session) =>
      translated(async () => readCheckout(await stripe.checkout.sessions.retrieve(session), false)),
    ask: (kind, id) => translated(() => askFor(stripe, kind, id)),
    refund: (request) => translated(() => createRefund(stripe, request)),
    findRefund: ({ id, paymentIntent: payment_intent }) =>
      translated(async () => {
        const { data } = await stripe.refunds.list({ payment_intent, limit: 100 });
        const refund = data.find((one) => one.metadata?.refund === id);
        return refund === undefined ? undefined : readRefund(refund);
      }),
    movements: (sinceMs) =>
      listAll(sinceMs, readMovement, (page) =>
        translated(async () => stripe.balanceTransactions.list({ ...page, expand: ["data.source"] })),
      ),
    refunds: (sinceMs) =>
      listAll(sinceMs, readRefund, (page) => translated(async () => stripe.refunds.list(page))),
    findCheckout: (payment_intent) =>
      translated(async () => {
        const { data } = await stripe.checkout.sessions.list({ payment_intent, limit: 1 });
        return data[0] === undefined ? undefined : readCheckout(data[0], false);
      }),
  };
}

/**
 * Proves the signature of a webhook's body and reads the event. Both secrets are tried, so that one can be
 * replaced without losing an event.
 */
export function readSignedEvent(
  raw: Uint8Array,
  signature: string,
  webhookSecrets: readonly string[],
  now: number,
): { readonly ok: true; readonly event: StripeEvent } | Refusal<"forged" | "no-event"> {
  const signedAt = Number(/(?:^|,)t=(\d+)/.exec(signature)?.[1] ?? "NaN");
  if (!(signedAt <= now / 1000 + toleranceSeconds)) return refuse("forged");
  for (const secret of webhookSecrets) {
    let event: Stripe.Event;
    try {
      const body = Buffer.from(raw);
      event = Stripe.webhooks.constructEvent(body, signature, secret, toleranceSeconds, undefined, now);
    } catch (error) {
      if (error instanceof Stripe.errors.StripeSignatureVerificationError) continue;
      // The library says of all else that this is no event of the kind it reads.
      return refuse("no-event");
    }
    // Signed, but none of the events that this site asked for (docs/accounts.html names them).
    if (event?.object !== "event" || event.data?.object === undefined) return refuse("no-event");
    return { ok: true, event: ownEvent(event, raw) };
  }
  return refuse("forged");
}

function ownEvent(event: Stripe.Event, raw: Uint8Array): StripeEvent {
  const { id, type } = event;
  const kind = kindOf(type);
  const object = event.data.object as { readonly id?: string };
  const objectId = kind === undefined ? "" : (object.id ?? "");
  // Another version's object may have other names for the same things: only its id is taken from it.
  const isOurs = kind !== undefined && event.api_version === stripeApiVersion;
  const told = isOurs ? readObject(kind, object, type.endsWith("async_payment_failed")) : undefined;
  return { id, type, apiVersion: event.api_version ?? "", raw, objectId, told };
}

function readObject(kind: EventFacts["kind"], object: unknown, failed: boolean): EventFacts {
  switch (kind) {
    case "checkout":
      return { kind, facts: readCheckout(object as SessionObject, failed) };
    case "refund":
      return { kind, facts: readRefund(object as RefundObject) };
    case "dispute":
      return { kind, facts: readDispute(object as DisputeObject) };
  }
}

async function askFor(stripe: Stripe, kind: EventFacts["kind"], id: string): Promise<EventFacts> {
  switch (kind) {
    case "checkout":
      return { kind, facts: readCheckout(await stripe.checkout.sessions.retrieve(id), false) };
    case "refund":
      return { kind, facts: readRefund(await stripe.refunds.retrieve(id)) };
    case "dispute":
      return { kind, facts: readDispute(await stripe.disputes.retrieve(id)) };
  }
}

/** Only the development stand-in has an address of its own, and only test keys may go there. */
function standIn(secrets: Secrets, livemode: boolean): Stripe.StripeConfig {
  const address = secrets.stripe_api;
  if (address === undefined) return {};
  if (livemode || !isLoopbackHttp(address))
    throw new NeedsHuman(
      "stripe_api may be set for a test key and this machine only; take it out of the secrets file",
    );
  const { hostname, port } = new URL(address);
  return { protocol: "http", host: hostname, port };
}

async function createSession(
  stripe: Stripe,
  request: CheckoutRequest,
): Promise<{ session: string; url: string }> {
  const { order } = request;
  const cents = toCents(order.amount);
  assert(cents !== undefined && cents > 0, `order ${order.id} is over whole cents`);
  const metadata = { order: order.id };
  const session = await stripe.checkout.sessions.create(
    {
      mode: "payment",
      client_reference_id: order.id,
      metadata,
      payment_intent_data: { metadata },
      customer_email: request.email,
      line_items: [
        {
          quantity: 1,
          price_data: {
            currency: "usd",
            unit_amount: cents,
            product_data: { name: request.description },
            ...(request.hasTax ? { tax_behavior: "exclusive" as const } : {}),
          },
        },
      ],
      success_url: request.successUrl,
      cancel_url: request.cancelUrl,
      ...(request.hasTax ? { automatic_tax: { enabled: true } } : {}),
      expires_at: Math.floor(order.createdAt / 1000) + checkoutLifeSeconds,
    },
    { idempotencyKey: order.id },
  );
  if (session.url === null) throw new TryLater(`Stripe made no page for order ${order.id}; try again`);
  return { session: session.id, url: session.url };
}

async function createRefund(stripe: Stripe, request: RefundRequest): Promise<RefundFacts> {
  const { id, paymentIntent, cents } = request;
  const refund = { payment_intent: paymentIntent, amount: cents, metadata: { refund: id } };
  return readRefund(await stripe.refunds.create(refund, { idempotencyKey: id }));
}

/** Stripe's errors as ours: what may pass by itself, and what a person must mend. */
async function translated<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (cause) {
    if (
      cause instanceof Stripe.errors.StripeConnectionError ||
      cause instanceof Stripe.errors.StripeRateLimitError
    )
      throw new TryLater("Stripe cannot be reached; try again", { cause });
    if (cause instanceof Stripe.errors.StripeAPIError)
      throw new TryLater("Stripe has a fault; try again", { cause });
    if (cause instanceof Stripe.errors.StripeError)
      throw new NeedsHuman(`Stripe refused the call: ${cause.message}`, { cause });
    throw cause;
  }
}
