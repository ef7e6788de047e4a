/**
 * What may still move an account's money without its owner or the staff: payments that were begun, refunds that have not left, and
 * disputes that are not decided. An account is not erased before (lib/staff/erase.ts), since afterwards nobody could be asked. Reads only.
 *
 * Each is waited for as long as something can come of it, so that an end which Stripe told, and we never heard, keeps nothing for ever.
 */
import type { AccountId } from "../accounts/account.ts";
import { type Amount, amountOf, fromColumns, zero } from "../money/amount.ts";
import type { ReadTx } from "../store/store.ts";
import { dayOf } from "../util/clock.ts";

const dayMs = 86_400_000;
/** A page of Stripe's is open for a day; then what pays by a delayed method, such as a bank debit, comes within two weeks. */
const orderMs = 30 * dayMs;
/** A bank decides within 75 days, the evidence included (docs.stripe.com/disputes/how-disputes-work). */
const disputeMs = 120 * dayMs;

/** The first thing that is under way; undefined where there is none. */
export async function findPending(tx: ReadTx, account: AccountId): Promise<string | undefined> {
  return (
    (await findOpenOrder(tx, account)) ??
    (await findOpenRefund(tx, account)) ??
    (await findOpenDispute(tx, account))
  );
}

/** An order that was never shown to anybody, nor charged, has neither a page nor a card. */
async function findOpenOrder(tx: ReadTx, account: AccountId): Promise<string | undefined> {
  const order = await tx.get<{ id: string; created: bigint }>(
    `SELECT o.id, o.created_at AS created FROM payment_order o WHERE o.account = ? AND o.created_at > ?
       AND NOT EXISTS (SELECT 1 FROM checkout_end e WHERE e.payment_order = o.id)
       AND NOT EXISTS (SELECT 1 FROM transfer t WHERE t.credit = o.account AND t.code = 'topup' AND t.reference = o.id)
       AND (EXISTS (SELECT 1 FROM checkout c WHERE c.payment_order = o.id)
         OR EXISTS (SELECT 1 FROM recharge r WHERE r.payment_order = o.id))
     ORDER BY o.created_at, o.id LIMIT 1`,
    [account, tx.now - orderMs],
  );
  return order && `${order.id} may still be paid, until ${dayOf(Number(order.created) + orderMs)}`;
}

async function findOpenRefund(tx: ReadTx, account: AccountId): Promise<string | undefined> {
  const refund = await tx.get<{ id: string }>(
    `SELECT t.id FROM transfer t WHERE t.debit = ? AND t.code = 'refund'
       AND NOT EXISTS (SELECT 1 FROM transfer u WHERE u.id IN (t.id || '/paid', t.id || '/undone'))
     ORDER BY t.number LIMIT 1`,
    [account],
  );
  return refund && `${refund.id} is under way; site reconcile asks Stripe how far it is`;
}

/** What was withdrawn, not given back, and not told to be lost. */
async function findOpenDispute(tx: ReadTx, account: AccountId): Promise<string | undefined> {
  const rows = await tx.all<DisputeRow>(
    `SELECT id, code, picodollars, attodollars, posted_at AS posted FROM transfer WHERE debit = ? AND code = 'dispute'
     UNION ALL
     SELECT id, code, picodollars, attodollars, posted_at AS posted FROM transfer WHERE credit = ? AND code = 'dispute-undone'`,
    [account, account],
  );
  const withdrawn = new Map<string, { readonly amount: Amount; readonly posted: number }>();
  for (const { id, code, posted, ...columns } of rows) {
    const dispute = id.split("/")[1] ?? "";
    const before = withdrawn.get(dispute) ?? { amount: zero, posted: 0 };
    const moved = fromColumns(columns);
    withdrawn.set(dispute, {
      amount: amountOf(code === "dispute" ? before.amount + moved : before.amount - moved),
      posted: Math.max(before.posted, Number(posted)),
    });
  }
  for (const [dispute, { amount, posted }] of withdrawn)
    if (amount > zero && posted > tx.now - disputeMs && !(await wasLost(tx, account, dispute)))
      return `dispute ${dispute} is not decided, as far as Stripe told; waited for until ${dayOf(posted + disputeMs)}`;
  return undefined;
}

/** Its end moves nothing where it is lost, so it stands in Stripe's words alone. */
async function wasLost(tx: ReadTx, account: AccountId, dispute: string): Promise<boolean> {
  const told = await tx.get(
    `SELECT 1 AS one FROM stripe_event e, transfer t WHERE t.debit = ? AND t.code = 'dispute' AND t.id BETWEEN ? AND ?
       AND e.type = 'charge.dispute.closed' AND instr(e.raw, CAST('"lost"' AS BLOB)) > 0
       AND instr(e.raw, CAST(substr(t.id, 9, ${dispute.length}) AS BLOB)) > 0 LIMIT 1`,
    [account, `dispute/${dispute}/`, `dispute/${dispute}0`],
  );
  return told !== undefined;
}

interface DisputeRow {
  readonly id: string;
  readonly code: "dispute" | "dispute-undone";
  readonly picodollars: bigint;
  readonly attodollars: bigint;
  readonly posted: bigint;
}
