/**
 * Sessions: a random token in the browser's cookie, its hash in the store. A new one begins at every login, and
 * logging out ends it on the server. The absolute limit is twelve hours (OWASP ASVS 5.0 7.3.2).
 */
import type { ReadTx, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";
import { type Account, type AccountId, findAccount } from "./account.ts";

export const sessionLifeMs = 12 * 3_600_000;

/** Begins a session under a fresh token; sessions that have run out are cleared away with it. */
export async function beginSession(tx: WriteTx, account: AccountId, token: string): Promise<void> {
  await tx.run("DELETE FROM session WHERE expires_at <= ?", [tx.now]);
  await tx.run("INSERT INTO session (token_hash, account, created_at, expires_at) VALUES (?, ?, ?, ?)", [
    sha256Hex(token),
    account,
    tx.now,
    tx.now + sessionLifeMs,
  ]);
}

/** The account that a session's token is logged in to; undefined for none, or one that has run out. */
export async function readSession(tx: ReadTx, token: string): Promise<Account | undefined> {
  const row = await tx.get<{ account: string }>(
    "SELECT account FROM session WHERE token_hash = ? AND expires_at > ?",
    [sha256Hex(token), tx.now],
  );
  return row === undefined ? undefined : findAccount(tx, row.account);
}

/** Ends a session; an unknown token changes nothing. */
export async function endSession(tx: WriteTx, token: string): Promise<void> {
  await tx.run("DELETE FROM session WHERE token_hash = ?", [sha256Hex(token)]);
}
