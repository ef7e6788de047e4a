/**
 * The sender: delivers what is due in the outbox, and ends. `--every SECONDS` goes on until it is stopped,
 * looking again each so many seconds; the development server uses that, production a timer.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dispatchMail } from "../lib/mail/dispatch.ts";
import { countMails } from "../lib/mail/outbox.ts";
import { makeTransport } from "../lib/mail/transport.ts";
import { NeedsHuman } from "../lib/util/failure.ts";
import type { Job, JobContext } from "./run.ts";

export const job: Job = {
  usage: "[--every SECONDS]",
  options: { every: { type: "string" } },
  run: async (context, { values, words }) => {
    if (words.length > 0) return "misused";
    if (values.every === undefined) return sendOnce(context);
    const seconds = Number(values.every);
    if (!(seconds >= 1 && seconds <= 3600)) return "misused";
    // Whoever started it may be killed and cannot end it then; as an orphan it would go on for ever.
    const parent = process.ppid;
    while (process.ppid === parent) {
      await send(context);
      await sleep(seconds * 1000);
    }
    return "done";
  },
};

async function sendOnce(context: JobContext) {
  const report = await send(context);
  const waiting = await context.openStore().read(countMails);
  const states = [...waiting].map(([state, count]) => `${count} ${state}`).join(", ");
  context.say(`mail: ${report.sent} sent, ${report.later} to be tried again, ${report.parked} given up`);
  context.say(`mail: the outbox holds ${states === "" ? "nothing" : states}`);
  if (report.parked > 0)
    throw new NeedsHuman(`${report.parked} mails were given up just now; the lines above say which, and why`);
  return "done" as const;
}

function send(context: JobContext) {
  const transport = makeTransport({
    mail: context.settings.mail,
    smtpPassword: context.secrets.smtp_password ?? "",
    folder: join(context.place.dataFolder, "mail"),
  });
  const say = (line: string): void =>
    line.startsWith("parked") ? context.complain(line) : context.say(line);
  return dispatchMail(context.openStore(), transport, say);
}
