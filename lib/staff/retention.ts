/**
 * What is kept for ever, and what is forgotten: journal, usage, orders, and the audit log stay; what Stripe sent word for word,
 * and the texts of mails, go after a while. Of an event the hash stays, so that a copy from elsewhere can be told to be it.
 */
import type { Store, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";

/** A dispute may come up to 540 days after a payment, where the card's rules allow it. */
export const eventDays = 600;
export const mailDays = 90;

const dayMs = 86_400_000;
const batchSize = 200;

export interface Forgotten {
  readonly events: number;
  readonly mails: number;
  readonly signups: number;
  readonly sessions: number;
  /** Links that were mailed and never followed. */
  readonly links: number;
}

const linkTables = [
  "password_reset",
  "second_address",
  "address_change",
  "address_undo",
  "machine_token",
  "card_page",
];

/** May be repeated and interrupted. */
export async function forgetOld(store: Store): Promise<Forgotten> {
  const repeat = async (step: (tx: WriteTx) => Promise<number>): Promise<number> => {
    for (let total = 0; ; ) {
      const count = await store.write(step);
      total += count;
      if (count < batchSize) return total;
    }
  };
  return {
    events: await repeat(forgetEvents),
    mails: await repeat(forgetMails),
    signups: await store.write((tx) => tx.run("DELETE FROM signup WHERE expires_at <= ?", [tx.now])),
    sessions: await store.write((tx) => tx.run("DELETE FROM session WHERE expires_at <= ?", [tx.now])),
    links: await store.write(async (tx) => {
      let count = 0;
      for (const table of linkTables)
        count += await tx.run(`DELETE FROM ${table} WHERE expires_at <= ?`, [tx.now]);
      return count;
    }),
  };
}

async function forgetEvents(tx: WriteTx): Promise<number> {
  const rows = await tx.all<{ id: string; raw: Uint8Array }>(
    "SELECT id, raw FROM stripe_event WHERE received_at < ? AND raw_sha256 IS NULL LIMIT ?",
    [tx.now - eventDays * dayMs, batchSize],
  );
  await blankEvents(tx, rows);
  return rows.length;
}

/** Of what Stripe sent word for word the hash stays. */
export async function blankEvents(
  tx: WriteTx,
  events: readonly { readonly id: string; readonly raw: Uint8Array }[],
): Promise<void> {
  for (const { id, raw } of events)
    await tx.run("UPDATE stripe_event SET raw = x'', raw_sha256 = ? WHERE id = ?", [sha256Hex(raw), id]);
}

async function forgetMails(tx: WriteTx): Promise<number> {
  return tx.run(
    `UPDATE outbox SET body = '', subject = '', recipient = '' WHERE id IN (
       SELECT id FROM outbox WHERE settled_at < ? AND recipient <> '' LIMIT ?)`,
    [tx.now - mailDays * dayMs, batchSize],
  );
}
