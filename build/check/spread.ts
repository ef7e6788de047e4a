/**
 * Documents judged by what is known of them already, or by html-validate on as many threads as are worth it. Known is
 * what the same version of the tool and the library said of the same text under the same rules; levels are laid over
 * it later, so that changing one costs nothing. Called by pages.ts.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { sha256Hex } from "../../lib/util/digest.ts";
import { readCache, writeCache } from "./cache.ts";
import type { Finding } from "./rules.ts";
import { type HtmlRules, makeValidator, type Validator, validatorVersion } from "./validate.ts";

export interface SpreadOptions {
  readonly rules: HtmlRules;
  /** Where answers are kept; undefined where they are not. */
  readonly cacheFile: string | undefined;
  /** Version of this tool: our own rules are a part of it. */
  readonly tool: string;
  /** The compiled worker.js; undefined where there is none (in a clone's tests), and all is done on this thread. */
  readonly workerFile: string | undefined;
}

export interface Spread {
  /** One answer for each document, in their order. May be called again and again. */
  readonly judge: (documents: readonly string[]) => Promise<readonly (readonly Finding[])[]>;
  /** How many documents had to be validated so far. */
  readonly validated: () => number;
  /** Ends the threads, and keeps what was asked for in this run and nothing else. */
  readonly end: () => Promise<void>;
}

// A thread loads the library anew, for as long as this many pages take.
const pagesPerThread = 20;
const mostThreads = 8;

export function openSpread(options: SpreadOptions): Spread {
  const { cacheFile, tool, rules } = options;
  const known = cacheFile === undefined ? new Map() : readCache(cacheFile, isFindings);
  const used = new Map<string, readonly Finding[]>();
  const seed = sha256Hex(JSON.stringify([tool, validatorVersion(), rules]));
  const threads: Thread[] = [];
  let [alone, isChanged, validated]: [Validator | undefined, boolean, number] = [undefined, false, 0];

  const judgeAnew = async (documents: readonly string[]): Promise<readonly (readonly Finding[])[]> => {
    const wanted = Math.min(
      mostThreads,
      availableParallelism(),
      Math.floor(documents.length / pagesPerThread),
    );
    if (options.workerFile !== undefined && (threads.length > 0 || wanted > 1)) {
      while (threads.length < wanted) threads.push(startThread(options.workerFile, rules));
      return shareOut(threads, documents);
    }
    alone ??= await makeValidator(rules);
    return documents.map(alone);
  };

  return {
    judge: async (documents) => {
      const keys = documents.map((document) => sha256Hex(seed + document).slice(0, 32));
      const fresh = new Map<string, string>();
      for (const [index, key] of keys.entries())
        if (!known.has(key) && !used.has(key)) fresh.set(key, documents[index] ?? "");
      const found = await judgeAnew([...fresh.values()]);
      for (const [index, key] of [...fresh.keys()].entries()) used.set(key, found[index] ?? []);
      validated += fresh.size;
      isChanged ||= fresh.size > 0;
      return keys.map((key) => {
        const findings = used.get(key) ?? known.get(key) ?? [];
        used.set(key, findings);
        return findings;
      });
    },
    validated: () => validated,
    end: async () => {
      await Promise.all(threads.map((thread) => thread.end()));
      if (cacheFile !== undefined && (isChanged || used.size !== known.size)) writeCache(cacheFile, used);
    },
  };
}

interface Thread {
  readonly judge: Validator extends (document: string) => infer Found
    ? (document: string) => Promise<Found>
    : never;
  readonly end: () => Promise<unknown>;
}

/** One document at a time; the thread answers in the same order. */
function startThread(file: string, rules: HtmlRules): Thread {
  const worker = new Worker(file, { workerData: rules });
  return {
    judge: (document) =>
      new Promise((resolve, reject) => {
        const settle = (finish: () => void): void => {
          worker.off("message", onMessage).off("error", onError);
          finish();
        };
        const onMessage = (found: readonly Finding[]): void => settle(() => resolve(found));
        const onError = (error: Error): void => settle(() => reject(error));
        worker.on("message", onMessage).on("error", onError).postMessage(document);
      }),
    end: () => worker.terminate(),
  };
}

/** Each thread takes the next document when it is done with the one before. */
async function shareOut(
  threads: readonly Thread[],
  documents: readonly string[],
): Promise<readonly (readonly Finding[])[]> {
  const found: (readonly Finding[])[] = [];
  let next = 0;
  const work = async (thread: Thread): Promise<void> => {
    while (next < documents.length) {
      const index = next;
      next += 1;
      found[index] = await thread.judge(documents[index] ?? "");
    }
  };
  await Promise.all(threads.map(work));
  return found;
}

function isFindings(value: unknown): value is readonly Finding[] {
  const isOne = (one: Partial<Finding> | null): boolean =>
    typeof one?.rule === "string" && Number.isInteger(one.offset) && typeof one.message === "string";
  return Array.isArray(value) && value.every(isOne);
}
