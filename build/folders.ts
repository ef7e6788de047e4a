/**
 * How the folders of a release lay there when it was published: one whose time is still the same has what it had then, and is not
 * looked through for what does not belong there. Called by swap.ts and those that keep notes.
 */
import { lstatSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { systemClock } from "../lib/util/clock.ts";
import { hasCode } from "../lib/util/failure.ts";
import { isOld } from "./stamps.ts";

/** Of one release. */
export interface FolderTimes {
  readonly releaseId: string;
  /** In the order of listFolders; NaN where a time cannot be believed. */
  readonly times: Float64Array<ArrayBuffer>;
}

/** Every folder that files with these paths lie in, "" first; the same paths give the same order. */
export function listFolders(paths: readonly string[]): readonly string[] {
  const folders = new Set([""]);
  let last = "";
  for (const path of paths) {
    const own = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (own === last) continue;
    last = own;
    for (let at = own.indexOf("/"); at >= 0; at = own.indexOf("/", at + 1)) folders.add(own.slice(0, at));
    folders.add(own);
  }
  return [...folders];
}

export function noteFolders(release: string, releaseId: string, paths: readonly string[]): FolderTimes {
  const nowMs = systemClock.now();
  const times = listFolders(paths).map((folder) => {
    const time = readTime(release, folder);
    return time !== undefined && isOld(time, nowMs) ? time : Number.NaN;
  });
  return { releaseId, times: Float64Array.from(times) };
}

const hourMs = 3_600_000;

/**
 * Folders of these files, into which we wrote a moment ago: by its own time a change right behind ours might not be told from it, and
 * each would be looked through the next time. Set back, a folder tells of every change.
 */
export function setFoldersBack(release: string, paths: readonly string[]): void {
  const time = new Date(systemClock.now() - hourMs);
  for (const folder of new Set(paths.map((path) => path.slice(0, Math.max(0, path.lastIndexOf("/"))))))
    try {
      utimesSync(`${release}/${folder}`, time, time);
    } catch (error) {
      // Another user's, who lets us write there: then it is looked through.
      if (!hasCode(error, ["EPERM", "EACCES"])) throw error;
    }
}

/** Undefined where there is no folder. */
function readTime(release: string, folder: string): number | undefined {
  const stats = lstatSync(`${release}/${folder}`, { throwIfNoEntry: false });
  return stats?.isDirectory() === true ? stats.mtimeMs : undefined;
}

function liesIn(path: string, folder: string): boolean {
  const start = folder === "" ? 0 : folder.length + 1;
  return path.startsWith(folder) && path.lastIndexOf("/") === start - 1;
}

/** Removes from a release what is not among the paths. `known`: how it was left, where that was noted for these paths. */
export function clearFolders(
  release: string,
  paths: readonly string[],
  known: FolderTimes | undefined,
): void {
  const folders = listFolders(paths);
  const isKnown = known?.times.length === folders.length;
  const changed = folders.filter((folder, at) => {
    const time = readTime(release, folder);
    return time !== undefined && !(isKnown && known.times[at] === time);
  });
  if (changed.length === 0) return;
  const inner = new Set(folders);
  // Of a few folders, what lies in them is found more quickly than all is put in order.
  const isFew = changed.length < 8;
  const all = new Set(isFew ? [] : paths);
  for (const folder of changed) {
    const files = isFew ? new Set(paths.filter((path) => liesIn(path, folder))) : all;
    // Gone with one above it, that was no folder of ours.
    if (readTime(release, folder) === undefined) continue;
    for (const entry of readdirSync(`${release}/${folder}`, { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() ? !inner.has(path) : !(entry.isFile() && files.has(path)))
        rmSync(`${release}/${path}`, { recursive: true, force: true });
    }
  }
}
