/**
 * Usage that was measured again, or came late: a row is never changed, a revision of it takes its place. Before the day is
 * billed, the bill takes the newest; afterwards the difference is a transfer of its own.
 *
 * Worked example: 1,000 byte-days of box were billed at 8,064,516 attodollars; revision 2 says 400. The transfer
 * `bill/ACCOUNT/DAY/r2` gives 600 x 8,064,516 = 4,838,709,600 attodollars back.
 */
import type { AccountId } from "../accounts/account.ts";
import { postTransfer } from "../ledger/transfer.ts";
import { type Amount, amountOf, fromColumns, zero } from "../money/amount.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { NeedsHuman } from "../util/failure.ts";
import { readDayState } from "./day.ts";
import type { UsageLine } from "./row.ts";

export type UsageKey = Pick<UsageLine, "day" | "machine" | "meter"> & { readonly account: AccountId };

export interface KnownUsage {
  readonly revision: bigint;
  readonly quantity: bigint;
}

/** A correction of a bill, for the statement. */
export interface CorrectedLine {
  readonly machine: string;
  readonly meter: string;
  /** What holds now. */
  readonly quantity: bigint;
  readonly priceAtto: bigint;
  /** How much the account was charged more; negative where it got money back. */
  readonly amount: Amount;
}

/** The newest revision of a row; undefined if there is none. */
export async function readNewest(tx: ReadTx, key: UsageKey): Promise<KnownUsage | undefined> {
  return tx.get<KnownUsage>(
    "SELECT quantity, revision FROM usage_now WHERE day = ? AND account = ? AND machine = ? AND meter = ?",
    [key.day, key.account, key.machine, key.meter],
  );
}

/** The quantity that was given as one revision of a row. */
export async function readRevision(tx: ReadTx, key: UsageKey, revision: bigint): Promise<bigint | undefined> {
  const values = [key.day, key.account, key.machine, key.meter];
  const where = "day = ? AND account = ? AND machine = ? AND meter = ?";
  const row =
    revision === 1n
      ? await tx.get<{ quantity: bigint }>(`SELECT quantity FROM usage WHERE ${where}`, values)
      : await tx.get<{ quantity: bigint }>(
          `SELECT quantity FROM usage_revision WHERE ${where} AND revision = ?`,
          [...values, revision],
        );
  return row?.quantity;
}

/**
 * Writes a revision, which must be the next one, and the transfer that it causes on a billed day.
 * @throws NeedsHuman if the row was billed at another price than it has now
 */
export async function reviseUsage(
  tx: WriteTx,
  key: UsageKey,
  next: KnownUsage,
  priceAtto: bigint,
): Promise<void> {
  const isBilled = await wasBilled(tx, key);
  const before = (await readNewest(tx, key))?.quantity ?? 0n;
  if (isBilled) await checkPrice(tx, key, priceAtto);
  const transfer = isBilled ? await postDifference(tx, key, (next.quantity - before) * priceAtto) : null;
  await tx.run(
    `INSERT INTO usage_revision (day, account, machine, meter, revision, quantity, price_atto, transfer, received_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      key.day,
      key.account,
      key.machine,
      key.meter,
      next.revision,
      next.quantity,
      isBilled ? priceAtto : null,
      transfer,
      tx.now,
    ],
  );
}

/** The rows that were corrected by transfers, by transfer id. */
export async function readCorrections(
  tx: ReadTx,
  transferIds: readonly string[],
): Promise<ReadonlyMap<string, readonly CorrectedLine[]>> {
  const found = new Map<string, readonly CorrectedLine[]>();
  for (const id of transferIds) {
    const rows = await tx.all<CorrectedRow>(
      `SELECT r.machine, r.meter, r.quantity, r.price_atto AS priceAtto, t.code, t.picodollars, t.attodollars
       FROM usage_revision r JOIN transfer t ON t.id = r.transfer WHERE r.transfer = ?`,
      [id],
    );
    found.set(
      id,
      rows.map(({ code, picodollars, attodollars, ...row }) => {
        const moved = fromColumns({ picodollars, attodollars });
        return { ...row, amount: code === "bill-more" ? moved : amountOf(-moved) };
      }),
    );
  }
  return found;
}

/** By its bill, or because the whole day was, and nothing came of this account. */
async function wasBilled(tx: ReadTx, { day, account }: UsageKey): Promise<boolean> {
  const bill = await tx.get("SELECT 1 AS one FROM transfer WHERE id = ?", [`bill/${account}/${day}`]);
  return bill !== undefined || (await readDayState(tx, day)) === "billed";
}

async function checkPrice(tx: ReadTx, key: UsageKey, priceAtto: bigint): Promise<void> {
  const billed = await readBilledPrice(tx, key);
  if (billed !== undefined && billed !== priceAtto)
    throw new NeedsHuman(
      `${key.day}: ${key.meter} was billed at ${billed} attodollars, and costs ${priceAtto} by etc/prices.yaml; was a price of the past changed?`,
    );
}

/**
 * What the meter cost on a billed day, which is the same for everybody: by the account's own bill, by what was measured again since,
 * or by the bill of another one, which is looked for last, since a day may have a million of them. undefined where nobody used it.
 */
async function readBilledPrice(tx: ReadTx, { account, day, meter }: UsageKey): Promise<bigint | undefined> {
  const places: readonly (readonly [sql: string, values: readonly string[]])[] = [
    ["bill_line WHERE transfer = ? AND meter = ?", [`bill/${account}/${day}`, meter]],
    [
      "usage_revision WHERE day = ? AND account = ? AND meter = ? AND price_atto IS NOT NULL",
      [day, account, meter],
    ],
    ["usage_revision WHERE day = ? AND meter = ? AND price_atto IS NOT NULL", [day, meter]],
    [
      "transfer t JOIN bill_line l ON l.transfer = t.id WHERE t.reference = ? AND t.code = 'bill' AND l.meter = ?",
      [day, meter],
    ],
  ];
  for (const [sql, values] of places) {
    const found = await tx.get<{ priceAtto: bigint }>(
      `SELECT price_atto AS priceAtto FROM ${sql} LIMIT 1`,
      values,
    );
    if (found !== undefined) return found.priceAtto;
  }
  return undefined;
}

/** Returns the id of the transfer; null where there is no difference. */
async function postDifference(tx: WriteTx, { account, day }: UsageKey, more: bigint): Promise<string | null> {
  if (more === zero) return null;
  const row = await tx.get<{ n: bigint }>("SELECT count(*) AS n FROM transfer WHERE id BETWEEN ? AND ?", [
    `bill/${account}/${day}/r`,
    `bill/${account}/${day}/s`,
  ]);
  const id = `bill/${account}/${day}/r${(row?.n ?? 0n) + 2n}`;
  const sides =
    more > 0n
      ? { code: "bill-more" as const, debit: account, credit: "adjustments" }
      : { code: "bill-less" as const, debit: "adjustments", credit: account };
  const posting = await postTransfer(tx, {
    ...sides,
    id,
    amount: amountOf(more > 0n ? more : -more),
    reference: day,
  });
  if (!posting.ok || posting.outcome === "exists")
    throw new NeedsHuman(`transfer ${id} is in the books already; run: site ledger verify`);
  return id;
}

interface CorrectedRow extends Omit<CorrectedLine, "amount"> {
  readonly code: string;
  readonly picodollars: bigint;
  readonly attodollars: bigint;
}
