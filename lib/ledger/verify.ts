/**
 * The books looked at by somebody who trusts nobody: everything is worked out again from the first row, with plain SQL and
 * without the functions that wrote it, and what is wrong is told row by row. Reads only; memory does not grow with the books,
 * but for the names of their accounts. Called by jobs/ledger.
 */
import { type AmountSums, amountSums, fromColumns, fromSums } from "../money/amount.ts";
import type { Finding, ReadTx } from "../store/store.ts";
import { addDays, type DayUtc, dayOf, parseDay } from "../util/clock.ts";
import { type Pair, pairs } from "./chart.ts";
import {
  checkBills,
  checkDeeds,
  checkReturns,
  checkRevisions,
  checkTopups,
  type Report,
} from "./evidence.ts";
import { computeSeal, noSeal, type Seal } from "./seal.ts";

export interface Verified {
  readonly transfers: bigint;
  readonly accounts: bigint;
  readonly seals: bigint;
  readonly lastSeal: Seal | undefined;
}

const batchSize = 2000;

/** All within one view of the books. `report` is called for each thing that is wrong. */
export async function verifyBooks(
  tx: ReadTx,
  expected: ReadonlyMap<string, string>,
  report: (finding: Finding) => void,
): Promise<Verified> {
  const tell: Report = (table, row, message) => report({ table, row: String(row), message });
  for (const { table, row, message } of await tx.inspect(expected)) tell(table, row, message);
  await checkChart(tx, tell);
  const transfers = await checkTransfers(tx, tell);
  const accounts = await checkBalances(tx, tell);
  await checkBills(tx, tell);
  await checkRevisions(tx, tell);
  await checkTopups(tx, tell);
  await checkReturns(tx, tell);
  await checkDeeds(tx, tell);
  return { transfers, accounts, ...(await checkSeals(tx, tell)) };
}

interface TransferRow {
  readonly number: bigint;
  readonly id: string;
  readonly code: string;
  readonly debit: string;
  readonly credit: string;
  readonly debitKind: string | null;
  readonly creditKind: string | null;
  readonly picodollars: bigint;
  readonly attodollars: bigint;
  readonly reference: string;
  readonly day: string;
  readonly postedAt: bigint;
}

async function checkTransfers(tx: ReadTx, tell: Report): Promise<bigint> {
  let [last, count] = [0n, 0n];
  for (;;) {
    const rows = await tx.all<TransferRow>(
      `SELECT t.number, t.id, t.code, t.debit, t.credit, d.kind AS debitKind, c.kind AS creditKind, t.picodollars,
              t.attodollars, t.reference, t.day, t.posted_at AS postedAt
       FROM transfer t LEFT JOIN ledger_account d ON d.id = t.debit LEFT JOIN ledger_account c ON c.id = t.credit
       WHERE t.number > ? ORDER BY t.number LIMIT ?`,
      [last, batchSize],
    );
    for (const row of rows) {
      if (row.number !== last + 1n)
        tell("transfer", row.number, `the numbers from ${last + 1n} to ${row.number - 1n} are missing`);
      for (const message of judgeTransfer(row)) tell("transfer", row.number, `${row.id}: ${message}`);
      last = row.number;
      count += 1n;
    }
    if (rows.length < batchSize) return count;
  }
}

function judgeTransfer(row: TransferRow): readonly string[] {
  const wrong: string[] = [];
  if (fromColumns(row) <= 0n) wrong.push("moves nothing, or less");
  if (row.attodollars < 0n || row.attodollars > 999_999n)
    wrong.push(`${row.attodollars} is no rest of a picodollar`);
  if (row.debit === row.credit) wrong.push("moves money from an account to itself");
  const pair = findPair(row.code);
  if (pair?.debit !== row.debitKind || pair?.credit !== row.creditKind)
    wrong.push(
      `"${row.code}" may not move money from ${row.debitKind ?? "nowhere"} to ${row.creditKind ?? "nowhere"}`,
    );
  if (!Number.isFinite(new Date(Number(row.postedAt)).getTime()) || dayOf(Number(row.postedAt)) !== row.day)
    wrong.push(`was posted at another time than on ${row.day}`);
  const id = row.code === "bill" ? `bill/${row.debit}/${row.reference}` : row.id;
  if (id !== row.id || !row.id.startsWith(`${pair?.ids ?? row.code}/`))
    wrong.push("its id does not follow from what it is");
  return wrong;
}

