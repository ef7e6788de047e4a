/**
 * What is left to do for closed accounts when a week is over, their last usage is billed, and no money is under way: the balance ends
 * with nothing, and what is personal is erased. Journal, usage, and orders stay under the account's id, which is a pseudonym. Money that
 * is to be given back is given back by a person first (`site account refund`). What moves an erased account's balance all the same, as a
 * dispute of an old payment may, is told every night until a person has settled it.
 */
import { type AccountId, findAccount } from "../accounts/account.ts";
import { undoLifeMs } from "../accounts/address.ts";
import { closingWaitMs, type LeftMoney } from "../accounts/closing.ts";
import type { Email } from "../accounts/email.ts";
import { endFactors } from "../accounts/factor.ts";
import { postTransfer, readBalance } from "../ledger/transfer.ts";
import { type Amount, amountOf, formatDollars, formatExact, fromColumns, zero } from "../money/amount.ts";
import { removeCard } from "../payments/card.ts";
import { findPending } from "../payments/pending.ts";
import { endRule } from "../payments/recharge.ts";
import type { ReadTx, Store, WriteTx } from "../store/store.ts";
import { oldestDays } from "../usage/day.ts";
import { addDays, type DayUtc, dayOf } from "../util/clock.ts";
import { assert, NeedsHuman } from "../util/failure.ts";
import { blankEvents } from "./retention.ts";

export interface ErasureReport {
  readonly erased: number;
  /** What keeps the others, for a person: one line each. */
  readonly waiting: readonly string[];
  /** Balances of accounts that are erased, likewise. */
  readonly stranded: readonly string[];
}

/** May be repeated and interrupted; each account is one transaction. */
export async function eraseClosed(store: Store): Promise<ErasureReport> {
  const due = await store.read((tx) =>
    tx.all<{ account: AccountId; money: LeftMoney }>(
      "SELECT account, money FROM closing WHERE done_at IS NULL AND asked_at <= ? ORDER BY asked_at, account",
      [tx.now - closingWaitMs],
    ),
  );
  let erased = 0;
  const waiting: string[] = [];
  for (const { account, money } of due) {
    const why = await store.write(async (tx) => {
      const reason = await findReason(tx, account, money);
      if (reason === "") await erase(tx, account);
      return reason;
    });
    if (why === "") erased += 1;
    else waiting.push(`${account}: ${why}`);
  }
  return { erased, waiting, stranded: await store.read(listStranded) };
}

async function listStranded(tx: ReadTx): Promise<readonly string[]> {
  const rows = await tx.all<{ account: AccountId; picodollars: bigint; attodollars: bigint }>(
    `SELECT c.account, b.picodollars, b.attodollars FROM closing c JOIN balance b ON b.ledger_account = c.account
     WHERE c.done_at IS NOT NULL AND (b.picodollars <> 0 OR b.attodollars <> 0) ORDER BY c.account`,
  );
  return rows.map(({ account, ...columns }) => {
    const balance = fromColumns(columns);
    const amount = formatExact(amountOf(balance > zero ? balance : -balance));
    return balance > zero
      ? `${account} is erased, and $${amount} came to it; give them back: site account refund ${account} ${formatDollars(balance).slice(1)}, or keep them: site account charge ${account} ${amount}`
      : `${account} is erased, and $${amount} were taken from it; write them off: site account gift ${account} ${amount}`;
  });
}

/** Why an account cannot be erased yet; "" where it can. */
async function findReason(tx: ReadTx, account: AccountId, money: LeftMoney): Promise<string> {
  const open = await findUnbilled(tx, account);
  if (open !== undefined) return `its usage of ${open} is not billed yet`;
  const pending = await findPending(tx, account);
  if (pending !== undefined) return pending;
  const balance = await readBalance(tx, account);
  if (money === "refund" && balance >= smallestRefund)
    return `give $${formatExact(balance)} back: site account refund ${account} ${formatDollars(balance).slice(1)}, or site account close ${account} --money leave`;
  return "";
}

