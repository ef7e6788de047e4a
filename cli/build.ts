/** `site build`: the site from its sources into a release, or a list of what is wrong with them. */
import { join, relative, resolve } from "node:path";
import type { Command } from "commander";
import type { BuildResult, Fault } from "../build/build.ts";
import { systemClock } from "../lib/util/clock.ts";

interface BuildFlags {
  readonly source: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly drafts?: boolean;
  readonly future?: boolean;
}

/** `use`: told which parts of the code the build used. */
export function addBuildCommand(program: Command, use: (part: string) => void): void {
  program
    .command("build")
    .description("build the site: content/, layouts/, and etc/ into a release in dist/")
    .option("--source <folder>", "the site's folder", ".")
    .option("--out <folder>", "where to build it (default: dist in the site's folder)")
    .option("--drafts", "with pages that say draft: yes")
    .option("--future", "with pages whose date is to come")
    .option("--json", "print the result as JSON")
    .action((flags: BuildFlags) => runBuild(flags, use));
}

async function runBuild(flags: BuildFlags, use: (part: string) => void): Promise<void> {
  // Loaded here, so that the other commands do not wait for the compilers.
  const { buildSite, formatFault, readFaulty, showLine } = await import("../build/build.ts");
  const outFolder = flags.out === undefined ? join(flags.source, "dist") : flags.out;
  const result = await buildSite({
    sourceFolder: flags.source,
    outFolder,
    clock: systemClock,
    drafts: flags.drafts === true,
    future: flags.future === true,
    onProgress: (line) => (flags.json ? undefined : console.log(line)),
  });
  if (flags.json) console.log(JSON.stringify(result));
  else if (result.ok) sayBuilt(result);
  else
    sayFaults(result.faults, (fault) => {
      const text = readFaulty(fault, flags.source);
      return [formatFault(fault), ...(text === undefined ? [] : showLine(fault, text))];
    });
  process.exitCode = result.ok ? 0 : 1;
  if (!result.ok) return;
  if (result.isWhole) use(result.changed ? "whole" : "look");
  else use(result.changed ? "change" : "look");
  if (result.isWhole && result.markdown > 0) use("markdown");
}

function sayBuilt(result: Extract<BuildResult, { ok: true }>): void {
  const counts = `${result.pages} pages, ${result.files} other files, ${result.programs} programs`;
  const folder = relative(resolve("."), result.releaseFolder) || result.releaseFolder;
  if (result.changed) console.log(`built ${folder}: ${counts}, in ${result.ms} ms`);
  else console.log(`nothing changed since ${folder}: ${counts}, in ${result.ms} ms`);
  const leftOut = [
    ...(result.drafts === 0 ? [] : [`${result.drafts} drafts (--drafts shows them)`]),
    ...(result.future === 0 ? [] : [`${result.future} whose date is to come (--future)`]),
  ];
  if (leftOut.length > 0) console.log(`left out: ${leftOut.join(", ")}`);
}

function sayFaults(faults: readonly Fault[], describe: (fault: Fault) => readonly string[]): void {
  for (const fault of faults) for (const line of describe(fault)) console.error(line);
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  console.error(`${count}; nothing was built`);
}
