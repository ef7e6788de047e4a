/**
 * A refund begun here: written down and taken from the customer's credit first, then asked of Stripe under our own id, so
 * that a process that dies between the two, or a command given twice, gives back once.
 */
import type { AccountId } from "../accounts/account.ts";
import { postTransfer, readBalance } from "../ledger/transfer.ts";
import {
  type Amount,
  amountOf,
  attoPerCent,
  formatExact,
  fromColumns,
  toCents,
  toColumns,
  zero,
} from "../money/amount.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";
import { assert, type Refusal, refuse } from "../util/failure.ts";
import { readParts } from "./legs.ts";

export interface RefundOrder {
  /** `refund_` and 16 characters, derived from what was asked. */
  readonly id: string;
  readonly account: AccountId;
  readonly paymentIntent: string;
  readonly amount: Amount;
}

export type RefundState = "asked" | "paid" | "undone";

/** What of a payment is still with the customer: less refunds and disputes, however far they have come. */
export async function readRefundable(tx: ReadTx, paymentIntent: string): Promise<Amount> {
  const rows = await tx.all<{ code: string; picodollars: bigint; attodollars: bigint }>(
    `SELECT code, picodollars, attodollars FROM transfer WHERE id = ? OR reference = ?
       AND code IN ('refund', 'refund-undone', 'dispute', 'dispute-undone')`,
    [`topup/${paymentIntent}`, paymentIntent],
  );
  return rows.reduce((sum, row) => {
    const isTaken = row.code === "refund" || row.code === "dispute";
    return amountOf(sum + (isTaken ? -1n : 1n) * fromColumns(row));
  }, zero);
}

/**
 * The order that a command asks for: over the payment that it names, or the newest of which so much is left. The same command
 * again means the same order, though less is left by then.
 * @returns undefined where no payment has so much left
 */
export async function planRefund(
  tx: ReadTx,
  asked: { readonly account: AccountId; readonly amount: Amount; readonly payment: string | undefined },
  reason: string,
): Promise<RefundOrder | undefined> {
  const { account, amount, payment } = asked;
  const rows = await tx.all<{ id: string }>(
    "SELECT id FROM transfer WHERE credit = ? AND code = 'topup' ORDER BY number DESC",
    [account],
  );
  const payments = payment === undefined ? rows.map(({ id }) => id.slice("topup/".length)) : [payment];
  const orders = payments.map((paymentIntent): RefundOrder => {
    const print = sha256Hex(JSON.stringify([account, paymentIntent, String(amount), reason]));
    return { id: `refund_${print.slice(0, 16)}`, account, paymentIntent, amount };
  });
  for (const order of orders) if ((await findRefundOrder(tx, order.id)) !== undefined) return order;
  // One that was named is judged when it is begun, so that it is told what is wrong with it.
  if (payment !== undefined) return orders[0];
  for (const order of orders) if ((await readRefundable(tx, order.paymentIntent)) >= amount) return order;
  return undefined;
}

/** Writes the order and its first leg. May be repeated. */
export async function beginRefund(
  tx: WriteTx,
  order: RefundOrder,
): Promise<
  | { readonly ok: true; readonly outcome: "created" | "exists" }
  | Refusal<"not-cents" | "unknown-payment" | "too-much" | "too-little-credit">
