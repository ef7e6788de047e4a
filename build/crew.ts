/**
 * Threads that render Markdown ahead of the one that goes through the pages. Pages are handed out in batches, some ahead of
 * the place that is reached, so that what waits in memory does not grow with the site; whoever waits for a batch renders
 * the next one meanwhile. Nothing depends on who rendered a page. Called by site.ts and change.ts.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import type { Package } from "./package.ts";
import type { Raw } from "./raw.ts";
import type { Rendered } from "./render.ts";
import type { Source } from "./sources.ts";

export interface Crew {
  /**
   * The next page of Markdown, good until the next call; pages are asked for in the order in which they were given.
   * Undefined where the caller is to read it.
   */
  readonly next: () => Promise<Raw | undefined>;
  readonly close: () => Promise<unknown>;
}

/** A worker takes some 60 ms to start and becomes quick after a thousand pages; on two processors it is made up for at 5,500. */
const leastForWorkers = 5000;
const inBatch = 32;
/** A thread that is done with one batch has the next one there already. */
const handedOut = 2;

interface Task {
  readonly number: number;
  readonly files: readonly string[];
  state: "open" | "given" | "done" | "left";
  rendered: Rendered | undefined;
}

interface Hand {
  readonly worker: Worker;
  readonly tasks: Set<Task>;
}

/** Has no threads where there are few pages, or no processors for them, or where the code is not compiled. */
export async function openCrew(
  sources: readonly Source[],
  { codeFolder }: Pick<Package, "codeFolder">,
  least = leastForWorkers,
): Promise<Crew> {
  const files = sources.flatMap(({ kind, absolute }) => (kind === "markdown" ? [absolute] : []));
  const code = join(codeFolder, "build", "render.cjs");
  const more = files.length < least || !existsSync(code) ? 0 : Math.min(availableParallelism(), 8) - 1;
  if (more === 0) return nobody;
  // Loaded only here: small builds are over in the time that some of Node's own modules take.
  const threads = await import("node:worker_threads");
  const workers = Array.from({ length: more }, () => new threads.Worker(code, { resourceLimits }));
  return gather(files, workers);
}

const letAnswersIn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Less than the first thread has: a page that a worker can hold can be held there too, so that no build depends on it. */
const resourceLimits = { stackSizeMb: 1 };

const nobody: Crew = { next: async () => undefined, close: async () => undefined };

function gather(files: readonly string[], workers: readonly Worker[]): Crew {
  const tasks = Array.from({ length: Math.ceil(files.length / inBatch) }, (_, number): Task => {
    return {
      number,
      files: files.slice(number * inBatch, (number + 1) * inBatch),
      state: "open",
      rendered: undefined,
    };
  });
  const farthest = 4 * workers.length + 4;
  let wake = (): void => undefined;
  const hands = new Set<Hand>();
  for (const worker of workers) {
    const hand: Hand = { worker, tasks: new Set() };
    const lose = (): void => {
      hands.delete(hand);
      for (const task of hand.tasks) task.state = "open";
      hand.tasks.clear();
      wake();
    };
    hands.add(hand);
    hand.worker.on("message", (rendered: Rendered) => {
      const task = tasks[rendered.number];
      if (task !== undefined) {
        Object.assign(task, { state: "done", rendered });
        hand.tasks.delete(task);
      }
      wake();
    });
    // What it was given is done by others, who will meet as well what is wrong with it.
    hand.worker.on("error", lose).on("exit", lose);
  }
  const findOpen = (from: number): Task | undefined =>
    tasks.slice(from, from + farthest).find(({ state }) => state === "open");
  const handOut = (from: number): void => {
    for (const hand of hands)
      while (hand.tasks.size < handedOut) {
        const task = findOpen(from);
        if (task === undefined) return;
        task.state = "given";
        hand.tasks.add(task);
        hand.worker.postMessage({ number: task.number, files: task.files });
      }
  };
  /** Undefined where it stays with whoever waits. */
  const reach = async (task: Task): Promise<Rendered | undefined> => {
    await letAnswersIn();
    while (task.state === "given") {
      handOut(task.number + 1);
      const ahead = findOpen(task.number + 1);
      if (ahead === undefined)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      else {
        const { renderBatch } = await import("./render.ts");
        Object.assign(ahead, { state: "done", rendered: renderBatch(ahead) });
        await letAnswersIn();
      }
    }
    // Nobody else is to begin with it.
    if (task.state === "open") task.state = "left";
    handOut(task.number + 1);
    return task.rendered;
  };
  let position = 0;
  let start = 0;
  const next = async (): Promise<Raw | undefined> => {
    const task = tasks[Math.floor(position / inBatch)];
    const at = position % inBatch;
    position += 1;
    if (task === undefined) return undefined;
    if (at === 0) {
      const before = tasks[task.number - 1];
      if (before !== undefined) before.rendered = undefined;
      start = 0;
      await reach(task);
    }
    const page = task.rendered?.pages[at];
    if (task.rendered === undefined || page === undefined) return undefined;
    const { length, ...rest } = page;
    const body = Buffer.from(task.rendered.bytes.buffer, start, length);
    start += length;
    return { ...rest, body };
  };
  return { next, close: () => Promise.all([...hands].map(({ worker }) => worker.terminate())) };
}
