/** Short ways to put accounts, money, and usage into a test's books, through the same functions as the programs. */
import { type AccountId, beginSignup, confirmSignup } from "../../lib/accounts/account.ts";
import { type Email, parseEmail } from "../../lib/accounts/email.ts";
import { postTransfer } from "../../lib/ledger/transfer.ts";
import { type Amount, fromColumns } from "../../lib/money/amount.ts";
import type { Store } from "../../lib/store/store.ts";
import type { DayUtc } from "../../lib/util/clock.ts";
import type { MeterSetting } from "../../lib/util/settings.ts";

/** 250 picodollars per byte-month and per byte, from 2026-01-01; 500 per byte-month from 2026-12-01. */
export const meters: readonly MeterSetting[] = [
  {
    name: "storage",
    label: "Storage",
    per: "byte-month",
    prices: [
      { fromDay: "2026-01-01", picodollars: "250" },
      { fromDay: "2026-12-01", picodollars: "500" },
    ],
  },
  { name: "upload", label: "Upload", per: "byte", prices: [{ fromDay: "2026-01-01", picodollars: "250" }] },
];

export function emailOf(text: string): Email {
  const email = parseEmail(text);
  if (email === undefined) throw new Error(`${text} is no address`);
  return email;
}

export function dayUtc(text: string): DayUtc {
  return text as DayUtc;
}

/** An account that was confirmed; its password hash is no hash at all. */
export async function addAccount(store: Store, email: string): Promise<AccountId> {
  return store.write(async (tx) => {
    const token = `token-of-${email}`;
    await beginSignup(tx, { email: emailOf(email), passwordHash: "none", token });
    const confirmed = await confirmSignup(tx, token, "none");
    if (!confirmed.ok) throw new Error(confirmed.why);
    return confirmed.account;
  });
}

/** A CSV file of these rows. */
export function usageFile(
  rows: readonly string[],
  header = "day,account,machine,meter,quantity",
): Uint8Array {
  return Buffer.from([header, ...rows, ""].join("\n"));
}

export async function topUp(
  store: Store,
  account: AccountId,
  amount: Amount,
  intent = "pi_1",
): Promise<void> {
  const id = `topup/${intent}`;
  const transfer = {
    id,
    code: "topup",
    debit: "stripe-clearing",
    credit: account,
    amount,
    reference: "order",
  } as const;
  await store.write((tx) => postTransfer(tx, transfer));
}

/** All balances together, recomputed from the transfers and as projected; the first must be zero. */
export async function audit(store: Store): Promise<{ sum: Amount; differing: readonly string[] }> {
  return store.read(async (tx) => {
    const accounts = await tx.all<{ id: string }>("SELECT id FROM ledger_account");
    const differing: string[] = [];
    let sum = 0n;
    for (const { id } of accounts) {
      const moved = await tx.all<{ credit: string; picodollars: bigint; attodollars: bigint }>(
        "SELECT credit, picodollars, attodollars FROM transfer WHERE debit = ? OR credit = ?",
        [id, id],
      );
      const own = moved.reduce((total, row) => total + (row.credit === id ? 1n : -1n) * fromColumns(row), 0n);
      const [row] = await tx.all<{ picodollars: bigint; attodollars: bigint }>(
        "SELECT picodollars, attodollars FROM balance WHERE ledger_account = ?",
        [id],
      );
      if ((row === undefined ? 0n : fromColumns(row)) !== own) differing.push(id);
      sum += own;
    }
    return { sum: sum as Amount, differing };
  });
}
