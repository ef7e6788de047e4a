/**
 * Stripe's own account of what it holds for us, kept beside the books: each balance transaction once, as it was read. What
 * the books hold against `stripe-clearing` must be exactly these, which is compared both ways.
 *
 * Worked example: txn_1, a charge of 1000 cents with a fee of 59. Stripe holds 941 cents more; in the books `topup/pi_1`
 * ($10) and `fee/txn_1` ($0.59) move the clearing account by the same.
 */
import { type Amount, amountOf, formatExact, fromCents, fromColumns, zero } from "../money/amount.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import type { MovementFacts } from "./facts.ts";
import { postFee, postLegs, type Taken } from "./legs.ts";

export interface Difference {
  /** The movement's or the transfer's id. */
  readonly id: string;
  readonly message: string;
}

/** Notes a movement; may be repeated. */
export async function noteMovement(tx: WriteTx, facts: MovementFacts): Promise<void> {
  if ((await tx.get("SELECT 1 AS one FROM stripe_movement WHERE id = ?", [facts.id])) !== undefined) return;
  const { id, category, cents, feeCents, currency, source, paymentIntent, createdMs } = facts;
  await tx.run(
    `INSERT INTO stripe_movement (id, category, cents, fee_cents, currency, source, payment_intent, created_at, read_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [id, category, cents, feeCents, currency, source, paymentIntent, createdMs, tx.now],
  );
}

/** When the newest movement happened that was noted; undefined before the first. */
export async function readNewestMovementMs(tx: ReadTx): Promise<number | undefined> {
  const row = await tx.get<{ newest: bigint | null }>(
    "SELECT max(created_at) AS newest FROM stripe_movement",
  );
  return row?.newest == null ? undefined : Number(row.newest);
}

/** Movements of payments or all others, in the order of their time, after a place in it. */
export async function readMovements(
  tx: ReadTx,
  what: "charges" | "others",
  after: Pick<MovementFacts, "createdMs" | "id"> | undefined,
  limit: number,
): Promise<readonly MovementFacts[]> {
  const rows = await tx.all<MovementRow>(
    `SELECT id, category, cents, fee_cents AS feeCents, currency, source, payment_intent AS paymentIntent,
            created_at AS createdMs
     FROM stripe_movement WHERE (created_at, id) > (?, ?) AND CASE category WHEN 'charge' THEN 1 ELSE 0 END = ? ORDER BY created_at, id LIMIT ?`,
    [after?.createdMs ?? -1, after?.id ?? "", what === "charges" ? 1 : 0, limit],
  );
  return rows.map(({ cents, feeCents, createdMs, ...row }) => ({
    ...row,
    cents: Number(cents),
    feeCents: Number(feeCents),
    createdMs: Number(createdMs),
  }));
}

/** What the movement and its fee have done to the clearing account in the books: positive where Stripe holds more. */
export async function readBooked(
  tx: ReadTx,
  { id, paymentIntent, category }: MovementFacts,
): Promise<Amount> {
  const topup = category === "charge" ? `topup/${paymentIntent}` : "-";
  const rows = await tx.all<{ debit: string; picodollars: bigint; attodollars: bigint }>(
    `SELECT debit, picodollars, attodollars FROM transfer
     WHERE id IN (?, ?, ?, ?) OR reference = ? AND 'stripe-clearing' IN (debit, credit)`,
    [topup, `${topup}/tax`, `fee/${id}`, `payout/${id}`, id],
  );
  return rows.reduce(
    (sum, row) => amountOf(sum + (row.debit === "stripe-clearing" ? 1n : -1n) * fromColumns(row)),
    zero,
  );
}

/** How the books and a movement differ; undefined where they do not. */
export async function compareMovement(tx: ReadTx, movement: MovementFacts): Promise<Difference | undefined> {
  const { id, category, source, cents, feeCents, currency } = movement;
  const net = fromCents(cents - feeCents);
  const booked = await readBooked(tx, movement);
  if (currency === "usd" && net === booked) return undefined;
  const stripe = net === undefined ? "?" : formatExact(net);
  const what = `${category} of ${source || "nothing"}`;
  return { id, message: `${what}: Stripe says ${stripe} ${currency}, the books ${formatExact(booked)} usd` };
}

/** What is told by a movement alone: Stripe's fees and payouts. May be repeated. */
export async function bookMovement(tx: WriteTx, movement: MovementFacts): Promise<Taken> {
  const { id, category, cents, feeCents, currency, source } = movement;
  const fee = await postFee(tx, movement, category === "fee" ? feeCents - cents : feeCents);
  if (!fee.ok || !/^(?:po|tu)_/.test(source)) return fee;
  const leg =
    cents < 0
      ? { code: "payout" as const, debit: "bank", credit: "stripe-clearing" }
      : { code: "payout-returned" as const, debit: "stripe-clearing", credit: "bank" };
  return postLegs(tx, cents, currency, [{ ...leg, id: `payout/${id}`, reference: source }]);
}

/** Transfers of the clearing account, posted before a time, of which Stripe's account knows nothing. */
export async function readUnknownTransfers(tx: ReadTx, beforeMs: number): Promise<readonly Difference[]> {
  const rows = await tx.all<{ id: string; picodollars: bigint; attodollars: bigint }>(
    `SELECT t.id, t.picodollars, t.attodollars FROM transfer t
     WHERE t.posted_at < ? AND 'stripe-clearing' IN (t.debit, t.credit)
       AND NOT EXISTS (SELECT 1 FROM stripe_movement m WHERE m.id = t.reference)
       AND NOT EXISTS (SELECT 1 FROM stripe_movement m WHERE m.id = substr(t.id, instr(t.id, '/') + 1))
       AND NOT EXISTS (SELECT 1 FROM stripe_movement m WHERE m.payment_intent <> '' AND m.category = 'charge'
                         AND t.code IN ('topup', 'tax')
                         AND m.payment_intent IN (substr(t.id, 7), substr(t.id, 7, length(t.id) - 10)))
     ORDER BY t.number`,
    [beforeMs],
  );
  return rows.map((row) => ({
    id: row.id,
    message: `the books say ${formatExact(fromColumns(row))}, and Stripe has no such movement`,
  }));
}

interface MovementRow extends Omit<MovementFacts, "cents" | "feeCents" | "createdMs"> {
  readonly cents: bigint;
  readonly feeCents: bigint;
  readonly createdMs: bigint;
}
