/**
 * Automatic recharges: when an account's balance is below what its owner named, so much is charged to the saved card, and in one
 * month no more than the owner allowed. Opt-in, and never turned on again but by the owner, with the password.
 *
 * Worked example: below $5, $20, at most $40 a month. At $4.99 a charge of $20; the next one when $5 are not left again, not on the same
 * day; a third one not before next month. A charge that fails is tried again a day later, then three days later, then never.
 */
import type { AccountId } from "../accounts/account.ts";
import { readBalance } from "../ledger/transfer.ts";
import { type Amount, amountOf, fromCents, fromColumns, zero } from "../money/amount.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { addDays, type DayUtc, dayOf } from "../util/clock.ts";
import { assert } from "../util/failure.ts";

/** What an owner agrees to, in whole cents: charge `amountCents` below `belowCents`, in a UTC month at most `capCents`. */
export interface RechargeWish {
  readonly belowCents: number;
  readonly amountCents: number;
  readonly capCents: number;
}

/** Who or what turned it on or off: its owner, or why it went off by itself. */
export type RuleReason = "owner" | "failures" | "card" | "bank" | "dispute" | "undone" | "staff";

export interface RechargeRule extends RechargeWish {
  /** Counts the account's agreements, from 1. */
  readonly number: number;
  readonly isOn: boolean;
  readonly why: RuleReason;
  /** `pm_...`: the card that it was agreed to for. */
  readonly paymentMethod: string;
  readonly setAt: number;
}

/** A charge that was begun. */
export interface Recharge {
  readonly number: number;
  /** Of which rule. */
  readonly rule: number;
  readonly day: DayUtc;
  readonly amount: Amount;
  /** "ended": it never came to a charge. */
  readonly state: "open" | "paid" | "failed" | "ended";
}

/** What is decided by. */
export interface RechargeFacts {
  readonly rule: RechargeRule | undefined;
  readonly balance: Amount;
  readonly hasCard: boolean;
  readonly isClosed: boolean;
  /** A payment was disputed since it was agreed to. */
  readonly isDisputed: boolean;
  /** Newest first, at least those of this month. */
  readonly recharges: readonly Recharge[];
  readonly today: DayUtc;
}

/** "charge", or why not. */
export type Judgement = "charge" | "off" | "disputed" | "open" | "enough" | "today" | "waiting" | "capped";

/** Days after the first failure in a row, the second; after as many and one more it goes off. */
const waitDays = [1, 3];
export const mostFailures = waitDays.length + 1;
/** More than a month of one a day. */
const readCount = 40;

export function judgeRecharge(facts: RechargeFacts): Judgement {
  const { rule, balance, hasCard, isClosed, isDisputed, recharges, today } = facts;
  if (rule === undefined || !rule.isOn || !hasCard || isClosed) return "off";
  if (isDisputed) return "disputed";
  if (recharges.some(({ state }) => state === "open")) return "open";
  if (balance >= amountOfCents(rule.belowCents)) return "enough";
  if (recharges[0]?.day === today) return "today";
  const next = nextDay(recharges, rule.number);
  if (next !== undefined && next > today) return "waiting";
  if (amountOf(spentIn(recharges, today) + amountOfCents(rule.amountCents)) > amountOfCents(rule.capCents))
    return "capped";
  return "charge";
}

/** How many charges of a rule failed since one was paid. */
export function countFailures(recharges: readonly Recharge[], rule: number): number {
  let count = 0;
  for (const { rule: own, state } of recharges) {
    if (own !== rule || state === "paid") break;
    if (state === "failed") count += 1;
  }
  return count;
}

/** The day from which a charge is tried again; undefined where none failed. */
export function nextDay(recharges: readonly Recharge[], rule: number): DayUtc | undefined {
  const last = recharges.find(({ state }) => state === "failed");
  const wait = waitDays[countFailures(recharges, rule) - 1];
  return last === undefined || wait === undefined ? undefined : addDays(last.day, wait);
}

/** What was charged, or may have been, in the UTC month of a day. */
export function spentIn(recharges: readonly Recharge[], day: DayUtc): Amount {
  const month = day.slice(0, 7);
  return recharges
    .filter((one) => one.day.startsWith(month) && (one.state === "paid" || one.state === "open"))
    .reduce((sum, { amount }) => amountOf(sum + amount), zero);
}

export function amountOfCents(cents: number): Amount {
  const amount = fromCents(cents);
  assert(amount !== undefined, `${cents} is a number of cents`);
  return amount;
}

