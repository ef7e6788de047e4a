/** What was measured, as tables to read: medians, their spread, and the ratios to Hugo and to the floor. */
import type { Sample } from "./command.ts";
import { alignRows, medianOf, ratioOf, showNumber, spreadOf } from "./figures.ts";
import { type Phase, phases, type Row, type SizeResult } from "./rounds.ts";

const titles: Readonly<Record<Phase, string>> = {
  cold: "cold build",
  again: "nothing changed",
  change: "one page changed",
};
const shared = ["wall ms", "least", "most", "/ hugo", "/ floor", "cpu s", "MiB"];
const lastColumn: Readonly<Record<Phase, string>> = {
  cold: "system calls a page",
  again: "files touched",
  change: 'ms above "nothing changed"',
};
const compared =
  "every document was compared with the expected one, after the first build and after the last";

const wallMsOf = ({ wallMs }: Sample): number | undefined => wallMs;
const processorSecondsOf = ({ processorSeconds }: Sample): number | undefined => processorSeconds;
const memoryMiBOf = ({ memoryMiB }: Sample): number | undefined => memoryMiB;

export function showSize({ pages, format, rounds, onOneProcessor, rows }: SizeResult): string {
  const text = format === "html" ? "HTML" : "Markdown";
  const head = `${pages} pages in ${text}, ${rounds === 1 ? "1 round" : `${rounds} rounds`} in turns, medians${onOneProcessor ? ", on one processor" : ""}`;
  const tables = phases.flatMap((phase) => showPhase(rows, phase));
  const skipped = rows.flatMap(({ name, skipped }) =>
    skipped === undefined ? [] : [`${name}: left out: ${skipped}`],
  );
  return ["", head, compared, ...tables, ...(skipped.length > 0 ? ["", ...skipped] : [])].join("\n");
}

function showPhase(rows: readonly Row[], phase: Phase): readonly string[] {
  const measured = rows.filter((row) => row[phase].length > 0);
  if (measured.length === 0) return [];
  const wallOf = (name: string): number | undefined =>
    medianAll(rows.find((row) => row.name === name)?.[phase] ?? [], wallMsOf);
  const [hugo, floor] = [wallOf("hugo"), wallOf("node floor")];
  const lines = measured.map((row) => {
    const wall = spreadOf(row[phase].map(({ wallMs }) => wallMs));
    return [
      row.name,
      showNumber(wall?.median, 0),
      showNumber(wall?.least, 0),
      showNumber(wall?.most, 0),
      showNumber(ratioOf(wall?.median, hugo), 2),
      showNumber(ratioOf(wall?.median, floor), 2),
      showNumber(medianAll(row[phase], processorSecondsOf), 2),
      showNumber(medianAll(row[phase], memoryMiBOf), 0),
      showLast(row, phase),
    ];
  });
  return ["", alignRows([[titles[phase], ...shared, lastColumn[phase]], ...lines])];
}

function showLast(row: Row, phase: Phase): string {
  if (phase === "cold") return showNumber(row.systemCallsPerPage, 1);
  return phase === "again" ? showNumber(row.touched, 0) : showNumber(medianOf(row.aboveAgainMs), 0);
}

/**
 * How cold builds grow from each size to the next, where both had as many processors; "" if there is no such pair. Ten
 * times the time for ten times the pages is linear.
 */
export function showGrowth(results: readonly SizeResult[]): string {
  const lines = results.slice(1).flatMap((larger, index) => {
    const smaller = results[index];
    if (smaller === undefined || smaller.onOneProcessor !== larger.onOneProcessor) return [];
    return larger.rows.flatMap((row) => growRow(row, smaller, larger));
  });
  if (lines.length === 0) return "";
  return `\n${alignRows([["cold build, times as much", "from, to", "pages", "wall", "cpu", "MiB"], ...lines])}`;
}

function growRow(row: Row, smaller: SizeResult, larger: SizeResult): readonly (readonly string[])[] {
  const before = smaller.rows.find(({ name }) => name === row.name);
  if (before === undefined || row.cold.length === 0 || before.cold.length === 0) return [];
  const grown = (pick: (sample: Sample) => number | undefined): string =>
    showNumber(ratioOf(medianAll(row.cold, pick), medianAll(before.cold, pick)), 2);
  const times = showNumber(larger.pages / smaller.pages, 0);
  const steps = `${smaller.pages} to ${larger.pages}`;
  return [[row.name, steps, times, grown(wallMsOf), grown(processorSecondsOf), grown(memoryMiBOf)]];
}

function medianAll(
  samples: readonly Sample[],
  pick: (sample: Sample) => number | undefined,
): number | undefined {
  return medianOf(samples.flatMap((sample) => pick(sample) ?? []));
}
