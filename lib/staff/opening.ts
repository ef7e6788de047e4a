/**
 * Customers who move in: an account for each address that has none, without a password (signing up with that address sets
 * one), and what they brought as an opening balance, `opening/ACCOUNT`, once.
 */
import { findAccountByEmail, isAddressFree, openAccount } from "../accounts/account.ts";
import { type Email, parseEmail } from "../accounts/email.ts";
import { postTransfer } from "../ledger/transfer.ts";
import { type Amount, amountOf, formatExact, fromColumns, parseExact, zero } from "../money/amount.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { assert } from "../util/failure.ts";
import { writeAudit } from "./audit.ts";

export interface Opening {
  readonly line: number;
  readonly email: Email;
  /** Negative where they owe. */
  readonly balance: Amount;
}

export interface OpeningFault {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface Opened {
  readonly accounts: number;
  readonly balances: number;
  readonly known: number;
}

const header = "email,balance";

/** Reads CSV with the header `email,balance`; balances have up to 18 decimals. A file with a fault has no lines. */
export function readOpenings(text: string): {
  readonly openings: readonly Opening[];
  readonly faults: readonly OpeningFault[];
} {
  const rows = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (rows[0] !== header)
    return { openings: [], faults: [{ line: 1, column: 1, message: `the header must be ${header}` }] };
  if (rows.at(-1) !== "")
    return {
      openings: [],
      faults: [{ line: rows.length, column: 1, message: "the file ends in the middle of a line" }],
    };
  const openings: Opening[] = [];
  const faults: OpeningFault[] = [];
  const seen = new Map<string, number>();
  for (const [index, row] of rows.entries()) {
    if (index === 0 || row === "") continue;
    const line = index + 1;
    const [address = "", amount = "", ...more] = row.split(",");
    const email = parseEmail(address);
    const balance = parseExact(amount);
    const column = email === undefined ? 1 : address.length + 2;
    if (more.length > 0) faults.push({ line, column: 1, message: `2 fields are wanted: ${header}` });
    else if (email === undefined) faults.push({ line, column, message: `"${address}" is no address` });
    else if (balance === undefined)
      faults.push({
        line,
        column,
        message: `"${amount}" is no amount; write it as 12.34, with up to 18 decimals`,
      });
    else if (seen.has(email))
      faults.push({ line, column: 1, message: `${email} stands on line ${seen.get(email)} already` });
    else openings.push({ line, email, balance });
    if (email !== undefined) seen.set(email, line);
  }
  return { openings: faults.length > 0 ? [] : openings, faults };
}

/** Opens all, or none where one differs from what was opened before. May be repeated. */
export async function openBalances(
  tx: WriteTx,
  openings: readonly Opening[],
  by: { readonly operator: string; readonly reason: string },
): Promise<
  ({ readonly ok: true } & Opened) | { readonly ok: false; readonly faults: readonly OpeningFault[] }
> {
  // 1. Nobody is opened twice, or otherwise than before.
  const faults: OpeningFault[] = [];
  const before = new Map<string, Amount>();
  for (const { line, email, balance } of openings) {
    const known = await readOpened(tx, email);
    if (known !== undefined) before.set(email, known);
    if (known !== undefined && known !== balance)
      faults.push({ line, column: 1, message: `${email} was opened with $${formatExact(known)} before` });
    // Its balance went with the account, and whoever has that may take the address back.
    const isSomebodys = (await findAccountByEmail(tx, email)) !== undefined;
    if (!isSomebodys && !(await isAddressFree(tx, email, "")))
      faults.push({
        line,
        column: 1,
        message: `${email} was an account's that has another address now; leave the line out`,
      });
  }
  if (faults.length > 0) return { ok: false, faults };
  // 2. The accounts that are not there, and what each brings.
  let [accounts, balances] = [0, 0];
  for (const { email, balance } of openings) {
    const account = (await findAccountByEmail(tx, email))?.id;
    const id = account ?? (await openAccount(tx, email, ""));
    if (account === undefined) accounts += 1;
    if (balance === zero || before.has(email)) continue;
    const sides =
      balance > zero
        ? { code: "opening" as const, debit: "adjustments", credit: id }
        : { code: "opening-owed" as const, debit: id, credit: "adjustments" };
    const amount = amountOf(balance > zero ? balance : -balance);
    const posting = await postTransfer(tx, { ...sides, id: `opening/${id}`, amount, reference: by.reason });
    assert(posting.ok, `${email} was not opened before`);
    balances += 1;
    await writeAudit(tx, {
      ...by,
      action: "opening",
      account: id,
      detail: `$${formatExact(balance)}, opening/${id}`,
    });
  }
  return { ok: true, accounts, balances, known: before.size };
}

/** What an address was opened with; undefined if it was not. */
async function readOpened(tx: ReadTx, email: Email): Promise<Amount | undefined> {
  const account = await findAccountByEmail(tx, email);
  const row = await tx.get<{ code: string; picodollars: bigint; attodollars: bigint }>(
    "SELECT code, picodollars, attodollars FROM transfer WHERE id = ?",
    [`opening/${account?.id ?? ""}`],
  );
  if (row === undefined) return undefined;
  const amount = fromColumns(row);
  return row.code === "opening" ? amount : amountOf(-amount);
}
