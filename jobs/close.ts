/** Ends what is left of closed accounts (lib/staff/erase.ts): every night, after the bills. */
import { eraseClosed } from "../lib/staff/erase.ts";
import { NeedsHuman } from "../lib/util/failure.ts";
import type { Job } from "./run.ts";

export const job: Job = {
  usage: "",
  options: {},
  run: async (context, { words }) => {
    if (words.length > 0) return "misused";
    const { erased, waiting, stranded } = await eraseClosed(context.openStore());
    context.say(`close: ${erased} accounts erased, ${waiting.length} waiting`);
    for (const line of waiting) context.say(`close: ${line}`);
    for (const line of stranded) context.complain(`close: ${line}`);
    if (stranded.length > 0) throw new NeedsHuman("money stands on erased accounts; see above");
    return "done";
  },
};
