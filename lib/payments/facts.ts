/** What Stripe says, as far as it matters here, in our words (read from its objects by objects.ts). */

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

/** A charge of a saved card while its owner is away (charge.ts): a payment intent. */
export interface ChargeFacts {
  readonly orderId: string;
  /** False for the payment intents of checkouts, and of others on the same Stripe account. */
  readonly isRecharge: boolean;
  readonly paid: boolean;
  /** Why it failed, in Stripe's words ("insufficient_funds") or `cardGone`; "" where it did not. */
  readonly failure: string;
  /** It failed because the bank asks for the card's owner. */
  readonly needsOwner: boolean;
  /** "" where none was made. */
  readonly paymentIntent: string;
  readonly cents: number;
  readonly currency: string;
  readonly livemode: boolean;
}

/** The failure of a card that Stripe has no more. */
export const cardGone = "card_gone";

/** A card that was saved on Stripe's page, or is not yet. */
export interface CardFacts {
  /** Our id of the page, `card_...`. */
  readonly pageId: string;
  readonly isSaved: boolean;
  /** `cus_...` and `pm_...`; "" until it is saved. */
  readonly customer: string;
  readonly paymentMethod: string;
  /** "visa" */
  readonly brand: string;
  readonly last4: string;
  /** "2028-04" */
  readonly expires: string;
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
