/**
 * Saved cards. The number is with Stripe alone; here are the names that Stripe gave card and customer, and what tells an owner which
 * card it is. A card is saved on Stripe's page, together with the wish for which it is saved.
 */
import { type AccountId, findAccount } from "../accounts/account.ts";
import type { NoticeSender } from "../accounts/notice.ts";
import { enqueueMail } from "../mail/outbox.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { assert } from "../util/failure.ts";
import type { CardFacts } from "./facts.ts";
import type { Taken } from "./legs.ts";
import { composeRuleSet } from "./notice.ts";
import { type RechargeWish, setRule } from "./recharge.ts";

export interface SavedCard {
  /** `cus_...` and `pm_...` */
  readonly customer: string;
  readonly paymentMethod: string;
  /** "visa" */
  readonly brand: string;
  readonly last4: string;
  /** "2028-04" */
  readonly expires: string;
}

/** Stripe tells of a page for three days; it is forgotten after a week. */
const pageLifeMs = 7 * 24 * 3_600_000;

/** Writes down that a card is to be saved, and why; the newest wish takes the place of one that waits. */
export async function beginCardPage(
  tx: WriteTx,
  page: { readonly id: string; readonly account: AccountId; readonly wish: RechargeWish },
): Promise<{ readonly createdAt: number }> {
  const { id, account, wish } = page;
  await tx.run("DELETE FROM card_page WHERE account = ?", [account]);
  await tx.run(
    `INSERT INTO card_page (id, account, below_cents, amount_cents, cap_cents, created_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    [id, account, wish.belowCents, wish.amountCents, wish.capCents, tx.now, tx.now + pageLifeMs],
  );
  return { createdAt: tx.now };
}

export async function attachCardPage(tx: WriteTx, id: string, session: string): Promise<void> {
  await tx.run("UPDATE card_page SET session = ? WHERE id = ?", [session, id]);
}

/** The session of a card page of an account; undefined where there is none, or no more. */
export async function findCardPage(tx: ReadTx, account: AccountId, id: string): Promise<string | undefined> {
  const row = await tx.get<{ session: string | null }>(
    "SELECT session FROM card_page WHERE id = ? AND account = ?",
    [id, account],
  );
  return row?.session ?? undefined;
}

/**
 * Keeps the card that was saved on a page, and does what it was saved for. May be repeated. A card of a page that is wanted no more
 * is given to Stripe to forget.
 */
export async function takeCard(tx: WriteTx, facts: CardFacts, sender: NoticeSender): Promise<Taken> {
  if (!facts.isSaved || !facts.customer.startsWith("cus_")) return { ok: true, outcome: "nothing-moved" };
  const page = await tx.get<{ account: AccountId; below: bigint; amount: bigint; cap: bigint }>(
    "SELECT account, below_cents AS below, amount_cents AS amount, cap_cents AS cap FROM card_page WHERE id = ?",
    [facts.pageId],
  );
  if (page === undefined) {
    const kept = await tx.get("SELECT 1 AS one FROM saved_card WHERE customer = ?", [facts.customer]);
    if (kept === undefined) await unwant(tx, facts.customer);
    return { ok: true, outcome: "exists" };
  }
  const { account } = page;
  await removeCard(tx, account);
  await tx.run("DELETE FROM card_page WHERE account = ?", [account]);
  const { customer, paymentMethod, brand, last4, expires } = facts;
  await tx.run(
    `INSERT INTO saved_card (account, customer, payment_method, brand, last4, expires, saved_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    [account, customer, paymentMethod, brand, last4, expires, tx.now],
  );
  const wish = {
    belowCents: Number(page.below),
    amountCents: Number(page.amount),
    capCents: Number(page.cap),
  };
  await setRule(tx, account, wish, paymentMethod);
  const owner = await findAccount(tx, account);
  assert(owner !== undefined, "a card page is of an account");
  await enqueueMail(tx, composeRuleSet(sender, owner, wish, facts));
  return { ok: true, outcome: "created" };
}

export async function readSavedCard(tx: ReadTx, account: AccountId): Promise<SavedCard | undefined> {
  return tx.get<SavedCard>(
    `SELECT customer, payment_method AS paymentMethod, brand, last4, expires FROM saved_card WHERE account = ?`,
    [account],
  );
}

/** Forgets an account's card, here at once, and at Stripe with the next run of the recharges; false where there is none. */
export async function removeCard(tx: WriteTx, account: AccountId): Promise<boolean> {
  const card = await readSavedCard(tx, account);
  if (card === undefined) return false;
  await tx.run("DELETE FROM saved_card WHERE account = ?", [account]);
  await unwant(tx, card.customer);
  return true;
}

/** Customers that Stripe is still to forget. */
export async function listUnwanted(tx: ReadTx): Promise<readonly string[]> {
  const rows = await tx.all<{ customer: string }>(
    "SELECT customer FROM unwanted_customer WHERE done_at IS NULL ORDER BY asked_at, customer",
  );
  return rows.map(({ customer }) => customer);
}

export async function noteForgotten(tx: WriteTx, customer: string): Promise<void> {
  await tx.run("UPDATE unwanted_customer SET done_at = ? WHERE customer = ? AND done_at IS NULL", [
    tx.now,
    customer,
  ]);
}

async function unwant(tx: WriteTx, customer: string): Promise<void> {
  await tx.run("INSERT INTO unwanted_customer (customer, asked_at) VALUES (?, ?) ON CONFLICT DO NOTHING", [
    customer,
    tx.now,
  ]);
}
