/**
 * The front door of the site builder: content/, layouts/, and etc/ in, a release in dist/ out. Each stage is a
 * module; all faults of a run are collected, and nothing is written while one stands. Called by cli/build,
 * dev/serve, and tests.
 */
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Clock, dayOf, runningMs } from "../lib/util/clock.ts";
import type { Baked } from "../lib/util/templates.ts";
import { buildChange } from "./change.ts";
import type { Choice } from "./choice.ts";
import { type Fault, showLine, sortFaults } from "./fault.ts";
import { readInputs } from "./inputs.ts";
import { findPackage, type Package } from "./package.ts";
import { readSite } from "./site.ts";
import { readSources } from "./sources.ts";
import { makeStages, type OnStage, type Stage } from "./stages.ts";
import { loadState } from "./state.ts";
import type { Task } from "./task.ts";
import { loadTemplates } from "./template.ts";
import { readUtf8 } from "./text.ts";
import type { Verified } from "./verify.ts";
import { buildWhole, type Compressed } from "./whole.ts";

export { type Fault, formatFault } from "./fault.ts";
export { type CheckedPage, frameForCheck } from "./framing.ts";
export { findPackage } from "./package.ts";
export { openPreview, type Preview, type Previewed } from "./preview.ts";
export type { OnStage, Stage } from "./stages.ts";

export interface BuildOptions {
  readonly sourceFolder: string;
  readonly outFolder: string;
  readonly clock: Clock;
  /** Hears which stage has begun, and how far it is. */
  readonly onStage?: OnStage;
  /** Where layouts and programs come from; the package this file belongs to, unless a test says otherwise. */
  readonly home?: Package;
  /** Whether drafts are published, and pages whose date is to come; neither is unless told. */
  readonly drafts?: boolean;
  readonly future?: boolean;
}

export type BuildResult =
  | {
      readonly ok: true;
      readonly releaseId: string;
      readonly releaseFolder: string;
      readonly pages: number;
      /** Files that were copied as they are. */
      readonly files: number;
      readonly programs: number;
      /** Pages that are left out: drafts, and those whose date is to come. */
      readonly drafts: number;
      readonly future: number;
      readonly sources: number;
      /** How many of them were read: all, or those that may have changed since the last build. */
      readonly sourcesRead: number;
      /** False where little had changed since the last build, and most was left as it was. */
      readonly isWhole: boolean;
      /** How many of the pages are written in Markdown. */
      readonly markdown: number;
      /** False where the current release was the same already: nothing was written. */
      readonly changed: boolean;
      /** Files of the release that were written; all others are those of the release before. */
      readonly written: number;
      /** Compressed files beside those, and how many of them were made in this build. */
      readonly compressed: Compressed;
      readonly ms: number;
      readonly stages: readonly Stage[];
    }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * Builds the site and puts the release in place at once. May be repeated, and run twice at the same time.
 * @throws NeedsHuman if the folder cannot be written; TryLater if a source changes while it is read
 */
export async function buildSite(options: BuildOptions): Promise<BuildResult> {
  const startedMs = runningMs();
  const stages = makeStages(options.onStage);
  stages.begin("listing sources");
  const sourceFolder = resolve(options.sourceFolder);
  const home = options.home ?? findPackage();
  const today = dayOf(options.clock.now());
  const choice = { today, drafts: options.drafts === true, future: options.future === true };
  const inputs = readInputs(sourceFolder, home, choice);
  const task: Task = {
    sourceFolder,
    outFolder: resolve(options.outFolder),
    home,
    clock: options.clock,
    choice,
    stages,
    walked: readSources(sourceFolder),
    inputs: inputs.digest,
    read: inputs.read,
  };
  stages.begin("comparing with the last build");
  const kept = task.inputs === undefined ? undefined : loadState(task.outFolder, task.inputs, today);
  const quick = kept === undefined ? undefined : await buildChange(task, kept);
  const outcome = quick ?? (await buildWhole(task, kept));
  if (!outcome.ok) return { ok: false, faults: sortFaults(outcome.faults) };
  const { releaseId, releaseFolder, changed, written } = outcome.published;
  return {
    ok: true,
    releaseId,
    releaseFolder,
    changed,
    written,
    ...outcome.counts,
    sources: task.walked.sources.length,
    sourcesRead: outcome.sourcesRead,
    compressed: outcome.compressed,
    isWhole: quick === undefined,
    markdown: task.walked.sources.filter(({ kind }) => kind === "markdown").length,
    ms: Math.round(runningMs() - startedMs),
    stages: stages.end(),
  };
}

/** Compares the current release with its manifest, and with what its sources make now. `outFolder` is absolute. */
export async function verifyRelease(options: BuildOptions): Promise<Verified> {
  return (await import("./verify.ts")).verifyRelease(options, buildSite);
}

const everything: Choice = { today: dayOf(0), drafts: true, future: true };

/** What programs are given: settings, navigation, and templates of a site, for tests of account pages and mails. */
export async function loadBaked(
  sourceFolder: string,
  home: Package = findPackage(),
): Promise<
  { readonly ok: true; readonly baked: Baked } | { readonly ok: false; readonly faults: readonly Fault[] }
> {
  const folder = resolve(sourceFolder);
  const { baked, templates, faults, bodies } = await readSite(
    { sourceFolder: folder, outFolder: undefined, stages: makeStages() },
    home,
    readSources(folder),
    everything,
  );
  bodies.close();
  return baked === undefined || faults.length > 0
    ? { ok: false, faults: sortFaults(faults) }
    : { ok: true, baked: { ...baked, templates: loadTemplates(templates) } };
}

/**
 * Shows the line that a fault stands in, with a mark below the place; nothing where the file is none of the site's or no text. Faults
 * come file by file, and each file is read once.
 */
export function makeFaultShower(sourceFolder: string): (fault: Fault) => readonly string[] {
  let last: { readonly file: string; readonly lines: readonly string[] } | undefined;
  return (fault) => {
    if (fault.line === 0) return [];
    if (last?.file !== fault.file) last = { file: fault.file, lines: readFaulty(fault.file, sourceFolder) };
    return showLine(fault, last.lines);
  };
}

/** Its lines; none where it cannot be shown. */
function readFaulty(name: string, sourceFolder: string): readonly string[] {
  const given = "(package) ";
  const file = name.startsWith(given)
    ? join(findPackage().folder, name.slice(given.length))
    : join(sourceFolder, name);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return [];
  const text = readUtf8(file);
  return typeof text === "string" ? text.split("\n") : [];
}
