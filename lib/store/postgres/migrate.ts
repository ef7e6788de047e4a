/**
 * The schema of the books on PostgreSQL. A new database gets that of this release at once, translated from what SQLite's migrations end in,
 * with the rows that they wrote; from then on each later migration is translated and applied, one transaction each (which SQLite's
 * way of making a table anew that others lead to does not survive: a later migration alters). Only `site migrate` comes here.
 */
import type { Clock } from "../../util/clock.ts";
import { NeedsHuman } from "../../util/failure.ts";
import type { SqlValue } from "../store.ts";
import type { Connection, PostgresOptions } from "./connection.ts";
import { codeOf, translateError } from "./error.ts";
import { schemaMark, schemaName, splitStatements, translateDefinition, writeSchema } from "./schema.ts";

export interface Plan {
  readonly migrations: readonly {
    readonly version: number;
    readonly name: string;
    readonly oldestReader: number;
    readonly sql: string;
  }[];
  /** What they end in: each definition by its name, and the rows of each table, what others lead to first. */
  readonly schema: ReadonlyMap<string, string>;
  readonly seeds: readonly { readonly table: string; readonly rows: readonly Record<string, SqlValue>[] }[];
  readonly connect: (options: PostgresOptions) => Promise<Connection>;
  readonly sessionWords: () => readonly string[];
}

/** "pico" in ASCII: whoever brings the books to another schema holds this lock, as long as its transaction lasts. */
const lockNumber = 0x7069636f;

/**
 * Brings the database to the newest schema. May be repeated, and run twice at once.
 * @returns the names of the migrations that were applied
 */
export async function migratePostgres(
  options: PostgresOptions & { readonly clock: Clock },
  plan: Plan,
): Promise<readonly string[]> {
  const db = await plan.connect(options);
  const applied: string[] = [];
  try {
    for (;;) {
      const name = await applyNext(db, plan, options);
      if (name.length === 0) return applied;
      applied.push(...name);
    }
  } catch (cause) {
    throw translateError(cause, options.address);
  } finally {
    db.close();
  }
}

/** The names of the migrations that would be applied: all of them where there is nothing yet. */
export async function planPostgres(
  options: PostgresOptions,
  { migrations, connect }: Pick<Plan, "migrations" | "connect">,
): Promise<readonly string[]> {
  const db = await connect(options);
  try {
    const version = await readVersion(db, options.address);
    return migrations.filter((migration) => migration.version > version).map(({ name }) => name);
  } catch (cause) {
    throw translateError(cause, options.address);
  } finally {
    db.close();
  }
}

async function applyNext(
  db: Connection,
  plan: Plan,
  options: PostgresOptions & { readonly clock: Clock },
): Promise<readonly string[]> {
  await db.send(
    `BEGIN; ${plan.sessionWords().join("; ")}; SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(${lockNumber})`,
  );
  const version = await readVersion(db, options.address);
  const [next] = plan.migrations.filter((migration) => migration.version > version);
  if (next === undefined) {
    await db.send("COMMIT");
    return [];
  }
  const now = options.clock.now();
  const names = version === 0 ? await makeSchema(db, plan, now) : await applyOne(db, next, now);
  await db.send("COMMIT");
  return names;
}

/** 0 where there is nothing yet. */
async function readVersion(db: Connection, address: string): Promise<number> {
  const { rows } = await db.send(`
    SELECT current_setting('server_version_num')::int AS server, current_setting('server_encoding') AS encoding,
      (SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = '${schemaName}') AS mark,
      EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = '${schemaName}') AS there,
      (SELECT string_agg(DISTINCT n.nspname, ', ') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname <> '${schemaName}'
         AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%') AS others`);
  const { server, encoding, mark, there, others } = rows[0] ?? {};
  if (typeof server !== "bigint" || server < 130_000n)
    throw new NeedsHuman(
      `${address}: this PostgreSQL is too old (${server}); it must be version 13 or later`,
    );
  if (encoding !== "UTF8")
    throw new NeedsHuman(
      `${address}: the database's encoding is ${encoding}; make one with UTF8 (createdb -E UTF8)`,
    );
  if (there === 1n && mark !== schemaMark)
    throw new NeedsHuman(
      `${address}: the schema "${schemaName}" of this database is another program's; make a database of its own`,
    );
  if (there === 1n) {
    const found = await db.send(`SELECT coalesce(max(version), 0) AS version FROM ${schemaName}.migration`);
    return Number(found.rows[0]?.version);
  }
  if (others !== null && others !== undefined)
    throw new NeedsHuman(
      `${address}: this is a database of another program, with tables in ${others}; make one of its own (createdb)`,
    );
  return 0;
}

async function makeSchema(db: Connection, { schema, seeds, migrations }: Plan, now: number) {
  await db.send(`CREATE SCHEMA ${schemaName}; COMMENT ON SCHEMA ${schemaName} IS '${schemaMark}'`);
  // What was seeded is written before the triggers that would refuse it are there: none does, but none need be asked.
  for (const statement of writeSchema(schema)) await db.send(statement);
  for (const { table, rows } of seeds)
    for (const row of rows) {
      const names = Object.keys(row);
      const marks = names.map(() => "?").join(", ");
      await db.query(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${marks})`, Object.values(row));
    }
  for (const migration of migrations) await note(db, migration, now);
  return migrations.map(({ name }) => name);
}

async function applyOne(db: Connection, migration: Plan["migrations"][number], now: number) {
  // Programs that are at work end what they began, and meet the new schema after it.
  await db.send(`LOCK TABLE ${schemaName}.migration IN ACCESS EXCLUSIVE MODE`);
  for (const statement of splitStatements(migration.sql))
    for (const translated of translateDefinition(statement)) await sendNaming(db, translated, migration.name);
  await note(db, migration, now);
  return [migration.name];
}

async function sendNaming(db: Connection, sql: string, name: string): Promise<void> {
  try {
    await db.send(sql);
  } catch (cause) {
    if (!/^(?:22|23|42)/.test(codeOf(cause))) throw cause;
    throw new NeedsHuman(`migration ${name}: the server refuses a step of it; the database is as it was`, {
      cause,
    });
  }
}

async function note(
  db: Connection,
  { version, name, oldestReader }: Plan["migrations"][number],
  now: number,
): Promise<void> {
  await db.query("INSERT INTO migration (version, name, oldest_reader, applied_at) VALUES (?, ?, ?, ?)", [
    version,
    name,
    oldestReader,
    now,
  ]);
}
