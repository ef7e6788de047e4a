/**
 * The one function that turns a payment into credit. It is called by the webhook and by the page a customer
 * comes back to, in any order and any number of times: the transfer's id is derived from the payment.
 *
 * Worked example: order_a over $10.00, paid by pi_1 -> transfer `topup/pi_1`, $10 from stripe-clearing to the
 * order's account. The event again, the page after it, a second event about pi_1: all "exists".
 */
import { chooseMoney } from "../accounts/closing.ts";
import { postTransfer } from "../ledger/transfer.ts";
import { fromCents, zero } from "../money/amount.ts";
import type { WriteTx } from "../store/store.ts";
import { type Refusal, refuse } from "../util/failure.ts";
import type { CheckoutFacts } from "./facts.ts";
import { findOrder, noteEnd } from "./order.ts";

export type Fulfilment =
  | {
      readonly ok: true;
      readonly outcome: "created" | "exists" | "not-paid-yet" | "ended" | "not-a-recharge";
    }
  | Refusal<"unknown-order" | "other-mode" | "amount-differs" | "no-payment" | "paid-twice" | "differs">;

/** Refusals are tried in the order of the type's list. Nothing is written but the transfer, what becomes of it where the account is closed, or that none will come. */
export async function fulfilCheckout(tx: WriteTx, facts: CheckoutFacts): Promise<Fulfilment> {
  // 1. It must be an order of ours, of the same mode.
  const order = await findOrder(tx, facts.orderId);
  if (order === undefined) return refuse("unknown-order", `no order "${facts.orderId}" is in the books`);
  if (order.livemode !== facts.livemode)
    return refuse("other-mode", `order ${order.id}: test money and live money never meet`);
  // 2. Unpaid is no fault: delayed methods pay later, or never. Should money come after all, it counts.
  if (!facts.paid) {
    if (facts.ended === "") return { ok: true, outcome: "not-paid-yet" };
    await noteEnd(tx, order.id, facts.ended);
    return { ok: true, outcome: "ended" };
  }
  // 3. What was paid must be what was ordered.
  if (facts.currency !== "usd" || fromCents(facts.netCents) !== order.amount)
    return refuse("amount-differs", `order ${order.id}: ${facts.netCents} ${facts.currency} cents were paid`);
  if (!facts.paymentIntent.startsWith("pi_"))
    return refuse("no-payment", `order ${order.id} is paid without a payment intent`);
  // 4. An order is paid once: a second payment about it is for a person to look at.
  const other = await tx.get<{ id: string }>(
    "SELECT id FROM transfer WHERE credit = ? AND code = 'topup' AND reference = ? AND id <> ?",
    [order.account, order.id, `topup/${facts.paymentIntent}`],
  );
  if (other !== undefined)
    return refuse(
      "paid-twice",
      `order ${order.id} is paid already by ${other.id}, and now by ${facts.paymentIntent}`,
    );
  // 5. Credit it, once.
  const { amount, account } = order;
  const id = `topup/${facts.paymentIntent}`;
  const transfer = {
    id,
    code: "topup",
    debit: "stripe-clearing",
    credit: account,
    amount,
    reference: order.id,
  } as const;
  const posting = await postTransfer(tx, transfer);
  // What comes after a closing is none of what its owner said to leave: a person gives it back, or decides otherwise.
  if (posting.ok && posting.outcome === "created") await chooseMoney(tx, account, "refund");
  // 6. The tax beside it, which is no credit.
  const taxed = fromCents(facts.taxCents);
  if (!posting.ok || taxed === undefined || taxed <= zero) return posting;
  const beside = { id: `${id}/tax`, code: "tax", debit: "stripe-clearing", credit: "tax" } as const;
  const second = await postTransfer(tx, { ...beside, amount: taxed, reference: order.id });
  return second.ok ? posting : second;
}
