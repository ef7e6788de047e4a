/**
 * Money that people give or take by hand: goodwill, gifts, charges, and what undoes them. The id of each is derived from
 * what was decided (kind, amount, reason), so that the same command again changes nothing; who means it twice gives another
 * reason.
 *
 * Worked example: `site goodwill --days 8 --reason outage` for an account whose storage costs $0.10 a day is the transfer
 * `credit/BATCH/acct_x`, goodwill -> acct_x, $0.80; undone, `credit/BATCH/acct_x/undone`, the same back.
 */
import type { AccountId } from "../accounts/account.ts";
import { postTransfer } from "../ledger/transfer.ts";
import { type Amount, amountOf, formatExact, fromColumns, zero } from "../money/amount.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";
import type { MeterSetting } from "../util/settings.ts";
import { readStandingFacts } from "../warnings/standing.ts";
import { writeAudit } from "./audit.ts";

export type CreditKind = "goodwill" | "gift" | "charge";

export interface Credit {
  readonly kind: CreditKind;
  readonly account: AccountId;
  readonly amount: Amount;
  /** From `batchOf`. */
  readonly batch: string;
  readonly operator: string;
  readonly reason: string;
}

const sides = {
  goodwill: { action: "credit", from: "goodwill", to: "customer" },
  gift: { action: "gift", from: "goodwill", to: "customer" },
  charge: { action: "charge", from: "customer", to: "adjustments" },
} as const;

/** The id of one decision. */
export function batchOf(kind: string, measure: string, reason: string): string {
  return sha256Hex(JSON.stringify([kind, measure, reason])).slice(0, 16);
}

/** Posts one credit or charge and its line of the audit log; "exists" where that decision was carried out before. */
export async function giveCredit(tx: WriteTx, credit: Credit): Promise<"created" | "exists"> {
  const { kind, account, amount, batch, operator, reason } = credit;
  const id = `credit/${batch}/${account}`;
  // By the id alone: what a day costs may have changed since, and whoever has got it does not get it again.
  if ((await tx.get("SELECT 1 AS one FROM transfer WHERE id = ?", [id])) !== undefined) return "exists";
  const { action, from, to } = sides[kind];
  await post(tx, {
    id,
    code: kind,
    debit: from === "customer" ? account : from,
    credit: to === "customer" ? account : to,
    amount,
    reference: reason,
  });
  await writeAudit(tx, { operator, action, account, reason, detail: `$${formatExact(amount)}, ${id}` });
  return "created";
}

/** Whether what a decision gave was taken back: carried out again it changes nothing. */
export async function wasUndone(tx: ReadTx, batch: string, account: AccountId): Promise<boolean> {
  const id = `credit/${batch}/${account}/undone`;
  return (await tx.get("SELECT 1 AS one FROM transfer WHERE id = ?", [id])) !== undefined;
}

export interface Given {
  readonly account: AccountId;
  readonly amount: Amount;
}

/** What so many days of its cost are for each account that costs something and is not closed, a page of accounts at a time. */
export async function planGoodwill(
  tx: ReadTx,
  days: number,
  meters: readonly MeterSetting[],
  after: string,
  limit: number,
): Promise<{ readonly last: string | undefined; readonly given: readonly Given[] }> {
  const rows = await tx.all<{ id: AccountId }>(
    `SELECT id FROM account WHERE id > ? AND NOT EXISTS (SELECT 1 FROM closing c WHERE c.account = account.id)
     ORDER BY id LIMIT ?`,
    [after, limit],
  );
  const given: Given[] = [];
  for (const { id } of rows) {
    const { costPerDay } = await readStandingFacts(tx, id, meters);
    if (costPerDay > zero) given.push({ account: id, amount: amountOf(costPerDay * BigInt(days)) });
  }
  return { last: rows.at(-1)?.id, given };
}

/** What a batch gave that was not taken back yet. */
export async function readGiven(tx: ReadTx, batch: string): Promise<readonly Given[]> {
  const rows = await tx.all<{ account: AccountId; picodollars: bigint; attodollars: bigint }>(
    `SELECT t.credit AS account, t.picodollars, t.attodollars FROM transfer t
     WHERE t.id BETWEEN ? AND ? AND t.code IN ('goodwill', 'gift')
       AND NOT EXISTS (SELECT 1 FROM transfer u WHERE u.id = t.id || '/undone') ORDER BY t.id`,
    [`credit/${batch}/`, `credit/${batch}/~`],
  );
  return rows.map(({ account, ...amount }) => ({ account, amount: fromColumns(amount) }));
}

/** Takes back what a batch gave to one account. */
export async function undoCredit(
  tx: WriteTx,
  { account, amount, batch, operator, reason }: Omit<Credit, "kind">,
): Promise<"created" | "exists"> {
  const id = `credit/${batch}/${account}/undone`;
  if ((await tx.get("SELECT 1 AS one FROM transfer WHERE id = ?", [id])) !== undefined) return "exists";
  await post(tx, {
    id,
    code: "goodwill-undone",
    debit: account,
    credit: "goodwill",
    amount,
    reference: reason,
  });
  await writeAudit(tx, {
    operator,
    action: "undo",
    account,
    reason,
    detail: `$${formatExact(amount)}, ${id}`,
  });
  return "created";
}

async function post(tx: WriteTx, transfer: Parameters<typeof postTransfer>[1]): Promise<void> {
  const posting = await postTransfer(tx, transfer);
  if (!posting.ok) throw new Error(`assertion failed: ${posting.detail}`);
}
