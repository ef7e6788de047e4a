/**
 * Transfers that follow from one fact of Stripe's: refunds, disputes, and fees are posted as legs, each with an id derived
 * from the fact, so that every order, repetition, and gap of what Stripe tells ends in the same books.
 */
import type { NewTransfer } from "../ledger/transfer.ts";
import { postTransfer } from "../ledger/transfer.ts";
import { amountOf, fromCents, zero } from "../money/amount.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { type Refusal, refuse } from "../util/failure.ts";
import type { MovementFacts } from "./facts.ts";

export type Leg = Pick<NewTransfer, "id" | "code" | "debit" | "credit" | "reference">;

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

/** Posts each leg over the same whole cents; "created" if one of them is new. */
export async function postLegs(
  tx: WriteTx,
  cents: number,
  currency: string,
  legs: readonly Leg[],
): Promise<Taken> {
  const amount = fromCents(Math.abs(cents));
  if (currency !== "usd" || amount === undefined)
    return refuse(
      "other-currency",
      `${legs[0]?.id}: ${cents} ${currency} cents are not in the books' currency`,
    );
  if (amount === zero) return { ok: true, outcome: "nothing-moved" };
  let outcome: "created" | "exists" = "exists";
  for (const leg of legs) {
    const posting = await postTransfer(tx, { ...leg, amount: amountOf(amount) });
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
