/**
 * Usage by hand: `usage import FILE [--complete DAY]` takes a CSV file whole or not at all, and `usage complete
 * DAY` declares that a day's usage is all there.
 */
import { readFileSync } from "node:fs";
import type { WriteTx } from "../lib/store/store.ts";
import { completeDay } from "../lib/usage/day.ts";
import { type LineFault, readUsageFile } from "../lib/usage/file.ts";
import { importUsage } from "../lib/usage/import.ts";
import { type DayUtc, parseDay } from "../lib/util/clock.ts";
import type { Job, JobContext } from "./run.ts";

const faultsShown = 50;

export const job: Job = {
  usage: "import FILE [--complete DAY] | complete DAY",
  options: { complete: { type: "string" } },
  secrets: [],
  run: async (context, { values, words }) => {
    const [verb, subject, ...more] = words;
    if (subject === undefined || more.length > 0) return "misused";
    const dayText = verb === "complete" ? subject : values.complete;
    const day = typeof dayText === "string" ? parseDay(dayText) : undefined;
    if (dayText !== undefined && day === undefined) {
      context.complain(`usage: "${dayText}" is no day; write it as 2026-11-23`);
      return "misused";
    }
    if (verb === "import") return importFile(context, subject, day);
    return verb === "complete" && day !== undefined && values.complete === undefined
      ? declareDay(context, day)
      : "misused";
  },
};

async function importFile(context: JobContext, file: string, complete: DayUtc | undefined) {
  const text = readText(file);
  if (typeof text !== "string") {
    context.complain(`${file}: ${text.why}`);
    return "refused";
  }
  const { lines, faults } = readUsageFile(text);
  if (faults.length > 0) return complainAll(context, file, faults);
  const { meters } = context.settings;
  const result = await context
    .openStore()
    .write((tx: WriteTx) => importUsage(tx, { lines, meters, complete }));
  if (!result.ok) return complainAll(context, file, result.faults);
  const completed = complete === undefined ? "" : `; ${complete} is complete`;
  context.say(`${file}: ${result.added} rows added, ${result.known} known already${completed}`);
  return "done";
}

async function declareDay(context: JobContext, day: DayUtc) {
  const declared = await context.openStore().write((tx) => completeDay(tx, day, "person"));
  if (!declared.ok) {
    context.complain(`usage: ${declared.detail ?? declared.why}`);
    return "refused";
  }
  context.say(declared.outcome === "created" ? `${day} is complete` : `${day} was complete already`);
  return "done";
}

/** The file's text, or why it is none: a file in another encoding would bill other names. */
function readText(file: string): string | { readonly why: string } {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof TypeError) return { why: "the file is not in UTF-8" };
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

function complainAll(context: JobContext, file: string, faults: readonly LineFault[]): "refused" {
  for (const fault of faults.slice(0, faultsShown))
    context.complain(`${file}:${fault.line}: ${fault.message}`);
  const more = faults.length > faultsShown ? ` (${faults.length - faultsShown} more are not shown)` : "";
  context.complain(
    `${file}: ${faults.length} ${faults.length === 1 ? "fault" : "faults"}${more}; nothing was imported`,
  );
  return "refused";
}