export async function readRechargeFacts(tx: ReadTx, account: AccountId): Promise<RechargeFacts> {
  const rule = await readRule(tx, account);
  const exists = async (sql: string, values: readonly (string | number)[]): Promise<boolean> =>
    (await tx.get(sql, values)) !== undefined;
  return {
    rule,
    balance: await readBalance(tx, account),
    hasCard: await exists("SELECT 1 AS one FROM saved_card WHERE account = ?", [account]),
    isClosed: await exists("SELECT 1 AS one FROM closing WHERE account = ?", [account]),
    isDisputed: await exists(
      "SELECT 1 AS one FROM transfer WHERE debit = ? AND code = 'dispute' AND posted_at >= ?",
      [account, rule?.setAt ?? 0],
    ),
    recharges: await listRecharges(tx, account),
    today: dayOf(tx.now),
  };
}

/** The newest charges of an account, newest first. */
export async function listRecharges(tx: ReadTx, account: AccountId): Promise<readonly Recharge[]> {
  const rows = await tx.all<RechargeRow>(
    `SELECT r.number, r.rule, o.created_at AS created, o.picodollars, o.attodollars,
       CASE WHEN t.id IS NOT NULL THEN 'paid' WHEN f.code IS NOT NULL THEN 'failed'
            WHEN e.how IS NOT NULL THEN 'ended' ELSE 'open' END AS state
     FROM recharge r JOIN payment_order o ON o.id = r.payment_order
     LEFT JOIN transfer t ON t.credit = r.account AND t.code = 'topup' AND t.reference = o.id
     LEFT JOIN recharge_failure f ON f.payment_order = o.id
     LEFT JOIN checkout_end e ON e.payment_order = o.id
     WHERE r.account = ? ORDER BY r.number DESC LIMIT ?`,
    [account, readCount],
  );
  return rows.map(({ number, rule, created, picodollars, attodollars, state }) => ({
    number: Number(number),
    rule: Number(rule),
    day: dayOf(Number(created)),
    amount: fromColumns({ picodollars, attodollars }),
    state,
  }));
}

/** What an account's owner agreed to last, and whether it is on; undefined where nothing was ever agreed to. */
export async function readRule(tx: ReadTx, account: AccountId): Promise<RechargeRule | undefined> {
  const row = await tx.get<RuleRow>(
    `SELECT number, is_on AS isOn, why, below_cents AS belowCents, amount_cents AS amountCents, cap_cents AS capCents,
       payment_method AS paymentMethod, set_at AS setAt
     FROM recharge_rule WHERE account = ? ORDER BY number DESC LIMIT 1`,
    [account],
  );
  if (row === undefined) return undefined;
  const { isOn, why, paymentMethod, ...numbers } = row;
  return {
    number: Number(numbers.number),
    isOn: isOn === 1n,
    why,
    belowCents: Number(numbers.belowCents),
    amountCents: Number(numbers.amountCents),
    capCents: Number(numbers.capCents),
    paymentMethod,
    setAt: Number(numbers.setAt),
  };
}

/** Turns it on, as its owner agreed. */
export async function setRule(
  tx: WriteTx,
  account: AccountId,
  wish: RechargeWish,
  paymentMethod: string,
): Promise<void> {
  await writeRule(tx, account, { ...wish, isOn: true, why: "owner", paymentMethod });
}

/** Turns it off, with every card page that would turn it on; false where it was off. */
export async function endRule(tx: WriteTx, account: AccountId, why: RuleReason): Promise<boolean> {
  await tx.run("DELETE FROM card_page WHERE account = ?", [account]);
  const rule = await readRule(tx, account);
  if (rule === undefined || !rule.isOn) return false;
  await writeRule(tx, account, { ...rule, isOn: false, why });
  return true;
}

async function writeRule(
  tx: WriteTx,
  account: AccountId,
  rule: Omit<RechargeRule, "number" | "setAt">,
): Promise<void> {
  await tx.run(
    `INSERT INTO recharge_rule (account, number, is_on, why, below_cents, amount_cents, cap_cents, payment_method, set_at)
     VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM recharge_rule WHERE account = ?), ?, ?, ?, ?, ?, ?, ?)`,
    [
      account,
      account,
      rule.isOn ? 1 : 0,
      rule.why,
      rule.belowCents,
      rule.amountCents,
      rule.capCents,
      rule.paymentMethod,
      tx.now,
    ],
  );
}

interface RechargeRow {
  readonly number: bigint;
  readonly rule: bigint;
  readonly created: bigint;
  readonly picodollars: bigint;
  readonly attodollars: bigint;
  readonly state: Recharge["state"];
}

interface RuleRow {
  readonly number: bigint;
  readonly isOn: bigint;
  readonly why: RuleReason;
  readonly belowCents: bigint;
  readonly amountCents: bigint;
  readonly capCents: bigint;
  readonly paymentMethod: string;
  readonly setAt: bigint;
}
