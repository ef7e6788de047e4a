/**
 * The schema as PostgreSQL takes it, made by code of the very texts that SQLite is given, so that there is one place that says what a table
 * is and what guards it. INTEGER is bigint, TEXT is ordered by its bytes, a trigger that refuses is a function that raises, and what
 * SQLite does by itself is said: a number that counts on from the last one, functions that only SQLite has. A table that refuses
 * DELETE refuses TRUNCATE too, which fires no trigger for rows. Called by migrate.ts and inspect.ts.
 */
import { assert } from "../../util/failure.ts";
import { joinTokens, nextPlace, readTokens, type Token } from "./text.ts";

/** All that is ours lies in it: what others have in the same database is beside it. */
export const schemaName = "picodollar";

/** What the schema's comment says, by which it is known as ours. */
export const schemaMark = "the books of a site made with Picodollar";

const path = `${schemaName}, pg_temp`;

/** Functions that statements use and SQLite has. */
const helpers: readonly string[] = [
  `CREATE FUNCTION json_each(list text) RETURNS TABLE (key bigint, value text) LANGUAGE sql IMMUTABLE ROWS 50
AS $$SELECT ordinality - 1, value FROM pg_catalog.jsonb_array_elements_text(list::jsonb) WITH ORDINALITY$$`,
  `CREATE FUNCTION instr(whole text, part text) RETURNS integer LANGUAGE sql IMMUTABLE
AS $$SELECT pg_catalog.strpos(whole, part)$$`,
  `CREATE FUNCTION instr(whole bytea, part bytea) RETURNS integer LANGUAGE sql IMMUTABLE
AS $$SELECT pg_catalog.position(whole, part)$$`,
  `CREATE FUNCTION max(one bigint, other bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
AS $$SELECT CASE WHEN one >= other THEN one WHEN one < other THEN other END$$`,
];

/** All statements that make the schema, what others lead to first. */
export function writeSchema(expected: ReadonlyMap<string, string>): readonly string[] {
  const [tables, others] = [[] as string[], [] as string[]];
  const placed = new Set<string>();
  const place = (name: string): void => {
    const sql = expected.get(name);
    if (placed.has(name) || sql === undefined) return;
    placed.add(name);
    for (const target of referencesOf(sql)) place(target);
    tables.push(...translateDefinition(sql));
  };
  for (const [name, sql] of expected)
    if (/^CREATE TABLE/.test(sql)) place(name);
    else others.push(...translateDefinition(sql));
  return [...helpers, ...tables, ...others];
}

/** The statements that make one thing of SQLite's schema: its text, as sqlite_schema has it or a migration writes it. */
export function translateDefinition(sql: string): readonly string[] {
  const tokens = readTokens(sql.trim().replace(/;$/, ""));
  const words = tokens.filter((token) => !/^(?:\s|--)/.test(token));
  const [verb = "", what = ""] = words.map((word) => word.toUpperCase());
  if (verb === "CREATE" && what === "TABLE") return translateTable(tokens, words);
  if (verb === "CREATE" && what === "TRIGGER") return translateTrigger(sql);
  if (verb === "ALTER" && what === "TABLE") return [typed(tokens)];
  // Its function goes, and the trigger with it.
  if (verb === "DROP" && what === "TRIGGER") return [`DROP FUNCTION ${words[2]}() CASCADE`];
  assert(
    what === "INDEX" || what === "VIEW" || ["INSERT", "UPDATE", "DELETE", "DROP"].includes(verb),
    `a migration's "${verb} ${what}" can be said to PostgreSQL`,
  );
  return [joinTokens(tokens)];
}

/** What a definition leads to: tables that have to be there before. */
function referencesOf(sql: string): readonly string[] {
  return [...sql.matchAll(/\bREFERENCES (\w+)/g)].map(([, table = ""]) => table);
}

