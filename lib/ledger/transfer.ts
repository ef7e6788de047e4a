/**
 * The books' one way in: `postTransfers` is the only function that inserts a transfer or moves a balance.
 *
 * Worked example: a $10 top-up of acct_x is one row, 10,000,000,000,000 picodollars from stripe-clearing to
 * acct_x, id `topup/pi_...`; acct_x's balance rises by $10, stripe-clearing's falls by $10, and all balances
 * still add up to zero. The same post again answers "exists" and changes nothing.
 */
import { type Amount, addAmounts, amountOf, fromColumns, toColumns, zero } from "../money/amount.ts";
import { insertRows } from "../store/rows.ts";
import type { ReadTx, SqlValue, WriteTx } from "../store/store.ts";
import { type DayUtc, dayOf } from "../util/clock.ts";
import { assert, type Refusal } from "../util/failure.ts";
import { type LedgerKind, pairs, type TransferCode } from "./chart.ts";
import { checkUnsealed } from "./seal.ts";

export interface NewTransfer {
  /** Derived from the outside fact: `topup/PAYMENT_INTENT`, `bill/ACCOUNT/DAY`. */
  readonly id: string;
  readonly code: TransferCode;
  /** The ledger account that the money leaves, and the one that it reaches. */
  readonly debit: string;
  readonly credit: string;
  /** More than zero. */
  readonly amount: Amount;
  /** The fact it records, for statements: the UTC day of a bill, the order of a top-up. */
  readonly reference: string;
}

export type Posting =
  | { readonly ok: true; readonly outcome: "created" | "exists" }
  | (Refusal<"differs"> & { readonly field: keyof NewTransfer });

/**
 * Posts one transfer and moves both balances. May be repeated: the same content again is "exists"; other
 * content under the same id is refused, naming the first field that differs. The booking day is the UTC day
 * of the transaction.
 * @throws NeedsHuman if that day is sealed already
 */
export async function postTransfer(tx: WriteTx, transfer: NewTransfer): Promise<Posting> {
  const [posting] = await postTransfers(tx, [transfer]);
  assert(posting !== undefined, "one transfer has one answer");
  return posting;
}

/**
 * Posts several, each as `postTransfer` would, in their order; a balance that many of them move is written once.
 * @returns an answer for each, in their order
 */
export async function postTransfers(
  tx: WriteTx,
  transfers: readonly NewTransfer[],
): Promise<readonly Posting[]> {
  // 1. An id that is known: nothing is written, whatever comes.
  const known = new Map(
    (await readTransfers(tx, transfers)).map((transfer): [string, NewTransfer] => [transfer.id, transfer]),
  );
  const fresh: NewTransfer[] = [];
  const postings = transfers.map((transfer): Posting => {
    const before = known.get(transfer.id);
    if (before !== undefined) return compare(before, transfer);
    known.set(transfer.id, transfer);
    fresh.push(transfer);
    return { ok: true, outcome: "created" };
  });
  if (fresh.length === 0) return postings;
  // 2. The amount is positive and fits; the pair of accounts is one that the chart allows.
  for (const { id, amount } of fresh) assert(amount > zero, `transfer ${id} moves a positive amount`);
  await checkPairs(tx, fresh);
  const day = dayOf(tx.now);
  await checkUnsealed(tx, day);
  // 3. The rows, numbered on from the last one.
  let number = await readLastNumber(tx);
  const moves: Moves = new Map();
  const rows: SqlValue[][] = [];
  for (const transfer of fresh) {
    number += 1n;
    rows.push(rowOf(transfer, number, day, tx.now));
    addMove(moves, transfer.debit, amountOf(-transfer.amount), number);
    addMove(moves, transfer.credit, transfer.amount, number);
  }
  await insertRows(
    tx,
    "INSERT INTO transfer (number, id, code, debit, credit, picodollars, attodollars, reference, day, posted_at)",
    rows,
  );
  assert((await readLastNumber(tx)) === number, "the journal's last number is that of the last transfer");
  // 4. The balances, read back and compared with what they must be now.
  await moveBalances(tx, moves);
  return postings;
}

/** Opens a ledger account of the given kind; the id must be new. */
export async function openLedgerAccount(tx: WriteTx, id: string, kind: LedgerKind): Promise<void> {
  await tx.run("INSERT INTO ledger_account (id, kind, opened_at) VALUES (?, ?, ?)", [id, kind, tx.now]);
}

