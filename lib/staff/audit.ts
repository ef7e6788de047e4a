/** The audit log: who did what, to which account, and why. Written in the transaction of the deed, and never changed. */
import type { AccountId } from "../accounts/account.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";

export interface Deed {
  readonly operator: string;
  /** The command, "credit", "hold". */
  readonly action: string;
  readonly account: AccountId | undefined;
  readonly reason: string;
  /** What else there is to know, "$5.00, credit/.../acct_...". */
  readonly detail: string;
}

export interface AuditLine extends Deed {
  readonly number: bigint;
  readonly at: number;
}

export async function writeAudit(tx: WriteTx, deed: Deed): Promise<void> {
  await tx.run(
    "INSERT INTO audit (done_at, operator, action, account, reason, detail) VALUES (?, ?, ?, ?, ?, ?)",
    [tx.now, deed.operator, deed.action, deed.account ?? null, deed.reason, deed.detail],
  );
}

/** Whether the same was written about an account before, by whomever. */
export async function wasNoted(tx: ReadTx, { action, account, reason }: Deed): Promise<boolean> {
  const row = await tx.get("SELECT 1 AS one FROM audit WHERE account IS ? AND action = ? AND reason = ?", [
    account ?? null,
    action,
    reason,
  ]);
  return row !== undefined;
}

/** What was done to one account, newest first. */
export async function readAudit(
  tx: ReadTx,
  account: AccountId,
  limit: number,
): Promise<readonly AuditLine[]> {
  const rows = await tx.all<Omit<AuditLine, "at"> & { at: bigint }>(
    `SELECT number, done_at AS at, operator, action, account, reason, detail FROM audit
     WHERE account = ? ORDER BY number DESC LIMIT ?`,
    [account, limit],
  );
  return rows.map((row) => ({ ...row, at: Number(row.at) }));
}