> {
  const { id, account, paymentIntent, amount } = order;
  if ((await findRefundOrder(tx, id)) !== undefined) return { ok: true, outcome: "exists" };
  const cents = toCents(amount);
  if (cents === undefined || cents <= 0)
    return refuse("not-cents", `$${formatExact(amount)} is not whole cents`);
  const payment = await tx.get<{ account: string }>("SELECT credit AS account FROM transfer WHERE id = ?", [
    `topup/${paymentIntent}`,
  ]);
  if (payment?.account !== account)
    return refuse("unknown-payment", `${account} has no payment ${paymentIntent}`);
  const left = await readRefundable(tx, paymentIntent);
  if (amount > left)
    return refuse(
      "too-much",
      `of ${paymentIntent} $${formatExact(left)} can be given back, not $${formatExact(amount)}`,
    );
  const balance = await readBalance(tx, account);
  if (amount > balance)
    return refuse(
      "too-little-credit",
      `${account} has $${formatExact(balance)}; what is spent cannot be given back`,
    );
  const { picodollars, attodollars } = toColumns(amount);
  await tx.run(
    `INSERT INTO refund_order (id, account, payment_intent, picodollars, attodollars, created_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
    [id, account, paymentIntent, picodollars, attodollars, tx.now],
  );
  const leg = { id: `refund/${id}`, code: "refund" as const, debit: account, credit: "refunds" };
  const posting = await postTransfer(tx, { ...leg, amount, reference: paymentIntent });
  assert(posting.ok, `refund ${id} is new`);
  return { ok: true, outcome: "created" };
}

/** Stripe will not do it: the credit comes back. May be repeated. */
export async function undoRefund(
  tx: WriteTx,
  { id, account, paymentIntent, amount }: RefundOrder,
): Promise<void> {
  const leg = {
    id: `refund/${id}/undone`,
    code: "refund-undone" as const,
    debit: "refunds",
    credit: account,
  };
  const posting = await postTransfer(tx, { ...leg, amount, reference: paymentIntent });
  assert(posting.ok, `refund ${id} comes back as it went`);
}

export async function findRefundOrder(tx: ReadTx, id: string): Promise<RefundOrder | undefined> {
  const row = await tx.get<Omit<RefundOrder, "amount"> & { picodollars: bigint; attodollars: bigint }>(
    `SELECT id, account, payment_intent AS paymentIntent, picodollars, attodollars FROM refund_order WHERE id = ?`,
    [id],
  );
  if (row === undefined) return undefined;
  const { picodollars, attodollars, ...order } = row;
  return { ...order, amount: fromColumns({ picodollars, attodollars }) };
}

/** How far an order has come, by its legs. */
export async function readRefundState(tx: ReadTx, id: string): Promise<RefundState> {
  const has = async (leg: string): Promise<boolean> =>
    (await tx.get("SELECT 1 AS one FROM transfer WHERE id = ?", [`refund/${id}/${leg}`])) !== undefined;
  if (await has("undone")) return "undone";
  return (await has("paid")) ? "paid" : "asked";
}

/**
 * What Stripe is asked to give back for an order: its amount, and of the tax the share of all that was given back of the payment so far,
 * less what went with that before. So the parts of a whole payment bring all of its tax back, and each can be worked out again when it is
 * asked for again: by what stood in the books when the order was written.
 *
 * Worked example, $10.00 and $0.83 tax, given back by halves: with the first $5.00 go 41.5 cents, rounded down 41; with both go 83, so 42
 * with the second.
 */
export async function grossCents(tx: ReadTx, order: RefundOrder): Promise<number> {
  const { paid, taxed } = await readParts(tx, order.paymentIntent);
  const legs = taxed === zero ? [] : await readReturnLegs(tx, order.paymentIntent);
  const taxOf = new Map(legs.filter(({ code }) => /-tax/.test(code)).map(({ id, moved }) => [id, moved]));
  const taken = new Map<string, { readonly net: bigint; readonly tax: bigint }>();
  // The rounding is to whole cents, since those are what Stripe moves.
  const share = (net: Amount): bigint => {
    const before = [...taken.values()];
    const all = before.reduce((sum, one) => sum + one.net, 0n) + net;
    const tax = (all * taxed) / paid;
    const due = tax - (tax % attoPerCent) - before.reduce((sum, one) => sum + one.tax, 0n);
    return due > 0n ? due : 0n;
  };
  for (const { id, code, moved, isOwn } of legs) {
    if (id === `refund/${order.id}`) break;
    // What was begun here and has no answer yet will have what it was asked with.
    if (code === "refund" || code === "dispute")
      taken.set(id, { net: moved, tax: taxOf.get(`${id}/tax`) ?? (isOwn ? share(moved) : 0n) });
    else if (code === "refund-undone") taken.delete(id.replace(/\/undone$/, ""));
    else if (code === "dispute-undone") taken.set(id, { net: -moved, tax: -(taxOf.get(`${id}/tax`) ?? 0n) });
  }
  const tax = taxed === zero ? 0n : share(order.amount);
  const cents = toCents(amountOf(order.amount + tax));
  assert(cents !== undefined, `refund ${order.id} is over whole cents`);
  return cents;
}

/** What became of a payment, in the order in which it was written. */
async function readReturnLegs(tx: ReadTx, paymentIntent: string) {
  const rows = await tx.all<{
    id: string;
    code: string;
    own: string | null;
    picodollars: bigint;
    attodollars: bigint;
  }>(
    `SELECT t.id, t.code, o.id AS own, t.picodollars, t.attodollars FROM transfer t
     LEFT JOIN refund_order o ON t.id = 'refund/' || o.id
     WHERE t.reference = ? AND t.code IN
       ('refund', 'refund-undone', 'refund-tax', 'dispute', 'dispute-undone', 'dispute-tax', 'dispute-tax-undone')
     ORDER BY t.number`,
    [paymentIntent],
  );
  return rows.map(({ id, code, own, ...columns }) => ({
    id,
    code,
    isOwn: own !== null,
    moved: fromColumns(columns),
  }));
}
