/**
 * What a month's usage cost, by machine, meter, and day: a chart for each meter, and the same numbers as a table. Reads only.
 */
import { type Amount, addAmounts, amountOf, formatExact, zero } from "../lib/money/amount.ts";
import { priceAttoPerUnit, priceOn } from "../lib/money/price.ts";
import { type HistoryLine, readHistory, sumBy } from "../lib/usage/history.ts";
import { readMachineNames } from "../lib/usage/machine.ts";
import { addDays, type DayUtc, dayOf, daysInMonth, parseDay } from "../lib/util/clock.ts";
import { pathOf } from "../lib/util/routes.ts";
import { labelOf, type MeterSetting } from "../lib/util/settings.ts";
import { drawMonth } from "./support/chart.ts";
import { groupDigits, sayBytes } from "./support/quantity.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit, withAccount } from "./support/visit.ts";

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) => {
    const { store, settings, clock } = visit.site;
    const today = dayOf(clock.now());
    const first = readMonth(visit.query.get("month") ?? "") ?? firstOf(today);
    const next = addDays(first, daysInMonth(first));
    const { all, names } = await store.read(async (tx) => ({
      all: await readHistory(tx, account.id, { from: first, to: addDays(next, -1) }),
      names: await readMachineNames(tx, account.id),
    }));
    const nameOf = (key: string): string => names.get(key) ?? key;
    const machines = [...sumBy(all, ({ machine }) => machine)];
    const asked = visit.query.get("machine") ?? "";
    // One that is not there is no machine of this month, whoever else may have it.
    const machine = machines.some(([name]) => name === asked) ? asked : "";
    const lines = machine === "" ? all : all.filter((line) => line.machine === machine);
    return respondPage(visit, {
      title: "Usage",
      template: "history",
      data: {
        month: first.slice(0, 7),
        previous: hrefOf({ month: addDays(first, -1).slice(0, 7), machine }),
        next: next > today ? "" : hrefOf({ month: next.slice(0, 7), machine }),
        total: formatExact(total(lines)),
        machine: nameOf(machine),
        everything: hrefOf({ month: first.slice(0, 7), machine: "" }),
        machines: machines.map(([key, amount]) => ({
          name: nameOf(key),
          amount: formatExact(amount),
          href: hrefOf({ month: first.slice(0, 7), machine: key }),
          current: key === machine ? "true" : "",
        })),
        meters: describeMeters(lines, settings.meters, first),
        lengths: describeLengths(lines, settings.meters, first),
        rows: lines.map((line) => describeRow({ ...line, machine: nameOf(line.machine) }, settings.meters)),
        account: pathOf("account"),
      },
    });
  });
}

/** The first day of a month such as 2026-11. */
function readMonth(text: string): DayUtc | undefined {
  return parseDay(`${text}-01`);
}

function firstOf(day: DayUtc): DayUtc {
  return addDays(day, 1 - Number(day.slice(8)));
}

function hrefOf({ month, machine }: { readonly month: string; readonly machine: string }): string {
  return `?month=${month}${machine === "" ? "" : `&machine=${encodeURIComponent(machine)}`}`;
}

function total(lines: readonly HistoryLine[]): Amount {
  return lines.reduce((sum, { amount }) => addAmounts(sum, amount), zero);
}

/** In the order of the settings; those that are there no more follow. */
function describeMeters(lines: readonly HistoryLine[], meters: readonly MeterSetting[], first: DayUtc) {
  const used = new Set(lines.map(({ meter }) => meter));
  const names = [...meters.map(({ name }) => name).filter((name) => used.has(name)), ...used];
  return [...new Set(names)].map((name, place) => {
    const own = lines.filter(({ meter }) => meter === name);
    const byDay = sumBy(own, ({ day }) => day);
    const days = Array.from({ length: daysInMonth(first) }, (_none, passed) => addDays(first, passed));
    const chart = drawMonth(
      days.map((day) => {
        const amount = byDay.get(day) ?? zero;
        return { amount, title: `${day}: $${formatExact(amount)}` };
      }),
    );
    const [most = ["", zero]] = [...byDay].sort(([, a], [, b]) => (a < b ? 1 : -1));
    return {
      id: `meter-${place}`,
      label: labelOf(meters, name),
      total: formatExact(total(own)),
      mostDay: most[0],
      most: formatExact(most[1]),
      chart,
    };
  });
}

/** Meters priced by the month whose day costs another amount than in the month before, for its length alone. */
function describeLengths(lines: readonly HistoryLine[], meters: readonly MeterSetting[], first: DayUtc) {
  const before = firstOf(addDays(first, -1));
  if (daysInMonth(before) === daysInMonth(first)) return [];
  return meters.flatMap((meter) => {
    if (meter.per !== "byte-month" || !lines.some((line) => line.meter === meter.name)) return [];
    const [now, then] = [priceAttoPerUnit(meter, first), priceAttoPerUnit(meter, before)];
    const isSame = priceOn(meter, first)?.picodollars === priceOn(meter, before)?.picodollars;
    if (now === undefined || then === undefined || !isSame) return [];
    const perGigabyte = (atto: bigint): string => formatExact(amountOf(atto * 10n ** 9n));
    return [
      {
        label: meter.label,
        days: daysInMonth(first),
        before: before.slice(0, 7),
        daysBefore: daysInMonth(before),
        price: perGigabyte(now),
        priceBefore: perGigabyte(then),
        isMore: now > then,
      },
    ];
  });
}

function describeRow(
  { day, machine, meter, quantity, priceAtto, amount }: HistoryLine,
  meters: readonly MeterSetting[],
) {
  const isBytes = meters.find(({ name }) => name === meter)?.per !== "unit";
  return {
    day,
    machine,
    meter: labelOf(meters, meter),
    quantity: groupDigits(quantity),
    said: isBytes ? sayBytes(quantity) : "",
    price: formatExact(amountOf(priceAtto)),
    amount: formatExact(amount),
  };
}
