/**
 * The shelf of releases in dist/: their names, which of them is served, and how one is put there or taken away.
 * `current` is replaced by rename, so a reader sees the old site or the new one and nothing between. Several builds
 * may do this at once. Called by publish.ts and change.ts.
 */
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { formatUtc, systemClock } from "../lib/util/clock.ts";
import { sha256Hex } from "../lib/util/digest.ts";
import { hasCode, TryLater } from "../lib/util/failure.ts";
import { isRunning } from "../lib/util/process.ts";
import { randomToken } from "../lib/util/random.ts";
import { answerSeconds } from "../lib/util/routes.ts";
import { compareText } from "./fault.ts";
import { readManifest } from "./release.ts";

/** Releases besides the current one. */
export const keptBefore = 2;

/** Beside the releases: what builds keep for later ones. May be deleted at any time. */
export const cacheName = ".cache";

/** A folder to write a release in before it is one; told from those of other builds by its name. */
export function stageName(outFolder: string): string {
  return join(outFolder, `.new-${process.pid}-${randomToken(6)}`);
}

const idForm = /^\d{8}-\d{6}-[0-9a-f]{8}$/;
/** Whether a word may be the name of a release: a person or another host said it. */
export const isReleaseId = (word: string): boolean => idForm.test(word);

const leftoverForm = /^\.(?:new|old|current|previous)-(\d+)-/;

/** `20261123-080500-1a2b3c4d`: sorts by time, and tells by itself which content it has. */
export function nameRelease(ms: number, manifest: Uint8Array): string {
  const [day = "", time = ""] = formatUtc(ms).replace(/[-:Z]/g, "").split("T");
  return `${day}-${time}-${sha256Hex(manifest).slice(0, 8)}`;
}

/** The release that is served now; undefined if there is none. */
export function readCurrent(outFolder: string): string | undefined {
  const link = join(outFolder, "current");
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return undefined;
  const folder = join(outFolder, "releases", basename(readlinkSync(link)));
  return statSync(folder, { throwIfNoEntry: false }) === undefined ? undefined : folder;
}

export function placeRelease(stage: string, releaseFolder: string, manifest: Buffer): void {
  try {
    renameSync(stage, releaseFolder);
  } catch (error) {
    if (!hasCode(error, ["ENOTEMPTY", "EEXIST"])) throw error;
    // Another build made the same release within this second.
    if (readManifest(releaseFolder)?.equals(manifest) !== true)
      throw new TryLater(`${releaseFolder} exists with other content; build again`, { cause: error });
    rmSync(stage, { recursive: true, force: true });
  }
}

/**
 * Has `current` lead to a release. Where the site is served from here, `previous` leads to the one before: a page that was sent a moment
 * ago still asks for its style sheet, whose name has the hash of then (build/host/lighttpd.ts). Answers whether whatever was served
 * before that may be taken away.
 */
export function pointCurrent(outFolder: string, releaseId: string): boolean {
  const before = readCurrent(outFolder);
  const isOver = isQuiet(outFolder);
  const lead = (name: string, id: string): void => {
    const link = join(outFolder, `.${name}-${process.pid}-${randomToken(6)}`);
    symlinkSync(join("releases", id), link);
    renameSync(link, join(outFolder, name));
  };
  if (before !== undefined && basename(before) !== releaseId && isServedHere(before))
    lead("previous", basename(before));
  lead("current", releaseId);
  return isOver;
}

/** Whether a web server of this machine is configured to serve a release that is the current one. */
function isServedHere(release: string): boolean {
  const file = join(release, "etc", "front.conf");
  if (!existsSync(file)) return false;
  const [, root = ""] = /^server\.document-root = "([^"]*)"/m.exec(readFileSync(file, "utf8")) ?? [];
  return existsSync(root) && realpathSync(root) === realpathSync(join(release, "www"));
}

