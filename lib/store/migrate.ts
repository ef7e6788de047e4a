/**
 * The schema's versions. Only `site migrate` (and `npm start`) changes a file; every program checks it when it
 * opens the store. A migration says which oldest program may still read the file, so that a release can be
 * rolled back over it.
 */
import { existsSync } from "node:fs";
import type Database from "better-sqlite3";
import type { Clock } from "../util/clock.ts";
import { assert, NeedsHuman } from "../util/failure.ts";
import { applicationId, openDatabase, openInMemory, prepare, type SqliteOptions } from "./database.ts";
import { programVersion } from "./known.ts";
import { firstSchema } from "./migrations/0001-first.ts";
import { sealsSchema } from "./migrations/0002-seals.ts";
import { skippedSchema } from "./migrations/0003-skipped.ts";
import { chartSchema } from "./migrations/0004-chart.ts";
import { paymentsSchema } from "./migrations/0005-payments.ts";
import { revisionsSchema } from "./migrations/0006-revisions.ts";
import { staffSchema } from "./migrations/0007-staff.ts";
import { warningsSchema } from "./migrations/0008-warnings.ts";
import { retentionSchema } from "./migrations/0009-retention.ts";
import { taxSchema } from "./migrations/0010-tax.ts";
import { resetsSchema } from "./migrations/0011-resets.ts";
import { limitsSchema } from "./migrations/0012-limits.ts";
import { secondSchema } from "./migrations/0013-second.ts";
import { accessSchema } from "./migrations/0014-access.ts";
import { factorSchema } from "./migrations/0015-factor.ts";
import { tokensSchema } from "./migrations/0016-tokens.ts";
import { closingSchema } from "./migrations/0017-closing.ts";
import { receiptsSchema } from "./migrations/0018-receipts.ts";
import { machinesSchema } from "./migrations/0019-machines.ts";
import { rechargesSchema } from "./migrations/0020-recharges.ts";
import { passkeysSchema } from "./migrations/0021-passkeys.ts";
import { undoingSchema } from "./migrations/0022-undoing.ts";
import type { SqlValue } from "./store.ts";
import { checkSchema, readVersion } from "./version.ts";

export interface Migration {
  readonly version: number;
  readonly name: string;
  /** The oldest schema version whose programs still work on a file that has this migration. */
  readonly oldestReader: number;
  readonly sql: string;
}

/** All of them, in their order. */
export const migrations: readonly Migration[] = [
  firstSchema,
  sealsSchema,
  skippedSchema,
  chartSchema,
  paymentsSchema,
  revisionsSchema,
  staffSchema,
  warningsSchema,
  retentionSchema,
  taxSchema,
  resetsSchema,
  limitsSchema,
  secondSchema,
  accessSchema,
  factorSchema,
  tokensSchema,
  closingSchema,
  receiptsSchema,
  machinesSchema,
  rechargesSchema,
  passkeysSchema,
  undoingSchema,
];
assert(migrations.length === programVersion, "the schema's version counts its migrations");

/**
 * Brings the file to the newest schema, making it if need be; each migration is one transaction. May be
 * repeated, and run twice at once.
 * @returns the names of the migrations that were applied
 */
export function migrateStore(options: SqliteOptions): readonly string[] {
  const db = openDatabase(options, false);
  try {
    // A table that others lead to is made anew without them noticing; each migration looks at all of them at its end.
    db.exec("PRAGMA foreign_keys = OFF");
    const applied: string[] = [];
    for (const migration of migrations)
      if (applyMigration(db, migration, options.clock)) applied.push(migration.name);
    checkSchema(db, options.file);
    return applied;
  } finally {
    db.close();
  }
}

/** The names of the migrations that would be applied to a file, or to make one where there is none; nothing is written. */
export function planStore(options: SqliteOptions): readonly string[] {
  if (!existsSync(options.file)) return migrations.map(({ name }) => name);
  const db = openDatabase(options, true);
  try {
    const version = readVersion(db);
    return migrations.filter((migration) => migration.version > version).map(({ name }) => name);
  } finally {
    db.close();
  }
}

function applyMigration(db: Database.Database, migration: Migration, clock: Clock): boolean {
  return db
    .transaction(() => {
      // Read inside the lock: another `site migrate` may have been quicker.
      if (readVersion(db) >= migration.version) return false;
      db.exec(migration.sql);
      const astray = prepare(db, "PRAGMA foreign_key_check").all();
      if (astray.length > 0)
        throw new NeedsHuman(
          `migration ${migration.name}: ${astray.length} rows lead to rows that are not there; the file is as it was`,
        );
      const note = "INSERT INTO migration (version, name, oldest_reader, applied_at) VALUES (?, ?, ?, ?)";
      prepare(db, note).run(
        BigInt(migration.version),
        migration.name,
        BigInt(migration.oldestReader),
        BigInt(clock.now()),
      );
      db.exec(`PRAGMA user_version = ${migration.version}`);
      db.exec(`PRAGMA application_id = ${applicationId}`);
      return true;
    })
    .immediate();
}

/** What the newest schema is made of: the text of each table, index, and trigger, by its name. */
export function readExpectedSchema(options: Pick<SqliteOptions, "addonFile">): ReadonlyMap<string, string> {
  const db = openInMemory(options);
  try {
    for (const { sql } of migrations) db.exec(sql);
    return readSchema(db);
  } finally {
    db.close();
  }
}

/** The rows that the migrations write, by table. */
export function readSeeds(
  options: Pick<SqliteOptions, "addonFile">,
): readonly { readonly table: string; readonly rows: readonly Record<string, SqlValue>[] }[] {
  const db = openInMemory(options);
  try {
    for (const { sql } of migrations) db.exec(sql);
    const tables = [...readSchema(db)].filter(([, sql]) => sql.startsWith("CREATE TABLE"));
    return tables
      .map(([table]) => ({
        table,
        rows: prepare(db, `SELECT * FROM ${table}`).safeIntegers().all() as Record<string, SqlValue>[],
      }))
      .filter(({ rows }) => rows.length > 0);
  } finally {
    db.close();
  }
}

function readSchema(db: Database.Database): ReadonlyMap<string, string> {
  const rows = prepare(db, "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
  return new Map((rows as { name: string; sql: string }[]).map(({ name, sql }) => [name, sql]));
}
