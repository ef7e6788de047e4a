/**
 * Putting a release in place: it is written aside, renamed into releases/, and `current` pointed to it. Files that
 * did not change are hard links to the release before (their time stays, which rsync and browsers go by).
 */
import { readFileSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Clock } from "../lib/util/clock.ts";
import { TryLater } from "../lib/util/failure.ts";
import type { Beside } from "./compress.ts";
import { near } from "./near.ts";
import { translateErrors } from "./outfolder.ts";
import {
  addonPath,
  describePlan,
  type Entry,
  makeFolder,
  makeTreeWriter,
  manifestName,
  modeOf,
  type Plan,
  parseManifest,
  readManifest,
  sealIfAddon,
  sealIfSame,
  withUmask,
  writeManifest,
} from "./release.ts";
import { nameRelease, placeRelease, pointCurrent, prune, readCurrent, stageName, sweep } from "./shelf.ts";
import type { Stages } from "./stages.ts";
import {
  hasSeal,
  makeSeals,
  noteWritten,
  putSeal,
  readOwnSeal,
  readSeal,
  type Seal,
  type Stamps,
} from "./stamps.ts";

export interface PublishOptions {
  readonly outFolder: string;
  /** In the order of their paths. */
  readonly plans: readonly Plan[];
  /** What the manifest will say of each of them, where it is known. */
  readonly entries?: readonly Entry[] | undefined;
  /** Compressed files that stand beside them; undefined where the site has none. */
  readonly besides?: readonly Beside[] | undefined;
  readonly addonFile: string;
  /** Version of the package, for the manifest. */
  readonly tool: string;
  readonly clock: Clock;
  /** What is known of the files of the release before, so that they need not be read. */
  readonly known?: SealedRelease | undefined;
  readonly stages: Stages;
}

/** How the files of a release lay there when it was published. */
export interface SealedRelease {
  readonly releaseId: string;
  /** The manifest's paths, the addon's, those of compressed files, and the manifest's own. */
  readonly paths: readonly string[];
  readonly seals: Stamps;
}

export interface Published extends SealedRelease {
  /** How many of its files were written: none where it is the same already. */
  readonly written: number;
  readonly releaseFolder: string;
  readonly changed: boolean;
}

/**
 * Publishes; where the current release is the same already, whole and undamaged, nothing is written.
 * @throws NeedsHuman if the folder cannot be written; TryLater if a file changed since it was read, or if other
 * builds kept removing ours
 */
export function publishRelease(options: PublishOptions): Published {
  return publishSurely(options.outFolder, () => publishOnce(options));
}

export function describePlans(plans: readonly Plan[], stages: Stages): readonly Entry[] {
  stages.begin("making documents", plans.length);
  return plans.map((plan) => {
    stages.step();
    return describePlan(plan);
  });
}

/** Again where other builds that published in the meantime have cleared ours away as one of many. */
export function publishSurely(outFolder: string, publish: () => Published): Published {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const published = translateErrors(outFolder, () => withUmask(publish));
    if (statSync(published.releaseFolder, { throwIfNoEntry: false }) !== undefined) return published;
  }
  throw new TryLater(`${outFolder}: other builds are publishing here all the time; build again`);
}

