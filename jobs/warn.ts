/** Looks at every account's balance and cost, and writes a warning for each that has become worse, once. */
import { warnAccounts } from "../lib/warnings/warn.ts";
import type { Job } from "./run.ts";

export const job: Job = {
  usage: "",
  options: {},
  run: async (context, { words }) => {
    if (words.length > 0) return "misused";
    const report = await warnAccounts(context.openStore(), context.renderer, context.settings);
    context.say(`warn: ${report.accounts} accounts looked at, ${report.warned} warned`);
    return "done";
  },
};
