/**
 * The reconciliation: Stripe's account of what it holds for us is read and compared with the books. What the books missed
 * is taken by the same functions that take events, payouts and fees are booked, and every difference that remains is named.
 * May be repeated, interrupted, and run twice at once.
 */
import type { NoticeSender } from "../accounts/notice.ts";
import type { ReadTx, Store } from "../store/store.ts";
import { type EventFacts, takeFacts } from "./event.ts";
import type { MovementFacts } from "./facts.ts";
import {
  bookMovement,
  compareMovement,
  type Difference,
  noteMovement,
  readMovements,
  readNewestMovementMs,
  readUnknownTransfers,
} from "./movement.ts";
import type { StripeDesk } from "./stripe/connect.ts";

export interface Reconciled {
  /** Movements of Stripe's account that are known now. */
  readonly movements: number;
  /** Movements that this run brought into the books. */
  readonly booked: number;
  readonly differences: number;
}

/** What is compared with what, who tells customers, and who is told of differences. */
interface Books {
  readonly store: Store;
  readonly stripe: StripeDesk;
  readonly sender: NoticeSender;
  readonly tell: (difference: Difference) => void;
}

const dayMs = 86_400_000;
/** Read again from the movements noted before, for what Stripe listed late. */
const overlapMs = 7 * dayMs;
/** A refund may fail weeks after it was made, without a movement that tells of it. */
const refundMs = 60 * dayMs;
/** Younger transfers may be ahead of Stripe's list. */
const settlingMs = 2 * 3_600_000;
const batchSize = 200;

/** `sinceMs` undefined: from the newest movement that is known, with an overlap; from the beginning the first time. */
export async function reconcile(
  store: Store,
  stripe: StripeDesk,
  sinceMs: number | undefined,
  sender: NoticeSender,
  report: (difference: Difference) => void,
): Promise<Reconciled> {
  const newest = await store.read(readNewestMovementMs);
  const from = sinceMs ?? Math.max(0, (newest ?? 0) - overlapMs);
  let differences = 0;
  const tell = (difference: Difference): void => {
    differences += 1;
    report(difference);
  };
  await noteAll(store, stripe, from);
  // Payments first, so that each is there before what takes it back; their times may be of the same second.
  const books: Books = { store, stripe, sender, tell };
  const charges = await settleAll(books, "charges");
  const others = await settleAll(books, "others");
  await takeRefunds(books, Math.max(0, from - refundMs));
  for (const difference of await store.read(readLeftOver)) tell(difference);
  return {
    movements: charges.movements + others.movements,
    booked: charges.booked + others.booked,
    differences,
  };
}

/** Stripe lists the newest first; they are noted from the oldest on, so that a run which died is gone on with where it was. */
async function noteAll(store: Store, stripe: StripeDesk, sinceMs: number): Promise<void> {
  const found: MovementFacts[] = [];
  for await (const facts of stripe.movements(sinceMs)) found.push(facts);
  found.reverse();
  for (let from = 0; from < found.length; from += batchSize)
    await store.write(async (tx) => {
      for (const facts of found.slice(from, from + batchSize)) await noteMovement(tx, facts);
    });
}

async function settleAll(
  books: Books,
  what: "charges" | "others",
): Promise<{ movements: number; booked: number }> {
  const { store, tell } = books;
  let [movements, booked] = [0, 0];
  let after: MovementFacts | undefined;
  for (;;) {
    const from = after;
    const page = await store.read((tx) => readMovements(tx, what, from, batchSize));
    for (const movement of page) {
      movements += 1;
      const before = await store.read((tx) => compareMovement(tx, movement));
      if (before === undefined) continue;
      const refused = await settle(books, movement);
      const still = await store.read((tx) => compareMovement(tx, movement));
      if (still === undefined) booked += 1;
      else tell(refused === "" ? still : { ...still, message: `${still.message} (${refused})` });
    }
    after = page.at(-1);
    if (page.length < batchSize) return { movements, booked };
  }
}

/** Brings one movement into the books as far as that is possible; returns why it was refused, "" if it was not. */
async function settle({ store, stripe, sender }: Books, movement: MovementFacts): Promise<string> {
  // 1. What the movement tells by itself: fees, payouts. Mostly that is all: the event brought the rest.
  const booked = await store.write((tx) => bookMovement(tx, movement));
  if (!booked.ok) return booked.detail ?? booked.why;
  if ((await store.read((tx) => compareMovement(tx, movement))) === undefined) return "";
  // 2. The payment, refund, or dispute that it is of.
  const told = await askAbout(stripe, movement);
  if (typeof told === "string") return told;
  const taken = await store.write((tx) => takeFacts(tx, told, sender));
  return taken.ok ? "" : (taken.detail ?? taken.why);
}

async function askAbout(stripe: StripeDesk, movement: MovementFacts): Promise<EventFacts | string> {
  const { source, category, paymentIntent } = movement;
  if (/^(?:re|pyr)_/.test(source)) return stripe.ask("refund", source);
  if (/^(?:dp|du)_/.test(source)) return stripe.ask("dispute", source);
  if (category !== "charge" || paymentIntent === "") return "the books know no movements of this kind";
  const facts = await stripe.findCheckout(paymentIntent);
  if (facts !== undefined) return { kind: "checkout", facts };
  const charge = await stripe.ask("charge", paymentIntent);
  const isOurs = charge.kind === "charge" && charge.facts.isRecharge;
  return isOurs ? charge : "no checkout or recharge of this site paid it";
}

/** Refunds tell of themselves before their money moves, and when they fail without that. */
async function takeRefunds({ store, stripe, sender, tell }: Books, sinceMs: number): Promise<void> {
  for await (const facts of stripe.refunds(sinceMs)) {
    const taken = await store.write((tx) => takeFacts(tx, { kind: "refund", facts }, sender));
    if (!taken.ok) tell({ id: facts.id, message: taken.detail ?? taken.why });
  }
}

async function readLeftOver(tx: ReadTx): Promise<readonly Difference[]> {
  const before = tx.now - settlingMs;
  const orders = await tx.all<{ id: string }>(
    `SELECT o.id FROM refund_order o WHERE o.created_at < ?
     AND NOT EXISTS (SELECT 1 FROM transfer t WHERE t.id IN ('refund/' || o.id || '/paid', 'refund/' || o.id || '/undone'))`,
    [before],
  );
  const unsent = orders.map(({ id }) => ({
    id,
    message: `was begun here and Stripe has not paid it; to ask again: site account refund --resume ${id}`,
  }));
  return [...(await readUnknownTransfers(tx, before)), ...unsent];
}
