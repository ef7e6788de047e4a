/**
 * Seals: each day that is over gets a hash of its transfers and of the seal before, so that whoever keeps one of the nightly
 * reports can tell a past that was written anew. A sealed day takes no transfer.
 *
 * Worked example: the first day has one transfer, so its line is
 * ["topup/pi_1","topup","stripe-clearing","acct_x","10000000000000000000","order_1"]
 * and its seal the SHA-256 of 64 zeros, a line feed, `2026-11-23`, a line feed, that line, and a line feed.
 */
import type { ReadTx, Store, WriteTx } from "../store/store.ts";
import { addDays, type DayUtc, dayOf } from "../util/clock.ts";
import { openDigest } from "../util/digest.ts";
import { assert, NeedsHuman } from "../util/failure.ts";
import { type JournalEntry, readJournal } from "./journal.ts";

export interface Seal {
  readonly day: DayUtc;
  readonly transfers: bigint;
  /** 64 hexadecimal digits. */
  readonly hash: string;
}

/** Stands before the first day. */
export const noSeal = "0".repeat(64);

/**
 * Seals every day up to yesterday that has no seal yet, in order, the ones without transfers too. Only days before
 * the last transfer's: a clock that is years ahead for one night must not close the years between. May be repeated,
 * interrupted, and run twice at once.
 * @returns the seals that this call wrote
 */
export async function sealDays(store: Store): Promise<readonly Seal[]> {
  const written: Seal[] = [];
  for (;;) {
    const next = await store.read(makeNextSeal);
    if (next === undefined) return written;
    if (await store.write((tx) => writeSeal(tx, next))) written.push(next.seal);
  }
}

/** The newest seal; undefined before the first. */
export async function readLastSeal(tx: ReadTx): Promise<Seal | undefined> {
  return tx.get<Seal>("SELECT day, transfers, hash FROM seal ORDER BY day DESC LIMIT 1");
}

/** @throws NeedsHuman where a day is sealed already: then the clock was set back */
export async function checkUnsealed(tx: ReadTx, day: DayUtc): Promise<void> {
  const row = await tx.get<{ day: DayUtc | null }>("SELECT max(day) AS day FROM seal");
  if (row?.day != null && day <= row.day)
    throw new NeedsHuman(
      `the clock says ${day}, but the books are sealed up to ${row.day}; set the clock, and run it again`,
    );
}

/** The seal of a day over its transfers, read within `tx`. */
export async function computeSeal(tx: ReadTx, before: string, day: DayUtc): Promise<Seal> {
  const digest = openDigest();
  digest.add(`${before}\n${day}\n`);
  let transfers = 0n;
  for await (const entry of readJournal(tx, day)) {
    digest.add(`${describeEntry(entry)}\n`);
    transfers += 1n;
  }
  return { day, transfers, hash: digest.end() };
}

function describeEntry({ id, code, debit, credit, amount, reference }: JournalEntry): string {
  return JSON.stringify([id, code, debit, credit, String(amount), reference]);
}

interface NextSeal {
  readonly seal: Seal;
  readonly before: Seal | undefined;
}

async function makeNextSeal(tx: ReadTx): Promise<NextSeal | undefined> {
  const before = await readLastSeal(tx);
  const span = await tx.get<{ first: DayUtc | null; last: DayUtc | null }>(
    "SELECT min(day) AS first, max(day) AS last FROM transfer",
  );
  if (span?.first == null || span.last === null) return undefined;
  const day = before === undefined ? span.first : addDays(before.day, 1);
  if (day >= span.last || day >= dayOf(tx.now)) return undefined;
  return { seal: await computeSeal(tx, before?.hash ?? noSeal, day), before };
}

/** False where another run was quicker. */
async function writeSeal(tx: WriteTx, { seal, before }: NextSeal): Promise<boolean> {
  const last = await readLastSeal(tx);
  if (last?.hash !== before?.hash) return false;
  // A clock may have been set back between reading and now; then it is read again.
  const row = await tx.get<{ n: bigint }>("SELECT count(*) AS n FROM transfer WHERE day = ?", [seal.day]);
  assert(row !== undefined, "a count is one row");
  if (row.n !== seal.transfers) return false;
  await tx.run("INSERT INTO seal (day, transfers, hash, sealed_at) VALUES (?, ?, ?, ?)", [
    seal.day,
    seal.transfers,
    seal.hash,
    tx.now,
  ]);
  return true;
}