const types: Readonly<Record<string, string>> = {
  INTEGER: "BIGINT",
  BLOB: "BYTEA",
  TEXT: 'TEXT COLLATE "C"',
};

function typed(tokens: readonly Token[]): string {
  return joinTokens(tokens.map((token) => types[token] ?? token));
}

function translateTable(tokens: readonly Token[], words: readonly Token[]): readonly string[] {
  const last = tokens.lastIndexOf(")");
  const table = (words[2] ?? "").replaceAll('"', "");
  const numbered = /(?:^|[(,])\s*(\w+) INTEGER PRIMARY KEY/m.exec(tokens.join(""))?.[1];
  const made = typed(tokens.slice(0, last + 1));
  return numbered === undefined ? [made] : [made, ...numberOn(table, numbered)];
}

/** A row that comes without its number gets the one after the last, as in SQLite; by its name this fires before all other triggers. */
function numberOn(table: string, column: string): readonly string[] {
  const body = `IF NEW.${column} IS NULL THEN
  NEW.${column} := (SELECT coalesce(max(${column}), 0) + 1 FROM ${table});
END IF;
RETURN NEW;`;
  return writeTrigger({ name: `${table}_0_number`, table, when: "BEFORE INSERT", each: "ROW", body });
}

const triggerForm =
  /^CREATE TRIGGER (\w+) BEFORE (INSERT|UPDATE|DELETE) ON (\w+)\s+(?:WHEN ([\s\S]*?)\s+)?BEGIN SELECT raise\(ABORT, ('(?:[^']|'')*')\); END;?$/;

function translateTrigger(sql: string): readonly string[] {
  const [, name, event, table, when, message] = triggerForm.exec(sql.trim()) ?? [];
  assert(
    name !== undefined && event !== undefined && table !== undefined && message !== undefined,
    `a trigger refuses and does nothing else: ${sql}`,
  );
  const back = event === "DELETE" ? "RETURN OLD;" : "RETURN NEW;";
  const refuse = raise(message);
  const condition = when === undefined ? undefined : joinTokens(readTokens(when));
  const body = condition === undefined ? refuse : `IF (${condition}) THEN\n  ${refuse}\nEND IF;\n${back}`;
  const made = writeTrigger({ name, table, when: `BEFORE ${event}`, each: "ROW", body });
  if (event !== "DELETE") return made;
  const emptied = `${table}_no_truncate`;
  return [
    ...made,
    ...writeTrigger({ name: emptied, table, when: "BEFORE TRUNCATE", each: "STATEMENT", body: refuse }),
  ];
}

function raise(message: string): string {
  return `RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = ${message};`;
}

interface Trigger {
  readonly name: string;
  readonly table: string;
  readonly when: string;
  readonly each: "ROW" | "STATEMENT";
  readonly body: string;
}

/** The function looks for tables in our schema, wherever whoever fires it looks. */
function writeTrigger({ name, table, when, each, body }: Trigger): readonly string[] {
  return [
    `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SET search_path = ${path} AS $$BEGIN\n${body}\nEND$$`,
    `CREATE TRIGGER ${name} ${when} ON ${table} FOR EACH ${each} EXECUTE FUNCTION ${name}()`,
  ];
}

/** The statements of a migration, one by one; a trigger has some of its own between BEGIN and END. */
export function splitStatements(sql: string): readonly string[] {
  const found: string[] = [];
  let [text, isInside] = ["", false];
  for (const token of readTokens(sql)) {
    if (/^BEGIN$/i.test(token)) isInside = true;
    if (/^END$/i.test(token) && isInside) isInside = false;
    if (token !== ";" || isInside) text += token;
    else {
      found.push(text);
      text = "";
    }
  }
  return [...found, text].map(dropLead).filter((statement) => statement !== "");
}

/** Without the comments and the space before it. */
function dropLead(text: string): string {
  const tokens = readTokens(text);
  return tokens.slice(nextPlace(tokens, -1)).join("").trim();
}
