/** Usage as CSV: one header, then rows of as many fields. Called by file.ts. */
import { type Declared, type FieldName, fieldNames, type LineFault, type RawRow } from "./row.ts";

const header = fieldNames.slice(0, 5).join(",");
const longHeader = fieldNames.join(",");

export function readCsv(text: string): {
  readonly rows: readonly RawRow[];
  readonly complete: readonly Declared[];
  readonly faults: readonly LineFault[];
} {
  const rows: RawRow[] = [];
  const faults: LineFault[] = [];
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  const [first] = lines;
  if (first !== header && first !== longHeader) {
    const message = `the header must be ${header}, or that and ,revision`;
    return { rows, complete: [], faults: [{ line: 1, column: 1, message }] };
  }
  const wanted = first === header ? fieldNames.slice(0, 5) : fieldNames;
  for (const [index, row] of lines.entries()) {
    if (index === 0 || row === "") continue;
    const read = readRow(row, index + 1, wanted);
    if ("message" in read) faults.push(read);
    else rows.push(read);
  }
  return { rows, complete: [], faults };
}

function readRow(row: string, line: number, wanted: readonly FieldName[]): RawRow | LineFault {
  const cells = splitRow(row);
  if (!Array.isArray(cells))
    return {
      line,
      column: cells.brokenAt,
      message: "a quoted field is not closed, or has text after its closing quote",
    };
  if (cells.length !== wanted.length)
    return { line, message: `${cells.length} fields, ${wanted.length} are wanted: ${wanted.join(",")}` };
  const first = { text: "1", column: 1 };
  const named = Object.fromEntries(wanted.map((name, at) => [name, cells[at] ?? first]));
  return { line, fields: { revision: first, ...named } as RawRow["fields"] };
}

interface Cell {
  readonly text: string;
  readonly column: number;
}

/** Splits one row, or tells where its quotes do not match. */
function splitRow(row: string): Cell[] | { readonly brokenAt: number } {
  const cells: Cell[] = [];
  let at = 0;
  for (;;) {
    const rest = row.slice(at);
    const quoted = /^"((?:[^"]|"")*)"(,|$)/.exec(rest);
    const plain = rest.startsWith('"') ? null : /^([^,]*)(,|$)/.exec(rest);
    const match = quoted ?? plain;
    if (match?.[1] === undefined) return { brokenAt: at + 1 };
    const text = quoted === null ? match[1] : match[1].replaceAll('""', '"');
    cells.push({ text, column: at + 1 });
    if (match[2] === "") return cells;
    at += match[0].length;
  }
}
