/**
 * Closing an account: at once nobody can log in, and every session, token, and link ends; for a week a link undoes it. Then
 * lib/staff/erase.ts settles the money and erases what is personal.
 */
import type { ReadTx, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";
import { type Refusal, refuse } from "../util/failure.ts";
import { type Account, type AccountId, findAccount } from "./account.ts";
import { endOtherSessions } from "./session.ts";
import { removeAllTokens } from "./token.ts";
import { endWaiting } from "./waiting.ts";

export const closingWaitDays = 7;
export const closingWaitMs = closingWaitDays * 24 * 3_600_000;

/** What becomes of money that is left. */
export type LeftMoney = "refund" | "leave";

export interface Closing {
  readonly money: LeftMoney;
  readonly isDone: boolean;
}

export async function readClosing(tx: ReadTx, account: AccountId): Promise<Closing | undefined> {
  const row = await tx.get<{ money: LeftMoney; done: bigint | null }>(
    "SELECT money, done_at AS done FROM closing WHERE account = ?",
    [account],
  );
  return row && { money: row.money, isDone: row.done !== null };
}

/** Closes an account; "is-closed" where that was done before: its link goes on working, and no other is made. */
export async function closeAccount(
  tx: WriteTx,
  account: AccountId,
  { money, token }: { readonly money: LeftMoney; readonly token: string },
): Promise<{ readonly ok: true } | Refusal<"is-closed">> {
  if ((await readClosing(tx, account)) !== undefined) return refuse("is-closed");
  await tx.run("INSERT INTO closing (account, money, token_hash, asked_at) VALUES (?, ?, ?, ?)", [
    account,
    money,
    sha256Hex(token),
    tx.now,
  ]);
  await endOtherSessions(tx, account, "");
  await removeAllTokens(tx, account);
  await endWaiting(tx, account);
  return { ok: true };
}

/** Another decision on the money of an account that is closed, and not erased. */
export async function chooseMoney(tx: WriteTx, account: AccountId, money: LeftMoney): Promise<void> {
  await tx.run("UPDATE closing SET money = ? WHERE account = ? AND done_at IS NULL", [money, account]);
}

/** The account that a link would open again; undefined where it is none, or its time is over. */
export async function readClosingLink(tx: ReadTx, token: string): Promise<Account | undefined> {
  const row = await tx.get<{ account: string }>(
    "SELECT account FROM closing WHERE token_hash = ? AND done_at IS NULL",
    [sha256Hex(token)],
  );
  return row && findAccount(tx, row.account);
}

/** Opens an account again; false where it is not closed, or erased already. Whoever knows the password can log in as before. */
export async function reopenAccount(tx: WriteTx, account: AccountId): Promise<boolean> {
  return (await tx.run("DELETE FROM closing WHERE account = ? AND done_at IS NULL", [account])) === 1;
}
