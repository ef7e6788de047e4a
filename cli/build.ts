/** `site build`: the site from its sources into a release, or a list of what is wrong with them. */
import { join, relative, resolve } from "node:path";
import type { Command } from "commander";
import type { BuildOptions, BuildResult, Fault, OnStage } from "../build/build.ts";
import { runningMs, systemClock } from "../lib/util/clock.ts";
import { describeStages } from "./profile.ts";
import { makeProgress } from "./progress.ts";

interface BuildFlags {
  readonly source: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly verify?: boolean;
  readonly profile?: boolean;
  readonly drafts?: boolean;
  readonly future?: boolean;
}

export interface Desk {
  /** Told which parts of the code the build used. */
  readonly use: (part: string) => void;
  /** Prints a line. */
  readonly say: (line: string) => void;
}

export function addBuildCommand(program: Command, desk: Desk): void {
  program
    .command("build")
    .description("build the site: content/, layouts/, and etc/ into a release in dist/")
    .option("--source <folder>", "the site's folder", ".")
    .option("--out <folder>", "where to build it (default: dist in the site's folder)")
    .option("--drafts", "with pages that say draft: yes")
    .option("--future", "with pages whose date is to come")
    .option(
      "--verify",
      "build nothing: compare the release with its manifest, and with what the sources make now",
    )
    .option("--profile", "say how long each stage took")
    .option("--json", "print the result as JSON")
    .action((flags: BuildFlags) => runBuild(flags, desk));
}

async function runBuild(flags: BuildFlags, { use, say }: Desk): Promise<void> {
  // Loaded here, so that the other commands do not wait for the compilers.
  const builder = await import("../build/build.ts");
  const options = {
    sourceFolder: flags.source,
    outFolder: flags.out === undefined ? join(flags.source, "dist") : flags.out,
    clock: systemClock,
    drafts: flags.drafts === true,
    future: flags.future === true,
  };
  if (flags.verify === true) return verify(flags, builder, options, say);
  const progress = makeProgress(flags.json !== true);
  const onStage: OnStage = (name, done, all) =>
    progress.show(done === 0 ? name : `${name}: ${done} of ${all}`);
  const startingMs = runningMs();
  const result = await builder.buildSite({ ...options, onStage });
  progress.clear();
  if (flags.json) say(JSON.stringify(result));
  else if (result.ok) sayBuilt(result, say);
  else sayFaults(result.faults, describeFaults(builder, flags));
  process.exitCode = result.ok ? 0 : 1;
  if (!result.ok) return;
  if (flags.profile === true && flags.json !== true)
    for (const line of describeStages([{ name: "starting", ms: startingMs }, ...result.stages])) say(line);
  if (result.isWhole) use(result.changed ? "whole" : "look");
  else use(result.changed ? "change" : "look");
  if (result.isWhole && result.markdown > 0) use("markdown");
}

type Builder = typeof import("../build/build.ts");

async function verify(
  flags: BuildFlags,
  builder: Builder,
  options: BuildOptions,
  say: Desk["say"],
): Promise<void> {
  const result = await builder.verifyRelease({ ...options, outFolder: resolve(options.outFolder) });
  process.exitCode = result.ok && result.differences.length === 0 ? 0 : 1;
  if (flags.json) say(JSON.stringify(result));
  else if (!result.ok) sayFaults(result.faults, describeFaults(builder, flags));
  else {
    for (const { path, what } of result.differences) console.error(`${path}: ${what}`);
    const folder = relative(resolve("."), result.releaseFolder) || result.releaseFolder;
    const { length } = result.differences;
    const verdict = length === 0 ? "as its manifest and the sources say" : `${length} differences`;
    say(`${folder}: ${result.files} files, ${verdict}`);
  }
}

function describeFaults(builder: Builder, flags: BuildFlags): (fault: Fault) => readonly string[] {
  const show = builder.makeFaultShower(flags.source);
  return (fault) => [builder.formatFault(fault), ...show(fault)];
}

function sayBuilt(result: Extract<BuildResult, { ok: true }>, say: Desk["say"]): void {
  const counts = `${result.pages} pages, ${result.files} other files, ${result.programs} programs`;
  const folder = relative(resolve("."), result.releaseFolder) || result.releaseFolder;
  if (result.changed) say(`built ${folder}: ${counts}, in ${result.ms} ms`);
  else say(`nothing changed since ${folder}: ${counts}, in ${result.ms} ms`);
  const compressed = result.compressed.files === 0 ? "" : `; compressed ${result.compressed.anew} texts anew`;
  const written = result.changed ? `, wrote ${result.written} files` : "";
  say(`read ${result.sourcesRead} of ${result.sources} sources${written}${compressed}`);
  const leftOut = [
    ...(result.drafts === 0 ? [] : [`${result.drafts} drafts (--drafts shows them)`]),
    ...(result.future === 0 ? [] : [`${result.future} whose date is to come (--future)`]),
  ];
  if (leftOut.length > 0) say(`left out: ${leftOut.join(", ")}`);
}

function sayFaults(faults: readonly Fault[], describe: (fault: Fault) => readonly string[]): void {
  for (const fault of faults) for (const line of describe(fault)) console.error(line);
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  console.error(`${count}; nothing was built`);
}
