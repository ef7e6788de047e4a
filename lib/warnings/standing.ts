/**
 * How an account stands: a pure rule over its balance and its cost.
 *
 * Worked example, 7 days: $0.50 left at $0.10 a day is 5 days: low. $0.70 is exactly 7 days: ok. $0.00 is
 * overdrawn, because access ends when nothing is left. An account that was never funded is new, and is never
 * warned: it owes nothing and was promised nothing.
 */

import { readBalance } from "../ledger/transfer.ts";
import { type Amount, amountOf, zero } from "../money/amount.ts";
import { priceAttoPerUnit } from "../money/price.ts";
import type { ReadTx } from "../store/store.ts";
import { type DayUtc, dayOf } from "../util/clock.ts";
import type { MeterSetting } from "../util/settings.ts";

export type StandingState = "new" | "ok" | "low" | "overdrawn";

export interface StandingFacts {
  readonly balance: Amount;
  /** Money was paid in at least once. */
  readonly funded: boolean;
  /** What a day costs now: the last billed day's storage at today's price. */
  readonly costPerDay: Amount;
}

export function judgeStanding(facts: StandingFacts, warnDays: number): StandingState {
  if (!facts.funded) return "new";
  if (facts.balance <= zero) return "overdrawn";
  return facts.balance < facts.costPerDay * BigInt(warnDays) ? "low" : "ok";
}

/** Whole days that the balance lasts; undefined where nothing is being spent. */
export function daysLeft(facts: StandingFacts): number | undefined {
  if (facts.costPerDay <= zero) return undefined;
  const days = facts.balance > zero ? facts.balance / facts.costPerDay : 0n;
  return Number(days > 100_000n ? 100_000n : days);
}

export async function readStandingFacts(
  tx: ReadTx,
  account: string,
  meters: readonly MeterSetting[],
): Promise<StandingFacts> {
  const funded = await tx.get("SELECT 1 AS one FROM transfer WHERE credit = ? LIMIT 1", [account]);
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
