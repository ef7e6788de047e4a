/**
 * The last part of `npm run bench -- cgi`: 200 clients ask for a signed-in page without a pause, through the configuration that a build
 * makes for a host, while another one, a process of its own, asks for a static page again and again. The front is spoken to at the socket of
 * hitch and as hitch does, since TLS would be the bench's own work. Called by cgi.ts.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { inheritedPath } from "../../lib/util/settings.ts";
import { alignRows, showNumber } from "./figures.ts";
import { type CrowdHost, type Kind, startCrowdHost } from "./hosting.ts";
import type { Waits } from "./visitor.ts";
import { ask, makeProxied } from "./visitor.ts";
import { watchPrograms } from "./watching.ts";

export interface CrowdResult {
  readonly programsAre: Kind;
  readonly clients: number;
  readonly seconds: number;
  /** How many programs ran at once, at most. */
  readonly mostPrograms: number;
  /** What all of them took, at most: of memory that several share, each counts its part (PSS). */
  readonly memoryMiB: number | undefined;
  readonly answersPerSecond: number;
  readonly failures: number;
  /** Of the static page, without the crowd and beside it. */
  readonly idle: Waits;
  readonly meanwhile: Waits;
  readonly aimMs: number;
}

const clients = 200;
const aimMs = 50;
const page = "/account/account.cgi";

export async function benchCrowd(
  home: string,
  seconds: number,
  port: number,
): Promise<readonly CrowdResult[]> {
  const results: CrowdResult[] = [];
  for (const [n, programsAre] of (["cgi", "resident"] as const).entries()) {
    const host = await startCrowdHost(home, programsAre, port + n);
    try {
      // One that does not count: files are read from the disk then.
      await ask(host, makeProxied(host.socket, 1), page);
      const idle = await readMeanwhile(host, seconds, () => wait(seconds * 1000));
      const watching = watchPrograms(host.poolPids, programsAre);
      let crowd = { answers: 0, failures: 0 };
      const meanwhile = await readMeanwhile(host, seconds, async () => {
        crowd = await crowdIn(host, seconds * 1000);
      });
      const { most, memoryMiB } = watching.end();
      const { answers, failures } = crowd;
      const measured = { mostPrograms: most, memoryMiB, answersPerSecond: answers / seconds, failures };
      results.push({ programsAre, clients, seconds, ...measured, idle, meanwhile, aimMs });
    } finally {
      await host.end();
    }
  }
  return results;
}

/** All of them, each with its next request as soon as it has an answer; what is not answered at the end counts as nothing. */
async function crowdIn(
  host: CrowdHost,
  limitMs: number,
): Promise<{ readonly answers: number; readonly failures: number }> {
  const agent = makeProxied(host.socket, clients);
  let [answers, failures, isOver] = [0, 0, false];
  const stay = async (): Promise<void> => {
    while (!isOver)
      try {
        await ask(host, agent, page);
        if (!isOver) answers += 1;
      } catch {
        if (isOver) return;
        failures += 1;
        // Whoever is refused at once must not take the processor from all others.
        await wait(100);
      }
  };
  const all = Promise.all(Array.from({ length: clients }, stay));
  await wait(limitMs);
  isOver = true;
  agent.destroy();
  await all;
  return { answers, failures };
}

/** What the visitor of the static page saw while something else went on. */
async function readMeanwhile(host: CrowdHost, seconds: number, during: () => Promise<void>): Promise<Waits> {
  const program = fileURLToPath(new URL("visitor.js", import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [program, host.socket, host.name, String(seconds)], {
    env: { PATH: inheritedPath() },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout?.setEncoding("utf8").on("data", (part: string) => {
    said += part;
  });
  const [[code]] = await Promise.all([once(child, "close"), during()]);
  if (code !== 0) throw new Error(`the visitor ended with ${code}`);
  return JSON.parse(said) as Waits;
}

export function showCrowd(results: readonly CrowdResult[]): string {
  const [first] = results;
  if (first === undefined) return "";
  const rows = results.map((result) => [
    result.programsAre,
    String(result.mostPrograms),
    showNumber(result.memoryMiB, 0),
    result.answersPerSecond.toFixed(0),
    String(result.failures),
    ...[result.meanwhile.p50, result.meanwhile.p99, result.idle.p99].map((ms) => showNumber(ms, 1)),
    String(result.aimMs),
  ]);
  const title = `${first.clients} clients at once, ${first.seconds} s`;
  const counted = ["programs at most", "MiB (PSS)", "answers a second", "failures"];
  return alignRows([[title, ...counted, "static p50 ms", "p99", "p99 idle", "aim p99"], ...rows]);
}
