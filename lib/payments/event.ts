/**
 * Stripe's events: kept as they came, each once, together with what we made of them, in one transaction.
 * Events come late, twice, and out of order; none of that changes the books.
 */
import type { NoticeSender } from "../accounts/notice.ts";
import type { WriteTx } from "../store/store.ts";
import { takeCard } from "./card.ts";
import { takeCharge } from "./charge.ts";
import { takeDispute } from "./dispute.ts";
import type { CardFacts, ChargeFacts, CheckoutFacts, DisputeFacts, RefundFacts } from "./facts.ts";
import { type Fulfilment, fulfilCheckout } from "./fulfil.ts";
import type { Taken } from "./legs.ts";
import { takeRefund } from "./refund.ts";

/** What an event tells of, by the kind of its object; a checkout session may be one that saves a card. */
export type EventFacts =
  | { readonly kind: "checkout"; readonly facts: CheckoutFacts }
  | { readonly kind: "card"; readonly facts: CardFacts }
  | { readonly kind: "charge"; readonly facts: ChargeFacts }
  | { readonly kind: "refund"; readonly facts: RefundFacts }
  | { readonly kind: "dispute"; readonly facts: DisputeFacts };

/** Kinds of objects that Stripe can be asked about. */
export type ObjectKind = Exclude<EventFacts["kind"], "card">;

export interface StripeEvent {
  readonly id: string;
  readonly type: string;
  readonly apiVersion: string;
  /** The bytes that were signed. */
  readonly raw: Uint8Array;
  /** Id of the object that it is about, "" for events that do not tell of money. */
  readonly objectId: string;
  /** What it says about that object, or Stripe said when asked; undefined where neither could be read. */
  readonly told: EventFacts | undefined;
}

export interface EventResult {
  /** "known", "ignored", "other-version", what the books answered, or "refused: ...". */
  readonly outcome: string;
  /** A person should look at it: money was told of that the books did not take, or a customer disputes a payment. */
  readonly alarming: boolean;
}

const checkoutTypes: readonly string[] = [
  "checkout.session.completed",
  "checkout.session.async_payment_succeeded",
  "checkout.session.async_payment_failed",
  "checkout.session.expired",
];

const chargeTypes: readonly string[] = [
  "payment_intent.succeeded",
  "payment_intent.payment_failed",
  "payment_intent.canceled",
];

/** The kind of object that an event of this type tells of money by; undefined for all others. */
export function kindOf(type: string): ObjectKind | undefined {
  if (checkoutTypes.includes(type)) return "checkout";
  if (chargeTypes.includes(type)) return "charge";
  if (type.startsWith("refund.") || type === "charge.refund.updated") return "refund";
  return type.startsWith("charge.dispute.") ? "dispute" : undefined;
}

/**
 * Takes one verified event. May be repeated: one that was refused before is judged again, since the reason may be
 * gone (an order restored from a backup); what was posted is posted once by the transfers' ids.
 */
export async function takeEvent(tx: WriteTx, event: StripeEvent, sender: NoticeSender): Promise<EventResult> {
  const known = await tx.get<{ outcome: string }>("SELECT outcome FROM stripe_event WHERE id = ?", [
    event.id,
  ]);
  if (known !== undefined && !/^(?:refused: |other-version$)/.test(known.outcome))
    return { outcome: "known", alarming: false };
  const result = await judgeEvent(tx, event, sender);
  if (known === undefined)
    await tx.run(
      "INSERT INTO stripe_event (id, type, api_version, raw, outcome, received_at) VALUES (?, ?, ?, ?, ?, ?)",
      [event.id, event.type, event.apiVersion, event.raw, result.outcome, tx.now],
    );
  return result;
}

async function judgeEvent(tx: WriteTx, event: StripeEvent, sender: NoticeSender): Promise<EventResult> {
  if (kindOf(event.type) === undefined) return { outcome: "ignored", alarming: false };
  // An event shaped by another API version is kept and reported, never guessed at and never dropped.
  if (event.told === undefined) return { outcome: "other-version", alarming: true };
  const taken = await takeFacts(tx, event.told, sender);
  if (!taken.ok) return { outcome: `refused: ${taken.detail ?? taken.why}`, alarming: true };
  return { outcome: taken.outcome, alarming: event.told.kind === "dispute" && taken.outcome === "created" };
}

/** Brings the books to what Stripe says of one object. May be repeated; called for events and by the reconciliation. */
export async function takeFacts(
  tx: WriteTx,
  told: EventFacts,
  sender: NoticeSender,
): Promise<Fulfilment | Taken> {
  switch (told.kind) {
    case "checkout":
      return fulfilCheckout(tx, told.facts);
    case "card":
      return takeCard(tx, told.facts, sender);
    case "charge":
      return takeCharge(tx, told.facts, sender);
    case "refund":
      return takeRefund(tx, told.facts);
    case "dispute":
      return takeDispute(tx, told.facts);
  }
}
