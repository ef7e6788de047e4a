// Goal of this test: every mistake in etc/prices.yaml is told with its line and key: prices are exact, and in force
// from days that exist.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWorkshop, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

describe("etc/prices.yaml", () => {
  const meter = (lines: string) =>
    `currency: USD\nmeters:\n  storage:\n    label: S\n    per: unit\n    prices:\n${lines}`;
  const from = (day: string, picodollars: string) => `      - {from: ${day}, picodollars: ${picodollars}}\n`;

  it.each([
    ["meters: {}\n", ['etc/prices.yaml:1:1: "currency" is missing; it must be one of USD']],
    ["currency: EUR\nmeters: {}\n", ['etc/prices.yaml:1:1: "currency" is "EUR"; it must be one of USD']],
    ["currency: USD\n", ['etc/prices.yaml:1:1: "meters" is missing; it must hold a key for each meter']],
    [
      "currency: USD\nmeters:\n  Über: {}\n",
      [
        'etc/prices.yaml:3:3: the meter "Über" must have a name of small letters, digits, and hyphens',
        'etc/prices.yaml:3:9: "meters.Über.per" is missing; it must be one of byte-month, byte, unit',
        'etc/prices.yaml:3:9: "meters.Über.prices" must be a list of one or more',
      ],
    ],
    [
      meter("").replace("per: unit", "per: month"),
      [
        'etc/prices.yaml:5:5: "meters.storage.per" is "month"; it must be one of byte-month, byte, unit',
        'etc/prices.yaml:6:5: "meters.storage.prices" must be a list of one or more',
      ],
    ],
    [meter("      []\n"), ['etc/prices.yaml:6:5: "meters.storage.prices" must be a list of one or more']],
    [meter("      - 250\n"), ['etc/prices.yaml:6:5: item 1 of "meters.storage.prices" must hold keys']],
    [
      meter(from("2026-02-30", "1")),
      ['etc/prices.yaml:7:10: "meters.storage.prices[0].from" is "2026-02-30"; it must be a day, 2026-01-01'],
    ],
    [
      meter(from("2026-01-01", "-1")),
      [
        'etc/prices.yaml:7:28: "meters.storage.prices[0].picodollars" is "-1"; it must be a whole number from 0 to 999999999999999',
      ],
    ],
    [
      meter(from("2026-01-01", "0.5")),
      [
        'etc/prices.yaml:7:28: "meters.storage.prices[0].picodollars" is "0.5"; it must be a whole number from 0 to 999999999999999',
      ],
    ],
    [
      meter(from("2026-01-01", "1e3")),
      [
        'etc/prices.yaml:7:28: "meters.storage.prices[0].picodollars" is "1e3"; it must be a whole number from 0 to 999999999999999',
      ],
    ],
    [
      meter(from("2026-01-01", "9223372036854") + from("2026-02-01", "9223372036855")),
      [
        'etc/prices.yaml:8:28: "meters.storage.prices[1].picodollars" is 9223372036855; the books keep at most 9223372036854 per unit: price a smaller unit, such as an hour in the place of a day',
      ],
    ],
    [
      meter(from("2026-01-01", "258254417031912") + from("2026-02-01", "258254417031913")).replace(
        "per: unit",
        "per: byte-month",
      ),
      [
        'etc/prices.yaml:8:28: "meters.storage.prices[1].picodollars" is 258254417031913; the books keep at most 258254417031912 per byte-month: price a smaller unit, such as an hour in the place of a day',
      ],
    ],
    [
      meter(from("2026-01-01", "250").replace("picodollars", "picodolars")),
      [
        'etc/prices.yaml:7:9: "meters.storage.prices[0].picodollars" is missing; it must be a whole number from 0 to 999999999999999',
        'etc/prices.yaml:7:28: unknown key "meters.storage.prices[0].picodolars"; did you mean "picodollars"?',
      ],
    ],
    [
      meter(from("2026-07-01", "1") + from("2026-01-01", "1")),
      ['etc/prices.yaml:6:5: "meters.storage.prices" must go from older to newer days, each once'],
    ],
    [
      meter(from("2026-01-01", "1") + from("2026-01-01", "2")),
      ['etc/prices.yaml:6:5: "meters.storage.prices" must go from older to newer days, each once'],
    ],
  ] as const)("refuses %j", async (text, faults) => {
    workshop.write("site/etc/prices.yaml", text);
    const found = await workshop.faults();
    expect(found).toEqual(faults);
  });

  it("may hold no meter at all", async () => {
    workshop.write("site/etc/prices.yaml", "currency: USD\nmeters: {}\n");
    expect(await workshop.faults()).toEqual([]);
  });
});
