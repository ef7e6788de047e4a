/**
 * Reading a usage file: CSV with the header `day,account,machine,meter,quantity`, RFC 4180 quoting allowed.
 * Nothing is guessed: every fault is named by line, and a file with one fault imports nothing.
 */
import { type DayUtc, parseDay } from "../util/clock.ts";

export interface UsageLine {
  /** Line in the file, from 1, for messages. */
  readonly line: number;
  readonly day: DayUtc;
  /** Account id or confirmed address, as written. */
  readonly account: string;
  readonly machine: string;
  readonly meter: string;
  readonly quantity: bigint;
}

export interface LineFault {
  readonly line: number;
  readonly message: string;
}

const header = ["day", "account", "machine", "meter", "quantity"];
/** A byte-day count of 100 petabytes; more is a mistake in the file. */
export const largestQuantity = 10n ** 17n;
const longestMachine = 255;

/** Reads a whole file. Faults come in the order of their lines. */
export function readUsageFile(text: string): { lines: readonly UsageLine[]; faults: readonly LineFault[] } {
  const lines: UsageLine[] = [];
  const faults: LineFault[] = [];
  const rows = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  for (const [index, row] of rows.entries()) {
    const line = index + 1;
    if (line === 1) {
      if (row !== header.join(","))
        return { lines, faults: [{ line, message: `the header must be ${header.join(",")}` }] };
    } else if (row !== "") {
      const read = readRow(row, line);
      if ("message" in read) faults.push(read);
      else lines.push(read);
    }
  }
  return { lines, faults };
}

function readRow(row: string, line: number): UsageLine | LineFault {
  const fault = (message: string): LineFault => ({ line, message });
  const cells = splitRow(row);
  if (cells === undefined) return fault("a quoted field is not closed, or has text after its closing quote");
  const [dayText, account, machine, meter, quantityText, ...more] = cells;
  if (dayText === undefined || account === undefined || machine === undefined || meter === undefined)
    return fault(`${cells.length} fields, 5 are wanted: ${header.join(",")}`);
  if (quantityText === undefined || more.length > 0)
    return fault(`${cells.length} fields, 5 are wanted: ${header.join(",")}`);
  const day = parseDay(dayText);
  if (day === undefined) return fault(`"${dayText}" is no day; write it as 2026-11-23`);
  if (machine.length > longestMachine || /\p{Cc}/u.test(machine))
    return fault(`the machine's name has control characters or more than ${longestMachine} characters`);
  if (!/^\d{1,18}$/.test(quantityText)) return fault(`"${quantityText}" is no whole, positive quantity`);
  const quantity = BigInt(quantityText);
  if (quantity > largestQuantity) return fault(`quantity ${quantityText} is more than ${largestQuantity}`);
  return { line, day, account, machine, meter, quantity };
}

/** Splits one CSV row; undefined if its quotes do not match. */
function splitRow(row: string): string[] | undefined {
  const cells: string[] = [];
  let rest = row;
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"(,|$)/.exec(rest);
    const plain = rest.startsWith('"') ? null : /^([^,]*)(,|$)/.exec(rest);
    const match = quoted ?? plain;
    if (match?.[1] === undefined) return undefined;
    cells.push(quoted === null ? match[1] : match[1].replaceAll('""', '"'));
    if (match[2] === "") return cells;
    rest = rest.slice(match[0].length);
  }
}
