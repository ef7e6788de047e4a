/**
 * Money: whole attodollars (1e-18 dollar) in a branded bigint, never a number.
 *
 * Worked example: a customer stores 259,688,348 bytes for one day of a 31-day month at 250 picodollars per
 * byte-month. A byte-day costs floor(250,000,000 / 31) = 8,064,516 attodollars; the day costs
 * 259,688,348 x 8,064,516 = 2,094,260,837,459,568 attodollars = $0.002094260837459568, exactly.
 * In the database that is 2,094,260,837 picodollars and 459,568 attodollars.
 */

import { NeedsHuman } from "../util/failure.ts";

/** An amount in attodollars; may be negative (a balance), never fractional. */
export type Amount = bigint & { readonly brand: "Amount" };

/** An amount as its two database columns: value = picodollars x 1,000,000 + attodollars. */
export interface AmountColumns {
  readonly picodollars: bigint;
  /** 0 to 999,999, also where the amount is negative. */
  readonly attodollars: bigint;
}

export const attoPerPicodollar = 1_000_000n;
export const attoPerCent = 10n ** 16n;
const attoPerDollar = 10n ** 18n;
// A signed 64-bit column: about 9.22 million dollars either way.
const largestPicodollars = 2n ** 63n - 1n;

export const zero = 0n as Amount;

/** The amount of so many attodollars. */
export function amountOf(attodollars: bigint): Amount {
  return attodollars as Amount;
}

export function addAmounts(left: Amount, right: Amount): Amount {
  return (left + right) as Amount;
}

export function subtractAmounts(left: Amount, right: Amount): Amount {
  return (left - right) as Amount;
}

/**
 * Splits an amount for the database.
 * @throws NeedsHuman beyond +-$9.22 million: better a loud stop than a wrapped integer.
 */
export function toColumns(amount: Amount): AmountColumns {
  const attodollars = ((amount % attoPerPicodollar) + attoPerPicodollar) % attoPerPicodollar;
  const picodollars = (amount - attodollars) / attoPerPicodollar;
  if (picodollars > largestPicodollars || picodollars < -largestPicodollars)
    throw new NeedsHuman(
      `${formatExact(amount)} dollars do not fit the books; check the quantity and the price`,
    );
  return { picodollars, attodollars };
}

/** Puts the two columns together again. */
export function fromColumns(row: AmountColumns): Amount {
  return (row.picodollars * attoPerPicodollar + row.attodollars) as Amount;
}

/**
 * SQL for the sum of two such columns over many rows, which together may be more than one of them holds: all that ever went through an
 * account is, long before its balance. `fromSums` puts it together.
 */
export const amountSums = `coalesce(sum(picodollars / 1000000), 0) AS microdollars,
  coalesce(sum(picodollars % 1000000), 0) AS picodollars, coalesce(sum(attodollars), 0) AS attodollars`;

export interface AmountSums extends AmountColumns {
  readonly microdollars: bigint;
}

export function fromSums({ microdollars, picodollars, attodollars }: AmountSums): Amount {
  return ((microdollars * 1_000_000n + picodollars) * attoPerPicodollar + attodollars) as Amount;
}

/** All 18 decimals, as statements show them: `-0.002094260837459568`. */
export function formatExact(amount: Amount): string {
  const absolute = amount < 0n ? -amount : amount;
  const decimals = String(absolute % attoPerDollar).padStart(18, "0");
  return `${amount < 0n ? "-" : ""}${absolute / attoPerDollar}.${decimals}`;
}

/** Two decimals, as summaries show them, rounded down, so that nobody reads more than there is: `$9.99`, `-$0.01`. */
export function formatDollars(amount: Amount): string {
  const down = amount % attoPerCent < 0n ? amount / attoPerCent - 1n : amount / attoPerCent;
  const cents = down < 0n ? -down : down;
  return `${down < 0n ? "-" : ""}$${cents / 100n}.${String(cents % 100n).padStart(2, "0")}`;
}

/** Reads money as people type it, `10` or `10.00`; undefined for anything else (no sign, no comma, no `1e3`). */
export function parseDollars(text: string): Amount | undefined {
  const match = /^(\d{1,7})(?:\.(\d{2}))?$/.exec(text);
  if (match?.[1] === undefined) return undefined;
  return (BigInt(match[1]) * attoPerDollar + BigInt(match[2] ?? "0") * attoPerCent) as Amount;
}

/** Reads an amount with up to 18 decimals and perhaps a sign, `-0.000000000000000001`; undefined for anything else. */
export function parseExact(text: string): Amount | undefined {
  const match = /^(-?)(\d{1,7})(?:\.(\d{1,18}))?$/.exec(text);
  if (match?.[2] === undefined) return undefined;
  const atto = BigInt(match[2]) * attoPerDollar + BigInt((match[3] ?? "").padEnd(18, "0"));
  return (match[1] === "-" ? -atto : atto) as Amount;
}

/** Whole cents for Stripe, which takes a number; undefined if the amount is not whole cents of at most $1 million. */
export function toCents(amount: Amount): number | undefined {
  const cents = amount / attoPerCent;
  return amount % attoPerCent === 0n && cents >= 0n && cents <= 100_000_000n ? Number(cents) : undefined;
}

/** Whole cents from Stripe; undefined for what is no whole number. */
export function fromCents(cents: number): Amount | undefined {
  return Number.isSafeInteger(cents) ? ((BigInt(cents) * attoPerCent) as Amount) : undefined;
}
