/**
 * Usage by hand: `usage import FILE [--complete DAY] [--old] [--future]` takes a CSV or NDJSON file whole or not at all, and `usage
 * complete DAY` declares that a day's usage is all there.
 */
import { readFileSync, statSync } from "node:fs";
import type { WriteTx } from "../lib/store/store.ts";
import { completeDay } from "../lib/usage/day.ts";
import { largestFileBytes, readUsageFile } from "../lib/usage/file.ts";
import { importUsage } from "../lib/usage/import.ts";
import type { LineFault } from "../lib/usage/row.ts";
import { type DayUtc, parseDay } from "../lib/util/clock.ts";
import type { Job, JobContext, JobInput } from "./run.ts";

const faultsShown = 50;

export const job: Job = {
  usage: "import FILE [--complete DAY] [--old] [--future] | complete DAY [--old]",
  options: { complete: { type: "string" }, old: { type: "boolean" }, future: { type: "boolean" } },
  run: async (context, { values, words }) => {
    const [verb, subject, ...more] = words;
    if (subject === undefined || more.length > 0) return "misused";
    const dayText = verb === "complete" ? subject : values.complete;
    const day = typeof dayText === "string" ? parseDay(dayText) : undefined;
    if (dayText !== undefined && day === undefined) {
      context.complain(`usage: "${dayText}" is no day; write it as 2026-11-23`);
      return "misused";
    }
    if (verb === "import") return importFile(context, subject, day, values);
    return verb === "complete" &&
      day !== undefined &&
      values.complete === undefined &&
      values.future === undefined
      ? declareDay(context, day, values.old === true)
      : "misused";
  },
};

async function importFile(
  context: JobContext,
  file: string,
  day: DayUtc | undefined,
  values: JobInput["values"],
) {
  const bytes = readBytes(file);
  if (typeof bytes === "string") {
    context.complain(`${file}: ${bytes}`);
    return "refused";
  }
  const { lines, complete: declared, faults } = readUsageFile(bytes);
  if (faults.length > 0) return complainAll(context, file, faults);
  const { meters } = context.settings;
  const [takesOld, takesFuture] = [values.old === true, values.future === true];
  const complete = day === undefined ? [] : [day];
  const result = await context
    .openStore()
    .write((tx: WriteTx) => importUsage(tx, { lines, meters, complete, declared, takesOld, takesFuture }));
  if (!result.ok) return complainAll(context, file, result.faults);
  const { added, revised, known, retired } = result;
  const days = [...new Set([...declared.map((one) => one.day), ...complete])];
  const counts = `${added} rows added, ${revised === 0 ? "" : `${revised} revised, `}${known} known already${retired === 0 ? "" : `, ${retired} of retired machines left out`}`;
  context.say(`${file}: ${counts}${days.map((one) => `; ${one} is complete`).join("")}`);
  return "done";
}

async function declareDay(context: JobContext, day: DayUtc, takesOld: boolean) {
  const declared = await context.openStore().write((tx) => completeDay(tx, day, "person", { takesOld }));
  if (!declared.ok) {
    context.complain(`usage: ${declared.detail ?? declared.why}`);
    return "refused";
  }
  context.say(declared.outcome === "created" ? `${day} is complete` : `${day} was complete already`);
  return "done";
}

/** The file, or why there is none; one that is too long is not read. */
function readBytes(file: string): Uint8Array | string {
  try {
    const { size } = statSync(file);
    if (size > largestFileBytes) return `the file has ${size} bytes; at most ${largestFileBytes} are taken`;
    return readFileSync(file);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function complainAll(context: JobContext, file: string, faults: readonly LineFault[]): "refused" {
  for (const fault of faults.slice(0, faultsShown))
    context.complain(`${file}:${fault.line}:${fault.column ?? 1}: ${fault.message}`);
  const more = faults.length > faultsShown ? ` (${faults.length - faultsShown} more are not shown)` : "";
  context.complain(
    `${file}: ${faults.length} ${faults.length === 1 ? "fault" : "faults"}${more}; nothing was imported`,
  );
  return "refused";
}
