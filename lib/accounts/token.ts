/**
 * Tokens by which a customer's own programs read an account, and can do nothing else. Each has a name and its last use; the
 * store keeps a hash. `pd_` and 43 characters, so that scanners of leaked secrets can know it.
 */
import type { ReadTx, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";
import { type Refusal, refuse } from "../util/failure.ts";
import { randomId, randomToken } from "../util/random.ts";
import { type Account, type AccountId, findAccount } from "./account.ts";

export interface TokenLine {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly usedAt: number | undefined;
}

export const mostTokens = 20;
export const longestName = 60;
/** A use is noted when the last one noted is older. */
const noteAfterMs = 3_600_000;

export function makeAccessToken(): string {
  return `pd_${randomToken()}`;
}

/** Keeps a token that is shown once. */
export async function addToken(
  tx: WriteTx,
  account: AccountId,
  { name, token }: { readonly name: string; readonly token: string },
): Promise<{ readonly ok: true } | Refusal<"too-many" | "name-taken">> {
  const known = await listTokens(tx, account);
  if (known.some((line) => line.name === name)) return refuse("name-taken");
  if (known.length >= mostTokens) return refuse("too-many");
  await tx.run(
    "INSERT INTO access_token (id, account, name, token_hash, created_at) VALUES (?, ?, ?, ?, ?)",
    [randomId("tok_"), account, name, sha256Hex(token), tx.now],
  );
  return { ok: true };
}

/** Revokes a token; false where the account has no such one. */
export async function removeToken(tx: WriteTx, account: AccountId, id: string): Promise<boolean> {
  return (await tx.run("DELETE FROM access_token WHERE account = ? AND id = ?", [account, id])) === 1;
}

export async function removeAllTokens(tx: WriteTx, account: AccountId): Promise<void> {
  await tx.run("DELETE FROM access_token WHERE account = ?", [account]);
}

export async function listTokens(tx: ReadTx, account: AccountId): Promise<readonly TokenLine[]> {
  const rows = await tx.all<{ id: string; name: string; created: bigint; used: bigint | null }>(
    `SELECT id, name, created_at AS created, used_at AS used FROM access_token WHERE account = ?
     ORDER BY created_at, id`,
    [account],
  );
  return rows.map(({ id, name, created, used }) => ({
    id,
    name,
    createdAt: Number(created),
    usedAt: used === null ? undefined : Number(used),
  }));
}

/** Whose token it is; `isDue` where its use should be noted. */
export async function readToken(
  tx: ReadTx,
  token: string,
): Promise<{ readonly account: Account; readonly id: string; readonly isDue: boolean } | undefined> {
  const row = await tx.get<{ id: string; account: string; used: bigint | null }>(
    "SELECT id, account, used_at AS used FROM access_token WHERE token_hash = ?",
    [sha256Hex(token)],
  );
  const account = row === undefined ? undefined : await findAccount(tx, row.account);
  if (row === undefined || account === undefined) return undefined;
  return { account, id: row.id, isDue: Number(row.used ?? 0n) < tx.now - noteAfterMs };
}

export async function noteToken(tx: WriteTx, id: string): Promise<void> {
  await tx.run("UPDATE access_token SET used_at = ? WHERE id = ?", [tx.now, id]);
}
