/**
 * JSON with the place of every fault, which the language's own reader tells in some cases only, and differently from
 * one version to the next. As strict as RFC 8259, and stricter: no name twice, no number that would lose digits.
 * Called by build/data.ts.
 */
import { locate } from "./fault.ts";
import { deepest, judgeName, judgeText, type Plain, type PlainResult, tooDeep } from "./plain.ts";

interface Reader {
  readonly text: string;
  at: number;
  readonly wrongs: Wrong[];
}

/** Where nothing behind it can be read, it is thrown; never leaves this file. */
class Wrong extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

const space = /[ \t\r\n]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// The language's reader judges what stands in a string; this finds its end.
const string = /"(?:[^"\\\n]|\\.)*"/y;
const word = /(?:true|false|null)\b/y;
// Each place is counted from the file's beginning.
const mostWrongs = 100;

/** The value of a file. What is not JSON ends the reading; names and values that are no good for data do not. */
export function readJson(text: string): PlainResult {
  const reader: Reader = { text, at: 0, wrongs: [] };
  let value: Plain | undefined;
  try {
    value = readValue(reader, 0);
    take(reader, space);
    if (reader.at < text.length)
      throw new Wrong(reader.at, "the value has ended before this; delete what follows");
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    reader.wrongs.push(error);
  }
  const faults = reader.wrongs.map(({ offset, message }) => ({ ...locate(text, offset), message }));
  return { value: faults.length > 0 ? undefined : value, faults };
}

/** What stands here, if it is of this kind, and goes on behind it. */
function take(reader: Reader, kind: RegExp): string | undefined {
  kind.lastIndex = reader.at;
  const found = kind.exec(reader.text)?.[0];
  if (found !== undefined) reader.at += found.length;
  return found;
}

function takeSign(reader: Reader, sign: string): boolean {
  take(reader, space);
  if (reader.text[reader.at] !== sign) return false;
  reader.at += 1;
  return true;
}

function refuse(reader: Reader, offset: number, message: string | undefined): void {
  if (message === undefined) return;
  const wrong = new Wrong(offset, message);
  if (reader.wrongs.length + 1 >= mostWrongs) throw wrong;
  reader.wrongs.push(wrong);
}

function readValue(reader: Reader, depth: number): Plain {
  take(reader, space);
  const start = reader.at;
  const sign = reader.text[start];
  if (depth > deepest) throw new Wrong(start, tooDeep);
  if (sign === "{") return readGroup(reader, depth);
  if (sign === "[") return readList(reader, depth);
  if (sign === '"') {
    const text = readString(reader);
    refuse(reader, start, judgeText(text));
    return text;
  }
  const name = take(reader, word);
  if (name !== undefined) return name === "null" ? null : name === "true";
  const digits = take(reader, number);
  if (digits === undefined) throw new Wrong(start, explain(reader, "a value"));
  const value = Number(digits);
  // Written by programs as "1.0" or "1e3" as well: the same number, so nothing is lost.
  const isKept = digits.replace(/\D/g, "").length <= 15 || String(value) === digits;
  if (!Number.isFinite(value) || !isKept)
    refuse(reader, start, `${digits} has more digits than a number keeps; put it in quotes`);
  return value;
}

function readGroup(reader: Reader, depth: number): Plain {
  const parts = new Map<string, Plain>();
  reader.at += 1;
  if (takeSign(reader, "}")) return {};
  do {
    take(reader, space);
    const start = reader.at;
    if (reader.text[start] !== '"') throw new Wrong(start, explain(reader, "a name in double quotes"));
    const name = readString(reader);
    refuse(
      reader,
      start,
      parts.has(name) ? `the name ${JSON.stringify(name)} is given twice; keep one` : judgeName(name),
    );
    if (!takeSign(reader, ":")) throw new Wrong(reader.at, explain(reader, 'a ":"'));
    parts.set(name, readValue(reader, depth + 1));
  } while (takeSign(reader, ","));
  if (!takeSign(reader, "}")) throw new Wrong(reader.at, explain(reader, '"," or "}"'));
  return Object.fromEntries(parts);
}

function readList(reader: Reader, depth: number): Plain {
  const items: Plain[] = [];
  reader.at += 1;
  if (takeSign(reader, "]")) return items;
  do items.push(readValue(reader, depth + 1));
  while (takeSign(reader, ","));
  if (!takeSign(reader, "]")) throw new Wrong(reader.at, explain(reader, '"," or "]"'));
  return items;
}

function readString(reader: Reader): string {
  const start = reader.at;
  const written = take(reader, string);
  if (written === undefined) throw new Wrong(start, "this text has no closing quote in its line");
  try {
    return JSON.parse(written) as string;
  } catch {
    throw new Wrong(start, 'this text has a "\\" or a control character that JSON does not know');
  }
}

function explain({ text, at }: Reader, wanted: string): string {
  const code = text.codePointAt(at);
  const found =
    code === undefined ? "the file ends" : `${JSON.stringify(String.fromCodePoint(code))} stands here`;
  return `this is not valid JSON: ${found}, where ${wanted} is wanted`;
}
