/**
 * Disputes: money moves when Stripe says that it was withdrawn or reinstated, not when a dispute is opened or closed
 * (docs.stripe.com/disputes), and each such movement is posted by itself. So a dispute that is won, lost, won by appeal,
 * prevented, or follows a refund needs no rule of its own. Balances go below zero honestly.
 *
 * Worked example, $10 of pi_1 disputed as dp_1, with $15 for Stripe, then won:
 *   dispute/dp_1/txn_1            customer -> disputes          $10
 *   dispute/dp_1/txn_1/paid       disputes -> stripe-clearing   $10
 *   fee/txn_1                     fees -> stripe-clearing       $15
 *   dispute/dp_1/txn_2/returned   stripe-clearing -> disputes   $10
 *   dispute/dp_1/txn_2            disputes -> customer          $10
 */
import type { WriteTx } from "../store/store.ts";
import { refuse } from "../util/failure.ts";
import type { DisputeFacts, MovementFacts } from "./facts.ts";
import { findPayer, type Leg, postFee, postLegs, type Share, shareOf, type Taken } from "./legs.ts";

/** May be repeated, with older facts too. */
export async function takeDispute(tx: WriteTx, facts: DisputeFacts): Promise<Taken> {
  const { id, paymentIntent, movements } = facts;
  const account = await findPayer(tx, paymentIntent);
  if (account === undefined)
    return refuse("unknown-payment", `dispute ${id}: the books have no payment ${paymentIntent || "for it"}`);
  let outcome: "created" | "exists" | "nothing-moved" = "nothing-moved";
  for (const movement of movements) {
    const share = await shareOf(tx, paymentIntent, Math.abs(movement.cents));
    const legs = legsOf(movement, id, account, paymentIntent, share);
    for (const taken of [
      await postLegs(tx, movement.cents, movement.currency, legs),
      await postFee(tx, movement, movement.feeCents),
    ]) {
      if (!taken.ok) return taken;
      if (taken.outcome === "created" || outcome === "nothing-moved") outcome = taken.outcome;
    }
  }
  return { ok: true, outcome };
}

function legsOf(
  movement: MovementFacts,
  dispute: string,
  account: string,
  reference: string,
  share: Share,
): readonly Leg[] {
  const id = `dispute/${dispute}/${movement.id}`;
  const [clearing, cents] = ["stripe-clearing", share.net];
  const [own, taxed] = [`${id}/${movement.cents < 0 ? "paid" : "returned"}`, `${id}/tax`];
  if (movement.cents < 0)
    return [
      { id, code: "dispute", debit: account, credit: "disputes", reference, cents },
      { id: taxed, code: "dispute-tax", debit: "tax", credit: "disputes", reference, cents: share.tax },
      { id: own, code: "dispute-paid", debit: "disputes", credit: clearing, reference: movement.id },
    ];
  return [
    { id: own, code: "dispute-returned", debit: clearing, credit: "disputes", reference: movement.id },
    { id, code: "dispute-undone", debit: "disputes", credit: account, reference, cents },
    { id: taxed, code: "dispute-tax-undone", debit: "disputes", credit: "tax", reference, cents: share.tax },
  ];
}
