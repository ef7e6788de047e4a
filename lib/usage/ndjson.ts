/**
 * Usage as NDJSON: an object on each line, `{"day":"2026-11-23","account":"acct_...","machine":"box","meter":"storage",
 * "quantity":5}`, with "revision" if wanted, and `{"complete":"2026-11-23"}` for a day that is all there. Called by file.ts.
 *
 * JavaScript reads 9007199254740993 as 9007199254740992 without a word, so a quantity of 2^53 or more must be a string.
 */
import { type DayUtc, parseDay } from "../util/clock.ts";
import { type Declared, type FieldName, fieldNames, type LineFault, type RawRow } from "./row.ts";

export function readNdjson(text: string): {
  readonly rows: readonly RawRow[];
  readonly complete: readonly Declared[];
  readonly faults: readonly LineFault[];
} {
  const rows: RawRow[] = [];
  const complete: Declared[] = [];
  const faults: LineFault[] = [];
  for (const [index, source] of text.split("\n").entries()) {
    if (source.trim() === "") continue;
    const read = readLine(source, index + 1);
    if (typeof read === "string") complete.push({ line: index + 1, day: read });
    else if ("message" in read) faults.push(read);
    else rows.push(read);
  }
  return { rows, complete, faults };
}

function readLine(source: string, line: number): RawRow | DayUtc | LineFault {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    const at = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
    const column = at === undefined ? source.length : Number(at) + 1;
    return { line, column, message: "this is no JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { line, column: 1, message: "this is no object" };
  const names = Object.keys(value);
  const columnOf = (name: string): number => Math.max(source.indexOf(JSON.stringify(name)), 0) + 1;
  // JSON.parse would take the last of them without a word.
  const twice = findRepeated(source);
  if (twice !== undefined)
    return { line, column: columnOf(twice), message: `${JSON.stringify(twice)} is given twice` };
  if (names.includes("complete")) return readComplete(value, line, columnOf("complete"));
  const unknown = names.find((name) => !fieldNames.some((known) => known === name));
  if (unknown !== undefined)
    return { line, column: columnOf(unknown), message: `"${unknown}" is none of ${fieldNames.join(", ")}` };
  const fields: Partial<Record<FieldName, { text: string; column: number }>> = {
    revision: { text: "1", column: 1 },
  };
  for (const name of fieldNames) {
    const column = columnOf(name);
    if (!names.includes(name)) {
      if (name === "revision") continue;
      return { line, column: 1, message: `"${name}" is missing` };
    }
    const given = (value as Readonly<Record<string, unknown>>)[name];
    const text = readText(given, name);
    if (text === undefined) return { line, column, message: describeWrong(given, name) };
    fields[name] = { text, column };
  }
  return { line, fields: fields as RawRow["fields"] };
}

const stringWithColon = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/** A name that the object has more than once, however it is spelt: "\u0064ay" is "day". Strings that no colon follows are values. */
function findRepeated(source: string): string | undefined {
  const names = new Set<string>();
  for (const [found, colon] of source.matchAll(stringWithColon)) {
    if (colon === undefined) continue;
    const spelt = found.slice(0, -colon.length);
    const name = spelt.includes("\\") ? (JSON.parse(spelt) as string) : spelt.slice(1, -1);
    if (names.has(name)) return name;
    names.add(name);
  }
  return undefined;
}

function readComplete(value: object, line: number, column: number): DayUtc | LineFault {
  const given = (value as { readonly complete: unknown }).complete;
  const day = typeof given === "string" ? parseDay(given) : undefined;
  if (Object.keys(value).length > 1)
    return { line, column, message: 'a line with "complete" has nothing else' };
  return day ?? { line, column, message: `${JSON.stringify(given)} is no day; write it as "2026-11-23"` };
}

/** Numbers are taken where JavaScript reads them exactly. */
function readText(given: unknown, name: FieldName): string | undefined {
  if (typeof given === "string") return given;
  const isCount = name === "quantity" || name === "revision";
  return isCount && typeof given === "number" && Number.isSafeInteger(given) ? String(given) : undefined;
}

function describeWrong(given: unknown, name: FieldName): string {
  if (typeof given === "number" && !Number.isInteger(given))
    return `${JSON.stringify(given)} is no whole, positive ${name}`;
  if (typeof given === "number" && (name === "quantity" || name === "revision"))
    return `${name} ${given} is too large for a JSON number; write it as a string`;
  return `"${name}" must be a string${name === "quantity" || name === "revision" ? " or a whole number" : ""}`;
}