/** Credits less debits of one ledger account; zero if nothing was ever posted to it. */
export async function readBalance(tx: ReadTx, ledgerAccount: string): Promise<Amount> {
  const row = await tx.get<{ picodollars: bigint; attodollars: bigint }>(
    "SELECT picodollars, attodollars FROM balance WHERE ledger_account = ?",
    [ledgerAccount],
  );
  return row === undefined ? zero : fromColumns(row);
}

/** Those of the ids that are in the books. */
async function readTransfers(tx: ReadTx, transfers: readonly NewTransfer[]): Promise<readonly NewTransfer[]> {
  const rows = await tx.all<Omit<NewTransfer, "amount"> & { picodollars: bigint; attodollars: bigint }>(
    `SELECT t.id, t.code, t.debit, t.credit, t.picodollars, t.attodollars, t.reference
     FROM json_each(?) j CROSS JOIN transfer t ON t.id = j.value`,
    [JSON.stringify(transfers.map(({ id }) => id))],
  );
  return rows.map((row) => ({ ...row, amount: fromColumns(row) }));
}

function compare(known: NewTransfer, again: NewTransfer): Posting {
  const fields = ["code", "debit", "credit", "amount", "reference"] as const;
  const field = fields.find((name) => known[name] !== again[name]);
  if (field === undefined) return { ok: true, outcome: "exists" };
  const detail = `transfer ${again.id} is in the books with ${field} ${known[field]}, not ${again[field]}`;
  return { ok: false, why: "differs", field, detail };
}

async function checkPairs(tx: ReadTx, transfers: readonly NewTransfer[]): Promise<void> {
  const accounts = new Set(transfers.flatMap(({ debit, credit }) => [debit, credit]));
  const rows = await tx.all<{ id: string; kind: LedgerKind }>(
    "SELECT a.id, a.kind FROM json_each(?) j CROSS JOIN ledger_account a ON a.id = j.value",
    [JSON.stringify([...accounts])],
  );
  const kinds = new Map(rows.map(({ id, kind }) => [id, kind]));
  for (const transfer of transfers)
    for (const side of ["debit", "credit"] as const) {
      const [kind, allowed] = [kinds.get(transfer[side]), pairs[transfer.code][side]];
      assert(
        kind === allowed,
        `transfer ${transfer.id}: ${side} ${transfer[side]} is a ${kind ?? "missing account"}, ${transfer.code} wants ${allowed}`,
      );
    }
}

async function readLastNumber(tx: ReadTx): Promise<bigint> {
  const row = await tx.get<{ number: bigint | null }>("SELECT max(number) AS number FROM transfer");
  return row?.number ?? 0n;
}

function rowOf(transfer: NewTransfer, number: bigint, day: DayUtc, now: number): SqlValue[] {
  const { id, code, debit, credit, amount, reference } = transfer;
  const { picodollars, attodollars } = toColumns(amount);
  return [number, id, code, debit, credit, picodollars, attodollars, reference, day, now];
}

type Moves = Map<string, { by: Amount; through: bigint }>;

function addMove(moves: Moves, account: string, by: Amount, number: bigint): void {
  const before = moves.get(account)?.by ?? zero;
  moves.set(account, { by: addAmounts(before, by), through: number });
}

async function moveBalances(tx: WriteTx, moves: Moves): Promise<void> {
  const before = await readBalances(tx, moves);
  const after = new Map<string, Amount>();
  const rows: SqlValue[][] = [];
  for (const [account, { by, through }] of moves) {
    const balance = addAmounts(before.get(account) ?? zero, by);
    const { picodollars, attodollars } = toColumns(balance);
    after.set(account, balance);
    rows.push([account, picodollars, attodollars, through]);
  }
  await insertRows(
    tx,
    "INSERT INTO balance (ledger_account, picodollars, attodollars, through)",
    rows,
    `ON CONFLICT (ledger_account) DO UPDATE SET
       picodollars = excluded.picodollars, attodollars = excluded.attodollars, through = excluded.through`,
  );
  const written = await readBalances(tx, moves);
  for (const [account, balance] of after)
    assert(written.get(account) === balance, `the balance of ${account} reads back as written`);
}

async function readBalances(tx: ReadTx, moves: Moves): Promise<ReadonlyMap<string, Amount>> {
  const rows = await tx.all<{ id: string; picodollars: bigint; attodollars: bigint }>(
    `SELECT b.ledger_account AS id, b.picodollars, b.attodollars
     FROM json_each(?) j CROSS JOIN balance b ON b.ledger_account = j.value`,
    [JSON.stringify([...moves.keys()])],
  );
  return new Map(rows.map((row) => [row.id, fromColumns(row)]));
}
