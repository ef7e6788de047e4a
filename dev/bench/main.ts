/**
 * `npm run bench`: how long this builder and its peers take for the same made-up site, and what a visitor sees while
 * it is rebuilt. The figures of one run can be compared with each other, and only their ratios with those of another
 * machine. How to read them: CONTRIBUTING.md.
 */
import { rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { type BillingResult, benchBilling, showBilling } from "./billing.ts";
import { type Builder, extras, floor, makePicodollar } from "./builders.ts";
import { benchCgi, showCgi } from "./cgi.ts";
import { findTools, type Tools } from "./command.ts";
import { makeCorpus } from "./corpus.ts";
import { builderNames, type Options, readOptions } from "./options.ts";
import { installEleventy, makeHugos } from "./peers.ts";
import { choosePlace } from "./place.ts";
import { benchReaders, type ReadersResult, showReaders } from "./readers.ts";
import { benchSize, readVersion } from "./rounds.ts";
import { benchServing, type ServingResult, showServing } from "./serving.ts";
import { benchStore, type StoreResult, showStore } from "./store.ts";
import { showGrowth, showSize } from "./table.ts";

// The first day of this bench; any number would do.
const seed = 20_261_123;

const options = readOptions(process.argv.slice(2));
// With --json nothing but the result goes to standard output.
const say = (line: string): void => (options.json ? console.error(line) : console.log(line));
const atOnce = Math.max(...options.sizes) * (options.only ?? builderNames).length;
// A night's time is that of the disk too, as it is in production.
const folder = options.folder ?? (["bill", "store"].includes(options.what) ? tmpdir() : undefined);
const place = choosePlace(folder, atOnce);
try {
  const { tools, missing } = findTools();
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`;
  say(`machine: ${machine}, load ${loadavg()[0]?.toFixed(1)}`);
  for (const line of [place.line, ...missing]) say(line);
  const { builders, versions } = findBuilders(options);
  const figures = await measureAll(options, builders, tools);
  if (options.json) console.log(JSON.stringify({ machine, folder: place.line, seed, versions, ...figures }));
} finally {
  rmSync(place.home, { recursive: true, force: true });
}

function findBuilders({ only, withEleventy }: Options) {
  const known = [makePicodollar("picodollar", ""), ...extras, ...makeHugos(place.home), floor];
  if (withEleventy) {
    say("eleventy: installing it with npm, for this run");
    known.push(installEleventy(place.home));
  }
  const versions: Record<string, string> = {};
  const builders = known.filter((builder) => {
    if (only?.includes(builder.name) === false) return false;
    const version = readVersion(builder, place.home);
    say(`${builder.name}: ${version ?? "not installed, left out"}`);
    if (version !== undefined) versions[builder.name] = version;
    return version !== undefined;
  });
  return { builders, versions };
}

function measureAll(chosen: Options, builders: readonly Builder[], tools: Tools) {
  if (chosen.what === "bill") return benchNights(chosen);
  if (chosen.what === "store") return benchStores(chosen);
  if (chosen.what === "cgi") return benchPrograms(chosen);
  if (chosen.what === "build") return benchBuild(chosen, builders, tools);
  return chosen.what === "serve" ? benchAllServing(chosen, builders) : benchAllReaders(chosen, builders);
}

async function benchAllServing({ sizes, rounds = 15 }: Options, builders: readonly Builder[]) {
  const served: ServingResult[] = [];
  // Another port each time: the last one's may not be free yet.
  let port = 8930;
  for (const pages of sizes)
    for (const builder of builders) {
      sayProgress(`${builder.name}: ${pages} pages`);
      port += 1;
      served.push(await benchServing(builder, makeCorpus(pages, seed), { rounds, home: place.home, port }));
      rmSync(join(place.home, `${builder.name}-served`), { recursive: true });
    }
  sayProgress("");
  say(showServing(served));
  return { served };
}

function benchBuild({ sizes, rounds, phases, format }: Options, builders: readonly Builder[], tools: Tools) {
  const results = sizes.map((pages) => {
    const result = benchSize({
      corpus: makeCorpus(pages, seed),
      format,
      builders,
      rounds: rounds ?? usualRounds(pages),
      phases,
      home: place.home,
      tools,
      say: sayProgress,
    });
    sayProgress("");
    say(showSize(result));
    return result;
  });
  say(showGrowth(results));
  return { results };
}

/** Enough for a steady median without an hour's wait; large sites take long and are steadier. */
function usualRounds(pages: number): number {
  if (pages <= 1000) return 9;
  return pages <= 10_000 ? 5 : 2;
}

function benchNights({ accounts, rounds }: Options) {
  const nights: BillingResult[] = [];
  for (const count of accounts) {
    sayProgress(`${count} accounts`);
    nights.push(benchBilling(count, rounds ?? (count <= 100_000 ? 3 : 1), place.home));
  }
  sayProgress("");
  say(showBilling(nights));
  return { nights };
}

async function benchStores({ accounts, rounds = 200 }: Options) {
  const stores: StoreResult[] = [];
  for (const count of accounts) {
    sayProgress(`${count} accounts`);
    stores.push(await benchStore(count, rounds, place.home));
    sayProgress("");
    say(showStore(stores.at(-1) as StoreResult));
  }
  return { stores };
}

async function benchPrograms({ rounds = 60 }: Options) {
  sayProgress("making a site, and warming its programs");
  const cgi = await benchCgi(place.home, rounds, 8929);
  sayProgress("");
  say(showCgi(cgi));
  return { cgi };
}

async function benchAllReaders({ sizes, rebuilds }: Options, builders: readonly Builder[]) {
  const readers: ReadersResult[] = [];
  for (const pages of sizes)
    for (const builder of builders) {
      const result = await benchReaders(builder, makeCorpus(pages, seed), rebuilds, place.home);
      say(showReaders(result));
      readers.push(result);
    }
  return { readers };
}

/** On a terminal, one line that is written over; elsewhere nothing. */
function sayProgress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
}
