/**
 * Transfers that follow from one fact of Stripe's: refunds, disputes, and fees are posted as legs, each with an id derived
 * from the fact, so that every order, repetition, and gap of what Stripe tells ends in the same books.
 */
import type { NewTransfer } from "../ledger/transfer.ts";
import { postTransfer } from "../ledger/transfer.ts";
import { type Amount, fromCents, fromColumns, zero } from "../money/amount.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { type Refusal, refuse } from "../util/failure.ts";
import type { MovementFacts } from "./facts.ts";

export interface Leg extends Pick<NewTransfer, "id" | "code" | "debit" | "credit" | "reference"> {
  /** Of what part it is; of the whole unless told. */
  readonly cents?: number;
}

/** What of an amount was credit, and what was tax. */
export interface Share {
  readonly net: number;
  readonly tax: number;
}

export type Taken =
  | { readonly ok: true; readonly outcome: "created" | "exists" | "nothing-moved" }
  | Refusal<"unknown-payment" | "other-currency" | "differs">;

/** The account that a payment was credited to; undefined where the books do not know the payment. */
export async function findPayer(tx: ReadTx, paymentIntent: string): Promise<string | undefined> {
  const row = await tx.get<{ account: string }>("SELECT credit AS account FROM transfer WHERE id = ?", [
    `topup/${paymentIntent}`,
  ]);
  return row?.account;
}

/** What a payment brought: credit, and the tax beside it. */
export async function readParts(
  tx: ReadTx,
  paymentIntent: string,
): Promise<{ readonly paid: Amount; readonly taxed: Amount }> {
  const read = async (id: string): Promise<Amount> => {
    const row = await tx.get<{ picodollars: bigint; attodollars: bigint }>(
      "SELECT picodollars, attodollars FROM transfer WHERE id = ?",
      [id],
    );
    return row === undefined ? zero : fromColumns(row);
  };
  return { paid: await read(`topup/${paymentIntent}`), taxed: await read(`topup/${paymentIntent}/tax`) };
}

/**
 * The parts of a payment that so many cents of it are: the tax rounded down, so that of a whole payment both are exact. By themselves, and
 * not by what came back before: Stripe may tell of one before the other, and the books are the same (refunding.ts shares what is begun here).
 */
export async function shareOf(tx: ReadTx, paymentIntent: string, cents: number): Promise<Share> {
  const { paid, taxed } = await readParts(tx, paymentIntent);
  const part = taxed === zero ? 0 : Number((BigInt(cents) * taxed) / (paid + taxed));
  return { net: cents - part, tax: part };
}

/** Posts each leg over its whole cents, none for a part that is nothing; "created" if one of them is new. */
export async function postLegs(
  tx: WriteTx,
  cents: number,
  currency: string,
  legs: readonly Leg[],
): Promise<Taken> {
  if (currency !== "usd" || !Number.isSafeInteger(cents))
    return refuse(
      "other-currency",
      `${legs[0]?.id}: ${cents} ${currency} cents are not in the books' currency`,
    );
  if (cents === 0) return { ok: true, outcome: "nothing-moved" };
  let outcome: "created" | "exists" = "exists";
  for (const { cents: part = Math.abs(cents), ...leg } of legs) {
    const amount = fromCents(part);
    if (amount === undefined || amount <= zero) continue;
    const posting = await postTransfer(tx, { ...leg, amount });
    if (!posting.ok) return refuse("differs", posting.detail);
    if (posting.outcome === "created") outcome = "created";
  }
  return { ok: true, outcome };
}

/** Stripe's fee of one movement, or what it gave back of one. */
export async function postFee(tx: WriteTx, movement: MovementFacts, cents: number): Promise<Taken> {
  const { id, currency, source } = movement;
  const leg: Leg =
    cents > 0
      ? { id: `fee/${id}`, code: "fee", debit: "fees", credit: "stripe-clearing", reference: source }
      : {
          id: `fee/${id}`,
          code: "fee-returned",
          debit: "stripe-clearing",
          credit: "fees",
          reference: source,
        };
  return postLegs(tx, cents, currency, [leg]);
}
