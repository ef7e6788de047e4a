/**
 * Stripe's objects (docs.stripe.com/api), read into facts. Nothing of Stripe's library is needed for that: an object is read by the few
 * fields that are named below, whoever brought it.
 */
import type {
  CardFacts,
  ChargeFacts,
  CheckoutFacts,
  DisputeFacts,
  MovementFacts,
  RefundFacts,
} from "./facts.ts";

/** An id, or the object that was asked for in its place. */
type Reference = string | { readonly id: string } | null | undefined;

export interface SessionObject {
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly payment_status: string;
  readonly status: string | null;
  readonly payment_intent: Reference;
  readonly amount_total: number | null;
  readonly total_details?: { readonly amount_tax: number } | null;
  readonly currency: string | null;
  readonly livemode: boolean;
  readonly mode?: string;
  readonly customer?: Reference;
  readonly setup_intent?: string | SetupObject | null;
}

/** Asked for whole, with its card. */
interface SetupObject {
  readonly id: string;
  readonly status: string;
  readonly payment_method: string | CardObject | null;
}

interface CardObject {
  readonly id: string;
  readonly card?: {
    readonly brand: string;
    readonly last4: string;
    readonly exp_month: number;
    readonly exp_year: number;
  };
}

export interface IntentObject {
  readonly id: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly status: string;
  readonly amount_received: number;
  readonly currency: string;
  readonly livemode: boolean;
  readonly last_payment_error: { readonly code?: string; readonly decline_code?: string } | null;
}

export interface RefundObject {
  readonly id: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly payment_intent: Reference;
  readonly amount: number;
  readonly currency: string;
  readonly status: string | null;
  readonly balance_transaction: Reference;
  readonly failure_balance_transaction?: Reference;
}

export interface DisputeObject {
  readonly id: string;
  readonly payment_intent: Reference;
  readonly currency: string;
  readonly status: string;
  readonly balance_transactions: readonly MovementObject[];
}

export interface MovementObject {
  readonly id: string;
  readonly reporting_category: string;
  readonly amount: number;
  readonly fee: number;
  readonly currency: string;
  readonly source: string | object | null;
  readonly created: number;
}

/** `failed`: the event said that the delayed payment failed, which the session itself does not tell. */
export function readCheckout(session: SessionObject, failed: boolean): CheckoutFacts {
  const tax = session.total_details?.amount_tax ?? 0;
  return {
    // Not client_reference_id: a payment link takes that from its address, where anybody may write it.
    orderId: session.metadata?.order ?? "",
    paid: session.payment_status === "paid",
    ended: session.status === "expired" ? "expired" : failed ? "failed" : "",
    paymentIntent: idOf(session.payment_intent),
    netCents: (session.amount_total ?? 0) - tax,
    taxCents: tax,
    currency: session.currency ?? "",
    livemode: session.livemode,
  };
}

export function readCharge(intent: IntentObject): ChargeFacts {
  const { status, last_payment_error: error } = intent;
  const isOver =
    status === "requires_payment_method" || status === "canceled" || status === "requires_action";
  // Whoever is asked to act is away.
  const needsOwner = status === "requires_action" || error?.code === "authentication_required";
  return {
    orderId: intent.metadata?.order ?? "",
    isRecharge: intent.metadata?.recharge === "yes",
    paid: status === "succeeded",
    failure: isOver ? (error?.decline_code ?? error?.code ?? status) : "",
    needsOwner: isOver && needsOwner,
    paymentIntent: intent.id,
    cents: intent.amount_received,
    currency: intent.currency,
    livemode: intent.livemode,
  };
}

export function readCard(session: SessionObject): CardFacts {
  const setup = typeof session.setup_intent === "object" ? session.setup_intent : null;
  const method = typeof setup?.payment_method === "object" ? setup.payment_method : null;
  const card = method?.card;
  return {
    pageId: session.metadata?.card ?? "",
    isSaved: setup?.status === "succeeded" && card !== undefined,
    customer: idOf(session.customer),
    paymentMethod: method?.id ?? "",
    brand: card?.brand ?? "",
    last4: card?.last4 ?? "",
    expires: card === undefined ? "" : `${card.exp_year}-${String(card.exp_month).padStart(2, "0")}`,
  };
}

export function readRefund(refund: RefundObject): RefundFacts {
  return {
    id: refund.id,
    orderId: refund.metadata?.refund ?? "",
    paymentIntent: idOf(refund.payment_intent),
    cents: refund.amount,
    currency: refund.currency,
    failed: refund.status === "failed" || refund.status === "canceled",
    paidBy: idOf(refund.balance_transaction),
    returnedBy: idOf(refund.failure_balance_transaction),
  };
}

export function readDispute(dispute: DisputeObject): DisputeFacts {
  return {
    id: dispute.id,
    paymentIntent: idOf(dispute.payment_intent),
    currency: dispute.currency,
    status: dispute.status,
    movements: dispute.balance_transactions.map(readMovement),
  };
}

export function readMovement(movement: MovementObject): MovementFacts {
  const { source } = movement;
  // A charge is asked for whole, since only it knows its payment intent.
  const whole = (typeof source === "object" ? (source ?? {}) : {}) as {
    readonly id?: string;
    readonly payment_intent?: Reference;
  };
  return {
    id: movement.id,
    category: movement.reporting_category,
    cents: movement.amount,
    feeCents: movement.fee,
    currency: movement.currency,
    source: typeof source === "string" ? source : (whole.id ?? ""),
    paymentIntent: idOf(whole.payment_intent),
    createdMs: movement.created * 1000,
  };
}

function idOf(reference: Reference): string {
  return typeof reference === "string" ? reference : (reference?.id ?? "");
}
