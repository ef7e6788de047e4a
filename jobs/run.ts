/**
 * The front door of every job: reads arguments and settings, opens the store, and turns what happened into an
 * exit code, for cron as for people: 0 done, 1 refused (bad input; nothing was changed), 64 wrong usage,
 * 100 a person must act, 111 try later.
 */
import { parseArgs } from "node:util";
import { type BooksOptions, chooseBooks, openBooks } from "../lib/store/open.ts";
import type { Store } from "../lib/store/store.ts";
import { type Clock, systemClock } from "../lib/util/clock.ts";
import { NeedsHuman, TryLater } from "../lib/util/failure.ts";
import { needsOf } from "../lib/util/jobs.ts";
import {
  applyPlace,
  type Place,
  readPlace,
  readSecrets,
  type Secrets,
  type Settings,
} from "../lib/util/settings.ts";
import { type Baked, makeRenderer, type Renderer } from "../lib/util/templates.ts";
import { disarm } from "../lib/util/terminal.ts";

export interface JobContext {
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly place: Place;
  readonly database: BooksOptions;
  /** Opens the books when first called; a job that makes them does not. */
  readonly openStore: () => Store;
  readonly renderer: Renderer;
  readonly clock: Clock;
  /** Lines of the report; whatever stands in one, it is one. */
  readonly say: (...lines: readonly string[]) => void;
  /** One line of what is wrong. */
  readonly complain: (line: string) => void;
}

export interface Job {
  /** What follows the name on the command line, "[--day DAY]". */
  readonly usage: string;
  readonly options: Readonly<Record<string, { readonly type: "string" | "boolean" }>>;
  readonly run: (context: JobContext, input: JobInput) => Promise<"done" | "refused" | "misused">;
}

export interface JobInput {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly words: readonly string[];
}

const longestReason = 500;

/** One line that says why, from `--reason`; undefined where there is none, which was complained of. */
export function readReason(context: JobContext, values: JobInput["values"]): string | undefined {
  const reason = typeof values.reason === "string" ? values.reason.trim() : "";
  if (reason !== "" && reason.length <= longestReason && !/\p{Cc}/u.test(reason)) return reason;
  context.complain(`say why in one line of at most ${longestReason} characters: --reason "..."`);
  return undefined;
}

/** Who does it and why, for the audit log; undefined where that is not said, which was complained of. */
export function readBy(
  context: JobContext,
  values: JobInput["values"],
): { readonly operator: string; readonly reason: string } | undefined {
  const operator = typeof values.by === "string" ? values.by.trim() : context.place.operator;
  if (operator === "" || operator.length > 64 || /\p{Cc}/u.test(operator)) {
    context.complain("say who you are: --by NAME");
    return undefined;
  }
  const reason = readReason(context, values);
  return reason === undefined ? undefined : { operator, reason };
}

const exitCodes = { done: 0, refused: 1, misused: 64, needsHuman: 100, tryLater: 111, bug: 70 } as const;

const say = (...lines: readonly string[]): void => console.log(lines.map(disarm).join("\n"));
const complain = (line: string): void => console.error(disarm(line));

/** Runs the job of this process, and ends it. */
export async function runJob(name: string, job: Job, baked: Baked, addonFile: string): Promise<never> {
  const input = readInput(job);
  if (typeof input === "string") {
    complain(`${name}: ${input}`);
    complain(`usage: ${name} ${job.usage}`);
    process.exit(exitCodes.misused);
  }
  try {
    const outcome = await job.run(makeContext(name, baked, addonFile), input);
    if (outcome === "misused") complain(`usage: ${name} ${job.usage}`);
    process.exit(exitCodes[outcome]);
  } catch (cause) {
    process.exit(reportFailure(name, cause));
  }
}

function readInput(job: Job): JobInput | string {
  try {
    const { values, positionals } = parseArgs({ options: job.options, allowPositionals: true });
    // Strict parsing of options that take one value each leaves no lists.
    return { values: values as JobInput["values"], words: positionals };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function makeContext(name: string, baked: Baked, addonFile: string): JobContext {
  const place = readPlace();
  const settings = applyPlace(baked.settings, place);
  const database = chooseBooks(settings, place, { clock: systemClock, addonFile });
  let store: Store | undefined;
  return {
    settings,
    secrets: readSecrets(place.secretsFile, needsOf(name).secrets),
    place,
    database,
    openStore: () => {
      store ??= openBooks(database);
      return store;
    },
    renderer: makeRenderer(baked),
    clock: systemClock,
    say,
    complain,
  };
}

function reportFailure(name: string, cause: unknown): number {
  if (cause instanceof NeedsHuman || cause instanceof TryLater) {
    complain(`${name}: ${cause.message}`);
    if (cause.cause instanceof Error) complain(`  because: ${cause.cause.message}`);
    return cause instanceof NeedsHuman ? exitCodes.needsHuman : exitCodes.tryLater;
  }
  complain(`${name}: this is a bug; nothing of the last step was kept`);
  const where = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  for (const line of where.split("\n")) complain(line);
  return exitCodes.bug;
}
