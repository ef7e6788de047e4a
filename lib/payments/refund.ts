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
import { toCents } from "../money/amount.ts";
import type { WriteTx } from "../store/store.ts";
import { refuse } from "../util/failure.ts";
import type { RefundFacts } from "./facts.ts";
import { findPayer, type Leg, postLegs, shareOf, type Taken } from "./legs.ts";
import { findRefundOrder } from "./refunding.ts";

/** May be repeated, with older facts too: what is posted is the union of all that was ever told. */
export async function takeRefund(tx: WriteTx, facts: RefundFacts): Promise<Taken> {
  const { id, paymentIntent, cents, currency, failed, paidBy, returnedBy } = facts;
  const account = await findPayer(tx, paymentIntent);
  if (account === undefined)
    return refuse("unknown-payment", `refund ${id}: the books have no payment ${paymentIntent || "for it"}`);
  const own = await findRefundOrder(tx, facts.orderId);
  const isOwn = own?.paymentIntent === paymentIntent;
  const base = `refund/${isOwn ? own.id : id}`;
  // One that was begun here has its first leg already, over what was asked for.
  const ownNet = isOwn ? toCents(own.amount) : undefined;
  const share =
    ownNet === undefined ? await shareOf(tx, paymentIntent, cents) : { net: ownNet, tax: cents - ownNet };
  const [debit, reference] = [account, paymentIntent];
  const legs: Leg[] = [
    { id: base, code: "refund", debit, credit: "refunds", reference, cents: share.net },
    { id: `${base}/tax`, code: "refund-tax", debit: "tax", credit: "refunds", reference, cents: share.tax },
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
    legs.push(
      {
        id: `${base}/undone`,
        code: "refund-undone",
        debit: "refunds",
        credit: account,
        reference,
        cents: share.net,
      },
      {
        id: `${base}/untaxed`,
        code: "refund-tax-undone",
        debit: "refunds",
        credit: "tax",
        reference,
        cents: share.tax,
      },
    );
  return postLegs(tx, cents, currency, legs);
}