/**
 * Whether programs of releases that were served before the current one have come to an end: they read their release as long as they run,
 * which is so many seconds at most. Where the site is only written, and not served from here, its writer may build many a minute.
 */
function isQuiet(outFolder: string): boolean {
  const served = readCurrent(outFolder);
  if (served === undefined || !isServedHere(served)) return true;
  const { mtimeMs } = lstatSync(join(outFolder, "current"));
  return Math.abs(systemClock.now() - mtimeMs) > 2 * answerSeconds * 1000;
}

/**
 * Removes all but the newest releases before ours, and the one that was served until now: after a rollback that is an old one, and
 * its programs still run. One of the same second or later belongs to a build that runs right now and has perhaps not pointed
 * `current` at it yet. Nothing is removed where `isOver` is false (pointCurrent): a later build does.
 */
export function prune(
  outFolder: string,
  releaseId: string,
  served: string | undefined,
  isOver: boolean,
): void {
  if (!isOver) return;
  const folder = join(outFolder, "releases");
  const second = releaseId.slice(0, 15);
  const kept = [served, readCurrent(outFolder)];
  const older = readdirSync(folder).filter((name) => idForm.test(name) && name.slice(0, 15) < second);
  const refused = readRefused(outFolder);
  const good = older.filter((name) => !refused.includes(name)).sort(compareText);
  const extra = older.filter((name) => !good.slice(-keptBefore).includes(name));
  for (const name of extra)
    if (!kept.includes(join(folder, name))) removeWhole(outFolder, join(folder, name));
}

const refusedName = ".refused";

/**
 * Releases that were served for a moment, and then were not what they should: nobody goes back to them, and a later build removes them,
 * when their programs have ended.
 */
export function readRefused(outFolder: string): readonly string[] {
  const file = join(outFolder, refusedName);
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(isReleaseId) : [];
}

export function noteRefused(outFolder: string, releaseId: string, isRefused: boolean): void {
  const others = readRefused(outFolder).filter((name) => name !== releaseId);
  const there = others.filter((name) => existsSync(join(outFolder, "releases", name)));
  const file = join(outFolder, refusedName);
  writeFileSync(`${file}.new`, [...there, ...(isRefused ? [releaseId] : []), ""].join("\n"));
  renameSync(`${file}.new`, file);
}

/** Renamed first: no release is ever half there under its name. */
function removeWhole(outFolder: string, folder: string): void {
  const aside = join(outFolder, `.old-${process.pid}-${randomToken(6)}`);
  try {
    renameSync(folder, aside);
  } catch (error) {
    // Another build was quicker.
    if (hasCode(error, ["ENOENT"])) return;
    throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}

/** Removes what builds that died left behind; one of our own number is from an earlier process of that number. */
export function sweep(outFolder: string): void {
  for (const name of readdirSync(outFolder)) {
    const pid = Number(leftoverForm.exec(name)?.[1] ?? 0);
    if (pid > 0 && (pid === process.pid || !isRunning(pid)))
      rmSync(join(outFolder, name), { recursive: true, force: true });
  }
}

/**
 * Takes the oldest release away to be made into a new one, if there are enough: its files are there already, and most
 * of them need not be touched. Undefined where there is none to spare.
 */
export function takeOldest(
  outFolder: string,
): { readonly stage: string; readonly releaseId: string } | undefined {
  const folder = join(outFolder, "releases");
  const served = readCurrent(outFolder);
  const ours = readdirSync(folder).filter((name) => idForm.test(name));
  const [oldest, ...others] = ours.sort(compareText);
  if (oldest === undefined || others.length < keptBefore || join(folder, oldest) === served) return undefined;
  if (!isQuiet(outFolder)) return undefined;
  const stage = stageName(outFolder);
  try {
    renameSync(join(folder, oldest), stage);
    return { stage, releaseId: oldest };
  } catch (error) {
    // Another build was quicker.
    if (hasCode(error, ["ENOENT"])) return undefined;
    throw error;
  }
}
