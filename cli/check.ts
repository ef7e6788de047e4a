/** `site check`: all that is wrong with a site, warnings included; nothing is built. */
import { join } from "node:path";
import type { Command } from "commander";
import type { CheckFault, CheckResult } from "../build/check/check.ts";
import { systemClock } from "../lib/util/clock.ts";
import { makeProgress } from "./progress.ts";

interface CheckFlags {
  readonly source: string;
  readonly out?: string;
  readonly external?: boolean;
  readonly json?: boolean;
}

export function addCheckCommand(program: Command): void {
  program
    .command("check")
    .description("look at the whole site more closely than a build does; builds nothing")
    .option("--source <folder>", "the site's folder", ".")
    .option(
      "--out <folder>",
      "where it is built; answers are kept there (default: dist in the site's folder)",
    )
    .option("--external", "ask other hosts whether links to them are right; can take minutes")
    .option("--json", "print the result as JSON")
    .addHelpText("after", help)
    .action(runCheck);
}

const help = `
All that \`site build\` refuses, and: invalid HTML, pictures without alt, headings out of order, pages that nothing
links to, and pages that weigh over a budget. The name of the rule stands behind each fault; etc/check.yaml can set
it to error, warn, or off. Exit code 1 if there is an error, 0 if there are only warnings.`;

async function runCheck(flags: CheckFlags): Promise<void> {
  // Loaded here, so that the other commands do not wait for the compilers.
  const { formatFault, makeFaultShower } = await import("../build/build.ts");
  const { checkSite } = await import("../build/check/check.ts");
  const progress = makeProgress(flags.json !== true);
  const result = await checkSite({
    sourceFolder: flags.source,
    outFolder: flags.out ?? join(flags.source, "dist"),
    clock: systemClock,
    ...(flags.external === true ? { external: {} } : {}),
    onProgress: progress.show,
  });
  progress.clear();
  process.exitCode = result.ok ? 0 : 1;
  if (flags.json === true) {
    console.log(JSON.stringify(result));
    return;
  }
  const show = makeFaultShower(flags.source);
  // NO_COLOR and the like are Node's to read.
  const paint = makePaint(process.stderr.isTTY === true && process.stderr.hasColors());
  for (const fault of result.faults) {
    const { level, message, rule } = fault;
    const said = level === "warn" ? `${paint("33", "warning:")} ${message}` : paint("31", message);
    const name = rule === "build" ? "" : ` [${rule}]`;
    console.error(`${formatFault({ ...fault, message: said })}${name}`);
    for (const line of show(fault)) console.error(line);
  }
  const summary = summarize(result);
  if (result.faults.length === 0) console.log(summary);
  else console.error(summary);
}

function makePaint(isColoured: boolean): (code: string, text: string) => string {
  return (code, text) => (isColoured ? `\x1b[${code}m${text}\x1b[0m` : text);
}

/** `2 faults, 1 warning in 13 pages (1 validated anew); 40 links to other hosts, 3 asked`. */
function summarize({ faults, pages, validated, external }: CheckResult): string {
  const ofLevel = (level: CheckFault["level"]): number =>
    faults.filter((fault) => fault.level === level).length;
  const counts = [count(ofLevel("error"), "fault"), count(ofLevel("warn"), "warning")];
  const found = counts.filter((text) => !text.startsWith("0 ")).join(", ") || "no faults";
  const others =
    external === undefined
      ? ""
      : `; ${count(external.links, "link")} to other hosts, ${external.asked} asked`;
  return `${found} in ${count(pages, "page")} (${validated} validated anew)${others}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