/** The first day with usage that a bill may still come for: older ones were billed, or never will be (lib/usage/day.ts). */
async function findUnbilled(tx: ReadTx, account: AccountId): Promise<DayUtc | undefined> {
  const today = dayOf(tx.now);
  const first = addDays(today, -oldestDays);
  const rows = await tx.all<{ day: DayUtc }>(
    "SELECT day FROM billed_day WHERE day >= ? UNION SELECT day FROM skipped_day WHERE day >= ?",
    [first, first],
  );
  const settled = new Set(rows.map(({ day }) => day));
  // By day and account, as usage is found: all of an account's days would be looked for in everybody's.
  for (let day = first; day <= today; day = addDays(day, 1)) {
    if (settled.has(day)) continue;
    // What came late may have a revision without a first row.
    const row = await tx.get(
      `SELECT 1 AS one FROM usage WHERE day = ? AND account = ?
       UNION ALL SELECT 1 FROM usage_revision WHERE day = ? AND account = ? LIMIT 1`,
      [day, account, day, account],
    );
    if (row !== undefined) return day;
  }
  return undefined;
}

/** A cent: less cannot be given back. */
const smallestRefund = 10n ** 16n;

async function erase(tx: WriteTx, account: AccountId): Promise<void> {
  const found = await findAccount(tx, account);
  assert(found !== undefined, "a closing is of an account");
  await settle(tx, account, await readBalance(tx, account));
  const email = `${account}@closed.invalid`;
  await tx.run("UPDATE account SET email = ?, password_hash = '', terms = '', terms_at = 0 WHERE id = ?", [
    email,
    account,
  ]);
  for (const table of [
    "known_network",
    "address_undo",
    "session",
    "access_token",
    "machine",
    "machine_token",
  ])
    await tx.run(`DELETE FROM ${table} WHERE account = ?`, [account]);
  await endFactors(tx, account);
  await endRule(tx, account, "owner");
  await removeCard(tx, account);
  await tx.run("UPDATE preference SET second_email = NULL WHERE account = ? AND second_email IS NOT NULL", [
    account,
  ]);
  await tx.run("DELETE FROM signup WHERE email = ?", [found.email]);
  await forgetMails(tx, account, found.email);
  await forgetEvents(tx, account);
  await tx.run("UPDATE closing SET done_at = ? WHERE account = ?", [tx.now, account]);
}

/** Mails to the account, to addresses that it had, and those that it caused. */
async function forgetMails(tx: WriteTx, account: AccountId, email: Email): Promise<void> {
  // As long as it could be undone an earlier address was nobody else's, and the mail about the change is kept as long as older ones.
  const moved = await tx.all<{ recipient: string; until: bigint }>(
    "SELECT recipient, created_at + ? AS until FROM outbox WHERE id > ? AND id < ?",
    [undoLifeMs, `address-moved/${account}/`, `address-moved/${account}0`],
  );
  const addresses = [
    ...moved.map(({ recipient, until }) => [recipient, Number(until)] as const),
    [email, Number.MAX_SAFE_INTEGER] as const,
  ];
  // Mails that the account caused have its id in theirs: those to a second address, or one that it was to have.
  for (const [recipient, until] of addresses)
    await tx.run(
      `UPDATE outbox SET recipient = '', subject = '', body = '', settled_at = coalesce(settled_at, ?),
         state = CASE state WHEN 'sent' THEN 'sent' ELSE 'parked' END
       WHERE recipient <> '' AND ((recipient = ? AND created_at <= ?) OR instr(id, ?) > 0)`,
      [tx.now, recipient, until, account],
    );
}

async function settle(tx: WriteTx, account: AccountId, balance: Amount): Promise<void> {
  if (balance === zero) return;
  const isLeft = balance > zero;
  const posting = await postTransfer(tx, {
    id: `closing/${account}`,
    code: isLeft ? "forfeit" : "written-off",
    debit: isLeft ? account : "adjustments",
    credit: isLeft ? "adjustments" : account,
    amount: amountOf(isLeft ? balance : -balance),
    reference: account,
  });
  if (!posting.ok || posting.outcome !== "created")
    throw new NeedsHuman(`closing/${account} is in the books already`);
}

/**
 * What Stripe sent word for word has names and addresses; its hash stays, as with old ones (retention.ts). An event names the order,
 * or, where it is of a dispute, the payment alone.
 */
async function forgetEvents(tx: WriteTx, account: AccountId): Promise<void> {
  const events = await tx.all<{ id: string; raw: Uint8Array }>(
    `SELECT id, raw FROM stripe_event WHERE raw_sha256 IS NULL AND (
       EXISTS (SELECT 1 FROM payment_order o WHERE o.account = ? AND instr(raw, CAST(o.id AS BLOB)) > 0)
       OR EXISTS (SELECT 1 FROM transfer t WHERE t.credit = ? AND t.code = 'topup'
         AND instr(raw, CAST(substr(t.id, 7) AS BLOB)) > 0))`,
    [account, account],
  );
  await blankEvents(tx, events);
}
