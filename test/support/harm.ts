/** Books that programs come to harm on, and what is in them afterwards. */
import { copyFileSync } from "node:fs";
import { expect } from "vitest";
import { amountOf } from "../../lib/money/amount.ts";
import { fulfilCheckout } from "../../lib/payments/fulfil.ts";
import { createOrder } from "../../lib/payments/order.ts";
import { applicationId } from "../../lib/store/database.ts";
import { firstSchema } from "../../lib/store/migrations/0001-first.ts";
import { sealsSchema } from "../../lib/store/migrations/0002-seals.ts";
import { skippedSchema } from "../../lib/store/migrations/0003-skipped.ts";
import { openBooks } from "../../lib/store/open.ts";
import { migrateBooks } from "../../lib/store/upgrade.ts";
import { readUsageFile } from "../../lib/usage/file.ts";
import { importUsage } from "../../lib/usage/import.ts";
import { addDays, type DayUtc, dayOf, systemClock } from "../../lib/util/clock.ts";
import { addAccount, meters, usageFile } from "./books.ts";
import { makeClock, makeTestStore, openRaw, readRows, type TestStore } from "./store.ts";

/** Accounts that paid some days ago, and two days of usage, which nobody has billed. */
export async function writeBooks(file: string): Promise<void> {
  const test = makeTestStore(firstMoment());
  await fillBooks(test);
  const db = openRaw(test.file);
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  copyFileSync(test.file, file);
  test.end();
}

/** When the first of them paid. */
export function firstMoment(): string {
  return `${addDays(dayOf(systemClock.now()), -4)}T08:00:00Z`;
}

/** The same in an empty database of a server. */
export async function fillServer(address: string, password?: string): Promise<void> {
  const clock = makeClock(firstMoment());
  const books = { file: "", clock, postgres: { address, password } };
  await migrateBooks(books);
  const store = openBooks(books);
  await fillBooks({ store, clock });
  store.close();
}

/** The same in books that are open; the clock is at that moment. */
export async function fillBooks(test: Pick<TestStore, "store" | "clock">): Promise<void> {
  const today = dayOf(systemClock.now());
  const days: readonly DayUtc[] = [addDays(today, -3), addDays(today, -2)];
  for (let number = 0; number < 12; number += 1) {
    const account = await addAccount(test.store, `${number}@example.org`);
    const order = { id: `order_${number}`, account, amount: amountOf(10n ** 19n), livemode: false };
    await test.store.write(async (tx) => {
      await createOrder(tx, order);
      const facts = {
        orderId: order.id,
        paid: true,
        ended: "" as const,
        taxCents: 0,
        netCents: 1000,
        currency: "usd",
        livemode: false,
      };
      await fulfilCheckout(tx, { ...facts, paymentIntent: `pi_${number}` });
    });
    test.clock.ms += 3_600_000;
  }
  test.clock.ms = systemClock.now();
  for (const day of days) {
    const emails = Array.from({ length: 12 }, (_, number) => `${number}@example.org`);
    const rows = emails.flatMap((email, at) =>
      ["a", "b"].map((box) => `${day},${email},${box},storage,${12_345_678_901 * (at + 1)}`),
    );
    const { lines } = readUsageFile(usageFile(rows));
    const taken = await test.store.write((tx) => importUsage(tx, { lines, meters, complete: [day] }));
    expect(taken.ok).toBe(true);
  }
}

/** What a program may write, without the moments, in which two runs differ. */
const tables: readonly string[] = [
  "transfer",
  "bill_line",
  "balance",
  "seal",
  "billed_day",
  "complete_day",
  "skipped_day",
  "checkout_end",
  "preference",
  "migration",
  "usage",
  "usage_revision",
  "account",
  "payment_order",
  "checkout",
  "refund_order",
  "stripe_event",
  "stripe_movement",
  "standing",
  "hold",
  "audit",
  "outbox",
];

/**
 * All of it as sorted lines. Stripe's ids are of the stand-in, which is a new one each time, and the ids of accounts that a
 * program makes are random: both stand for one another.
 */
export function describeBooks(file: string): string {
  return describeRows((sql) => readRows(file, sql));
}

/** The same of books wherever they are. */
export function describeRows(raw: (sql: string) => unknown[]): string {
  const lines = tables.flatMap((table) =>
    raw(`SELECT * FROM ${table}`).map((row) => {
      const kept = Object.entries(row as Record<string, unknown>).filter(
        ([name]) => !/_at$|^(?:number|through|attempts|doubts|raw|last_error)$/.test(name),
      );
      const text = JSON.stringify([table, ...kept], (_, value) =>
        typeof value === "bigint" ? `${value}` : value,
      );
      return text
        .replace(/\b(txn|re|pi|ch|po|evt|acct|cs_test)_[0-9A-Za-z]+/g, "$1_*")
        .replace(/refund_[0-9a-f]{16}/g, "refund_*");
    }),
  );
  return lines.sort().join("\n");
}

/** A file of schema 3 with one payment and one seal, which is a made-up one, so that it is seen to be looked at. */
export function makeOldBooks(file: string): void {
  const old = openRaw(file);
  for (const { version, name, sql } of [firstSchema, sealsSchema, skippedSchema]) {
    old.exec(sql);
    old.exec(`INSERT INTO migration VALUES (${version}, '${name}', 1, 0)`);
  }
  const posted = Date.parse("2026-11-20T08:00:00Z");
  old.exec(`
    PRAGMA user_version = 3;
    PRAGMA application_id = ${applicationId};
    INSERT INTO ledger_account VALUES ('acct_a', 'customer', 0);
    INSERT INTO account VALUES ('acct_a', 'a@example.org', 'none', 0);
    INSERT INTO books_mode VALUES (1, 0, 0);
    INSERT INTO payment_order VALUES ('order_1', 'acct_a', 10000000000000, 0, 0, 0);
    INSERT INTO transfer VALUES (1, 'topup/pi_1', 'topup', 'stripe-clearing', 'acct_a', 10000000000000, 0, 'order_1', '2026-11-20', ${posted});
    INSERT INTO balance VALUES ('acct_a', 10000000000000, 0, 1), ('stripe-clearing', -10000000000000, 0, 1);
    INSERT INTO seal VALUES ('2026-11-20', 1, '${"3".repeat(64)}', 0);
    INSERT INTO standing VALUES ('acct_a', 1, 'overdrawn', 0, 0, '2026-11-20', 0);`);
  old.close();
}
