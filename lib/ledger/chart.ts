/**
 * The chart of accounts: which ledger accounts there are besides the customers', and between which kinds each
 * transfer code may move money. A balanced transfer between the wrong accounts is still wrong, so the pair is
 * checked at every posting, here and by the database itself (table `chart`).
 *
 * Worked example, a $10 payment of which Stripe keeps $0.59, and $4 given back: topup $10 stripe-clearing -> customer;
 * fee $0.59 fees -> stripe-clearing; refund $4 customer -> refunds; refund-paid $4 refunds -> stripe-clearing. The customer
 * has $6, Stripe holds $5.41 of ours, and the fees of $0.59 are what the house has paid.
 */

export type LedgerKind = "customer" | HouseAccount;

/** The house's own accounts, each the only one of its kind; a customer's ledger account has the customer's account id. */
export const houseAccounts = [
  // What Stripe holds for us.
  "stripe-clearing",
  // What Stripe has paid out to us.
  "bank",
  // Taken by Stripe for the authorities, who have not got it yet.
  "tax",
  "fees",
  "revenue",
  "goodwill",
  // On the way between a customer and Stripe: empty when all is settled.
  "refunds",
  "disputes",
  "adjustments",
] as const;
export type HouseAccount = (typeof houseAccounts)[number];

export interface Pair {
  readonly debit: LedgerKind;
  readonly credit: LedgerKind;
  /** What ids of such transfers begin with, before the first slash. */
  readonly ids: string;
}

export const pairs = {
  /** Money that Stripe took for us becomes the customer's. */
  topup: { debit: "stripe-clearing", credit: "customer", ids: "topup" },
  /** What came with it for the authorities. */
  tax: { debit: "stripe-clearing", credit: "tax", ids: "topup" },
  /** The customer's money becomes ours. */
  bill: { debit: "customer", credit: "revenue", ids: "bill" },
  /** Usage of a billed day that was measured again came to more, or to less. */
  "bill-more": { debit: "customer", credit: "adjustments", ids: "bill" },
  "bill-less": { debit: "adjustments", credit: "customer", ids: "bill" },
  /** Stripe's share, and what it gives back of that. */
  fee: { debit: "fees", credit: "stripe-clearing", ids: "fee" },
  "fee-returned": { debit: "stripe-clearing", credit: "fees", ids: "fee" },
  /** Stripe pays us; or the bank sends it back, or we put money in. */
  payout: { debit: "bank", credit: "stripe-clearing", ids: "payout" },
  "payout-returned": { debit: "stripe-clearing", credit: "bank", ids: "payout" },
  /** A refund leaves the customer's credit, then Stripe; one that failed takes the same way back. */
  refund: { debit: "customer", credit: "refunds", ids: "refund" },
  "refund-paid": { debit: "refunds", credit: "stripe-clearing", ids: "refund" },
  "refund-returned": { debit: "stripe-clearing", credit: "refunds", ids: "refund" },
  "refund-undone": { debit: "refunds", credit: "customer", ids: "refund" },
  "refund-tax": { debit: "tax", credit: "refunds", ids: "refund" },
  "refund-tax-undone": { debit: "refunds", credit: "tax", ids: "refund" },
  /** A dispute does the same by the bank's will; what is won comes back. */
  dispute: { debit: "customer", credit: "disputes", ids: "dispute" },
  "dispute-paid": { debit: "disputes", credit: "stripe-clearing", ids: "dispute" },
  "dispute-returned": { debit: "stripe-clearing", credit: "disputes", ids: "dispute" },
  "dispute-undone": { debit: "disputes", credit: "customer", ids: "dispute" },
  "dispute-tax": { debit: "tax", credit: "disputes", ids: "dispute" },
  "dispute-tax-undone": { debit: "disputes", credit: "tax", ids: "dispute" },
  /** By hand: what the house gives, takes back, charges, and what customers bring who move in. */
  goodwill: { debit: "goodwill", credit: "customer", ids: "credit" },
  "goodwill-undone": { debit: "customer", credit: "goodwill", ids: "credit" },
  gift: { debit: "goodwill", credit: "customer", ids: "credit" },
  charge: { debit: "customer", credit: "adjustments", ids: "credit" },
  opening: { debit: "adjustments", credit: "customer", ids: "opening" },
  "opening-owed": { debit: "customer", credit: "adjustments", ids: "opening" },
  /** A closed account ends with nothing: what its owner left, and what is not asked for any more. */
  forfeit: { debit: "customer", credit: "adjustments", ids: "closing" },
  "written-off": { debit: "adjustments", credit: "customer", ids: "closing" },
} as const satisfies Record<string, Pair>;

export type TransferCode = keyof typeof pairs;
