/** Decisions about nights, by hand: `billing skip-day DAY --reason TEXT [--old]` leaves a day unbilled for ever, as after an outage. */
import { skipDay } from "../lib/usage/day.ts";
import { parseDay } from "../lib/util/clock.ts";
import { type Job, readReason } from "./run.ts";

export const job: Job = {
  usage: "skip-day DAY --reason TEXT [--old]",
  options: { reason: { type: "string" }, old: { type: "boolean" } },
  run: async (context, { values, words }) => {
    const [verb, text, ...more] = words;
    if (verb !== "skip-day" || text === undefined || more.length > 0) return "misused";
    const day = parseDay(text);
    if (day === undefined) {
      context.complain(`billing: "${text}" is no day; write it as 2026-11-23`);
      return "misused";
    }
    const reason = readReason(context, values);
    if (reason === undefined) return "misused";
    const skipped = await context
      .openStore()
      .write((tx) => skipDay(tx, day, reason, { takesOld: values.old === true }));
    if (!skipped.ok) {
      context.complain(`billing: ${skipped.detail ?? skipped.why}`);
      return "refused";
    }
    const was = skipped.outcome === "created" ? "is skipped" : "was skipped already";
    context.say(`billing: ${day} ${was}, and never billed: ${reason}`);
    return "done";
  },
};
