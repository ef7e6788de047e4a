/**
 * Passkeys of accounts, as they are kept: public keys, which are of no use to whoever has the file, and the challenges that
 * browsers were given to sign, each taken once and within minutes (OWASP ASVS 5.0 6.7.2). What a signature proves is judged in
 * webauthn.ts.
 */
import type { ReadTx, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";
import { type Refusal, refuse } from "../util/failure.ts";
import { randomId } from "../util/random.ts";
import type { AccountId } from "./account.ts";
import { dropIdleCodes } from "./factor.ts";

export interface PasskeyLine {
  /** Names it in a form. */
  readonly id: string;
  readonly name: string;
  /** Its maker keeps a copy, so that it outlives the device. */
  readonly isSynced: boolean;
  readonly createdAt: number;
  readonly usedAt: number | undefined;
}

/** What a passkey gave when it was made. */
export interface NewPasskey {
  /** Its own id, in base64url. */
  readonly credential: string;
  /** COSE, in base64url. */
  readonly publicKey: string;
  readonly counter: number;
  readonly isSynced: boolean;
}

export interface Passkey extends NewPasskey {
  readonly id: string;
  readonly account: AccountId;
}

/** What a challenge is for: a new passkey, a log-in, or a passkey shown once more by whoever is logged in. */
export type Purpose = "add" | "login" | "show";

export interface Challenge {
  readonly purpose: Purpose;
  /** 256 random bits in base64url. */
  readonly challenge: string;
  /** Whoever is logged in; undefined for a log-in. */
  readonly account: AccountId | undefined;
  /** What a new passkey is to be called; else "". */
  readonly name: string;
}

export const mostPasskeys = 20;
/** How long a browser has for its signature: its owner may have to find a telephone first. */
export const challengeLifeMs = 5 * 60_000;

/**
 * The name that a site's passkeys answer to; undefined where browsers have none for it: without https, but on the machine itself,
 * and at a number in place of a name.
 */
export function passkeyHost(url: string): string | undefined {
  const { protocol, hostname } = new URL(url);
  if (hostname === "localhost") return hostname;
  // As URLs are written anew, a number is four of them in decimal, or stands in brackets.
  return protocol === "https:" && !/^(?:\d+\.){3}\d+$|^\[/.test(hostname) ? hostname : undefined;
}

/** Gives the browser with this cookie a challenge; one that it had is void. */
export async function setChallenge(tx: WriteTx, token: string, set: Challenge): Promise<void> {
  await tx.run("DELETE FROM passkey_challenge WHERE expires_at <= ?", [tx.now]);
  await tx.run(
    `INSERT INTO passkey_challenge (token_hash, challenge, purpose, account, name, expires_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (token_hash) DO UPDATE SET challenge = excluded.challenge, purpose = excluded.purpose,
       account = excluded.account, name = excluded.name, expires_at = excluded.expires_at`,
    [sha256Hex(token), set.challenge, set.purpose, set.account ?? null, set.name, tx.now + challengeLifeMs],
  );
}

/** The challenge that a browser has for a purpose. */
export async function readChallenge(
  tx: ReadTx,
  token: string,
  purpose: Purpose,
  account: AccountId | undefined,
): Promise<Challenge | undefined> {
  const row = await tx.get<{ challenge: string; account: AccountId | null; name: string }>(
    "SELECT challenge, account, name FROM passkey_challenge WHERE token_hash = ? AND purpose = ? AND expires_at > ?",
    [sha256Hex(token), purpose, tx.now],
  );
  if (row === undefined || row.account !== (account ?? null)) return undefined;
  return { purpose, challenge: row.challenge, account, name: row.name };
}

/** Takes a challenge, whatever came of it; false where it was taken before, or is void. */
export async function takeChallenge(tx: WriteTx, token: string, { challenge }: Challenge): Promise<boolean> {
  const taken = await tx.run(
    "DELETE FROM passkey_challenge WHERE token_hash = ? AND challenge = ? AND expires_at > ?",
    [sha256Hex(token), challenge, tx.now],
  );
  return taken === 1;
}

export async function addPasskey(
  tx: WriteTx,
  account: AccountId,
  { name, credential, publicKey, counter, isSynced }: NewPasskey & { readonly name: string },
): Promise<{ readonly ok: true } | Refusal<"too-many" | "name-taken" | "known">> {
  if ((await findPasskey(tx, credential)) !== undefined) return refuse("known");
  const fit = await judgeNew(tx, account, name);
  if (!fit.ok) return fit;
  await tx.run(
    `INSERT INTO passkey (id, account, name, credential, public_key, counter, is_synced, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [randomId("key_"), account, name, credential, publicKey, counter, isSynced ? 1 : 0, tx.now],
  );
  return { ok: true };
}

/** Whether an account may have one more, of this name. */
export async function judgeNew(
  tx: ReadTx,
  account: AccountId,
  name: string,
): Promise<{ readonly ok: true } | Refusal<"too-many" | "name-taken">> {
  const known = await listPasskeys(tx, account);
  if (known.some((line) => line.name === name)) return refuse("name-taken");
  return known.length >= mostPasskeys ? refuse("too-many") : { ok: true };
}

export async function listPasskeys(tx: ReadTx, account: AccountId): Promise<readonly PasskeyLine[]> {
  const rows = await tx.all<{
    id: string;
    name: string;
    synced: bigint;
    created: bigint;
    used: bigint | null;
  }>(
    `SELECT id, name, is_synced AS synced, created_at AS created, used_at AS used FROM passkey WHERE account = ?
     ORDER BY created_at, id`,
    [account],
  );
  return rows.map(({ id, name, synced, created, used }) => ({
    id,
    name,
    isSynced: synced === 1n,
    createdAt: Number(created),
    usedAt: used === null ? undefined : Number(used),
  }));
}

/** The own ids of an account's passkeys, as its browsers are told them. */
export async function listCredentials(tx: ReadTx, account: AccountId): Promise<readonly string[]> {
  const rows = await tx.all<{ credential: string }>(
    "SELECT credential FROM passkey WHERE account = ? ORDER BY created_at, id",
    [account],
  );
  return rows.map(({ credential }) => credential);
}

export async function findPasskey(tx: ReadTx, credential: string): Promise<Passkey | undefined> {
  const row = await tx.get<{
    id: string;
    account: AccountId;
    publicKey: string;
    counter: bigint;
    synced: bigint;
  }>(
    `SELECT id, account, public_key AS publicKey, counter, is_synced AS synced FROM passkey WHERE credential = ?`,
    [credential],
  );
  if (row === undefined) return undefined;
  const { id, account, publicKey } = row;
  return {
    id,
    account,
    credential,
    publicKey,
    counter: Number(row.counter),
    isSynced: row.synced === 1n,
  };
}

/** Notes a use that was judged from `passkey`; false where it was removed or used meanwhile. */
export async function notePasskey(
  tx: WriteTx,
  passkey: Passkey,
  { counter, isSynced }: Pick<NewPasskey, "counter" | "isSynced">,
): Promise<boolean> {
  const noted = await tx.run(
    "UPDATE passkey SET counter = ?, is_synced = ?, used_at = ? WHERE id = ? AND counter = ?",
    [counter, isSynced ? 1 : 0, tx.now, passkey.id, passkey.counter],
  );
  return noted === 1;
}

/** Removes a passkey, and with the last factor its recovery codes; the name it had, or undefined where there is no such one. */
export async function removePasskey(
  tx: WriteTx,
  account: AccountId,
  id: string,
): Promise<string | undefined> {
  const line = (await listPasskeys(tx, account)).find((candidate) => candidate.id === id);
  if (line === undefined) return undefined;
  await tx.run("DELETE FROM passkey WHERE account = ? AND id = ?", [account, id]);
  await dropIdleCodes(tx, account);
  return line.name;
}
