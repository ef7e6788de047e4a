/** Forgets what need not be kept (lib/staff/retention.ts): once a month is enough. */
import { forgetOld } from "../lib/staff/retention.ts";
import type { Job } from "./run.ts";

export const job: Job = {
  usage: "",
  options: {},
  run: async (context, { words }) => {
    if (words.length > 0) return "misused";
    const { events, mails, signups, sessions, links } = await forgetOld(context.openStore());
    context.say(
      `tidy: forgot what ${events} events said, ${mails} mails, ${signups} sign-ups, ${sessions} sessions, ${links} links`,
    );
    return "done";
  },
};
