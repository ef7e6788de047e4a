/**
 * Keeping an account from deletion, or all of them (an amnesty): decided by a person, and the newest decision counts.
 * Nothing here deletes; a hold is what the person who does looks at.
 */
import type { AccountId } from "../accounts/account.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";

/** `account` undefined: the amnesty of all. */
export async function readHold(tx: ReadTx, account: AccountId | undefined): Promise<boolean> {
  const row = await tx.get<{ held: bigint }>(
    "SELECT is_held AS held FROM hold WHERE account IS ? ORDER BY number DESC LIMIT 1",
    [account ?? null],
  );
  return row?.held === 1n;
}

/** Writes a decision. */
export async function setHold(tx: WriteTx, account: AccountId | undefined, isHeld: boolean): Promise<void> {
  await tx.run("INSERT INTO hold (account, is_held, decided_at) VALUES (?, ?, ?)", [
    account ?? null,
    isHeld ? 1 : 0,
    tx.now,
  ]);
}
