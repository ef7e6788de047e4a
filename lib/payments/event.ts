/**
 * Stripe's events: kept as they came, each once, together with what we made of them, in one transaction.
 * Events come late, twice, and out of order; none of that changes the books.
 */
import type { WriteTx } from "../store/store.ts";
import { type CheckoutFacts, fulfilCheckout } from "./fulfil.ts";

export interface StripeEvent {
  readonly id: string;
  readonly type: string;
  readonly apiVersion: string;
  /** The bytes that were signed. */
  readonly raw: Uint8Array;
  /** What it says about a Checkout Session; undefined for other events and for other API versions. */
  readonly checkout: CheckoutFacts | undefined;
}

export interface EventResult {
  /** "known", "ignored", "other-version", what fulfilment answered, or "refused: ...". */
  readonly outcome: string;
  /** A person should look at it: money was told of that the books did not take. */
  readonly alarming: boolean;
}

const paying: readonly string[] = ["checkout.session.completed", "checkout.session.async_payment_succeeded"];

/** Takes one verified event. May be repeated. */
export async function takeEvent(tx: WriteTx, event: StripeEvent, apiVersion: string): Promise<EventResult> {
  const known = await tx.get("SELECT 1 AS one FROM stripe_event WHERE id = ?", [event.id]);
  if (known !== undefined) return { outcome: "known", alarming: false };
  const result = await judgeEvent(tx, event, apiVersion);
  await tx.run(
    "INSERT INTO stripe_event (id, type, api_version, raw, outcome, received_at) VALUES (?, ?, ?, ?, ?, ?)",
    [event.id, event.type, event.apiVersion, event.raw, result.outcome, tx.now],
  );
  return result;
}

async function judgeEvent(tx: WriteTx, event: StripeEvent, apiVersion: string): Promise<EventResult> {
  if (!paying.includes(event.type)) return { outcome: "ignored", alarming: false };
  // An event shaped by another API version is kept and reported, never guessed at and never dropped.
  if (event.apiVersion !== apiVersion || event.checkout === undefined)
    return { outcome: "other-version", alarming: true };
  const fulfilment = await fulfilCheckout(tx, event.checkout);
  if (fulfilment.ok) return { outcome: fulfilment.outcome, alarming: false };
  return { outcome: `refused: ${fulfilment.detail ?? fulfilment.why}`, alarming: true };
}
