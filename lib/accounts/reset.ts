/**
 * Forgotten passwords: a link by mail that works once, for an hour (OWASP ASVS 5.0 6.4.1, 6.4.3). Setting a password ends
 * every session of the account and does not log in; a changed one ends all but the browser's own. Either ends what waits
 * (waiting.ts). One set by mail ends the tokens of programs too, since whoever does so may have lost more than a word; one that
 * is changed by who knows it leaves them, and the page says so.
 */
import type { ReadTx, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";
import { type Refusal, refuse } from "../util/failure.ts";
import { type Account, type AccountId, findAccount, findAccountByEmail } from "./account.ts";
import type { Email } from "./email.ts";
import { beginSession, readSession, type SessionPlace } from "./session.ts";
import { removeAllTokens } from "./token.ts";
import { endWaiting } from "./waiting.ts";

export const resetLifeMs = 3_600_000;
/** Nobody can fill a customer's mailbox by asking again and again. */
const pauseMs = 10 * 60_000;

/**
 * Writes a link for the address's account; "silent" where there is none, or one was sent a short while ago, "is-closed" where a
 * password would open nothing. The caller answers all alike, and does the same work.
 */
export async function beginReset(
  tx: WriteTx,
  { email, token }: { readonly email: Email; readonly token: string },
): Promise<"mailed" | "silent" | "is-closed"> {
  await tx.run("DELETE FROM password_reset WHERE expires_at <= ?", [tx.now]);
  const account = await findAccountByEmail(tx, email);
  const last = await tx.get<{ created: bigint }>(
    "SELECT created_at AS created FROM password_reset WHERE account = ?",
    [account?.id ?? ""],
  );
  if (account === undefined || (last !== undefined && Number(last.created) > tx.now - pauseMs))
    return "silent";
  if (account.isClosed) return "is-closed";
  await tx.run("DELETE FROM password_reset WHERE account = ?", [account.id]);
  await tx.run(
    "INSERT INTO password_reset (account, token_hash, created_at, expires_at) VALUES (?, ?, ?, ?)",
    [account.id, sha256Hex(token), tx.now, tx.now + resetLifeMs],
  );
  return "mailed";
}

/** Whose password a link would set now; undefined for one that is none, was used, or has run out. */
export async function readReset(tx: ReadTx, token: string): Promise<Account | undefined> {
  const row = await tx.get<{ account: string }>(
    "SELECT account FROM password_reset WHERE token_hash = ? AND expires_at > ?",
    [sha256Hex(token), tx.now],
  );
  return row === undefined ? undefined : findAccount(tx, row.account);
}

/**
 * Sets the password that a link was sent for, once; "changed-meanwhile" where a second factor is gone beside which it was judged
 * long enough.
 */
export async function resetPassword(
  tx: WriteTx,
  token: string,
  { passwordHash, hasFactor }: Pick<Account, "passwordHash" | "hasFactor">,
): Promise<
  { readonly ok: true; readonly account: Account } | Refusal<"token-unknown" | "changed-meanwhile">
> {
  const account = await readReset(tx, token);
  if (account === undefined) return refuse("token-unknown");
  if (account.hasFactor !== hasFactor) return refuse("changed-meanwhile");
  await setPassword(tx, account.id, passwordHash);
  await removeAllTokens(tx, account.id);
  return { ok: true, account };
}

/**
 * Sets another password for whoever is logged in, and goes on under a new session; all others end. "changed-meanwhile" where the
 * session that asked has ended, or the account has another password or second factor than it was judged by: hashing takes a second,
 * in which the owner may have set a password by mail.
 */
export async function changePassword(
  tx: WriteTx,
  before: Account,
  passwordHash: string,
  session: { readonly old: string; readonly token: string; readonly place: SessionPlace },
): Promise<{ readonly ok: true } | Refusal<"changed-meanwhile">> {
  const now = (await readSession(tx, session.old))?.account;
  if (now?.id !== before.id || now.passwordHash !== before.passwordHash || now.hasFactor !== before.hasFactor)
    return refuse("changed-meanwhile");
  await setPassword(tx, before.id, passwordHash);
  await beginSession(tx, before.id, session.token, session.place);
  return { ok: true };
}

async function setPassword(tx: WriteTx, account: AccountId, passwordHash: string): Promise<void> {
  await tx.run("UPDATE account SET password_hash = ? WHERE id = ?", [passwordHash, account]);
  await tx.run("DELETE FROM session WHERE account = ?", [account]);
  await endWaiting(tx, account);
}
