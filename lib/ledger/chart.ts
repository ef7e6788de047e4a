/**
 * The chart of accounts: which ledger accounts there are besides the customers', and between which kinds each
 * transfer code may move money. A balanced transfer between the wrong accounts is still wrong, so the pair is
 * checked at every posting.
 */

export type LedgerKind = "customer" | "stripe-clearing" | "revenue";

/** The house's own accounts; a customer's ledger account has the customer's account id. */
export const stripeClearing = "stripe-clearing";
export const revenue = "revenue";

export interface Pair {
  readonly debit: LedgerKind;
  readonly credit: LedgerKind;
}

/** topup: money that Stripe took for us becomes the customer's. bill: the customer's money becomes ours. */
export const pairs = {
  topup: { debit: "stripe-clearing", credit: "customer" },
  bill: { debit: "customer", credit: "revenue" },
} as const satisfies Record<string, Pair>;

export type TransferCode = keyof typeof pairs;
