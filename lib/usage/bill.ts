/**
 * A night: usage of a UTC day -> charge -> transfer -> balance. One transfer per account and day, its id
 * `bill/ACCOUNT/DAY`, so a second run, a run after a crash, and two runs at once all leave the same books.
 *
 * Worked example, 250 picodollars per byte-month and per byte, acct_x on 2026-10-05 (31 days): 259,688,348
 * byte-days of storage x 8,064,516 + 1,000 bytes of upload x 250,000,000 attodollars
 * = 0.002094260837459568 + 0.000000250000000000 = $0.002094510837459568.
 */
import type { AccountId } from "../accounts/account.ts";
import { type NewTransfer, postTransfers } from "../ledger/transfer.ts";
import { type Amount, addAmounts, amountOf, fromColumns, toColumns, zero } from "../money/amount.ts";
import { largestPriceAtto, priceAttoPerUnit } from "../money/price.ts";
import { insertRows } from "../store/rows.ts";
import type { ReadTx, SqlValue, Store, WriteTx } from "../store/store.ts";
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
export const batchSize = 100;

/**
 * Bills one complete day and marks it billed. May be repeated, interrupted, and run twice at once.
 * @throws NeedsHuman if a meter has no price, or the books hold another bill under the same id
 */
export async function billDay(
  store: Store,
  day: DayUtc,
  meters: readonly MeterSetting[],
): Promise<DayReport> {
  const { accounts, created, total, failed } = await billAccounts(store, day, meters, {});
  const [first] = failed;
  if (first !== undefined)
    throw new NeedsHuman(
      `${day}: ${failed.length} of ${accounts} accounts could not be billed, the others are; run it again when this is mended: ${first.message}`,
      { cause: first },
    );
  const late = await store.write((tx) => finishDay(tx, day, meters, accounts));
  return {
    day,
    accounts: accounts + late.created,
    created: created + late.created,
    total: addAmounts(total, late.total),
  };
}

/**
 * Bills the accounts of a day whose ids lie between two, without marking the day: a night is all of them. The bench runs several at once
 * (DESIGN.md, "Growth").
 */
