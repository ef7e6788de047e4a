/**
 * Change of address: whoever reads the new one confirms it, within a day; whoever reads the old one can undo it, within a
 * week (OWASP ASVS 5.0 6.3.7). Until then the old address is nobody else's. Undoing ends every session, every link but those that
 * undo an older change, and what was made since to keep the owner out: whoever changed it knew the password.
 */
import type { ReadTx, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";
import { assert, type Refusal, refuse } from "../util/failure.ts";
import { type Account, type AccountId, findAccount, isAddressFree } from "./account.ts";
import type { Email } from "./email.ts";
import { dropIdleCodes } from "./factor.ts";
import { endOtherSessions } from "./session.ts";
import { endWaiting } from "./waiting.ts";

export const changeLifeMs = 24 * 3_600_000;
export const undoLifeMs = 7 * 24 * 3_600_000;

/** A new wish takes the place of one that waits; "taken" where the address is, or was a short while ago, another account's. */
export async function proposeAddress(
  tx: WriteTx,
  account: AccountId,
  { email, token }: { readonly email: Email; readonly token: string },
): Promise<"waiting" | "taken"> {
  await tx.run("DELETE FROM address_change WHERE account = ? OR expires_at <= ?", [account, tx.now]);
  if (!(await isAddressFree(tx, email, account))) return "taken";
  await tx.run("INSERT INTO address_change (account, email, token_hash, expires_at) VALUES (?, ?, ?, ?)", [
    account,
    email,
    sha256Hex(token),
    tx.now + changeLifeMs,
  ]);
  return "waiting";
}

/** The account and the address that a link would give it; undefined for a link that is none, was used, or has run out. */
export async function readAddressChange(
  tx: ReadTx,
  token: string,
): Promise<{ readonly account: Account; readonly email: Email } | undefined> {
  return readWaiting(tx, "address_change", token);
}

export async function readAddressUndo(
  tx: ReadTx,
  token: string,
): Promise<{ readonly account: Account; readonly email: Email } | undefined> {
  return readWaiting(tx, "address_undo", token);
}

/** Gives the account its new address. `undoToken` is for the link to the old one. */
export async function confirmAddress(
  tx: WriteTx,
  token: string,
  undoToken: string,
): Promise<
  { readonly ok: true; readonly before: Account; readonly email: Email } | Refusal<"token-unknown">
> {
  const found = await readAddressChange(tx, token);
  // Somebody may have signed up with it since.
  if (found === undefined || !(await isAddressFree(tx, found.email, found.account.id)))
    return refuse("token-unknown");
  const { account, email } = found;
  const asked = await tx.get<{ expires: bigint }>(
    "SELECT expires_at AS expires FROM address_change WHERE account = ?",
    [account.id],
  );
  assert(asked !== undefined, "a change that is confirmed waits");
  const before = await tx.get<{ expires: bigint }>(
    "SELECT expires_at AS expires FROM address_undo WHERE account = ? ORDER BY expires_at DESC LIMIT 1",
    [account.id],
  );
  // Later than that of every change before, since undoing one ends those of later ones alone.
  const expiresAt = Math.max(tx.now + undoLifeMs, Number(before?.expires ?? 0n) + 1);
  await tx.run(
    "INSERT INTO address_undo (token_hash, account, email, expires_at, asked_at) VALUES (?, ?, ?, ?, ?)",
    [sha256Hex(undoToken), account.id, account.email, expiresAt, Number(asked.expires) - changeLifeMs],
  );
  await setAddress(tx, account.id, email);
  return { ok: true, before: account, email };
}

/** Gives the account its old address back. */
export async function undoAddress(
  tx: WriteTx,
  token: string,
): Promise<
  { readonly ok: true; readonly before: Account; readonly email: Email } | Refusal<"token-unknown">
> {
  const found = await readAddressUndo(tx, token);
  if (found === undefined || !(await isAddressFree(tx, found.email, found.account.id)))
    return refuse("token-unknown");
  const { account, email } = found;
  await endThefts(tx, account.id, sha256Hex(token));
  // Every address that came after it is not to come back by a link of its own; one from before may, whoever pressed this link.
  await tx.run(
    `DELETE FROM address_undo WHERE account = ? AND expires_at >=
       (SELECT expires_at FROM address_undo WHERE token_hash = ?)`,
    [account.id, sha256Hex(token)],
  );
  await setAddress(tx, account.id, email);
  await endOtherSessions(tx, account.id, "");
  return { ok: true, before: account, email };
}

/**
 * Ends what whoever changed the address may have made since it was asked for, to keep the owner out: a second factor or a passkey
 * (the owner's own was asked for before), tokens, recharges of the owner's card, and a closing, whose mail went to the new address.
 */
async function endThefts(tx: WriteTx, account: AccountId, tokenHash: string): Promise<void> {
  const row = await tx.get<{ since: bigint }>(
    "SELECT coalesce(asked_at, expires_at - ?) AS since FROM address_undo WHERE token_hash = ?",
    [undoLifeMs, tokenHash],
  );
  assert(row !== undefined, "a change that is undone is there");
  const askedAt = Number(row.since);
  await tx.run("DELETE FROM factor WHERE account = ? AND confirmed_at >= ?", [account, askedAt]);
  await tx.run("DELETE FROM passkey WHERE account = ? AND created_at >= ?", [account, askedAt]);
  await tx.run("DELETE FROM passkey_challenge WHERE account = ?", [account]);
  await dropIdleCodes(tx, account);
  await tx.run("DELETE FROM access_token WHERE account = ? AND created_at >= ?", [account, askedAt]);
  await endWaiting(tx, account);
  // What the owner agreed to before is not agreed to in the thief's numbers; the owner may agree anew.
  await tx.run(
    `INSERT INTO recharge_rule (account, number, is_on, why, below_cents, amount_cents, cap_cents, payment_method, set_at)
     SELECT account, number + 1, 0, 'undone', below_cents, amount_cents, cap_cents, payment_method, ? FROM recharge_rule
     WHERE account = ? AND is_on = 1 AND set_at >= ? AND number = (SELECT max(number) FROM recharge_rule WHERE account = ?)`,
    [tx.now, account, askedAt, account],
  );
  await tx.run("DELETE FROM closing WHERE account = ? AND asked_at >= ? AND done_at IS NULL", [
    account,
    askedAt,
  ]);
}

async function setAddress(tx: WriteTx, account: AccountId, email: Email): Promise<void> {
  await tx.run("UPDATE account SET email = ? WHERE id = ?", [email, account]);
  await tx.run("DELETE FROM signup WHERE email = ?", [email]);
  await tx.run("DELETE FROM address_change WHERE account = ?", [account]);
  // A link for a new password went to the address that it was.
  await tx.run("DELETE FROM password_reset WHERE account = ?", [account]);
}

async function readWaiting(tx: ReadTx, table: "address_change" | "address_undo", token: string) {
  const row = await tx.get<{ account: string; email: Email }>(
    `SELECT account, email FROM ${table} WHERE token_hash = ? AND expires_at > ?`,
    [sha256Hex(token), tx.now],
  );
  const account = row === undefined ? undefined : await findAccount(tx, row.account);
  return row === undefined || account === undefined ? undefined : { account, email: row.email };
}
