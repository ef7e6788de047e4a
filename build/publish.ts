/**
 * Putting a release in place: releases/ID is written aside and renamed, then `current` is replaced by rename, so
 * a reader sees the old site or the new one and nothing between. Files that did not change are hard links to the
 * release before (their time stays, which rsync and browsers go by). Several builds may publish at once.
 */
import {
  lstatSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { type Clock, formatUtc } from "../lib/util/clock.ts";
import { sha256Hex } from "../lib/util/digest.ts";
import { hasCode, NeedsHuman, TryLater } from "../lib/util/failure.ts";
import { isRunning } from "../lib/util/process.ts";
import { randomToken } from "../lib/util/random.ts";
import { compareText, type Fault } from "./fault.ts";
import {
  describeFiles,
  findSame,
  makeFolder,
  type ReleaseFile,
  readManifest,
  writeManifest,
  writeTree,
} from "./release.ts";

export type { ReleaseFile } from "./release.ts";

export interface PublishOptions {
  readonly outFolder: string;
  readonly files: readonly ReleaseFile[];
  readonly addonFile: string;
  /** Version of the package, for the manifest. */
  readonly tool: string;
  readonly clock: Clock;
}

export interface Published {
  readonly releaseId: string;
  readonly releaseFolder: string;
  readonly changed: boolean;
}

const keptBefore = 2;
const idForm = /^\d{8}-\d{6}-[0-9a-f]{8}$/;
const leftoverForm = /^\.(?:new|old|current)-(\d+)-/;

/**
 * Refuses a folder in which something else lives; nothing is written.
 * @throws NeedsHuman if there can be no such folder
 */
export function checkOutFolder(outFolder: string, sourceFolder: string): readonly Fault[] {
  const refuse = (message: string): readonly Fault[] => [{ file: outFolder, line: 0, message }];
  const real = realOf(outFolder);
  const room = ["content", "layouts", "etc"].find((name) => isInside(real, realOf(join(sourceFolder, name))));
  if (room !== undefined)
    return refuse(`the built site cannot lie in ${room}/, where its sources are; choose another folder`);
  const found = translateErrors(outFolder, () => statSync(outFolder, { throwIfNoEntry: false }));
  if (found === undefined) return [];
  if (!found.isDirectory()) return refuse("this is no folder; choose another one for the built site");
  // What `site check` keeps here makes the folder no foreign one.
  const names = readdirSync(outFolder).filter((name) => name !== ".cache");
  const isOurs =
    names.length === 0 || (names.includes("releases") && statSync(join(outFolder, "releases")).isDirectory());
  if (!isOurs) return refuse("holds files that no build made; choose an empty folder, or a new one");
  const current = lstatSync(join(outFolder, "current"), { throwIfNoEntry: false });
  if (current === undefined) return [];
  const link = join(outFolder, "current");
  if (current.isSymbolicLink() && /^releases\/[^/]+$/.test(readlinkSync(link))) return [];
  return refuse(
    "its current is no link to a release, so no build made it; delete it or choose another folder",
  );
}

/**
 * Publishes; where the current release is the same already, whole and undamaged, nothing is written.
 * @throws NeedsHuman if the folder cannot be written; TryLater if a file changed since it was read, or if other
 * builds kept removing ours
 */
export function publishRelease(options: PublishOptions): Published {
  const entries = describeFiles(options.files);
  const manifest = writeManifest(entries, options.tool);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const published = translateErrors(options.outFolder, () => publishOnce(options, entries, manifest));
    // Other builds that published in the meantime may have cleared ours away as one of many.
    if (statSync(published.releaseFolder, { throwIfNoEntry: false }) !== undefined) return published;
  }
  throw new TryLater(`${options.outFolder}: other builds are publishing here all the time; build again`);
}

