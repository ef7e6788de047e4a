/**
 * What the stand-in's Stripe holds for the site, and what may happen to a payment after it came: fees, refunds and their
 * failure, disputes and their end, payouts. Each step is a balance transaction, and tells of itself by the events that
 * Stripe sends (docs.stripe.com/refunds, docs.stripe.com/disputes/how-disputes-work).
 */
import { assert } from "../../lib/util/failure.ts";
import { type ApiError, invalid } from "./answer.ts";
import { makeId, type PaymentIntent } from "./object.ts";

export interface Movement {
  readonly id: string;
  readonly created: number;
  readonly amount: number;
  readonly fee: number;
  readonly source: string;
  readonly [field: string]: unknown;
}

export interface Refund {
  readonly id: string;
  readonly created: number;
  readonly amount: number;
  readonly payment_intent: string;
  readonly charge: string;
  readonly status: "pending" | "succeeded" | "failed";
  readonly balance_transaction: string | null;
  readonly [field: string]: unknown;
}

export interface Dispute {
  readonly id: string;
  readonly created: number;
  readonly amount: number;
  readonly payment_intent: string;
  readonly charge: string;
  readonly status: string;
  readonly balance_transactions: readonly Movement[];
  readonly [field: string]: unknown;
}

export interface Charge {
  readonly id: string;
  readonly payment_intent: string;
  readonly amount: number;
  readonly [field: string]: unknown;
}

