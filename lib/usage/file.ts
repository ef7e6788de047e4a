/**
 * Reading a usage file: CSV with the header `day,account,machine,meter,quantity` and, if wanted, `revision` (RFC 4180 quoting
 * allowed), or NDJSON with an object of these names on each line. Nothing is guessed: every fault is named by line and
 * column, and a file with one fault imports nothing.
 */
import { isUtf8 } from "node:buffer";
import { parseDay } from "../util/clock.ts";
import { readCsv } from "./csv.ts";
import { readNdjson } from "./ndjson.ts";
import {
  type Declared,
  type FieldName,
  fieldNames,
  type LineFault,
  type RawRow,
  type UsageLine,
} from "./row.ts";

export interface UsageFile {
  readonly lines: readonly UsageLine[];
  /** Days that the file itself declares complete, `{"complete":"2026-11-23"}`. */
  readonly complete: readonly Declared[];
  readonly faults: readonly LineFault[];
}

/** More is refused before it is read: a file of 200,000 rows has some 12 MB. */
export const largestFileBytes = 64 * 1024 * 1024;
/** A byte-day count of 100 petabytes; more is a mistake in the file. */
export const largestQuantity = 10n ** 17n;
const longestMachine = 255;

/** Reads a whole file. Faults come in the order of their lines. */
export function readUsageFile(bytes: Uint8Array): UsageFile {
  const wrong = judgeBytes(bytes);
  if (wrong !== undefined) return { lines: [], complete: [], faults: [wrong] };
  const text = new TextDecoder("utf-8", { ignoreBOM: false }).decode(bytes);
  const { rows, complete, faults } = text.startsWith("{") ? readNdjson(text) : readCsv(text);
  const lines: UsageLine[] = [];
  const all = [...faults];
  for (const row of rows) {
    const read = readRow(row);
    if ("message" in read) all.push(read);
    else lines.push(read);
  }
  return { lines, complete, faults: all.sort((left, right) => left.line - right.line) };
}

/** What is wrong with a file before its rows are looked at: an encoding that would bill other names, an end that is missing. */
function judgeBytes(bytes: Uint8Array): LineFault | undefined {
  if (bytes.length > largestFileBytes)
    return { line: 1, message: `the file has ${bytes.length} bytes; at most ${largestFileBytes} are taken` };
  if (!isUtf8(bytes)) return findBadByte(bytes);
  if (bytes.length > 0 && bytes.at(-1) === 10) return undefined;
  const line = bytes.reduce((count, byte) => (byte === 10 ? count + 1 : count), 1);
  const message =
    bytes.length === 0
      ? "the file is empty"
      : "the file ends in the middle of a line; a line feed must end it";
  return { line, message };
}

function findBadByte(bytes: Uint8Array): LineFault {
  let [start, line] = [0, 1];
  for (;;) {
    const end = bytes.indexOf(10, start);
    const row = bytes.subarray(start, end < 0 ? bytes.length : end);
    if (!isUtf8(row)) {
      let good = 0;
      for (let length = 1; length <= row.length; length += 1)
        if (isUtf8(row.subarray(0, length))) good = length;
      const column = new TextDecoder().decode(row.subarray(0, good)).length + 1;
      return { line, column, message: "the file is not in UTF-8" };
    }
    if (end < 0) return { line, message: "the file is not in UTF-8" };
    [start, line] = [end + 1, line + 1];
  }
}

function readRow({ line, fields }: RawRow): UsageLine | LineFault {
  const fault = (name: FieldName, message: string): LineFault => ({
    line,
    column: fields[name].column,
    message,
  });
  const day = parseDay(fields.day.text);
  if (day === undefined) return fault("day", `"${fields.day.text}" is no day; write it as 2026-11-23`);
  // PostgreSQL could not even be asked for it.
  const unnamed = (["account", "meter"] as const).find((name) => /[\p{Cc}\p{Cs}]/u.test(fields[name].text));
  if (unnamed !== undefined)
    return fault(unnamed, `the ${unnamed} has control characters, or half a character`);
  const machine = fields.machine.text;
  // JSON can name half a character, \ud800, which no text in UTF-8 holds: two such names would come back as one.
  if (machine.length > longestMachine || /[\p{Cc}\p{Cs}]/u.test(machine))
    return fault(
      "machine",
      `the machine's name has control characters, half a character, or more than ${longestMachine} characters`,
    );
  const quantity = readWhole(fields.quantity.text);
  if (quantity === undefined)
    return fault("quantity", `"${fields.quantity.text}" is no whole, positive quantity`);
  if (quantity > largestQuantity)
    return fault("quantity", `quantity ${quantity} is more than ${largestQuantity}`);
  const revision = readWhole(fields.revision.text);
  if (revision === undefined || revision < 1n || revision > 1000n)
    return fault("revision", `"${fields.revision.text}" is no revision; they count from 1 to 1000`);
  const columns = Object.fromEntries(fieldNames.map((name) => [name, fields[name].column]));
  return {
    line,
    day,
    account: fields.account.text,
    machine,
    meter: fields.meter.text,
    quantity,
    revision,
    columns: columns as Record<FieldName, number>,
  };
}

function readWhole(text: string): bigint | undefined {
  return /^\d{1,40}$/.test(text) ? BigInt(text) : undefined;
}
