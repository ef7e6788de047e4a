/** What a customer wants to be warned of: so many days before the credit runs out, or below an amount, and at a second address. */
import type { AccountId } from "../accounts/account.ts";
import type { Email } from "../accounts/email.ts";
import { type Amount, fromCents } from "../money/amount.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { assert } from "../util/failure.ts";
import type { Settings } from "../util/settings.ts";

export interface Preference {
  /** undefined: what the site says. Not both. */
  readonly warnDays: number | undefined;
  readonly warnBelowCents: number | undefined;
  readonly secondEmail: Email | undefined;
}

/** When an account counts as low. */
export interface WarnRule {
  readonly days: number;
  /** Instead of the days, where the customer says so. */
  readonly below: Amount | undefined;
}

export const noPreference: Preference = {
  warnDays: undefined,
  warnBelowCents: undefined,
  secondEmail: undefined,
};

export async function readPreference(tx: ReadTx, account: AccountId): Promise<Preference> {
  const row = await tx.get<{ days: bigint | null; cents: bigint | null; second: Email | null }>(
    `SELECT warn_days AS days, warn_below_cents AS cents, second_email AS second FROM preference
     WHERE account = ? ORDER BY number DESC LIMIT 1`,
    [account],
  );
  if (row === undefined) return noPreference;
  return {
    warnDays: row.days === null ? undefined : Number(row.days),
    warnBelowCents: row.cents === null ? undefined : Number(row.cents),
    secondEmail: row.second ?? undefined,
  };
}

export async function setPreference(tx: WriteTx, account: AccountId, preference: Preference): Promise<void> {
  const { warnDays, warnBelowCents, secondEmail } = preference;
  assert(warnDays === undefined || warnBelowCents === undefined, "a warning is by days or by dollars");
  await tx.run(
    `INSERT INTO preference (account, number, warn_days, warn_below_cents, second_email, set_at)
     VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM preference WHERE account = ?), ?, ?, ?, ?)`,
    [account, account, warnDays ?? null, warnBelowCents ?? null, secondEmail ?? null, tx.now],
  );
}

export function ruleOf(preference: Preference, settings: Pick<Settings, "warnDays">): WarnRule {
  const { warnDays, warnBelowCents } = preference;
  const below = warnBelowCents === undefined ? undefined : fromCents(warnBelowCents);
  return { days: warnDays ?? settings.warnDays, below };
}
