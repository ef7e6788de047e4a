/**
 * A night: usage of a UTC day -> charge -> transfer -> balance. One transfer per account and day, its id
 * `bill/ACCOUNT/DAY`, so a second run, a run after a crash, and two runs at once all leave the same books.
 *
 * Worked example, 250 picodollars per byte-month and per byte, acct_x on 2026-10-05 (31 days): 259,688,348
 * byte-days of storage x 8,064,516 + 1,000 bytes of upload x 250,000,000 attodollars
 * = 0.002094260837459568 + 0.000000250000000000 = $0.002094510837459568.
 */
import type { AccountId } from "../accounts/account.ts";
import { postTransfer } from "../ledger/transfer.ts";
import { type Amount, addAmounts, fromColumns, toColumns, zero } from "../money/amount.ts";
import { chargeFor } from "../money/price.ts";
import type { ReadTx, Store, WriteTx } from "../store/store.ts";
import type { DayUtc } from "../util/clock.ts";
import { assert, NeedsHuman } from "../util/failure.ts";
import type { MeterSetting } from "../util/settings.ts";
import { readDayState } from "./day.ts";

export interface BillLine {
  readonly machine: string;
  readonly meter: string;
  readonly quantity: bigint;
  /** Of the row of usage, from 1. */
  readonly revision: bigint;
  readonly priceAtto: bigint;
  readonly amount: Amount;
}

export interface DayReport {
  readonly day: DayUtc;
  /** Accounts with usage that day. */
  readonly accounts: number;
  /** Bills written by this run; the others were in the books already, or came to nothing. */
  readonly created: number;
  /** Sum of the bills that this run wrote. */
  readonly total: Amount;
}

// Accounts billed in one transaction: enough to spare the disk, few enough that nobody waits long for the lock.
const batchSize = 100;

/**
 * Bills one complete day and marks it billed. May be repeated, interrupted, and run twice at once.
 * @throws NeedsHuman if a meter has no price, or the books hold another bill under the same id
 */
export async function billDay(
  store: Store,
  day: DayUtc,
  meters: readonly MeterSetting[],
): Promise<DayReport> {
  const accounts = await store.read((tx) => readAccountsOfDay(tx, day));
  let created = 0;
  let total = zero;
  const failed: NeedsHuman[] = [];
  for (let from = 0; from < accounts.length; from += batchSize) {
    const batch = accounts.slice(from, from + batchSize);
    const billed = await billBatchOrEach(store, batch, day, meters);
    created += billed.created;
    total = addAmounts(total, billed.total);
    failed.push(...billed.failed);
  }
  const [first] = failed;
  if (first !== undefined)
    throw new NeedsHuman(
      `${day}: ${failed.length} of ${accounts.length} accounts could not be billed, the others are; run it again when this is mended: ${first.message}`,
      { cause: first },
    );
  await store.write((tx) => markBilled(tx, day, accounts.length));
  return { day, accounts: accounts.length, created, total };
}

/** Reads the lines of several bills, by transfer id, in the order of machine and meter. */
export async function readBillLines(
  tx: ReadTx,
  transferIds: readonly string[],
): Promise<ReadonlyMap<string, readonly BillLine[]>> {
  const bills = new Map<string, BillLine[]>();
  for (const id of transferIds) {
    const rows = await tx.all<Omit<BillLine, "amount"> & { picodollars: bigint; attodollars: bigint }>(
      `SELECT machine, meter, quantity, revision, price_atto AS priceAtto, picodollars, attodollars
       FROM bill_line WHERE transfer = ? ORDER BY machine, meter`,
      [id],
    );
    bills.set(
      id,
      rows.map((row) => ({ ...row, amount: fromColumns(row) })),
    );
  }
  return bills;
}

async function readAccountsOfDay(tx: ReadTx, day: DayUtc): Promise<readonly AccountId[]> {
  const rows = await tx.all<{ account: AccountId }>(
    "SELECT DISTINCT account FROM usage_to_bill WHERE day = ? ORDER BY account",
    [day],
  );
  return rows.map((row) => row.account);
}

