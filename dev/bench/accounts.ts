/** Books of many accounts with three rows of usage each on one complete day, as the bench bills them. */
import { connectFile, prepare } from "../../lib/store/database.ts";
import { migrateStore } from "../../lib/store/migrate.ts";
import { insertRows } from "../../lib/store/rows.ts";
import type { Store } from "../../lib/store/store.ts";
import { type DayUtc, parseDay, systemClock } from "../../lib/util/clock.ts";
import { assert } from "../../lib/util/failure.ts";
import type { MeterSetting } from "../../lib/util/settings.ts";

const day = parseDay("2026-01-15");
assert(day !== undefined, "it is a day");
export const benchDay: DayUtc = day;

const prices = [{ fromDay: "2026-01-01", picodollars: "250" }];
export const benchMeters: readonly MeterSetting[] = [
  { name: "storage", label: "Storage", per: "byte-month", prices },
  { name: "upload", label: "Upload", per: "byte", prices },
  { name: "download", label: "Download", per: "byte", prices },
];

/** Makes a file; its accounts have ids as long as real ones, in an order that is not that of their making. */
export function makeAccounts(file: string, count: number): void {
  migrateStore({ file, clock: systemClock });
  const db = connectFile({ file }, true);
  // What is made here need not last.
  db.exec("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN");
  const ledger = prepare(db, "INSERT INTO ledger_account (id, kind, opened_at) VALUES (?, 'customer', 0)");
  const account = prepare(
    db,
    "INSERT INTO account (id, email, password_hash, created_at) VALUES (?, ?, 'none', 0)",
  );
  const usage = prepare(
    db,
    "INSERT INTO usage (day, account, machine, meter, quantity, received_at) VALUES (?, ?, 'box', ?, ?, 0)",
  );
  for (let number = 0; number < count; number += 1) {
    const id = accountAt(number);
    ledger.run(id);
    account.run(id, `${number}@example.org`);
    for (const [at, meter] of benchMeters.entries())
      usage.run(benchDay, id, meter.name, BigInt(1_000_000_007 * (at + 1) + number));
  }
  prepare(db, "INSERT INTO complete_day (day, declared_by, declared_at) VALUES (?, 'import', 0)").run(
    benchDay,
  );
  db.exec("COMMIT; PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
}

/** The id of the account with this number. */
export function accountAt(number: number): string {
  return `acct_${(BigInt(number) * 2_654_435_761n).toString(32).padStart(16, "0")}`;
}

/** The same in books on a server. */
export async function fillStore(store: Store, count: number): Promise<void> {
  const atOnce = 1000;
  for (let from = 0; from < count; from += atOnce) {
    const numbers = Array.from({ length: Math.min(atOnce, count - from) }, (_, n) => from + n);
    await store.write(async (tx) => {
      const ids = numbers.map((number): [string, number] => [accountAt(number), number]);
      const ledger = ids.map(([id]) => [id, "customer", 0]);
      await insertRows(tx, "INSERT INTO ledger_account (id, kind, opened_at)", ledger);
      const accounts = ids.map(([id, number]) => [id, `${number}@example.org`, "none", 0]);
      await insertRows(tx, "INSERT INTO account (id, email, password_hash, created_at)", accounts);
      const usage = ids.flatMap(([id, number]) =>
        benchMeters.map(({ name }, at) => [benchDay, id, "box", name, 1_000_000_007 * (at + 1) + number, 0]),
      );
      await insertRows(tx, "INSERT INTO usage (day, account, machine, meter, quantity, received_at)", usage);
    });
  }
  const complete = "INSERT INTO complete_day (day, declared_by, declared_at) VALUES (?, 'import', 0)";
  await store.write((tx) => tx.run(complete, [benchDay]));
}
