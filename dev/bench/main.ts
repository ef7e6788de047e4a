/**
 * `npm run bench -- build [PAGES ...]`: how long this builder and its peers take for the same made-up site, cold and
 * with nothing changed, in one run and in turns, so that what else the machine does falls on all of them. Prints
 * medians and their ratio to Hugo's.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { inheritedPath } from "../../lib/util/settings.ts";
import { type Builder, builders, readDocument } from "./builders.ts";
import { type Corpus, expectedDocument, makeCorpus } from "./corpus.ts";

const seed = 20_261_123;
const rounds = 5;

interface Timing {
  readonly builder: Builder;
  readonly coldMs: number[];
  readonly againMs: number[];
}

const [what, ...sizes] = process.argv.slice(2);
if (what !== "build") {
  console.error("usage: npm run bench -- build [PAGES ...]");
  process.exit(64);
}
const installed = builders.filter((builder) => {
  const version = run(tmpdir(), builder.versionCommand);
  console.log(`${builder.name}: ${version.ok ? version.output.split("\n")[0] : "not installed, left out"}`);
  return version.ok;
});
for (const size of sizes.length > 0 ? sizes.map(Number) : [100, 1000, 10_000]) benchSize(size);

function benchSize(count: number): void {
  const corpus = makeCorpus(count, seed);
  const home = mkdtempSync(join(tmpdir(), "picodollar-bench-"));
  try {
    const timings = installed.map((builder): Timing => ({ builder, coldMs: [], againMs: [] }));
    for (let round = 0; round < rounds; round += 1)
      for (const timing of timings) timeOnce(timing, corpus, join(home, `${timing.builder.name}-${round}`));
    printTable(count, timings);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function timeOnce({ builder, coldMs, againMs }: Timing, corpus: Corpus, folder: string): void {
  builder.layDown(folder, corpus);
  coldMs.push(time(builder, folder));
  checkDocuments(builder, folder, corpus);
  againMs.push(time(builder, folder));
  rmSync(folder, { recursive: true, force: true });
}

function time(builder: Builder, folder: string): number {
  const startedAt = performance.now();
  const result = run(folder, builder.command(folder));
  const ms = performance.now() - startedAt;
  if (!result.ok) throw new Error(`${builder.name} failed:\n${result.output.slice(0, 2000)}`);
  return ms;
}

/** A builder that is quick because it makes something else is no peer. */
function checkDocuments(builder: Builder, folder: string, corpus: Corpus): void {
  if (builder.name === "node floor") return;
  const squeeze = (text: string): string => text.replace(/\s+/g, "");
  for (const page of corpus.pages) {
    const made = readDocument(builder, folder, page.path);
    if (made === undefined || squeeze(made) !== squeeze(expectedDocument(corpus, page)))
      throw new Error(`${builder.name} made another document of ${page.path}:\n${made ?? "(none)"}`);
  }
}

function run(folder: string, command: readonly string[]): { readonly ok: boolean; readonly output: string } {
  const [program = "", ...words] = command;
  const result = spawnSync(program, words, {
    cwd: folder,
    encoding: "utf8",
    env: { PATH: inheritedPath() },
  });
  return { ok: result.status === 0, output: `${result.stdout}${result.stderr}` };
}

function printTable(count: number, timings: readonly Timing[]): void {
  const median = (values: readonly number[]): number =>
    [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
  const peer = timings.find(({ builder }) => builder.name === "hugo");
  const ratio = (ms: number, of: number | undefined): string =>
    of === undefined ? "" : (ms / of).toFixed(2).padStart(10);
  console.log(`\n${count} pages, medians of ${rounds} runs in turns`);
  console.log(
    `${"builder".padEnd(12)}${"cold ms".padStart(10)}${"/ hugo".padStart(10)}${"again ms".padStart(10)}${"/ hugo".padStart(10)}`,
  );
  for (const { builder, coldMs, againMs } of timings) {
    const [cold, again] = [median(coldMs), median(againMs)];
    const [peerCold, peerAgain] = [peer && median(peer.coldMs), peer && median(peer.againMs)];
    console.log(
      `${builder.name.padEnd(12)}${cold.toFixed(0).padStart(10)}${ratio(cold, peerCold)}${again.toFixed(0).padStart(10)}${ratio(again, peerAgain)}`,
    );
  }
}
