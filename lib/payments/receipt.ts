/**
 * An account's payments with what became of them, and receipts: numbered over all customers without a gap, made when one is asked
 * for, and never changed afterwards, whatever becomes of the buyer's address or ours.
 */
import type { AccountId } from "../accounts/account.ts";
import { type Amount, addAmounts, fromColumns, subtractAmounts, zero } from "../money/amount.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import type { DayUtc } from "../util/clock.ts";
import { type Refusal, refuse } from "../util/failure.ts";

export interface Payment {
  readonly order: string;
  /** Charged to a saved card, while its owner was away. */
  readonly isRecharge: boolean;
  /** Milliseconds since 1970. */
  readonly begunAt: number;
  /** What was, or would have been, credited. */
  readonly amount: Amount;
  /** Taken besides, for the authorities. */
  readonly tax: Amount;
  readonly state: "open" | "paid" | "expired" | "failed";
  /** Of what was credited, what was refunded or disputed since, and not given back. */
  readonly returned: Amount;
  /** The booking day; "" where nothing was paid. */
  readonly day: DayUtc | "";
  /** Its receipt's number; undefined where none was made. */
  readonly receipt: number | undefined;
}

export interface Receipt {
  readonly number: number;
  readonly madeAt: number;
  /** Several lines each. */
  readonly seller: string;
  readonly buyer: string;
  readonly buyerTaxId: string;
}

/** The payments of an account, newest first. */
export async function listPayments(tx: ReadTx, account: AccountId): Promise<readonly Payment[]> {
  const rows = await tx.all<PaymentRow>(
    `SELECT o.id AS "order", o.created_at AS created, o.picodollars, o.attodollars, t.id AS transfer,
       coalesce(t.day, '') AS day, r.number AS receipt, c.number AS recharge,
       coalesce(x.picodollars, 0) AS taxPico, coalesce(x.attodollars, 0) AS taxAtto,
       CASE WHEN t.id IS NOT NULL THEN 'paid' ELSE coalesce(e.how, 'open') END AS state
     FROM payment_order o
     LEFT JOIN transfer t ON t.credit = o.account AND t.code = 'topup' AND t.reference = o.id
     LEFT JOIN transfer x ON x.id = t.id || '/tax'
     LEFT JOIN checkout_end e ON e.payment_order = o.id
     LEFT JOIN receipt r ON r.payment_order = o.id
     LEFT JOIN recharge c ON c.payment_order = o.id
     WHERE o.account = ? ORDER BY o.created_at DESC, o.id`,
    [account],
  );
  const returned = await readReturned(tx, account);
  return rows.map(
    ({ created, picodollars, attodollars, taxPico, taxAtto, transfer, receipt, recharge, ...row }) => ({
      ...row,
      isRecharge: recharge !== null,
      begunAt: Number(created),
      amount: fromColumns({ picodollars, attodollars }),
      tax: fromColumns({ picodollars: taxPico, attodollars: taxAtto }),
      returned: returned.get(transfer?.replace(/^topup\//, "") ?? "") ?? zero,
      receipt: receipt === null ? undefined : Number(receipt),
    }),
  );
}

export async function readReceipt(tx: ReadTx, order: string): Promise<Receipt | undefined> {
  const row = await tx.get<{ number: bigint; made: bigint; seller: string; buyer: string; taxId: string }>(
    `SELECT number, made_at AS made, seller, buyer, buyer_tax_id AS taxId FROM receipt WHERE payment_order = ?`,
    [order],
  );
  if (row === undefined) return undefined;
  const { number, made, taxId, ...rest } = row;
  return { ...rest, number: Number(number), madeAt: Number(made), buyerTaxId: taxId };
}

/** Whose name an account's last receipt has, to be offered for the next. */
export async function readLastBuyer(
  tx: ReadTx,
  account: AccountId,
): Promise<{ readonly buyer: string; readonly buyerTaxId: string }> {
  const row = await tx.get<{ buyer: string; buyerTaxId: string }>(
    `SELECT r.buyer, r.buyer_tax_id AS buyerTaxId FROM receipt r JOIN payment_order o ON o.id = r.payment_order
     WHERE o.account = ? ORDER BY r.number DESC LIMIT 1`,
    [account],
  );
  return row ?? { buyer: "", buyerTaxId: "" };
}

/** Makes a payment's receipt, once: where there is one, it stays as it is. */
export async function makeReceipt(
  tx: WriteTx,
  { order, state }: Payment,
  words: { readonly seller: string; readonly buyer: string; readonly buyerTaxId: string },
): Promise<{ readonly ok: true; readonly outcome: "created" | "exists" } | Refusal<"not-paid">> {
  if (state !== "paid") return refuse("not-paid");
  if ((await readReceipt(tx, order)) !== undefined) return { ok: true, outcome: "exists" };
  await tx.run(
    `INSERT INTO receipt (number, payment_order, seller, buyer, buyer_tax_id, made_at)
     VALUES ((SELECT coalesce(max(number), 0) + 1 FROM receipt), ?, ?, ?, ?, ?)`,
    [order, words.seller, words.buyer, words.buyerTaxId, tx.now],
  );
  return { ok: true, outcome: "created" };
}

/** By payment intent. */
async function readReturned(tx: ReadTx, account: AccountId): Promise<ReadonlyMap<string, Amount>> {
  const rows = await tx.all<{ code: string; reference: string; picodollars: bigint; attodollars: bigint }>(
    `SELECT code, reference, picodollars, attodollars FROM transfer
     WHERE (debit = ? AND code IN ('refund', 'dispute')) OR (credit = ? AND code IN ('refund-undone', 'dispute-undone'))`,
    [account, account],
  );
  const sums = new Map<string, Amount>();
  for (const { code, reference, ...columns } of rows) {
    const before = sums.get(reference) ?? zero;
    const moved = fromColumns(columns);
    sums.set(
      reference,
      code.endsWith("-undone") ? subtractAmounts(before, moved) : addAmounts(before, moved),
    );
  }
  return sums;
}

interface PaymentRow {
  readonly order: string;
  readonly created: bigint;
  readonly picodollars: bigint;
  readonly attodollars: bigint;
  readonly transfer: string | null;
  readonly day: DayUtc | "";
  readonly receipt: bigint | null;
  readonly recharge: bigint | null;
  readonly taxPico: bigint;
  readonly taxAtto: bigint;
  readonly state: Payment["state"];
}
