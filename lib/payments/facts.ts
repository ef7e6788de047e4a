/**
 * What Stripe says, as far as it matters here, read from its objects (docs.stripe.com/api). Nothing of Stripe's library
 * is needed for that: an object is read by the few fields that are named below, whoever brought it.
 */

/** A Checkout Session. */
export interface CheckoutFacts {
  /** Our order id, as Stripe hands it back. */
  readonly orderId: string;
  readonly paid: boolean;
  /** No money will come of it: its time is over, or the delayed payment failed. */
  readonly ended: "" | "expired" | "failed";
  /** "" until there is one. */
  readonly paymentIntent: string;
  /** Without tax, and the tax that came with it. */
  readonly netCents: number;
  readonly taxCents: number;
  readonly currency: string;
  readonly livemode: boolean;
}

export interface RefundFacts {
  /** `re_...` */
  readonly id: string;
  /** Our own id of it, where it was begun here; "" else. */
  readonly orderId: string;
  readonly paymentIntent: string;
  readonly cents: number;
  readonly currency: string;
  readonly failed: boolean;
  /** Ids of the balance transactions by which the money left Stripe and came back; "" where it did not. */
  readonly paidBy: string;
  readonly returnedBy: string;
}

export interface DisputeFacts {
  /** `dp_...` or `du_...` */
  readonly id: string;
  readonly paymentIntent: string;
  readonly currency: string;
  readonly status: string;
  /** What was withdrawn (negative) and given back because of it. */
  readonly movements: readonly MovementFacts[];
}

/** A balance transaction: one movement of the money that Stripe holds for us. */
export interface MovementFacts {
  /** `txn_...` */
  readonly id: string;
  /** Stripe's reporting category: charge, refund, refund_failure, dispute, dispute_reversal, payout, fee, ... */
  readonly category: string;
  /** Before the fee. */
  readonly cents: number;
  readonly feeCents: number;
  readonly currency: string;
  /** The object that it is about, "" if none, and the payment intent of a charge. */
  readonly source: string;
  readonly paymentIntent: string;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
}

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
