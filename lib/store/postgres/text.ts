/**
 * The SQL of this project as PostgreSQL takes it. There is one text of each statement, in SQLite's dialect as far as both know it; what
 * they write differently is put right here, by rules that look at words and never at meanings:
 *
 *     a = ?                      a = $1::int8               the type is that of the value
 *     price AS priceAtto         price AS "priceAtto"       or it would come back in small letters
 *     a IS ?, a IS NOT b         IS [NOT] DISTINCT FROM     IS NULL and the like stay
 *     CAST(a AS BLOB)            convert_to(a, 'UTF8')
 *     sum(a)                     sum(a)::int8               or it would be a fraction's type, and divide as one
 *     x''                        '\\x'::bytea
 *     a CROSS JOIN b ON ...      a JOIN b ON ...            SQLite's way to say what comes first
 *
 * Functions that one of them lacks are part of the schema (schema.ts). Called by the other files of this folder.
 */
import type { SqlValue } from "../store.ts";

/** A word, a number, a text in quotes, a comment, blank space, or a sign. */
export type Token = string;

const tokenForm =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\s+|[A-Za-z_][A-Za-z_0-9]*|\d+|\|\||<>|<=|>=|!=|[\s\S]/g;

export function readTokens(sql: string): readonly Token[] {
  return sql.match(tokenForm) ?? [];
}

/** What a parameter is bound as. */
export function castOf(value: SqlValue): string {
  if (value === null) return "";
  if (typeof value === "string") return "::text";
  return typeof value === "bigint" || typeof value === "number" ? "::int8" : "::bytea";
}

const known = new Map<string, string>();

/** A statement with as many `?` as there are values; each is worked out once. */
export function translateStatement(sql: string, values: readonly SqlValue[]): string {
  const casts = values.map(castOf);
  const key = `${casts.join("")}\n${sql}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const made = joinTokens(readTokens(sql), casts);
  known.set(key, made);
  return made;
}

/** The rules above, on some tokens; for a text without parameters too. */
export function joinTokens(tokens: readonly Token[], casts: readonly string[] = []): string {
  const out = [...tokens];
  let mark = 0;
  for (const [at, token] of tokens.entries()) {
    const upper = token.toUpperCase();
    if (token === "?") {
      out[at] = `$${mark + 1}${casts[mark] ?? ""}`;
      mark += 1;
    } else if (/^[a-z][a-z0-9]*[A-Z]\w*$/.test(token)) out[at] = `"${token}"`;
    else if (upper === "IS") compareDistinctly(tokens, at, out);
    else if (upper === "CAST") castBytes(tokens, at, out);
    else if (upper === "SUM") keepWhole(tokens, at, out);
    else if (upper === "X" && /^'[0-9a-f]*'$/i.test(tokens[at + 1] ?? "")) {
      out[at] = "";
      out[at + 1] = `'\\x${tokens[at + 1]?.slice(1)}::bytea`;
    } else if (upper === "CROSS" && isOrdered(tokens, at)) out[at] = "";
  }
  return out.join("");
}

/** The place of the next token that is neither space nor comment. */
export function nextPlace(tokens: readonly Token[], at: number): number {
  let next = at + 1;
  while (next < tokens.length && /^(?:\s|--)/.test(tokens[next] ?? "")) next += 1;
  return next;
}

const stays = ["NULL", "TRUE", "FALSE", "UNKNOWN", "DISTINCT"];

function compareDistinctly(tokens: readonly Token[], at: number, out: string[]): void {
  const first = nextPlace(tokens, at);
  const isNot = tokens[first]?.toUpperCase() === "NOT";
  const subject = isNot ? nextPlace(tokens, first) : first;
  if (stays.includes((tokens[subject] ?? "").toUpperCase())) return;
  out[at] = isNot ? "IS" : "IS NOT DISTINCT FROM";
  if (isNot) out[first] = "DISTINCT FROM";
}

/** A sum that does not fit is an error, as it is in SQLite. */
function keepWhole(tokens: readonly Token[], at: number, out: string[]): void {
  let depth = 0;
  for (let place = nextPlace(tokens, at); place < tokens.length; place += 1) {
    if (tokens[place] === "(") depth += 1;
    if (tokens[place] === ")") depth -= 1;
    if (depth > 0) continue;
    if (tokens[place] === ")") out[place] = `${out[place]}::int8`;
    return;
  }
}

/** Only a cast to bytes is another one there. */
function castBytes(tokens: readonly Token[], at: number, out: string[]): void {
  let depth = 0;
  for (let place = at + 1; place < tokens.length; place += 1) {
    if (tokens[place] === "(") depth += 1;
    if (tokens[place] === ")") depth -= 1;
    if (depth === 0 && tokens[place] === ")") return;
    const type = nextPlace(tokens, place);
    if (depth !== 1 || tokens[place]?.toUpperCase() !== "AS" || tokens[type]?.toUpperCase() !== "BLOB")
      continue;
    out[at] = "convert_to";
    out[place] = ",";
    out[type] = "'UTF8'";
  }
}

/** Whether a CROSS JOIN has a condition, "CROSS JOIN transfer t ON". */
function isOrdered(tokens: readonly Token[], at: number): boolean {
  const table = nextPlace(tokens, nextPlace(tokens, at));
  const [first, second] = [nextPlace(tokens, table), nextPlace(tokens, nextPlace(tokens, table))];
  return [first, second].some((place) => tokens[place]?.toUpperCase() === "ON");
}