/** Where one account of a batch cannot be billed, the others are, each in a transaction of its own. */
async function billBatchOrEach(
  store: Store,
  batch: readonly AccountId[],
  day: DayUtc,
  meters: readonly MeterSetting[],
): Promise<{ created: number; total: Amount; failed: readonly NeedsHuman[] }> {
  try {
    return { ...(await store.write((tx) => billBatch(tx, batch, day, meters))), failed: [] };
  } catch (cause) {
    if (!(cause instanceof NeedsHuman)) throw cause;
    const [only] = batch;
    if (batch.length === 1 && only !== undefined)
      return { created: 0, total: zero, failed: [new NeedsHuman(`${only}: ${cause.message}`, { cause })] };
  }
  const sum = { created: 0, total: zero, failed: [] as NeedsHuman[] };
  for (const account of batch) {
    const billed = await billBatchOrEach(store, [account], day, meters);
    sum.created += billed.created;
    sum.total = addAmounts(sum.total, billed.total);
    sum.failed.push(...billed.failed);
  }
  return sum;
}

async function billBatch(
  tx: WriteTx,
  accounts: readonly AccountId[],
  day: DayUtc,
  meters: readonly MeterSetting[],
): Promise<{ created: number; total: Amount }> {
  // A complete day takes no new rows, so what is read here is all there will be.
  const state = await readDayState(tx, day);
  if (state === "skipped") throw new NeedsHuman(`${day} is skipped, and never billed`);
  assert(state !== "open", `day ${day} is complete before it is billed`);
  let created = 0;
  let total = zero;
  for (const account of accounts) {
    const amount = await billAccount(tx, account, day, meters);
    if (amount === undefined) continue;
    created += 1;
    total = addAmounts(total, amount);
  }
  return { created, total };
}

/** Returns the amount of the bill if this call wrote it; undefined if it exists or comes to nothing. */
async function billAccount(
  tx: WriteTx,
  account: AccountId,
  day: DayUtc,
  meters: readonly MeterSetting[],
): Promise<Amount | undefined> {
  // 1. Each row's charge, exactly.
  const usage = await tx.all<Pick<BillLine, "machine" | "meter" | "quantity" | "revision">>(
    "SELECT machine, meter, quantity, revision FROM usage_to_bill WHERE day = ? AND account = ? ORDER BY machine, meter",
    [day, account],
  );
  const lines = usage.map(
    (row): BillLine => ({ ...row, ...chargeRow(meters, row.meter, day, row.quantity) }),
  );
  const amount = lines.reduce((sum, line) => addAmounts(sum, line.amount), zero);
  if (amount === zero) return undefined;
  // 2. One transfer for the sum.
  const transferId = `bill/${account}/${day}`;
  const transfer = {
    id: transferId,
    code: "bill",
    debit: account,
    credit: "revenue",
    amount,
    reference: day,
  } as const;
  const posting = await postTransfer(tx, transfer);
  if (!posting.ok)
    throw new NeedsHuman(`${posting.detail}; was a price of the past changed? A billed day keeps its price`);
  if (posting.outcome === "exists") return undefined;
  // 3. Its lines beside it, in the same transaction.
  for (const line of lines) await writeLine(tx, transferId, line);
  return amount;
}

function chargeRow(
  meters: readonly MeterSetting[],
  name: string,
  day: DayUtc,
  quantity: bigint,
): { priceAtto: bigint; amount: Amount } {
  const meter = meters.find((candidate) => candidate.name === name);
  const charge = meter === undefined ? undefined : chargeFor(meter, day, quantity);
  if (charge === undefined)
    throw new NeedsHuman(
      `etc/prices.yaml: meter "${name}" has no price for ${day}, but there is usage; add one`,
    );
  return charge;
}

async function writeLine(tx: WriteTx, transferId: string, line: BillLine): Promise<void> {
  const { picodollars, attodollars } = toColumns(line.amount);
  await tx.run(
    `INSERT INTO bill_line (transfer, machine, meter, quantity, revision, price_atto, picodollars, attodollars)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      transferId,
      line.machine,
      line.meter,
      line.quantity,
      line.revision,
      line.priceAtto,
      picodollars,
      attodollars,
    ],
  );
}

async function markBilled(tx: WriteTx, day: DayUtc, accounts: number): Promise<void> {
  if ((await readDayState(tx, day)) === "billed") return;
  await tx.run("INSERT INTO billed_day (day, accounts, billed_at) VALUES (?, ?, ?)", [day, accounts, tx.now]);
}
