/**
 * A second address for warnings counts when whoever reads it has confirmed it: a mistyped one must not tell a stranger how an
 * account stands. One waits for each account; the link works once, for a day.
 */
import type { AccountId } from "../accounts/account.ts";
import type { Email } from "../accounts/email.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";
import { type Refusal, refuse } from "../util/failure.ts";
import { readPreference, setPreference } from "./preference.ts";

export const secondLifeMs = 24 * 3_600_000;

/** A new address takes the place of one that waits. */
export async function proposeSecond(
  tx: WriteTx,
  account: AccountId,
  { email, token }: { readonly email: Email; readonly token: string },
): Promise<void> {
  await tx.run("DELETE FROM second_address WHERE account = ? OR expires_at <= ?", [account, tx.now]);
  await tx.run("INSERT INTO second_address (account, email, token_hash, expires_at) VALUES (?, ?, ?, ?)", [
    account,
    email,
    sha256Hex(token),
    tx.now + secondLifeMs,
  ]);
}

/** The address that waits for its confirmation. */
export async function readProposed(tx: ReadTx, account: AccountId): Promise<Email | undefined> {
  const row = await tx.get<{ email: Email }>(
    "SELECT email FROM second_address WHERE account = ? AND expires_at > ?",
    [account, tx.now],
  );
  return row?.email;
}

export async function forgetProposed(tx: WriteTx, account: AccountId): Promise<void> {
  await tx.run("DELETE FROM second_address WHERE account = ?", [account]);
}

/** Whether a link would work now; changes nothing. */
export async function checkSecond(tx: ReadTx, token: string): Promise<boolean> {
  return (await readByToken(tx, token)) !== undefined;
}

/** From now on warnings go to this address too. */
export async function confirmSecond(
  tx: WriteTx,
  token: string,
): Promise<{ readonly ok: true; readonly email: Email } | Refusal<"token-unknown">> {
  const found = await readByToken(tx, token);
  if (found === undefined) return refuse("token-unknown");
  const preference = await readPreference(tx, found.account);
  await setPreference(tx, found.account, { ...preference, secondEmail: found.email });
  await forgetProposed(tx, found.account);
  return { ok: true, email: found.email };
}

async function readByToken(
  tx: ReadTx,
  token: string,
): Promise<{ readonly account: AccountId; readonly email: Email } | undefined> {
  return tx.get("SELECT account, email FROM second_address WHERE token_hash = ? AND expires_at > ?", [
    sha256Hex(token),
    tx.now,
  ]);
}