function publishOnce(options: PublishOptions): Published {
  const { outFolder, plans, besides = [], stages } = options;
  const before = readCurrent(outFolder);
  const paths = [...plans, { path: addonPath }, ...besides, { path: manifestName }].map(({ path }) => path);
  // The first release has none that it could be compared with: each of its files is made once, when it is written.
  const entries = options.entries ?? (before === undefined ? undefined : describePlans(plans, stages));
  const list = (all: readonly Entry[]): Buffer =>
    writeManifest(all, options.tool, options.besides !== undefined);
  stages.begin("comparing with the release before");
  const same = before === undefined || entries === undefined ? [] : findSame(before, entries, options);
  const seals = makeSeals(paths.length);
  for (const [index, seal] of same.entries()) if (seal !== undefined) putSeal(seals, index, seal);
  const isSame = entries !== undefined && same.every((seal) => seal !== undefined);
  if (before !== undefined && isSame && readManifest(before)?.equals(list(entries)) === true) {
    const own = readSeal(join(before, manifestName));
    if (own !== undefined) putSeal(seals, paths.length - 1, own);
    return { releaseId: basename(before), releaseFolder: before, changed: false, written: 0, paths, seals };
  }
  stages.begin("writing files", paths.length);
  makeFolder(join(outFolder, "releases"));
  sweep(outFolder);
  const stage = stageName(outFolder);
  const written: Entry[] = [];
  let [count, releaseId, releaseFolder] = [0, "", ""];
  try {
    makeFolder(stage);
    const tree = makeTreeWriter(near(stage));
    const isLinked = (index: number, path: string): boolean => {
      stages.step();
      if (before !== undefined && same[index] !== undefined && tree.link(path, before)) return true;
      count += 1;
      return false;
    };
    const sealed = noteWritten(seals);
    const sealOf = (index: number): Seal => readOwnSeal(join(stage, paths[index] ?? ""));
    let index = -1;
    for (const plan of plans) {
      index += 1;
      const known = entries?.[index];
      // Only what is known may be linked.
      const parts = isLinked(index, plan.path) ? undefined : plan.parts();
      const entry = known ?? describePlan(plan, parts);
      written.push(entry);
      if (parts === undefined) continue;
      tree.write(plan.path, parts);
      sealed.add(index, entry.bytes, modeOf(plan.path));
    }
    sealed.finish(sealOf);
    const put = (at: number, path: string, write: () => void): void => {
      if (isLinked(at, path)) return;
      write();
      putSeal(seals, at, sealOf(at));
    };
    put(plans.length, addonPath, () => tree.copy(addonPath, options.addonFile));
    for (const [place, { path, of, read }] of besides.entries())
      put(plans.length + 1 + place, path, () => tree.writeBeside(path, of, [read()]));
    const manifest = list(written);
    put(paths.length - 1, manifestName, () => tree.write(manifestName, [manifest]));
    releaseId = nameRelease(options.clock.now(), manifest);
    releaseFolder = join(outFolder, "releases", releaseId);
    placeRelease(stage, releaseFolder, manifest);
  } catch (error) {
    rmSync(stage, { recursive: true, force: true });
    throw error;
  }
  prune(outFolder, releaseId, before, pointCurrent(outFolder, releaseId));
  return { releaseId, releaseFolder, changed: true, written: count, paths, seals };
}

/**
 * The seals of the files of a release that are what they should be now, in the order of the entries, then the addon's
 * and those of compressed files; undefined for all others. Files whose seals are known need not be read.
 */
function findSame(
  before: string,
  entries: readonly Entry[],
  { besides = [], addonFile, known }: PublishOptions,
): readonly (Seal | undefined)[] {
  const listed = known?.releaseId === basename(before) ? readListed(before, known) : undefined;
  const same = entries.map((entry) => {
    const old = listed?.get(entry.path);
    if (old === undefined) return sealIfSame(before, entry);
    if (old.sha256 !== entry.sha256) return undefined;
    const seal = readSeal(join(before, entry.path));
    return hasSeal(old.seals, old.index, seal) ? seal : sealIfSame(before, entry);
  });
  if (besides.length === 0) return [...same, sealIfAddon(before, addonFile)];
  // Beside a file that is the same, one that was left alone is the same too.
  const places = new Map(
    known?.releaseId === basename(before) ? known.paths.map((path, at) => [path, at]) : [],
  );
  const sames = new Set(entries.flatMap(({ path }, index) => (same[index] === undefined ? [] : [path])));
  const sameBesides = besides.map((beside) => {
    const [seal, at] = [readSeal(join(before, beside.path)), places.get(beside.path)];
    const isKnown = known !== undefined && at !== undefined && hasSeal(known.seals, at, seal);
    return sames.has(beside.of) && isKnown ? seal : sealIfBeside(before, beside);
  });
  return [...same, sealIfAddon(before, addonFile), ...sameBesides];
}

function sealIfBeside(before: string, { path, bytes, read }: Beside): Seal | undefined {
  const seal = readSeal(join(before, path));
  if (seal?.size !== bytes || (seal.mode & 0o777) !== modeOf(path)) return undefined;
  return readFileSync(join(before, path)).equals(read()) ? seal : undefined;
}

/** What the manifest of a release says of each file, and where its seal is. */
function readListed(before: string, { paths, seals }: SealedRelease) {
  const files = parseManifest(readManifest(before));
  if (files === undefined) return undefined;
  // Both lists have the same order; where they do not, nothing is known.
  return new Map(
    files.flatMap(({ path, sha256 }, index) =>
      paths[index] === path ? [[path, { sha256, index, seals }]] : [],
    ),
  );
}
