/**
 * The published countdown after an empty balance, as a pure rule over what was last known and today. Its end is only a
 * word, "due": a person deletes, and nobody else.
 *
 * Worked example, 7 days: empty on the 1st (first mail), 3 days left on the 5th, 1 on the 7th, due on the 8th. Each step has
 * its mail, and names the day before which nothing is deleted; that day holds. If the job did not run until the 6th, the mail
 * with 3 days left names the 9th, so the one with 1 day left comes on the 8th. A hold stops it; when the hold ends, it begins anew.
 */
import { addDays, type DayUtc, daysBetween } from "../util/clock.ts";
import type { StandingState } from "./standing.ts";

export interface Standing {
  readonly state: Exclude<StandingState, "new">;
  /** The day on which the countdown began; "" where there is none. */
  readonly since: DayUtc | "";
  /** The days that were left when it was last told of; undefined where there is none. */
  readonly step: number | undefined;
}

/** A standing as it was told of. */
export interface Told extends Standing {
  /** The day on which it was written, with its mail. */
  readonly day: DayUtc;
}

/** Days left at which a customer is reminded, after the first mail and before the last. */
const reminders: readonly number[] = [3, 1];

export interface CountdownFacts {
  /** By balance and cost alone. */
  readonly state: "ok" | "low" | "overdrawn";
  readonly isHeld: boolean;
  readonly today: DayUtc;
  readonly countdownDays: number;
}

/** `before`: what was last known; undefined for an account that was always well. */
export function countDown(facts: CountdownFacts, before: Told | undefined): Standing {
  const { state, isHeld, today, countdownDays } = facts;
  if (state !== "overdrawn") return { state, since: "", step: undefined };
  const wasDown = before !== undefined && before.state !== "ok" && before.state !== "low";
  const begin: Standing = { state, since: today, step: countdownDays };
  // 1. Whoever has just run out is told, held or not.
  if (!wasDown) return begin;
  // 2. A hold stops the countdown; its end begins a new one.
  if (isHeld) return { state: "held", since: before.since, step: undefined };
  if (before.state === "held" || before.since === "") return begin;
  // 3. One step at a time, none before so few days are left to the day that the last one named.
  const promised = deletionDay(before, countdownDays);
  if (before.state === "due" || promised === undefined) return before;
  const step = before.step ?? countdownDays;
  const next = reminders.find((days) => days < step) ?? 0;
  if (daysBetween(today, promised) > next) return before;
  return { state: next === 0 ? "due" : "overdrawn", since: before.since, step: next };
}

/** The first day on which a person may delete, as its step told it: reckoned from the day of that step, so it stays the same until the next. */
export function deletionDay(told: Told, countdownDays: number): DayUtc | undefined {
  if (told.since === "" || told.state === "held") return undefined;
  const planned = addDays(told.since, countdownDays);
  const promised = addDays(told.day, told.step ?? countdownDays);
  return planned > promised ? planned : promised;
}
