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
  /** Id of the Checkout Session that it is about, "" for other events. */
  readonly session: string;
  /** What it says about that session, or Stripe said when asked; undefined where neither could be read. */
  readonly checkout: CheckoutFacts | undefined;
}

export interface EventResult {
  /** "known", "ignored", "other-version", what fulfilment answered, or "refused: ...". */
  readonly outcome: string;
  /** A person should look at it: money was told of that the books did not take. */
  readonly alarming: boolean;
}

const paying: readonly string[] = ["checkout.session.completed", "checkout.session.async_payment_succeeded"];

/** True for events that tell of money, which must not be passed over. */
export function isPaying(event: Pick<StripeEvent, "type">): boolean {
  return paying.includes(event.type);
}

/**
 * Takes one verified event. May be repeated: one that was refused before is judged again, since the reason may be
 * gone (an order restored from a backup); what was credited is credited once by the transfer's id.
 */
export async function takeEvent(tx: WriteTx, event: StripeEvent): Promise<EventResult> {
  const known = await tx.get<{ outcome: string }>("SELECT outcome FROM stripe_event WHERE id = ?", [
    event.id,
  ]);
  if (known !== undefined && !/^(?:refused: |other-version$)/.test(known.outcome))
    return { outcome: "known", alarming: false };
  const result = await judgeEvent(tx, event);
  if (known === undefined)
    await tx.run(
      "INSERT INTO stripe_event (id, type, api_version, raw, outcome, received_at) VALUES (?, ?, ?, ?, ?, ?)",
      [event.id, event.type, event.apiVersion, event.raw, result.outcome, tx.now],
    );
  return result;
}

async function judgeEvent(tx: WriteTx, event: StripeEvent): Promise<EventResult> {
  if (!isPaying(event)) return { outcome: "ignored", alarming: false };
  // An event shaped by another API version is kept and reported, never guessed at and never dropped.
  if (event.checkout === undefined) return { outcome: "other-version", alarming: true };
  const fulfilment = await fulfilCheckout(tx, event.checkout);
  if (fulfilment.ok) return { outcome: fulfilment.outcome, alarming: false };
  return { outcome: `refused: ${fulfilment.detail ?? fulfilment.why}`, alarming: true };
}
