/**
 * Prices: from whole picodollars in etc/prices.yaml to the exact charge of one usage row.
 *
 * Worked example: 250 picodollars per byte-month, 2026-02-10 (28 days): floor(250,000,000 / 28) = 8,928,571
 * attodollars per byte-day; in March (31 days) 8,064,516. Rounding is down, so never in the house's favour,
 * and happens once, before the multiplication, so that quantity x price can be checked by hand.
 */
import { type DayUtc, daysInMonth } from "../util/clock.ts";
import type { MeterSetting } from "../util/settings.ts";
import { type Amount, amountOf, attoPerPicodollar, formatExact } from "./amount.ts";

/** Where a price is kept beside what it was charged for, it is a signed 64-bit column of attodollars: some $9.22 a unit. */
export const largestPriceAtto = 2n ** 63n - 1n;
const fewestDays = 28n;

/** The most that etc/prices.yaml may say, so that a unit's price fits in every month. */
export function mostPicodollars(per: MeterSetting["per"]): bigint {
  const perUnit = largestPriceAtto / attoPerPicodollar;
  return per === "byte-month" ? perUnit * fewestDays : perUnit;
}

export interface Charge {
  /** Attodollars for one unit of the quantity: a byte-day, a byte, a piece. */
  readonly priceAtto: bigint;
  readonly amount: Amount;
}

/**
 * The charge for a quantity on a day, by the price in force that day.
 * @returns undefined if the meter has no price yet on that day
 */
export function chargeFor(meter: MeterSetting, day: DayUtc, quantity: bigint): Charge | undefined {
  const priceAtto = priceAttoPerUnit(meter, day);
  return priceAtto === undefined ? undefined : { priceAtto, amount: amountOf(quantity * priceAtto) };
}

/**
 * The same charge as a sum for people, a line for each step, so that it can be worked out again by hand.
 * @returns undefined if the meter has no price yet on that day
 */
export function explainCharge(
  meter: MeterSetting,
  day: DayUtc,
  quantity: bigint,
): readonly string[] | undefined {
  const price = priceOn(meter, day);
  const charge = chargeFor(meter, day, quantity);
  if (price === undefined || charge === undefined) return undefined;
  const atto = `${BigInt(price.picodollars) * attoPerPicodollar} attodollars`;
  const days = daysInMonth(day);
  const unit = meter.per === "byte-month" ? "byte-day" : meter.per;
  return [
    `${day}: since ${price.fromDay} ${meter.name} costs ${price.picodollars} picodollars per ${meter.per}, which are ${atto}`,
    ...(meter.per === "byte-month"
      ? [
          `${day.slice(0, 7)} has ${days} days: ${atto} / ${days}, rounded down, are ${charge.priceAtto} per byte-day`,
        ]
      : []),
    `${quantity} ${unit}s x ${charge.priceAtto} attodollars are ${charge.amount} attodollars`,
    `= $${formatExact(charge.amount)}`,
  ];
}

/** Attodollars per unit of quantity on a day; undefined before the meter's first price. */
export function priceAttoPerUnit(meter: MeterSetting, day: DayUtc): bigint | undefined {
  const price = priceOn(meter, day);
  if (price === undefined) return undefined;
  const atto = BigInt(price.picodollars) * attoPerPicodollar;
  return meter.per === "byte-month" ? atto / BigInt(daysInMonth(day)) : atto;
}

/** The price in force on a day; undefined before the meter's first one. */
export function priceOn(meter: MeterSetting, day: DayUtc): MeterSetting["prices"][number] | undefined {
  return meter.prices.findLast((candidate) => candidate.fromDay <= day);
}
