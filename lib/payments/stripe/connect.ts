/**
 * What the site asks of Stripe, as functions. Stripe's library is imported in this folder only, and everything that leaves it is
 * ours: orders, facts, failures.
 */
import Stripe from "stripe";
import { NeedsHuman, TryLater } from "../../util/failure.ts";
import { isLoopbackHttp, type Secrets } from "../../util/settings.ts";
import type { EventFacts, ObjectKind } from "../event.ts";
import type { ChargeFacts, CheckoutFacts, MovementFacts, RefundFacts } from "../facts.ts";
import { readCard, readCharge, readCheckout, readDispute, readMovement, readRefund } from "../objects.ts";
import { listAll } from "../pages.ts";
import { type ChargeRequest, createCharge, findCharge, forgetCustomer } from "./charge.ts";
import {
  type CardPageRequest,
  type CheckoutRequest,
  createCardPage,
  createCheckout,
  type StripePage,
} from "./checkout.ts";
import { createRefund, findRefund, type RefundRequest } from "./refund.ts";

export interface StripeDesk {
  readonly livemode: boolean;
  /** Makes the session of an order, or finds it again: the order's id is the idempotency key. */
  readonly create: (request: CheckoutRequest) => Promise<StripePage>;
  readonly createCardPage: (request: CardPageRequest) => Promise<StripePage>;
  readonly read: (session: string) => Promise<CheckoutFacts>;
  /** What Stripe says now of an object that an event told of. */
  readonly ask: (kind: ObjectKind, id: string) => Promise<EventFacts>;
  /** Charges a saved card; what its bank says is an answer. */
  readonly charge: (request: ChargeRequest) => Promise<ChargeFacts>;
  /** One that was begun here, if Stripe has it. */
  readonly findCharge: (
    request: Pick<ChargeRequest, "order" | "customer">,
  ) => Promise<ChargeFacts | undefined>;
  readonly forgetCustomer: (customer: string) => Promise<void>;
  readonly refund: (request: RefundRequest) => Promise<RefundFacts>;
  /** One that was begun here, if Stripe has it: keys are forgotten after a day, so it is looked for before it is asked again. */
  readonly findRefund: (request: RefundRequest) => Promise<RefundFacts | undefined>;
  /** Every movement of the money that Stripe holds for us since a time (milliseconds since 1970), newest first. */
  readonly movements: (sinceMs: number) => AsyncIterable<MovementFacts>;
  /** Every refund since a time, newest first. */
  readonly refunds: (sinceMs: number) => AsyncIterable<RefundFacts>;
  /** The session that paid with a payment intent: one, or none where it is not of this site. */
  readonly findCheckout: (paymentIntent: string) => Promise<CheckoutFacts | undefined>;
}

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
    create: (request) => translated(() => createCheckout(stripe, request)),
    createCardPage: (request) => translated(() => createCardPage(stripe, request)),
    read: (session) =>
      translated(async () => readCheckout(await stripe.checkout.sessions.retrieve(session), false)),
    ask: (kind, id) => translated(() => askFor(stripe, kind, id)),
    charge: (request) => translated(() => createCharge(stripe, request)),
    findCharge: (request) => translated(() => findCharge(stripe, request)),
    forgetCustomer: (customer) => translated(() => forgetCustomer(stripe, customer)),
    refund: (request) => translated(() => createRefund(stripe, request)),
    findRefund: (request) => translated(() => findRefund(stripe, request)),
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

async function askFor(stripe: Stripe, kind: ObjectKind, id: string): Promise<EventFacts> {
  switch (kind) {
    case "checkout": {
      // A card's digits are with the card, which only the session knows.
      const expand = ["setup_intent.payment_method"];
      const session = await stripe.checkout.sessions.retrieve(id, { expand });
      if (session.mode === "setup") return { kind: "card", facts: readCard(session) };
      return { kind, facts: readCheckout(session, false) };
    }
    case "charge":
      return { kind, facts: readCharge(await stripe.paymentIntents.retrieve(id)) };
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
