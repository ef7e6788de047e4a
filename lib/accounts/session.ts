/**
 * Sessions: a random token in the browser's cookie, its hash in the store. A new one begins at every login, and logging out
 * ends it on the server. It ends twelve hours after it began, and an hour after it was last used (OWASP ASVS 5.0 7.3).
 */
import type { ReadTx, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";
import { type Account, type AccountId, findAccount } from "./account.ts";

export const sessionLifeMs = 12 * 3_600_000;
export const sessionIdleMs = 3_600_000;
/** How long a passkey that was shown stands in for a code. */
export const passkeyFreshMs = 5 * 60_000;
/** A use is noted when the last one noted is older: a page that is looked at costs no write. */
const noteAfterMs = 5 * 60_000;

/** From where a session was begun, for its owner to recognise it. */
export interface SessionPlace {
  /** "Firefox on Linux". */
  readonly browser: string;
  readonly network: string;
}

export interface SessionLine extends SessionPlace {
  /** Names it in a form; not its token, and of no use for logging in. */
  readonly id: string;
  readonly createdAt: number;
  readonly seenAt: number;
  readonly isThis: boolean;
}

/** Begins a session under a fresh token; sessions that have run out are cleared away with it. */
export async function beginSession(
  tx: WriteTx,
  account: AccountId,
  token: string,
  { browser, network }: SessionPlace,
  by: "password" | "passkey" = "password",
): Promise<void> {
  await tx.run("DELETE FROM session WHERE expires_at <= ?", [tx.now]);
  await tx.run(
    `INSERT INTO session (token_hash, account, created_at, expires_at, seen_at, browser, network, passkey_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      sha256Hex(token),
      account,
      tx.now,
      tx.now + sessionLifeMs,
      tx.now,
      browser,
      network,
      by === "passkey" ? tx.now : null,
    ],
  );
}

const alive = "expires_at > ? AND max(seen_at, created_at) > ?";

/** Goes on with a session under a fresh token, since a passkey was shown in it; false where it has ended. */
export async function renewSession(tx: WriteTx, token: string, fresh: string): Promise<boolean> {
  const renewed = await tx.run(
    `UPDATE session SET token_hash = ?, passkey_at = ? WHERE token_hash = ? AND ${alive}`,
    [sha256Hex(fresh), tx.now, sha256Hex(token), tx.now, tx.now - sessionIdleMs],
  );
  return renewed === 1;
}

/**
 * The account that a session's token is logged in to; undefined for none, or one that has run out. `isDue` where its use
 * should be noted; `isPasskeyFresh` where a passkey was shown in it within `passkeyFreshMs`.
 */
export async function readSession(
  tx: ReadTx,
  token: string,
): Promise<
  { readonly account: Account; readonly isDue: boolean; readonly isPasskeyFresh: boolean } | undefined
> {
  const row = await tx.get<{ account: string; seen: bigint; shown: bigint | null }>(
    `SELECT account, max(seen_at, created_at) AS seen, passkey_at AS shown FROM session WHERE token_hash = ? AND ${alive}`,
    [sha256Hex(token), tx.now, tx.now - sessionIdleMs],
  );
  const account = row === undefined ? undefined : await findAccount(tx, row.account);
  if (row === undefined || account === undefined) return undefined;
  return {
    account,
    isDue: Number(row.seen) < tx.now - noteAfterMs,
    isPasskeyFresh: Number(row.shown ?? 0n) > tx.now - passkeyFreshMs,
  };
}

export async function noteSession(tx: WriteTx, token: string): Promise<void> {
  await tx.run("UPDATE session SET seen_at = ? WHERE token_hash = ?", [tx.now, sha256Hex(token)]);
}

/** The sessions that an account is logged in with, newest use first; `token` is the one that asks. */
export async function listSessions(
  tx: ReadTx,
  account: AccountId,
  token: string,
): Promise<readonly SessionLine[]> {
  const rows = await tx.all<SessionPlace & { hash: string; created: bigint; seen: bigint }>(
    `SELECT token_hash AS hash, browser, network, created_at AS created, max(seen_at, created_at) AS seen FROM session
     WHERE account = ? AND ${alive} ORDER BY seen DESC, token_hash`,
    [account, tx.now, tx.now - sessionIdleMs],
  );
  return rows.map(({ hash, browser, network, created, seen }) => ({
    id: nameOf(hash),
    browser,
    network,
    createdAt: Number(created),
    seenAt: Number(seen),
    isThis: hash === sha256Hex(token),
  }));
}

/** Ends a session; an unknown token changes nothing. */
export async function endSession(tx: WriteTx, token: string): Promise<void> {
  await tx.run("DELETE FROM session WHERE token_hash = ?", [sha256Hex(token)]);
}

/** Ends one of an account's sessions by its `id`; returns whether there was one. */
export async function endNamedSession(tx: WriteTx, account: AccountId, id: string): Promise<boolean> {
  const rows = await tx.all<{ hash: string }>("SELECT token_hash AS hash FROM session WHERE account = ?", [
    account,
  ]);
  const hash = rows.find((row) => nameOf(row.hash) === id)?.hash;
  return hash !== undefined && (await tx.run("DELETE FROM session WHERE token_hash = ?", [hash])) > 0;
}

/** Ends all sessions of an account but the one of `token` ("" for none). */
export async function endOtherSessions(tx: WriteTx, account: AccountId, token: string): Promise<void> {
  await tx.run("DELETE FROM session WHERE account = ? AND token_hash <> ?", [account, sha256Hex(token)]);
}

function nameOf(hash: string): string {
  return sha256Hex(`session ${hash}`).slice(0, 16);
}
