// Goal of this test: amounts are exact to the attodollar, both ways through the database's columns and on the
// page, and prices are rounded down once, by the month of the day.
import { describe, expect, it } from "vitest";
import {
  amountOf,
  formatDollars,
  formatExact,
  fromCents,
  fromColumns,
  parseDollars,
  toCents,
  toColumns,
} from "../lib/money/amount.ts";
import { chargeFor, explainCharge, priceAttoPerUnit } from "../lib/money/price.ts";
import { dayUtc, meters } from "./support/books.ts";

const [storage, upload] = meters;

describe("amounts", () => {
  it.each([
    [0n, 0n, 0n],
    [1n, 0n, 1n],
    [-1n, -1n, 999_999n],
    [-1_000_000n, -1n, 0n],
    [2_094_260_837_459_568n, 2_094_260_837n, 459_568n],
    [9_007_199_254_740_993_000_001n, 9_007_199_254_740_993n, 1n],
  ])("%d attodollars are %d picodollars and %d attodollars", (atto, picodollars, attodollars) => {
    expect(toColumns(amountOf(atto))).toEqual({ picodollars, attodollars });
    expect(fromColumns({ picodollars, attodollars })).toBe(atto);
  });

  it("refuses what a 64-bit column cannot hold", () => {
    expect(() => toColumns(amountOf(2n ** 63n * 1_000_000n))).toThrow(/do not fit the books/);
    expect(() => toColumns(amountOf(-(2n ** 63n) * 1_000_000n))).toThrow(/do not fit the books/);
  });

  it.each([
    [2_094_260_837_459_568n, "0.002094260837459568", "$0.00"],
    [-1n, "-0.000000000000000001", "-$0.01"],
    [-10_000_000_000_000_000n, "-0.010000000000000000", "-$0.01"],
    [9_999_999_999_999_999_999n, "9.999999999999999999", "$9.99"],
    [10n ** 19n, "10.000000000000000000", "$10.00"],
  ])("%d attodollars read %s and %s", (atto, exact, dollars) => {
    expect(formatExact(amountOf(atto))).toBe(exact);
    expect(formatDollars(amountOf(atto))).toBe(dollars);
  });

  it.each([
    ["10", 10n * 10n ** 18n],
    ["10.00", 10n * 10n ** 18n],
    ["0.01", 10n ** 16n],
  ])("reads %s as people type it", (text, atto) => {
    expect(parseDollars(text)).toBe(atto);
  });

  it.each(["", "10.0", "10,00", "-1", "+1", "1e3", " 10", "10.001", "12345678", "٣", "0x10", "Infinity"])(
    "refuses %j as money",
    (text) => {
      expect(parseDollars(text)).toBeUndefined();
    },
  );

  it("gives Stripe whole cents only", () => {
    expect(toCents(amountOf(10n ** 19n))).toBe(1000);
    expect(toCents(amountOf(10n ** 19n + 1n))).toBeUndefined();
    expect(toCents(amountOf(-(10n ** 18n)))).toBeUndefined();
    expect(fromCents(1000)).toBe(10n ** 19n);
    expect(fromCents(10.5)).toBeUndefined();
  });
});

describe("prices", () => {
  it("computes Tarsnap's own statement line to the last digit", () => {
    // 259,688,348 bytes for a day of a 31-day month: floor(250,000,000 / 31) = 8,064,516 attodollars a byte-day.
    if (storage === undefined) throw new Error("the test has a storage meter");
    const charge = chargeFor(storage, dayUtc("2026-05-07"), 259_688_348n);
    expect(charge?.priceAtto).toBe(8_064_516n);
    expect(formatExact(charge?.amount ?? amountOf(0n))).toBe("0.002094260837459568");
  });

  it.each([
    ["2026-02-10", 8_928_571n],
    ["2026-03-10", 8_064_516n],
    ["2026-04-10", 8_333_333n],
    ["2028-02-29", 17_241_379n],
    ["2026-11-30", 8_333_333n],
    ["2026-12-01", 16_129_032n],
    ["2025-12-31", undefined],
  ])("prices a byte-day of %s at %s attodollars", (day, atto) => {
    if (storage === undefined) throw new Error("the test has a storage meter");
    expect(priceAttoPerUnit(storage, dayUtc(day))).toBe(atto);
  });

  it("prices traffic by the byte, in any month", () => {
    if (upload === undefined) throw new Error("the test has an upload meter");
    expect(chargeFor(upload, dayUtc("2026-02-10"), 1000n)?.amount).toBe(250_000_000_000n);
  });

  it("shows the sum, step by step", () => {
    if (storage === undefined || upload === undefined) throw new Error("the test has both meters");
    expect(explainCharge(storage, dayUtc("2028-02-29"), 1000n)).toEqual([
      "2028-02-29: since 2026-12-01 storage costs 500 picodollars per byte-month, which are 500000000 attodollars",
      "2028-02 has 29 days: 500000000 attodollars / 29, rounded down, are 17241379 per byte-day",
      "1000 byte-days x 17241379 attodollars are 17241379000 attodollars",
      "= $0.000000017241379000",
    ]);
    expect(explainCharge(upload, dayUtc("2026-02-10"), 3n)?.slice(-2)).toEqual([
      "3 bytes x 250000000 attodollars are 750000000 attodollars",
      "= $0.000000000750000000",
    ]);
    expect(explainCharge(upload, dayUtc("2025-12-31"), 3n)).toBeUndefined();
  });
});
