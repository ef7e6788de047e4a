/**
 * How an account stands: a pure rule over its balance and its cost.
 *
 * Worked example, 7 days: $0.50 left at $0.10 a day is 5 days: low. $0.70 is exactly 7 days: ok. $0.00 is
 * overdrawn, because access ends when nothing is left. An account that was never funded is new, and is never
 * warned: it owes nothing and was promised nothing. A customer may be warned below an amount instead.
 */

import type { AccountId } from "../accounts/account.ts";
import { readBalance } from "../ledger/transfer.ts";
import { type Amount, amountOf, zero } from "../money/amount.ts";
import { priceAttoPerUnit } from "../money/price.ts";
import type { ReadTx } from "../store/store.ts";
import { type DayUtc, dayOf } from "../util/clock.ts";
import type { MeterSetting, Settings } from "../util/settings.ts";
import { readHold } from "./hold.ts";
import { readPreference, ruleOf, type WarnRule } from "./preference.ts";

/** `held` and `due` are what becomes of `overdrawn` (countdown.ts). */
export type StandingState = "new" | "ok" | "low" | "overdrawn" | "held" | "due";

export interface StandingFacts {
  readonly balance: Amount;
  /** Money was paid in or given at least once. */
  readonly funded: boolean;
  /** What a day costs now: the last billed day's storage at today's price. */
  readonly costPerDay: Amount;
}

/** The newest change of standing that was written. */
export interface StandingRow {
  readonly number: number;
  readonly state: Exclude<StandingState, "new">;
  readonly since: DayUtc | "";
  readonly step: number | undefined;
  readonly day: DayUtc;
}

export function judgeStanding(facts: StandingFacts, rule: WarnRule): "new" | "ok" | "low" | "overdrawn" {
  if (!facts.funded) return "new";
  if (facts.balance <= zero) return "overdrawn";
  const least = rule.below ?? facts.costPerDay * BigInt(rule.days);
  return facts.balance < least ? "low" : "ok";
}

/** Whether the service lets an account write: while there is more than nothing, and it is not closed. */
export function mayWrite({ balance }: StandingFacts, isClosed: boolean): boolean {
  return !isClosed && balance > zero;
}

/** Whole days that the balance lasts; undefined where nothing is being spent. */
export function daysLeft(facts: StandingFacts): number | undefined {
  if (facts.costPerDay <= zero) return undefined;
  const days = facts.balance > zero ? facts.balance / facts.costPerDay : 0n;
  return Number(days > 100_000n ? 100_000n : days);
}

/** How an account stands now, as programs and people are told: the countdown as far as it was written. */
export async function readStanding(
  tx: ReadTx,
  account: AccountId,
  settings: Pick<Settings, "meters" | "warnDays">,
) {
  const facts = await readStandingFacts(tx, account, settings.meters);
  const preference = await readPreference(tx, account);
  const isHeld = (await readHold(tx, account)) || (await readHold(tx, undefined));
  const row = await readStandingRow(tx, account);
  const judged = judgeStanding(facts, ruleOf(preference, settings));
  const isDown = judged === "overdrawn" && row !== undefined && row.since !== "";
  const state: StandingState = isDown ? (isHeld ? "held" : row.state) : judged;
  return { facts, preference, isHeld, state, since: isDown ? row.since : "", row };
}

export async function readStandingRow(tx: ReadTx, account: AccountId): Promise<StandingRow | undefined> {
  const row = await tx.get<{
    number: bigint;
    state: StandingRow["state"];
    since: DayUtc | "";
    step: bigint | null;
    day: DayUtc;
  }>("SELECT number, state, since, step, day FROM standing WHERE account = ? ORDER BY number DESC LIMIT 1", [
    account,
  ]);
  if (row === undefined) return undefined;
  const { number, step, ...rest } = row;
  return { ...rest, number: Number(number), step: step === null ? undefined : Number(step) };
}

export async function readStandingFacts(
  tx: ReadTx,
  account: string,
  meters: readonly MeterSetting[],
): Promise<StandingFacts> {
  // What a correction gives back of a bill is nobody's payment.
  const funded = await tx.get(
    "SELECT 1 AS one FROM transfer WHERE credit = ? AND code <> 'bill-less' LIMIT 1",
    [account],
  );
  return {
    balance: await readBalance(tx, account),
    funded: funded !== undefined,
    costPerDay: await readCostPerDay(tx, account, meters),
  };
}

async function readCostPerDay(tx: ReadTx, account: string, meters: readonly MeterSetting[]): Promise<Amount> {
  const last = await tx.get<{ day: DayUtc | null }>(
    "SELECT max(day) AS day FROM billed_day WHERE accounts > 0",
  );
  // A day on which nobody used anything says more of the meters than of what is stored.
  if (last?.day == null) return zero;
  let cost = 0n;
  // What is stored goes on costing; traffic does not.
  for (const meter of meters.filter((candidate) => candidate.per === "byte-month")) {
    const row = await tx.get<{ quantity: bigint }>(
      "SELECT coalesce(sum(quantity), 0) AS quantity FROM usage_now WHERE day = ? AND account = ? AND meter = ?",
      [last.day, account, meter.name],
    );
    cost += (row?.quantity ?? 0n) * (priceAttoPerUnit(meter, dayOf(tx.now)) ?? 0n);
  }
  return amountOf(cost);
}