export interface RefundRequest {
  readonly paymentIntent: string;
  /** undefined for all that is left. */
  readonly cents: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Vault {
  /** The money of a payment came. */
  readonly charge: (intent: PaymentIntent, cents: number) => void;
  /** `isPending`: the money leaves later, with `sendRefund`. */
  readonly refund: (request: RefundRequest, isPending?: boolean) => Refund | ApiError;
  readonly sendRefund: (id: string) => void;
  readonly failRefund: (id: string) => void;
  readonly dispute: (paymentIntent: string) => Dispute;
  readonly endDispute: (id: string, isWon: boolean) => void;
  /** Pays out so many cents, to nobody. */
  readonly payOut: (cents: number) => void;
  /** Oldest first, as the next ones. */
  readonly movements: () => readonly Movement[];
  readonly refunds: () => readonly Refund[];
  readonly disputes: () => readonly Dispute[];
  readonly findCharge: (id: string) => Charge | undefined;
}

/** Stripe's price for cards in the United States, docs and stripe.com/pricing: 2.9 % and 30 cents; $15 for a dispute. */
const feeOf = (cents: number): number => Math.round(cents * 0.029) + 30;
const disputeFeeCents = 1500;

export function makeVault(now: () => number, tell: (type: string, object: object) => void): Vault {
  const charges = new Map<string, Charge>();
  const movements: Movement[] = [];
  const refunds = new Map<string, Refund>();
  const disputes = new Map<string, Dispute>();

  const move = (category: string, type: string, amount: number, fee: number, source: string): Movement => {
    const movement = {
      id: makeId("txn_3"),
      object: "balance_transaction",
      amount,
      available_on: now(),
      balance_type: "payments",
      created: now(),
      currency: "usd",
      description: null,
      exchange_rate: null,
      fee,
      fee_details: [],
      net: amount - fee,
      reporting_category: category,
      source,
      status: "available",
      type,
    };
    movements.push(movement);
    return movement;
  };
  const chargeOf = (paymentIntent: string): Charge | undefined =>
    [...charges.values()].find((charge) => charge.payment_intent === paymentIntent);
  const change = (id: string, to: Partial<Refund>): Refund => {
    const before = refunds.get(id);
    assert(before !== undefined, `refund ${id} exists`);
    const refund = { ...before, ...to } as Refund;
    refunds.set(id, refund);
    return refund;
  };
  const sendRefund = (id: string): void => {
    const { amount } = change(id, {});
    const { id: balance_transaction } = move("refund", "refund", -amount, 0, id);
    tell("refund.updated", change(id, { status: "succeeded", balance_transaction }));
  };

  return {
    charge: (intent, cents) => {
      const id = String(intent.latest_charge);
      charges.set(id, { id, object: "charge", amount: cents, payment_intent: intent.id, currency: "usd" });
      move("charge", "charge", cents, feeOf(cents), id);
    },
    refund: ({ paymentIntent, cents, metadata }, isPending = false) => {
      const charge = chargeOf(paymentIntent);
      if (charge === undefined)
        return invalid("resource_missing", "payment_intent", `No such payment_intent: '${paymentIntent}'`);
      const given = [...refunds.values()].filter(
        (one) => one.charge === charge.id && one.status !== "failed",
      );
      const left = charge.amount - given.reduce((sum, one) => sum + one.amount, 0);
      const amount = cents ?? left;
      if (amount <= 0 || amount > left)
        return invalid(
          left === 0 ? "charge_already_refunded" : "parameter_invalid_integer",
          "amount",
          `Refund amount ($${amount / 100}) is greater than unrefunded amount on charge ($${left / 100})`,
        );
      const id = makeId("re_3");
      const balance_transaction = isPending ? null : move("refund", "refund", -amount, 0, id).id;
      const refund: Refund = {
        id,
        object: "refund",
        amount,
        balance_transaction,
        charge: charge.id,
        created: now(),
        currency: "usd",
        metadata,
        payment_intent: paymentIntent,
        reason: null,
        receipt_number: null,
        source_transfer_reversal: null,
        status: isPending ? "pending" : "succeeded",
        transfer_reversal: null,
      };
      refunds.set(id, refund);
      tell("refund.created", refund);
      return refund;
    },
    sendRefund,
    failRefund: (id) => {
      const { amount, balance_transaction } = change(id, {});
      const back =
        balance_transaction === null ? undefined : move("refund_failure", "refund_failure", amount, 0, id);
      const failed = { status: "failed" as const, failure_reason: "unknown" };
      tell(
        "refund.failed",
        change(id, back === undefined ? failed : { ...failed, failure_balance_transaction: back.id }),
      );
    },
    dispute: (paymentIntent) => {
      const charge = chargeOf(paymentIntent);
      assert(charge !== undefined, `payment ${paymentIntent} has a charge`);
      const id = makeId("du_1");
      const dispute: Dispute = {
        id,
        object: "dispute",
        amount: charge.amount,
        balance_transactions: [],
        charge: charge.id,
        created: now(),
        currency: "usd",
        livemode: false,
        metadata: {},
        payment_intent: paymentIntent,
        reason: "fraudulent",
        status: "needs_response",
      };
      const withdrawn = move("dispute", "adjustment", -charge.amount, disputeFeeCents, id);
      const drawn = { ...dispute, balance_transactions: [withdrawn] };
      disputes.set(id, drawn);
      tell("charge.dispute.created", dispute);
      tell("charge.dispute.funds_withdrawn", drawn);
      return drawn;
    },
    endDispute: (id, isWon) => {
      const before = disputes.get(id);
      assert(before !== undefined, `dispute ${id} exists`);
      const back = isWon ? [move("dispute_reversal", "adjustment", before.amount, 0, id)] : [];
      const dispute = {
        ...before,
        status: isWon ? "won" : "lost",
        balance_transactions: [...before.balance_transactions, ...back],
      } as Dispute;
      disputes.set(id, dispute);
      if (isWon) tell("charge.dispute.funds_reinstated", dispute);
      tell("charge.dispute.closed", dispute);
    },
    payOut: (cents) => {
      move("payout", "payout", -cents, 0, makeId("po_1"));
    },
    movements: () => movements,
    refunds: () => [...refunds.values()],
    disputes: () => [...disputes.values()],
    findCharge: (id) => charges.get(id),
  };
}
