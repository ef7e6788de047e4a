/**
 * Tables as CSV (RFC 4180): the first line names the columns, every further one is a record with the same number of
 * values, all of them texts as they are written. Places are told exactly, also behind values that hold line ends.
 * Called by build/data.ts.
 */
import { judgeName, judgeText, type PlainFault, type PlainResult } from "./plain.ts";

interface Place {
  readonly line: number;
  readonly column: number;
}

interface Cell extends Place {
  readonly value: string;
}

interface Table {
  /** Empty lines are left out. */
  readonly rows: (readonly Cell[])[];
  readonly faults: PlainFault[];
}

// A value in quotes, in which "" stands for one, or a bare one; and how it ends.
const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;

/** A list of records; all that is wrong with names, values, and the number of values is told at once. */
export function readCsv(text: string): PlainResult {
  const { rows, faults } = readRows(text);
  const [head, ...records] = rows;
  if (head === undefined && faults.length === 0)
    return fail([{ line: 1, message: "there is no first line that names the columns" }]);
  if (head === undefined) return fail(faults);
  const wrong = [...faults, ...judgeColumns(head), ...records.flatMap((row) => judgeRow(row, head.length))];
  if (wrong.length > 0) return fail(wrong);
  const value = records.map((row) =>
    Object.fromEntries(head.map(({ value: name }, index) => [name, row[index]?.value ?? ""])),
  );
  return { value, faults: [] };
}

function fail(faults: readonly PlainFault[]): PlainResult {
  return { value: undefined, faults };
}

/** What stands behind a value that cannot be told from others is not read. */
function readRows(text: string): Table {
  const table: Table = { rows: [], faults: [] };
  let row: Cell[] = [];
  let [at, line, lineStart] = [0, 1, 0];
  while (at < text.length || row.length > 0) {
    cell.lastIndex = at;
    const match = cell.exec(text);
    const place = { line, column: at - lineStart + 1 };
    if (match === null) {
      table.faults.push(explain(text, at, place));
      return table;
    }
    const [whole, quoted, bare = "", end = ""] = match;
    row.push({ value: quoted === undefined ? bare : quoted.replaceAll('""', '"'), ...place });
    for (const { 0: found, index } of whole.matchAll(/\r\n|\n|\r/g)) {
      line += 1;
      lineStart = at + index + found.length;
    }
    at += whole.length;
    if (end === ",") continue;
    if (row.length > 1 || whole !== end) table.rows.push(row);
    row = [];
  }
  return table;
}

function explain(text: string, at: number, { line, column }: Place): PlainFault {
  if (text[at] !== '"') {
    const behind = /[^"]*/y;
    behind.lastIndex = at;
    const before = behind.exec(text)?.[0].length ?? 0;
    const message =
      'a quote stands inside a value; put the whole value in quotes, and write "" for each in it';
    return { line, column: column + before, message };
  }
  const isClosed = /"(?:[^"]|"")*"/y;
  isClosed.lastIndex = at;
  const message = isClosed.test(text)
    ? 'something stands behind the closing quote of this value; write "" for a quote in it'
    : "the quote that begins here is never closed";
  return { line, column, message };
}

function judgeColumns(head: readonly Cell[]): readonly PlainFault[] {
  const [only] = head;
  if (head.length === 1 && only?.value.includes(";"))
    return [{ line: only.line, message: 'the columns are parted by ";"; export the table with "," between' }];
  const seen = new Set<string>();
  return head.flatMap(({ value, line, column }) => {
    const message = seen.has(value)
      ? `another column is named ${JSON.stringify(value)} too; rename one`
      : judgeColumn(value);
    seen.add(value);
    return message === undefined ? [] : [{ line, column, message }];
  });
}

function judgeColumn(name: string): string | undefined {
  if (/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) return judgeName(name);
  return `this column is named ${JSON.stringify(name)}; for templates, use letters, digits, "-", and "_", a letter first`;
}

function judgeRow(row: readonly Cell[], wanted: number): readonly PlainFault[] {
  const faults = row.flatMap(({ value, line, column }) => {
    const message = judgeText(value);
    return message === undefined ? [] : [{ line, column, message }];
  });
  const [first] = row;
  if (row.length === wanted || first === undefined) return faults;
  // The first value too many, or where one is missing.
  const { line, column } = row[wanted] ?? first;
  const has = `${row.length} ${row.length === 1 ? "value" : "values"}`;
  const message = `this row has ${has}, and there are ${wanted} columns; put a value with "," in it in quotes`;
  return [...faults, { line, column, message }];
}
