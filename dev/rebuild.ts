/**
 * Builds the site and puts the result to work: database first, then the mail sender, then the pages. A build with
 * faults changes nothing: the last good site stays. Called by dev/serve at the start and after each change.
 */
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { type BuildResult, formatFault, makeFaultShower } from "../build/build.ts";
import { NeedsHuman } from "../lib/util/failure.ts";
import { keepJob, runToEnd } from "./jobs.ts";

export interface RebuildOptions {
  readonly sourceFolder: string;
  readonly outFolder: string;
  readonly log: (line: string) => void;
  readonly build: () => Promise<BuildResult>;
  /** What jobs get of our environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Hears why nothing can be served, or undefined once something can. */
  readonly onReady: (waiting: string | undefined) => void;
  /** Called when another release is served. */
  readonly onRelease: () => void;
}

export interface Rebuilder {
  /**
   * Builds; a call during a build makes one more build after it.
   * @throws NeedsHuman if the database cannot be brought to the schema of the built site
   */
  readonly rebuild: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export function makeRebuilder(options: RebuildOptions): Rebuilder {
  const { outFolder, environment, log, onReady } = options;
  const sayMail = (line: string): void => log(`mail: ${line}`);
  const sender = keepJob({ words: ["--every", "1"], environment, log: sayMail });
  const current = join(outFolder, "current");
  let serving = "";
  let underWay: Promise<void> | undefined;
  let wanted = false;
  let closed = false;

  const buildOnce = async (): Promise<void> => {
    log(serving === "" ? "building the site ..." : "a source changed; building again ...");
    const result = await options.build();
    const hasRelease = existsSync(current);
    const report = describeBuild(result, hasRelease, options.sourceFolder);
    for (const line of report) log(line);
    if (!hasRelease) onReady(report.join("\n"));
    if (closed || !hasRelease) return;
    const release = realpathSync(current);
    if (release === serving) return;
    await migrate(release, environment, log);
    if (closed) return;
    sender.start(join(release, "jobs", "mail"));
    serving = release;
    onReady(undefined);
    options.onRelease();
  };

  const buildWhileWanted = async (): Promise<void> => {
    try {
      while (wanted && !closed) {
        wanted = false;
        await buildOnce();
      }
    } finally {
      underWay = undefined;
    }
  };

  const rebuild = (): Promise<void> => {
    wanted = true;
    underWay ??= buildWhileWanted();
    return underWay;
  };
  const close = async (): Promise<void> => {
    closed = true;
    // Whoever called rebuild hears of its failure; here only its end matters.
    await Promise.allSettled([underWay]);
    await sender.close();
  };
  return { rebuild, close };
}

function describeBuild(result: BuildResult, hasRelease: boolean, sourceFolder: string): readonly string[] {
  if (result.ok) {
    const { pages, files, programs, ms, changed } = result;
    const counts = `${pages} pages, ${files} files, ${programs} programs`;
    return [`${changed ? "built" : "nothing changed"}: ${counts}, in ${Math.round(ms)} ms`];
  }
  const show = makeFaultShower(sourceFolder);
  const lines = result.faults.flatMap((fault) => [formatFault(fault), ...show(fault)]);
  const count = result.faults.length === 1 ? "1 fault" : `${result.faults.length} faults`;
  const meanwhile = hasRelease ? "the last good site is served meanwhile" : "nothing is served until then";
  return [...lines, `${count}; save the mended file, and the site is built again (${meanwhile})`];
}

async function migrate(
  release: string,
  environment: Readonly<Record<string, string>>,
  log: (line: string) => void,
): Promise<void> {
  const program = join(release, "jobs", "migrate");
  const exitCode = await runToEnd({ program, words: [], environment, log });
  if (exitCode !== 0)
    throw new NeedsHuman(
      `the database could not be made ready (${program}, exit code ${exitCode}); see above`,
    );
}
