/**
 * Orders: what a customer asked to pay, written before Stripe hears of it. What is credited later is what the
 * order says, checked against what Stripe says was paid.
 */
import type { AccountId } from "../accounts/account.ts";
import { type Amount, fromColumns, toColumns } from "../money/amount.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { NeedsHuman } from "../util/failure.ts";

export interface Order {
  /** `order_` and 16 characters of base32: named to Stripe, and the idempotency key there. */
  readonly id: string;
  readonly account: AccountId;
  readonly amount: Amount;
  readonly livemode: boolean;
  readonly createdAt: number;
}

export type NewOrder = Omit<Order, "createdAt">;

/**
 * Writes a new order.
 * @throws NeedsHuman if the books are test books and the key is live, or the reverse
 */
export async function createOrder(tx: WriteTx, order: NewOrder): Promise<Order> {
  await claimMode(tx, order.livemode);
  const { picodollars, attodollars } = toColumns(order.amount);
  await tx.run(
    `INSERT INTO payment_order (id, account, picodollars, attodollars, livemode, created_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
    [order.id, order.account, picodollars, attodollars, order.livemode ? 1 : 0, tx.now],
  );
  return { ...order, createdAt: tx.now };
}

export async function findOrder(tx: ReadTx, id: string): Promise<Order | undefined> {
  const row = await tx.get<OrderRow>(
    "SELECT id, account, picodollars, attodollars, livemode, created_at AS createdAt FROM payment_order WHERE id = ?",
    [id],
  );
  if (row === undefined) return undefined;
  const { picodollars, attodollars, livemode, createdAt, ...rest } = row;
  const amount = fromColumns({ picodollars, attodollars });
  return { ...rest, amount, livemode: livemode === 1n, createdAt: Number(createdAt) };
}

/** Remembers which Checkout Session belongs to an order; may be repeated. */
export async function attachCheckout(tx: WriteTx, orderId: string, session: string): Promise<void> {
  const known = await findCheckout(tx, orderId);
  if (known === session) return;
  await tx.run("INSERT INTO checkout (payment_order, session, created_at) VALUES (?, ?, ?)", [
    orderId,
    session,
    tx.now,
  ]);
}

/** The Checkout Session of an order. */
export async function findCheckout(tx: ReadTx, orderId: string): Promise<string | undefined> {
  const row = await tx.get<{ session: string }>("SELECT session FROM checkout WHERE payment_order = ?", [
    orderId,
  ]);
  return row?.session;
}

/** No money will come of an order: the first reason stays. May be repeated. */
export async function noteEnd(tx: WriteTx, orderId: string, how: "expired" | "failed"): Promise<void> {
  if ((await findEnd(tx, orderId)) !== undefined) return;
  await tx.run("INSERT INTO checkout_end (payment_order, how, ended_at) VALUES (?, ?, ?)", [
    orderId,
    how,
    tx.now,
  ]);
}

/** Why no money will come of an order; undefined while it may. */
export async function findEnd(tx: ReadTx, orderId: string): Promise<"expired" | "failed" | undefined> {
  const row = await tx.get<{ how: "expired" | "failed" }>(
    "SELECT how FROM checkout_end WHERE payment_order = ?",
    [orderId],
  );
  return row?.how;
}

/** Test money and live money never meet: the first order decides what these books are. */
async function claimMode(tx: WriteTx, livemode: boolean): Promise<void> {
  const row = await tx.get<{ livemode: bigint }>("SELECT livemode FROM books_mode");
  if (row === undefined)
    await tx.run("INSERT INTO books_mode (only_row, livemode, set_at) VALUES (1, ?, ?)", [
      livemode ? 1 : 0,
      tx.now,
    ]);
  else if ((row.livemode === 1n) !== livemode)
    throw new NeedsHuman(
      livemode
        ? "these books hold test payments, and stripe_key is a live key; give live payments a data folder of their own"
        : "these books hold live payments, and stripe_key is a test key; put the live key into the secrets file",
    );
}

interface OrderRow {
  readonly id: string;
  readonly account: AccountId;
  readonly picodollars: bigint;
  readonly attodollars: bigint;
  readonly livemode: bigint;
  readonly createdAt: bigint;
}
