/**
 * Links to other hosts, asked politely: one request at a time for each host with a pause between them, few hosts at
 * once, Retry-After obeyed, and nothing asked again that was answered lately. Called by check.ts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../lib/util/clock.ts";
import { type AskOptions, askOnce, type Reply } from "./ask.ts";
import { readCache, writeCache } from "./cache.ts";

/** What an address came to. `moved`: to where everybody should link from now on. `unsure`: a person must look. */
export interface Answer {
  readonly kind: "ok" | "moved" | "broken" | "unsure";
  /** The new address, or what is wrong; "" if nothing is. */
  readonly detail: string;
}

export interface ExternalOptions extends AskOptions {
  readonly clock: Clock;
  readonly cacheFile: string | undefined;
  readonly ignoredHosts: readonly string[];
  /** Between the end of a request and the next to the same host. */
  readonly pauseMs: number;
  readonly onProgress?: (done: number, total: number, host: string) => void;
}

export interface ExternalResult {
  readonly answers: ReadonlyMap<string, Answer>;
  /** How many addresses were asked; the others were known, or are of hosts that are ignored. */
  readonly asked: number;
}

interface Kept extends Answer {
  readonly askedMs: number;
}

const dayMs = 86_400_000;
const keptMs = { ok: 7 * dayMs, moved: 7 * dayMs, broken: dayMs / 24, unsure: dayMs / 24 } as const;
const hostsAtOnce = 6;
const mostHops = 10;
// A host that wants more time than this is left for another run.
const longestWaitMs = 60_000;
const keepEvery = 25;

/** @throws NeedsHuman if the cache cannot be written */
export async function askHosts(urls: readonly string[], options: ExternalOptions): Promise<ExternalResult> {
  const { clock, cacheFile, ignoredHosts } = options;
  const now = clock.now();
  const isFresh = ({ kind, askedMs }: Kept): boolean => askedMs <= now && now - askedMs < keptMs[kind];
  const kept = cacheFile === undefined ? new Map<string, Kept>() : readCache(cacheFile, isKept);
  for (const [url, answer] of kept) if (!isFresh(answer)) kept.delete(url);
  const wanted = urls.filter((url) => !ignoredHosts.includes(new URL(url).hostname));
  const unknown = wanted.filter((url) => !kept.has(url));
  const hosts = openHosts(options);
  let done = 0;
  await Promise.all(
    unknown.map(async (url) => {
      const answer = await follow(new URL(url), hosts, options);
      kept.set(url, { ...answer, askedMs: clock.now() });
      done += 1;
      options.onProgress?.(done, unknown.length, new URL(url).host);
      if (cacheFile !== undefined && (done % keepEvery === 0 || done === unknown.length))
        writeCache(cacheFile, kept);
    }),
  );
  const answers = wanted.map((url) => [url, kept.get(url) ?? { kind: "ok", detail: "" }] as const);
  return { answers: new Map(answers), asked: unknown.length };
}

/** Asks an address and those that it leads to. The first part of the way that is permanent is the new address. */
async function follow(first: URL, hosts: Hosts, options: ExternalOptions): Promise<Answer> {
  let [url, moved, isPermanent] = [first, first, true];
  for (let hop = 0; hop <= mostHops; hop += 1) {
    const reply = await askPolitely(url, hosts, options);
    if (reply.kind === "private")
      return unsure(`${whose(first, url)} lies on this machine or a private network, and is not asked`);
    if (reply.kind === "failure") return broken(first, url, reply.why);
    const { status, location } = reply;
    if (status < 300 || status >= 400 || location === undefined) {
      if (status >= 200 && status < 300 && moved.href !== first.href)
        return { kind: "moved", detail: moved.href };
      return judgeStatus(first, url, status);
    }
    if (!URL.canParse(location, url.href)) return broken(first, url, "it leads to what is no address");
    const next = new URL(location, url.href);
    if (!/^https?:$/.test(next.protocol)) return broken(first, url, `it leads to ${next.protocol}`);
    isPermanent &&= status === 301 || status === 308;
    url = next;
    if (isPermanent) moved = next;
  }
  return broken(first, first, `it leads on and on, more than ${mostHops} times`);
}

function judgeStatus(first: URL, url: URL, status: number): Answer {
  if (status >= 200 && status < 300) return { kind: "ok", detail: "" };
  if (status === 429 || status === 503)
    return unsure(`${whose(first, url)} wants to be asked later (${status})`);
  if (status === 401 || status === 403)
    return unsure(`${whose(first, url)} does not let a program in (${status}); look at it yourself`);
  return broken(first, url, `the answer is ${status}`);
}

const unsure = (detail: string): Answer => ({ kind: "unsure", detail });

function broken(first: URL, url: URL, why: string): Answer {
  return { kind: "broken", detail: url.href === first.href ? why : `it leads to ${url.href}: ${why}` };
}

const whose = (first: URL, url: URL): string =>
  url.href === first.href ? url.host : `it leads to ${url.href}, which`;

/** By HEAD, and by GET if that is answered with an error: many hosts know only GET. */
async function askPolitely(url: URL, hosts: Hosts, options: ExternalOptions): Promise<Reply> {
  let method: "HEAD" | "GET" = "HEAD";
  let hasWaited = false;
  for (;;) {
    const reply = await hosts.take(url.host, () => askOnce(url, method, options));
    if (reply.kind === "private") return reply;
    const isBusy = reply.kind === "answer" && (reply.status === 429 || reply.status === 503);
    if (isBusy) {
      const waitMs = readRetryAfter(reply.retryAfter, options.clock.now());
      if (hasWaited || waitMs === undefined || waitMs > longestWaitMs) return reply;
      hasWaited = true;
      hosts.delay(url.host, waitMs);
    } else if (method === "HEAD" && (reply.kind === "failure" || reply.status >= 400)) {
      const isGone = reply.kind === "failure" && !/breaks|cannot be asked/.test(reply.why);
      if (isGone) return reply;
      method = "GET";
    } else return reply;
  }
}

/** RFC 9110, 10.2.3: seconds, or a date. */
export function readRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : Math.max(0, ms - nowMs);
}

interface Hosts {
  /** Does the work when it is the host's turn. */
  readonly take: <Value>(host: string, work: () => Promise<Value>) => Promise<Value>;
  /** The host's next turn comes no sooner. */
  readonly delay: (host: string, ms: number) => void;
}

function openHosts({ clock, pauseMs }: ExternalOptions): Hosts {
  const turns = new Map<string, Promise<unknown>>();
  const notBefore = new Map<string, number>();
  const waiting: (() => void)[] = [];
  let running = 0;
  const delay: Hosts["delay"] = (host, ms) =>
    void notBefore.set(host, Math.max(notBefore.get(host) ?? 0, clock.now() + ms));
  const run = async <Value>(host: string, work: () => Promise<Value>): Promise<Value> => {
    for (let left = 1; left > 0; ) {
      left = (notBefore.get(host) ?? 0) - clock.now();
      if (left > 0) await sleep(left);
    }
    while (running >= hostsAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
      waiting.shift()?.();
      delay(host, pauseMs);
    }
  };
  return {
    delay,
    take: (host, work) => {
      const turn = (turns.get(host) ?? Promise.resolve()).then(() => run(host, work));
      turns.set(
        host,
        turn.catch(() => undefined),
      );
      return turn;
    },
  };
}

function isKept(value: unknown): value is Kept {
  const kept = value as Partial<Kept> | null;
  return (
    typeof kept === "object" &&
    typeof kept?.detail === "string" &&
    Number.isFinite(kept.askedMs) &&
    String(kept.kind) in keptMs
  );
}