function publishOnce(
  options: PublishOptions,
  entries: ReturnType<typeof describeFiles>,
  manifest: string,
): Published {
  const { outFolder, addonFile } = options;
  const before = readCurrent(outFolder);
  const same = findSame(before, entries, addonFile);
  if (before !== undefined && readManifest(before) === manifest && same.size === entries.length + 1)
    return { releaseId: basename(before), releaseFolder: before, changed: false };
  makeFolder(join(outFolder, "releases"));
  sweep(outFolder);
  const stage = join(outFolder, `.new-${process.pid}-${randomToken(6)}`);
  const releaseId = nameRelease(options.clock.now(), manifest);
  const releaseFolder = join(outFolder, "releases", releaseId);
  try {
    writeTree({ stage, before, same, entries, manifest, addonFile });
    placeRelease(stage, releaseFolder, manifest);
  } catch (error) {
    rmSync(stage, { recursive: true, force: true });
    throw error;
  }
  pointCurrent(outFolder, releaseId);
  prune(outFolder, releaseId);
  return { releaseId, releaseFolder, changed: true };
}

/** `20261123-080500-1a2b3c4d`: sorts by time, and tells by itself which content it has. */
function nameRelease(ms: number, manifest: string): string {
  const [day = "", time = ""] = formatUtc(ms).replace(/[-:Z]/g, "").split("T");
  return `${day}-${time}-${sha256Hex(manifest).slice(0, 8)}`;
}

/** The release that is served now; undefined if there is none. */
function readCurrent(outFolder: string): string | undefined {
  const link = join(outFolder, "current");
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return undefined;
  const folder = join(outFolder, "releases", basename(readlinkSync(link)));
  return statSync(folder, { throwIfNoEntry: false }) === undefined ? undefined : folder;
}

function placeRelease(stage: string, releaseFolder: string, manifest: string): void {
  try {
    renameSync(stage, releaseFolder);
  } catch (error) {
    if (!hasCode(error, ["ENOTEMPTY", "EEXIST"])) throw error;
    // Another build made the same release within this second.
    if (readManifest(releaseFolder) !== manifest)
      throw new TryLater(`${releaseFolder} exists with other content; build again`, { cause: error });
    rmSync(stage, { recursive: true, force: true });
  }
}

function pointCurrent(outFolder: string, releaseId: string): void {
  const link = join(outFolder, `.current-${process.pid}-${randomToken(6)}`);
  symlinkSync(join("releases", releaseId), link);
  renameSync(link, join(outFolder, "current"));
}

/**
 * Removes all but the newest releases before ours. One of the same second or later belongs to a build that runs
 * right now and has perhaps not pointed `current` at it yet.
 */
function prune(outFolder: string, releaseId: string): void {
  const folder = join(outFolder, "releases");
  const second = releaseId.slice(0, 15);
  const served = readCurrent(outFolder);
  const older = readdirSync(folder).filter((name) => idForm.test(name) && name.slice(0, 15) < second);
  const extra = older.sort(compareText).slice(0, -keptBefore);
  for (const name of extra) if (join(folder, name) !== served) removeWhole(outFolder, join(folder, name));
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
function sweep(outFolder: string): void {
  for (const name of readdirSync(outFolder)) {
    const pid = Number(leftoverForm.exec(name)?.[1] ?? 0);
    if (pid > 0 && (pid === process.pid || !isRunning(pid)))
      rmSync(join(outFolder, name), { recursive: true, force: true });
  }
}

function translateErrors<Result>(outFolder: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (!hasCode(cause, ["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENOTDIR"])) throw cause;
    throw new NeedsHuman(
      `${outFolder}: cannot be written; see to the folder above it, its permissions, and the space on its disk`,
      { cause },
    );
  }
}

/** The real path, links followed as far as it exists. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!hasCode(error, ["ENOENT", "ENOTDIR"]) || dirname(path) === path) throw error;
    return join(realOf(dirname(path)), basename(path));
  }
}

function isInside(folder: string, room: string): boolean {
  return folder === room || folder.startsWith(room + sep);
}
