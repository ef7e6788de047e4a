/**
 * Jobs that the development server starts: one that runs to its end (migrate), and one that is kept going (the
 * mail sender), with a longer pause each time that it ends at once.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { endChild } from "./cgi.ts";

export interface JobCall {
  /** Absolute path of the built job. */
  readonly program: string;
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Hears each line that the job prints. */
  readonly log: (line: string) => void;
}

export interface KeptJob {
  /** Ends the running one and starts this program in its place. */
  readonly start: (program: string) => void;
  readonly close: () => Promise<void>;
}

const firstPauseMs = 1000;
const longestPauseMs = 30_000;
// One that ran as long as this did not fail at its start.
const steadyMs = 10_000;

/** Runs a job; answers its exit code, or undefined if it was ended by a signal or did not start. */
export function runToEnd(call: JobCall): Promise<number | undefined> {
  return new Promise((resolve) => {
    const child = startJob(call);
    child.on("error", (cause) => {
      call.log(cause.message);
      resolve(undefined);
    });
    child.on("close", (exitCode) => resolve(exitCode ?? undefined));
  });
}

/** Keeps a job going from the first `start` on, until `close`. */
export function keepJob(call: Omit<JobCall, "program">): KeptJob {
  let child: ChildProcess | undefined;
  let again: NodeJS.Timeout | undefined;
  let pauseMs = firstPauseMs;

  const start = (program: string): void => {
    clearTimeout(again);
    if (child !== undefined) endChild(child, 0);
    const started = startJob({ ...call, program });
    child = started;
    const steady = setTimeout(() => {
      pauseMs = firstPauseMs;
    }, steadyMs);
    started.on("error", (cause) => call.log(cause.message));
    started.on("close", (exitCode, signal) => {
      clearTimeout(steady);
      if (child !== started) return; // Another one took its place.
      child = undefined;
      const how = signal === null ? `exit code ${exitCode}` : signal;
      // A terminal's Ctrl-C reaches the job as well as us; we are about to end, and nothing is wrong.
      if (signal !== "SIGINT") call.log(`ended (${how}); started again in ${pauseMs / 1000} s`);
      again = setTimeout(() => start(program), pauseMs);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    });
  };

  const close = async (): Promise<void> => {
    clearTimeout(again);
    const last = child;
    child = undefined;
    if (last !== undefined) await ended(last);
  };

  return { start, close };
}

/** Ends a child and waits until it has ended. */
export function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve();
    child.once("exit", () => resolve());
    endChild(child, 0);
  });
}

function startJob({ program, words, environment, log }: JobCall): ChildProcess {
  const child = spawn(process.execPath, [program, ...words], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) log(line);
    });
    stream.on("end", () => {
      if (rest !== "") log(rest);
    });
  }
  return child;
}
