/**
 * The one file that reads the clock. Everything else is given a `Clock`, so that tests choose the time and a
 * booking day can be assigned inside the transaction that books. All times are UTC, whatever TZ says.
 */

/** A UTC day, `YYYY-MM-DD`; its order as text is its order in time. */
export type DayUtc = string & { readonly brand: "DayUtc" };

export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly now: () => number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Milliseconds since the process began, for durations: no clock that is set back has a part in it. */
export function runningMs(): number {
  // performance.now() says the same, and loads more of Node than all else that a short build needs.
  return 1000 * process.uptime();
}

/** Runs `work`, and answers no sooner than `leastMs` after it began: so quick a thing takes the same time whatever it does. */
export async function takeAtLeast<Result>(leastMs: number, work: () => Promise<Result>): Promise<Result> {
  const began = runningMs();
  try {
    return await work();
  } finally {
    // Timers count whole milliseconds, and would tell of what the work took by the rest: the last two are waited out.
    const left = leastMs - (runningMs() - began) - 2;
    if (left >= 1) await new Promise((resolve) => setTimeout(resolve, left));
    while (runningMs() - began < leastMs);
  }
}

const dayMs = 86_400_000;

/** `2026-11-23T08:05:00Z`; seconds are enough for people and records. */
export function formatUtc(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** The UTC day that a moment falls into. */
export function dayOf(ms: number): DayUtc {
  return new Date(ms).toISOString().slice(0, 10) as DayUtc;
}

/** The first moment of a day. */
export function startOfDay(day: DayUtc): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** Reads `YYYY-MM-DD`; undefined for anything else, February 30 included. */
export function parseDay(text: string): DayUtc | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) || dayOf(ms) !== text ? undefined : (text as DayUtc);
}

/** The day `count` days later (earlier if negative). */
export function addDays(day: DayUtc, count: number): DayUtc {
  return dayOf(startOfDay(day) + count * dayMs);
}

/** How many days lie between two days: 0 for the same day. */
export function daysBetween(from: DayUtc, to: DayUtc): number {
  return Math.round((startOfDay(to) - startOfDay(from)) / dayMs);
}

/** Days in the month that `day` lies in: 28 to 31. */
export function daysInMonth(day: DayUtc): number {
  const year = Number(day.slice(0, 4));
  const month = Number(day.slice(5, 7));
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** RFC 5322 date of a mail, `Mon, 23 Nov 2026 08:05:00 +0000`. */
export function formatMailDate(ms: number): string {
  return new Date(ms).toUTCString().replace("GMT", "+0000");
}

/** A moment as part of a file name that sorts by time, `20261123T080500Z`. */
export function formatCompact(ms: number): string {
  return formatUtc(ms).replace(/[-:]/g, "");
}
