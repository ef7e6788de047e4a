/**
 * The outbox: a mail is a row, written in the transaction of the fact that causes it, so neither exists
 * without the other. A sender started apart claims and delivers it.
 *
 * States: queued -> sending -> sent, or back to queued with a later due time, or parked for a person. A row
 * left "sending" by a sender that died becomes "unknown": it may have gone, is sent again under the same
 * Message-ID, and keeps the doubt on record (`doubts`).
 */
import type { ReadTx, WriteTx } from "../store/store.ts";
import { assert } from "../util/failure.ts";

export interface NewMail {
  /** Derived from the cause, `warn/ACCOUNT/2`: the same cause twice is one mail. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly body: string;
  /** The body holds a live token: it is blanked once the mail is sent. */
  readonly hasToken: boolean;
}

export interface ClaimedMail extends NewMail {
  readonly attempts: number;
  readonly createdAt: number;
}

/** How long a claim holds before the sender counts as dead. */
const leaseMs = 5 * 60_000;
// After the first, second, ... failed attempt; then the row is parked. Two days in all.
const delaysMs = [1, 5, 15, 60, 180, 360, 720, 1440].map((minutes) => minutes * 60_000);
const longestMs = Math.max(...delaysMs);

/**
 * Puts a mail into the outbox; may be repeated.
 * @returns "exists" if a mail of this id is there already; it is left as it is
 */
export async function enqueueMail(tx: WriteTx, mail: NewMail): Promise<"created" | "exists"> {
  for (const line of [mail.to, mail.subject])
    assert(!hasControl(line), "mail headers hold no control characters");
  const known = await tx.get("SELECT 1 AS one FROM outbox WHERE id = ?", [mail.id]);
  if (known !== undefined) return "exists";
  await tx.run(
    `INSERT INTO outbox (id, recipient, subject, body, has_token, state, created_at, due_at)
     VALUES (?, ?, ?, ?, ?, 'queued', ?, ?)`,
    [mail.id, mail.to, mail.subject, mail.body, mail.hasToken ? 1 : 0, tx.now, tx.now],
  );
  return "created";
}

/** Claims the mail that has been due longest; undefined if none is. */
export async function claimMail(tx: WriteTx): Promise<ClaimedMail | undefined> {
  // No delay is as long: the clock was ahead when it was written, and the mail would wait until it is that late.
  await tx.run(
    "UPDATE outbox SET due_at = ? WHERE state IN ('queued', 'sending', 'unknown') AND due_at > ?",
    [tx.now + leaseMs, tx.now + longestMs],
  );
  // A claim whose lease has run out: its sender died, and nobody knows whether the mail went.
  await tx.run(
    "UPDATE outbox SET state = 'unknown', doubts = doubts + 1 WHERE state = 'sending' AND due_at <= ?",
    [tx.now],
  );
  const row = await tx.get<OutboxRow>(
    `SELECT id, recipient, subject, body, has_token AS hasToken, attempts, created_at AS createdAt FROM outbox
     WHERE state IN ('queued', 'unknown') AND due_at <= ? ORDER BY due_at, id LIMIT 1`,
    [tx.now],
  );
  if (row === undefined) return undefined;
  await tx.run("UPDATE outbox SET state = 'sending', attempts = attempts + 1, due_at = ? WHERE id = ?", [
    tx.now + leaseMs,
    row.id,
  ]);
  return {
    id: row.id,
    to: row.recipient,
    subject: row.subject,
    body: row.body,
    hasToken: row.hasToken === 1n,
    attempts: Number(row.attempts) + 1,
    createdAt: Number(row.createdAt),
  };
}

/**
 * The transport took the mail: a body with a live token is forgotten. Whatever was thought of the claim meanwhile, the mail went; but
 * one whose recipient was erased while it was on its way stays as it was left.
 */
export async function markSent(tx: WriteTx, mail: ClaimedMail): Promise<void> {
  await tx.run(
    "UPDATE outbox SET state = 'sent', body = ?, settled_at = ?, last_error = '' WHERE id = ? AND recipient <> ''",
    [keptBody(mail), tx.now, mail.id],
  );
}

/** The transport refused: tried again later, or parked where trying is in vain. */
export async function markFailed(
  tx: WriteTx,
  mail: ClaimedMail,
  failure: { readonly permanent: boolean; readonly message: string },
): Promise<"later" | "parked"> {
  const delay = failure.permanent ? undefined : delaysMs[mail.attempts - 1];
  const parked = delay === undefined;
  // Only its own claim: where the lease ran out, another sender may have delivered the mail meanwhile.
  await tx.run(
    `UPDATE outbox SET state = ?, due_at = ?, settled_at = ?, last_error = ?, body = ?
     WHERE id = ? AND state = 'sending' AND attempts = ?`,
    [
      parked ? "parked" : "queued",
      tx.now + (delay ?? 0),
      parked ? tx.now : null,
      failure.message.slice(0, 500),
      parked ? keptBody(mail) : mail.body,
      mail.id,
      mail.attempts,
    ],
  );
  return parked ? "parked" : "later";
}

/** What is kept of a mail that will not be sent again: no live token. */
function keptBody(mail: ClaimedMail): string {
  return mail.hasToken ? "(held a token; blanked when sent)" : mail.body;
}

/** How many mails stand in each state; states without mails are left out. */
export async function countMails(tx: ReadTx): Promise<ReadonlyMap<string, bigint>> {
  const rows = await tx.all<{ state: string; n: bigint }>(
    "SELECT state, count(*) AS n FROM outbox GROUP BY state ORDER BY state",
  );
  return new Map(rows.map((row) => [row.state, row.n]));
}

interface OutboxRow {
  readonly id: string;
  readonly recipient: string;
  readonly subject: string;
  readonly body: string;
  readonly hasToken: bigint;
  readonly attempts: bigint;
  readonly createdAt: bigint;
}

function hasControl(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: header injection is what is looked for
  return /[\u0000-\u001f\u007f]/.test(text);
}