function findPair(code: string): Pair | undefined {
  return Object.entries(pairs).find(([own]) => own === code)?.[1];
}

/** The chart that the file holds transfers against is the programs' own. */
async function checkChart(tx: ReadTx, tell: Report): Promise<void> {
  const rows = await tx.all<{ code: string; debit: string; credit: string }>(
    "SELECT code, debit_kind AS debit, credit_kind AS credit FROM chart",
  );
  for (const { code, debit, credit } of rows) {
    const pair = findPair(code);
    if (pair?.debit !== debit || pair.credit !== credit)
      tell("chart", code, "is not as the programs know it");
  }
  for (const code of Object.keys(pairs))
    if (!rows.some((row) => row.code === code)) tell("chart", code, "is not there; something took it away");
}

/** Each balance is the sum of its transfers, and all of them are nothing together. */
async function checkBalances(tx: ReadTx, tell: Report): Promise<bigint> {
  let [last, count, total] = ["", 0n, 0n];
  for (;;) {
    const accounts = await tx.all<{ id: string }>(
      "SELECT id FROM ledger_account WHERE id > ? ORDER BY id LIMIT ?",
      [last, batchSize],
    );
    for (const { id } of accounts) {
      const [credits, debits] = [await sumSide(tx, "credit", id), await sumSide(tx, "debit", id)];
      const own = credits.sum - debits.sum;
      const through = credits.last > debits.last ? credits.last : debits.last;
      const row = await tx.get<{ picodollars: bigint; attodollars: bigint; through: bigint }>(
        "SELECT picodollars, attodollars, through FROM balance WHERE ledger_account = ?",
        [id],
      );
      const kept = row === undefined ? 0n : fromColumns(row);
      if (kept !== own) tell("balance", id, `is ${kept} attodollars, and its transfers make ${own}`);
      if ((row?.through ?? 0n) !== through)
        tell("balance", id, `is said to go to transfer ${row?.through ?? "none"}, and goes to ${through}`);
      total += kept;
      last = id;
      count += 1n;
    }
    if (accounts.length < batchSize) break;
  }
  if (total !== 0n) tell("balance", "all", `are ${total} attodollars together, and not nothing`);
  return count;
}

/** What an account was moved by on one side, and the number of the last transfer that did it. */
async function sumSide(
  tx: ReadTx,
  side: "debit" | "credit",
  account: string,
): Promise<{ readonly sum: bigint; readonly last: bigint }> {
  const row = await tx.get<AmountSums & { readonly last: bigint }>(
    `SELECT ${amountSums}, coalesce(max(number), 0) AS last FROM transfer WHERE ${side} = ?`,
    [account],
  );
  return row === undefined ? { sum: 0n, last: 0n } : { sum: fromSums(row), last: row.last };
}

async function checkSeals(tx: ReadTx, tell: Report): Promise<Pick<Verified, "seals" | "lastSeal">> {
  const first = await tx.get<{ day: DayUtc | null }>("SELECT min(day) AS day FROM transfer");
  const rows = await tx.all<Seal>("SELECT day, transfers, hash FROM seal ORDER BY day");
  let [before, expected]: [string, string] = [noSeal, first?.day ?? ""];
  for (const seal of rows) {
    if (seal.day !== expected)
      tell("seal", seal.day, `the seal of ${expected || "an earlier day"} should come first`);
    const own = await computeSeal(tx, before, seal.day);
    if (own.transfers !== seal.transfers)
      tell("seal", seal.day, `is of ${seal.transfers} transfers, and there are ${own.transfers}`);
    else if (own.hash !== seal.hash)
      tell("seal", seal.day, "a transfer of this day is another one than when it was sealed");
    // The next one is compared with what this one says, so that one fault is told once.
    before = seal.hash;
    expected = parseDay(seal.day) === undefined ? "" : addDays(seal.day, 1);
  }
  return { seals: BigInt(rows.length), lastSeal: rows.at(-1) };
}