export async function billAccounts(
  store: Store,
  day: DayUtc,
  meters: readonly MeterSetting[],
  { after: first = "", through = "~" }: { readonly after?: string; readonly through?: string },
): Promise<Omit<DayReport, "day"> & { readonly failed: readonly NeedsHuman[] }> {
  let [accounts, created, total] = [0, 0, zero];
  const failed: NeedsHuman[] = [];
  for (let after = first; ; ) {
    const from = after;
    const batch = await store.read((tx) => readAccountsOfDay(tx, day, from, through));
    const last = batch.at(-1);
    if (last === undefined) return { accounts, created, total, failed };
    after = last;
    accounts += batch.length;
    const billed = await billBatchOrEach(store, batch, day, meters);
    created += billed.created;
    total = addAmounts(total, billed.total);
    failed.push(...billed.failed);
  }
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

/** The next accounts with something to bill, after one of them. A page at a time: there may be a million. */
async function readAccountsOfDay(
  tx: ReadTx,
  day: DayUtc,
  after: string,
  through: string,
): Promise<readonly AccountId[]> {
  const page = "WHERE day = ? AND account > ? AND account <= ?";
  const rows = await tx.all<{ account: AccountId }>(
    `SELECT account FROM (SELECT DISTINCT account FROM usage ${page} ORDER BY account LIMIT ?) first
     UNION SELECT account FROM (
       SELECT DISTINCT account FROM usage_revision ${page} AND price_atto IS NULL ORDER BY account LIMIT ?) revised
     ORDER BY account LIMIT ?`,
    [day, after, through, batchSize, day, after, through, batchSize, batchSize],
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
  // A complete day takes no new rows. Revisions of it wait for this transaction, and find the bill, if there is one.
  const state = await readDayState(tx, day);
  if (state === "skipped") throw new NeedsHuman(`${day} is skipped, and never billed`);
  assert(state !== "open", `day ${day} is complete before it is billed`);
  // 1. Each row's charge, exactly, and one transfer for each account's sum.
  const bills = await makeBills(tx, accounts, day, meters);
  const postings = await postTransfers(
    tx,
    bills.map(({ transfer }) => transfer),
  );
  // 2. Its lines beside it, in the same transaction.
  const rows: SqlValue[][] = [];
  let created = 0;
  let total = zero;
  for (const [at, { transfer, lines }] of bills.entries()) {
    const posting = postings[at];
    assert(posting !== undefined, "each transfer has an answer");
    if (!posting.ok)
      throw new NeedsHuman(
        `${posting.detail}; was a price of the past changed? A billed day keeps its price`,
      );
    if (posting.outcome === "exists") continue;
    for (const line of lines) rows.push(rowOf(transfer.id, line));
    created += 1;
    total = addAmounts(total, transfer.amount);
  }
  await insertRows(
    tx,
    "INSERT INTO bill_line (transfer, machine, meter, quantity, revision, price_atto, picodollars, attodollars)",
    rows,
  );
  return { created, total };
}

interface Bill {
  readonly transfer: NewTransfer;
  readonly lines: readonly BillLine[];
}

/** The bills of a batch's accounts, which follow one another in the order of ids; none for what comes to nothing. */
async function makeBills(
  tx: ReadTx,
  accounts: readonly AccountId[],
  day: DayUtc,
  meters: readonly MeterSetting[],
): Promise<readonly Bill[]> {
  const rows = await tx.all<Omit<BillLine, "priceAtto" | "amount"> & { readonly account: AccountId }>(
    `SELECT account, machine, meter, quantity, revision FROM usage_to_bill
     WHERE day = ? AND account BETWEEN ? AND ?`,
    [day, accounts[0] ?? "", accounts.at(-1) ?? ""],
  );
  const lines = new Map<AccountId, BillLine[]>();
  const prices = new Map<string, bigint>();
  for (const { account, machine, meter, quantity, revision } of rows) {
    // All rows of a day have the same few prices.
    const priceAtto = prices.get(meter) ?? priceFor(meters, meter, day);
    prices.set(meter, priceAtto);
    const amount = amountOf(quantity * priceAtto);
    const line: BillLine = { machine, meter, quantity, revision, priceAtto, amount };
    const before = lines.get(account);
    if (before === undefined) lines.set(account, [line]);
    else before.push(line);
  }
  return [...lines].flatMap(([account, own]): readonly Bill[] => {
    const amount = own.reduce((sum, line) => addAmounts(sum, line.amount), zero);
    if (amount === zero) return [];
    const id = `bill/${account}/${day}`;
    const transfer = { id, code: "bill", debit: account, credit: "revenue", amount, reference: day } as const;
    return [{ transfer, lines: own }];
  });
}

function priceFor(meters: readonly MeterSetting[], name: string, day: DayUtc): bigint {
  const meter = meters.find((candidate) => candidate.name === name);
  const priceAtto = meter === undefined ? undefined : priceAttoPerUnit(meter, day);
  if (priceAtto === undefined)
    throw new NeedsHuman(
      `etc/prices.yaml: meter "${name}" has no price for ${day}, but there is usage; add one`,
    );
  // A build refuses such a price; a release that was built before it did may have one, and keeps nobody else from being billed.
  if (priceAtto > largestPriceAtto)
    throw new NeedsHuman(
      `etc/prices.yaml: meter "${name}" costs ${priceAtto} attodollars a unit on ${day}, and the books keep at most ${largestPriceAtto}; mend it and build`,
    );
  return priceAtto;
}

function rowOf(transferId: string, line: BillLine): SqlValue[] {
  const { machine, meter, quantity, revision, priceAtto, amount } = line;
  const { picodollars, attodollars } = toColumns(amount);
  return [transferId, machine, meter, quantity, revision, priceAtto, picodollars, attodollars];
}

/**
 * Marks the day billed. A revision may have come for an account without a bill while the night was past it; it waits for one,
 * so it is billed here, in the mark's own transaction: what comes after the mark is a correction, and nothing between them.
 */
async function finishDay(tx: WriteTx, day: DayUtc, meters: readonly MeterSetting[], accounts: number) {
  const late = { created: 0, total: zero };
  if ((await readDayState(tx, day)) === "billed") return late;
  const readNext = (after: string) =>
    tx.get<{ account: AccountId }>(
      `SELECT account FROM usage_revision r WHERE day = ? AND account > ? AND price_atto IS NULL
       AND NOT EXISTS (SELECT 1 FROM transfer WHERE id = 'bill/' || r.account || '/' || r.day) ORDER BY account LIMIT 1`,
      [day, after],
    );
  for (let next = await readNext(""); next !== undefined; next = await readNext(next.account)) {
    const billed = await billBatch(tx, [next.account], day, meters);
    late.created += billed.created;
    late.total = addAmounts(late.total, billed.total);
  }
  const values = [day, accounts + late.created, tx.now];
  await tx.run("INSERT INTO billed_day (day, accounts, billed_at) VALUES (?, ?, ?)", values);
  return late;
}
