/** Books of many accounts with three rows of usage each on one complete day, as the bench bills them. */
import { connectFile, prepare } from "../../lib/store/database.ts";
import { migrateStore } from "../../lib/store/migrate.ts";
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
    const id = `acct_${(BigInt(number) * 2_654_435_761n).toString(32).padStart(16, "0")}`;
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
