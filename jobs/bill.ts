/**
 * The nightly run: seals the days that are over, bills every complete day that is not billed, oldest first, and reports
 * the days that nobody declared complete. `--day DAY` is for people: it declares that day complete and bills it.
 */
import { sealDays } from "../lib/ledger/seal.ts";
import { formatExact } from "../lib/money/amount.ts";
import { reportNight } from "../lib/staff/night.ts";
import { withBooksAlone } from "../lib/store/alone.ts";
import { billDay } from "../lib/usage/bill.ts";
import { completeDay, isTooOld, readDaysToBill, readUndeclaredDays } from "../lib/usage/day.ts";
import { addDays, type DayUtc, parseDay } from "../lib/util/clock.ts";
import { NeedsHuman, TryLater } from "../lib/util/failure.ts";
import { callHeartbeat } from "../lib/util/heartbeat.ts";
import type { Job, JobContext } from "./run.ts";

export const job: Job = {
  usage: "[--day DAY]",
  options: { day: { type: "string" } },
  run: async (context, { values, words }) => {
    if (words.length > 0) return "misused";
    if (typeof values.day !== "string") return alone(context, () => reported(context, billNight));
    const day = parseDay(values.day);
    if (day !== undefined) return alone(context, () => billByHand(context, day));
    context.complain(`bill: "${values.day}" is no day; write it as 2026-11-23`);
    return "misused";
  },
};

/**
 * One run at a time. Two at once would leave the same books, and each say half of what was done.
 * @throws TryLater where another run is at work
 */
async function alone<Result>({ place, database }: JobContext, work: () => Promise<Result>): Promise<Result> {
  let isBegun = false;
  const begin = (): Promise<Result> => {
    isBegun = true;
    return work();
  };
  return withBooksAlone(database, { folder: place.dataFolder, name: "bill" }, begin).catch(
    (cause: unknown) => {
      if (isBegun || !(cause instanceof TryLater)) throw cause;
      throw new TryLater("another run is at work, and bills the same days; look at what it says", { cause });
    },
  );
}

/** Runs the night, mails what it said to the owner whether it went well or not, and calls the heartbeat if it did. */
async function reported(context: JobContext, work: (context: JobContext) => Promise<"done">) {
  const { settings, clock, renderer } = context;
  const lines: string[] = [];
  const note =
    (pass: JobContext["say"]) =>
    (...said: readonly string[]): void => {
      lines.push(...said);
      pass(...said);
    };
  const report = (isGood: boolean): Promise<void> =>
    reportNight(context.openStore(), renderer, settings, { isGood, lines, endedAt: clock.now() });
  try {
    await work({ ...context, say: note(context.say), complain: note(context.complain) });
  } catch (cause) {
    lines.push(cause instanceof Error ? cause.message : String(cause));
    // The failure itself is what the caller must hear of, not that it could not be mailed.
    await report(false).catch((second: unknown) =>
      context.complain(
        `bill: no report could be mailed: ${second instanceof Error ? second.message : second}`,
      ),
    );
    throw cause;
  }
  await report(true);
  const wrong = settings.heartbeat === "" ? undefined : await callHeartbeat(settings.heartbeat);
  if (wrong !== undefined) context.complain(`bill: the heartbeat's address could not be called: ${wrong}`);
  return "done" as const;
}

async function billNight(context: JobContext) {
  const store = context.openStore();
  for (const { day, transfers, hash } of await sealDays(store))
    context.say(`seal: ${day}: ${transfers} transfers, ${hash}`);
  const days = await store.read(readDaysToBill);
  // A day that cannot be billed whole must not keep those after it from being billed.
  const failed: NeedsHuman[] = [];
  for (const day of days)
    await billAndSay(context, day).catch((cause: unknown) => {
      if (!(cause instanceof NeedsHuman)) throw cause;
      failed.push(cause);
      context.complain(`bill: ${cause.message}`);
    });
  const undeclared = await store.read(readUndeclaredDays);
  if (days.length === 0) context.say("bill: no complete day is waiting");
  for (const line of describeUndeclared(undeclared, context.clock.now())) context.complain(`bill: ${line}`);
  if (failed.length > 0) throw new NeedsHuman(`${failed.length} days are not billed whole; see above`);
  return "done" as const;
}

/** One line for days that follow one another: cron mails this every night until somebody declares them. */
function describeUndeclared(days: readonly DayUtc[], nowMs: number): readonly string[] {
  const runs: { first: DayUtc; last: DayUtc }[] = [];
  for (const day of days) {
    const run = runs.at(-1);
    if (run !== undefined && addDays(run.last, 1) === day) run.last = day;
    else runs.push({ first: day, last: day });
  }
  return runs.map(({ first, last }) => {
    const which = first === last ? `${first} is` : `${first} to ${last} are`;
    const old = isTooOld(first, nowMs) ? "--old " : "";
    return `${which} not declared complete and not billed; when all usage of a day is in: site usage complete ${old}${first}`;
  });
}

async function billByHand(context: JobContext, day: DayUtc) {
  const declared = await context.openStore().write((tx) => completeDay(tx, day, "person"));
  if (!declared.ok) {
    context.complain(`bill: ${declared.detail ?? declared.why}`);
    return "refused" as const;
  }
  if (declared.outcome === "created") context.say(`bill: ${day} is complete now, declared by hand`);
  await billAndSay(context, day);
  return "done" as const;
}

async function billAndSay(context: JobContext, day: DayUtc): Promise<void> {
  const report = await billDay(context.openStore(), day, context.settings.meters);
  const counts = `${report.accounts} accounts with usage, ${report.created} bills written`;
  context.say(`bill: ${day}: ${counts}, $${formatExact(report.total)}`);
}
