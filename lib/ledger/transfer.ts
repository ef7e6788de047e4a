/**
 * The books' one way in: `postTransfer` is the only function that inserts a transfer or moves a balance.
 *
 * Worked example: a $10 top-up of acct_x is one row, 10,000,000,000,000 picodollars from stripe-clearing to
 * acct_x, id `topup/pi_...`; acct_x's balance rises by $10, stripe-clearing's falls by $10, and all balances
 * still add up to zero. The same post again answers "exists" and changes nothing.
 */
import { type Amount, addAmounts, amountOf, fromColumns, toColumns, zero } from "../money/amount.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { dayOf } from "../util/clock.ts";
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
  // 1. An id that is known: nothing is written, whatever comes.
  const known = await readTransfer(tx, transfer.id);
  if (known !== undefined) return compare(known, transfer);
  // 2. The amount is positive and fits; the pair of accounts is one that the chart allows.
  assert(transfer.amount > zero, `transfer ${transfer.id} moves a positive amount`);
  await checkPair(tx, transfer);
  const day = dayOf(tx.now);
  await checkUnsealed(tx, day);
  // 3. The row.
  const { picodollars, attodollars } = toColumns(transfer.amount);
  await tx.run(
    `INSERT INTO transfer (id, code, debit, credit, picodollars, attodollars, reference, day, posted_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      transfer.id,
      transfer.code,
      transfer.debit,
      transfer.credit,
      picodollars,
      attodollars,
      transfer.reference,
      day,
      tx.now,
    ],
  );
  // 4. Both balances, read back and compared with what they must be now.
  await moveBalance(tx, transfer.id, transfer.debit, amountOf(-transfer.amount));
  await moveBalance(tx, transfer.id, transfer.credit, transfer.amount);
  return { ok: true, outcome: "created" };
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

async function readTransfer(tx: ReadTx, id: string): Promise<NewTransfer | undefined> {
  const row = await tx.get<Omit<NewTransfer, "amount"> & { picodollars: bigint; attodollars: bigint }>(
    "SELECT id, code, debit, credit, picodollars, attodollars, reference FROM transfer WHERE id = ?",
    [id],
  );
  return row === undefined ? undefined : { ...row, amount: fromColumns(row) };
}

function compare(known: NewTransfer, again: NewTransfer): Posting {
  const fields = ["code", "debit", "credit", "amount", "reference"] as const;
  const field = fields.find((name) => known[name] !== again[name]);
  if (field === undefined) return { ok: true, outcome: "exists" };
  const detail = `transfer ${again.id} is in the books with ${field} ${known[field]}, not ${again[field]}`;
  return { ok: false, why: "differs", field, detail };
}

async function checkPair(tx: ReadTx, transfer: NewTransfer): Promise<void> {
  const allowed = pairs[transfer.code];
  for (const side of ["debit", "credit"] as const) {
    const row = await tx.get<{ kind: LedgerKind }>("SELECT kind FROM ledger_account WHERE id = ?", [
      transfer[side],
    ]);
    assert(
      row?.kind === allowed[side],
      `transfer ${transfer.id}: ${side} ${transfer[side]} is a ${row?.kind ?? "missing account"}, ${transfer.code} wants ${allowed[side]}`,
    );
  }
}

async function moveBalance(
  tx: WriteTx,
  transferId: string,
  ledgerAccount: string,
  by: Amount,
): Promise<void> {
  const after = addAmounts(await readBalance(tx, ledgerAccount), by);
  const { picodollars, attodollars } = toColumns(after);
  await tx.run(
    `INSERT INTO balance (ledger_account, picodollars, attodollars, through)
     VALUES (?, ?, ?, (SELECT number FROM transfer WHERE id = ?))
     ON CONFLICT (ledger_account) DO UPDATE SET
       picodollars = excluded.picodollars, attodollars = excluded.attodollars, through = excluded.through`,
    [ledgerAccount, picodollars, attodollars, transferId],
  );
  assert(
    (await readBalance(tx, ledgerAccount)) === after,
    `the balance of ${ledgerAccount} reads back as written`,
  );
}
