/**
 * Refunds, begun here or in Stripe's dashboard. The customer's credit goes at once, below zero where it is spent already;
 * what failed comes back.
 *
 * Worked example, $4 of pi_1 given back by re_1, which fails a week later:
 *   refund/re_1           customer -> refunds          $4   as soon as Stripe tells of it
 *   refund/re_1/paid      refunds -> stripe-clearing   $4   when the money has left Stripe
 *   refund/re_1/returned  stripe-clearing -> refunds   $4   when it has come back
 *   refund/re_1/undone    refunds -> customer          $4   with the failure
 */
import type { WriteTx } from "../store/store.ts";
import { refuse } from "../util/failure.ts";
import type { RefundFacts } from "./facts.ts";
import { findPayer, type Leg, postLegs, type Taken } from "./legs.ts";

/** May be repeated, with older facts too: what is posted is the union of all that was ever told. */
export async function takeRefund(tx: WriteTx, facts: RefundFacts): Promise<Taken> {
  const { id, paymentIntent, cents, currency, failed, paidBy, returnedBy } = facts;
  const account = await findPayer(tx, paymentIntent);
  if (account === undefined)
    return refuse("unknown-payment", `refund ${id}: the books have no payment ${paymentIntent || "for it"}`);
  const base = `refund/${await findOwnId(tx, facts)}`;
  const legs: Leg[] = [
    { id: base, code: "refund", debit: account, credit: "refunds", reference: paymentIntent },
  ];
  if (paidBy !== "")
    legs.push({
      id: `${base}/paid`,
      code: "refund-paid",
      debit: "refunds",
      credit: "stripe-clearing",
      reference: paidBy,
    });
  if (returnedBy !== "")
    legs.push({
      id: `${base}/returned`,
      code: "refund-returned",
      debit: "stripe-clearing",
      credit: "refunds",
      reference: returnedBy,
    });
  if (failed)
    legs.push({
      id: `${base}/undone`,
      code: "refund-undone",
      debit: "refunds",
      credit: account,
      reference: paymentIntent,
    });
  return postLegs(tx, cents, currency, legs);
}

/** One that was begun here has its first leg already, under our own id. */
async function findOwnId(tx: WriteTx, facts: RefundFacts): Promise<string> {
  const row = await tx.get("SELECT 1 AS one FROM refund_order WHERE id = ? AND payment_intent = ?", [
    facts.orderId,
    facts.paymentIntent,
  ]);
  return row === undefined ? facts.id : facts.orderId;
}
