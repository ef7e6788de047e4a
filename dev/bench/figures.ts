/** The arithmetic of the tables: what is made of several measurements of the same thing. Checked by test/19-bench. */

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Median, least, and most; undefined where nothing was measured. Of an even number, the mean of the middle two. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = [...values].sort((left, right) => left - right);
  const [least, most] = [sorted.at(0), sorted.at(-1)];
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (least === undefined || most === undefined || upper === undefined || lower === undefined)
    return undefined;
  return { median: (lower + upper) / 2, least, most };
}

/** The value that so large a part of all is not above; undefined where nothing was measured. */
export function quantileOf(values: readonly number[], part: number): number | undefined {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

export function medianOf(values: readonly number[]): number | undefined {
  return spreadOf(values)?.median;
}

/** `value` / `of`; undefined where either is missing or there is nothing to divide by. */
export function ratioOf(value: number | undefined, of: number | undefined): number | undefined {
  return value === undefined || of === undefined || of === 0 ? undefined : value / of;
}

/** A number with so many digits behind the point, or "-" where there is none. */
export function showNumber(value: number | undefined, digits: number): string {
  return value === undefined ? "-" : value.toFixed(digits);
}

/** Rows under each other: the first column to the left, the others to the right. */
export function alignRows(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  const align = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(align).join("  ").trimEnd()).join("\n");
}
