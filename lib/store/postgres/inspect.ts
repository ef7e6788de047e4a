/**
 * What PostgreSQL itself knows of the books: that nothing which guards them was taken away or changed, and that no row leads to one that
 * is not there. What the schema should be is said by the texts of the programs: the server makes it of them once more, in a schema of its
 * own that is undone, and what its catalog says of the two is compared. Called by store.ts for `ledger verify`.
 */
import type { Finding } from "../store.ts";
import { type Connection, connect, type PostgresOptions, sessionWords } from "./connection.ts";
import { schemaName, writeSchema } from "./schema.ts";

export async function inspectSchema(
  db: Connection,
  expected: ReadonlyMap<string, string>,
  options: PostgresOptions,
): Promise<readonly Finding[]> {
  const [should, is] = [await describeExpected(expected, options), await describe(db, schemaName)];
  const findings: Finding[] = [];
  for (const [name, text] of should) {
    const own = is.get(name);
    const row = name.replace(/^.* /, "");
    if (own === text || findings.some((finding) => finding.row === row)) continue;
    const message =
      own === undefined ? "is not there; something took it away" : "is not as the programs made it";
    findings.push({ table: "schema", row, message });
  }
  return [...findings, ...(await findAstray(db))];
}

/** What was described before, by server version and texts: a process that looks twice need not make it twice. */
const described = new Map<string, ReadonlyMap<string, string>>();

/** Made and described in a transaction that is undone. */
async function describeExpected(
  expected: ReadonlyMap<string, string>,
  options: PostgresOptions,
): Promise<ReadonlyMap<string, string>> {
  const db = await connect(options);
  try {
    const { rows } = await db.send(
      `BEGIN; ${sessionWords().join("; ")}; SELECT pg_backend_pid() AS pid, current_setting('server_version') AS server`,
    );
    const key = JSON.stringify([rows[0]?.server, ...expected]);
    const before = described.get(key);
    if (before !== undefined) return before;
    const name = `${schemaName}_${rows[0]?.pid}`;
    await db.send(`CREATE SCHEMA ${name}; SET LOCAL search_path = ${name}, pg_temp`);
    await db.send(writeSchema(expected).join(";\n"));
    const found = await describe(db, name);
    described.set(key, found);
    return found;
  } finally {
    await db.send("ROLLBACK").catch(() => undefined);
    db.close();
  }
}

/** What the catalog says of each thing of a schema that is looked in by its name alone, "trigger transfer_no_update". */
async function describe(db: Connection, schema: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await db.send(`
    WITH own AS (SELECT oid FROM pg_namespace WHERE nspname = '${schema}'),
    made AS (SELECT c.oid, c.relname::text AS name, c.relkind FROM pg_class c WHERE relnamespace = (SELECT oid FROM own))
    SELECT 'table ' || name AS name, (
      SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text, l.collname,
        pg_get_expr(d.adbin, d.adrelid)), E'\\n' ORDER BY a.attnum)
      FROM pg_attribute a LEFT JOIN pg_collation l ON l.oid = a.attcollation
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = made.oid AND a.attnum > 0 AND NOT a.attisdropped) || E'\\n' || coalesce((
      SELECT string_agg(pg_get_constraintdef(k.oid), E'\\n' ORDER BY pg_get_constraintdef(k.oid) COLLATE "C")
      FROM pg_constraint k WHERE k.conrelid = made.oid AND k.convalidated), '') AS text
    FROM made WHERE relkind = 'r'
    UNION ALL SELECT 'view ' || name, pg_get_viewdef(oid) FROM made WHERE relkind = 'v'
    UNION ALL SELECT 'index ' || name, replace(pg_get_indexdef(made.oid), '${schema}.', '') || i.indisvalid
      FROM made JOIN pg_index i ON i.indexrelid = made.oid
      WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = made.oid AND k.contype IN ('p', 'u'))
    UNION ALL SELECT 'trigger ' || g.tgname, replace(pg_get_triggerdef(g.oid), '${schema}.', '') || g.tgenabled::text
      FROM made JOIN pg_trigger g ON g.tgrelid = made.oid WHERE NOT g.tgisinternal
    UNION ALL SELECT 'guard ' || made.name, string_agg(g.tgenabled::text, '' ORDER BY g.tgtype, g.tgfoid, g.tgenabled)
      FROM made JOIN pg_trigger g ON g.tgrelid = made.oid WHERE g.tgisinternal GROUP BY made.name
    UNION ALL SELECT 'function ' || p.proname, string_agg(concat_ws(E'\\n', p.prosrc, p.prosecdef::text, p.proconfig::text,
        pg_get_function_identity_arguments(p.oid)), E'\\n' ORDER BY pg_get_function_identity_arguments(p.oid) COLLATE "C")
      FROM pg_proc p WHERE p.pronamespace = (SELECT oid FROM own) GROUP BY p.proname
    ORDER BY 1`);
  return new Map(rows.map(({ name, text }) => [String(name), String(text)]));
}

/** Rows whose reference was broken behind the server's back, by somebody who had turned it off. */
async function findAstray(db: Connection): Promise<readonly Finding[]> {
  const { rows } = await db.send(`
    SELECT c.relname::text AS child, p.relname::text AS parent,
      (SELECT string_agg(attname, ',' ORDER BY place) FROM unnest(conkey) WITH ORDINALITY AS u (n, place)
       JOIN pg_attribute ON attrelid = conrelid AND attnum = n) AS own,
      (SELECT string_agg(attname, ',' ORDER BY place) FROM unnest(confkey) WITH ORDINALITY AS u (n, place)
       JOIN pg_attribute ON attrelid = confrelid AND attnum = n) AS keys
    FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid JOIN pg_class p ON p.oid = confrelid
    WHERE k.contype = 'f' AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = '${schemaName}')
    ORDER BY 1, 2, 3`);
  const findings: Finding[] = [];
  for (const { child, parent, own, keys } of rows) {
    const [from, to] = [String(own).split(","), String(keys).split(",")];
    const same = from.map((column, at) => `p.${to[at]} = c.${column}`).join(" AND ");
    const led = from.map((column) => `c.${column} IS NOT NULL`).join(" AND ");
    const astray = await db.send(
      `SELECT concat_ws(' ', ${from.map((column) => `c.${column}`).join(", ")}) AS key FROM ${child} c
       WHERE ${led} AND NOT EXISTS (SELECT 1 FROM ${parent} p WHERE ${same}) ORDER BY 1 LIMIT 100`,
    );
    for (const { key } of astray.rows)
      findings.push({
        table: String(child),
        row: String(key),
        message: `leads to a row of ${parent} that is not there`,
      });
  }
  return findings;
}
