/**
 * A new release that differs from the one before in a few files. The oldest release on the shelf is made into it, so
 * that of all the other files nothing needs to be written or linked, and none deleted. Called by change.ts.
 */
import { rmSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../lib/util/digest.ts";
import { hasCode } from "../lib/util/failure.ts";
import { clearFolders, type FolderTimes, setFoldersBack } from "./folders.ts";
import { near } from "./near.ts";
import { translateErrors } from "./outfolder.ts";
import type { Published } from "./publish.ts";
import { makeFolder, makeTreeWriter, manifestName, readManifest, withUmask, writeEntry } from "./release.ts";
import { nameRelease, placeRelease, pointCurrent, prune, stageName, sweep, takeOldest } from "./shelf.ts";
import { hasSeal, isSameFile, putSeal, readOwnSeal, readSeal, type Stamps } from "./stamps.ts";
import type { Kept } from "./state.ts";
import type { Task } from "./task.ts";

/** A file of the release that is to be another one. */
export interface NewFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** For a compressed file, which is not in the manifest: the path of the file that it holds. */
  readonly of?: string;
}

interface Swap {
  readonly kept: Kept;
  /** The folder of the release that `kept` speaks of. */
  readonly release: string;
  readonly files: readonly NewFile[];
}

/** Undefined where the release is not what was kept of it: then nothing was done. */
export function swapFiles(task: Task, swap: Swap): Published | undefined {
  return translateErrors(task.outFolder, () => withUmask(() => swapOnce(task, swap)));
}

function swapOnce({ outFolder, clock }: Task, { kept, release, files }: Swap): Published | undefined {
  const own = readSeal(join(release, manifestName));
  // Its other lines are believed.
  if (!hasSeal(kept.seals, kept.paths.indexOf(manifestName), own)) return undefined;
  const manifest = changeManifest(readManifest(release), files);
  if (manifest === undefined) return undefined;
  sweep(outFolder);
  const spare = takeOldest(outFolder);
  const stage = spare?.stage ?? stageName(outFolder);
  const releaseId = nameRelease(clock.now(), manifest);
  const releaseFolder = join(outFolder, "releases", releaseId);
  const seals = kept.seals.slice();
  const all: readonly NewFile[] = [...files, { path: manifestName, bytes: manifest }];
  try {
    if (spare === undefined) makeFolder(stage);
    else clearFolders(stage, kept.paths, findTimes(kept, spare.releaseId));
    const taken = takeOver(stage, { kept, release, files: all }, seals);
    if (taken === undefined) {
      rmSync(stage, { recursive: true, force: true });
      return undefined;
    }
    const tree = makeTreeWriter(stage);
    for (const { path, bytes, of } of all) {
      removeFile(join(stage, path));
      if (of === undefined) tree.write(path, [bytes]);
      else tree.writeBeside(path, of, [bytes]);
      putSeal(seals, kept.paths.indexOf(path), readOwnSeal(join(stage, path)));
    }
    setFoldersBack(stage, [...taken, ...all.map(({ path }) => path)]);
    placeRelease(stage, releaseFolder, manifest);
  } catch (error) {
    rmSync(stage, { recursive: true, force: true });
    throw error;
  }
  prune(outFolder, releaseId, release, pointCurrent(outFolder, releaseId));
  return { releaseId, releaseFolder, changed: true, written: all.length, paths: kept.paths, seals };
}

/** Whatever lies there, if anything does. A file, as almost always, is removed without what Node loads for folders. */
function removeFile(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (!hasCode(error, ["ENOENT"])) rmSync(file, { recursive: true, force: true });
  }
}

function findTimes({ shelf }: Kept, releaseId: string): FolderTimes | undefined {
  return shelf.find((one) => one.releaseId === releaseId);
}

/** The manifest with other lines for these files; undefined where it does not have each of them. */
function changeManifest(manifest: Buffer | undefined, files: readonly NewFile[]): Buffer | undefined {
  if (manifest === undefined) return undefined;
  const lines = files.flatMap(({ path, bytes, of }) => {
    if (of !== undefined) return [];
    const begin = Buffer.from(`\n{"path":${JSON.stringify(path)},"sha256":`);
    const start = manifest.indexOf(begin);
    const line = writeEntry({ path, sha256: sha256Hex(bytes), bytes: bytes.length });
    // Behind the path, in which there may be one.
    return [{ start, end: manifest.indexOf("}", start + begin.length), line }];
  });
  if (lines.some(({ start, end }) => start < 0 || end < 0)) return undefined;
  lines.sort((left, right) => left.start - right.start);
  const parts: Uint8Array[] = [];
  let done = 0;
  for (const { start, end, line } of lines) {
    parts.push(manifest.subarray(done, start + 1), Buffer.from(line));
    done = end + 1;
  }
  return Buffer.concat([...parts, manifest.subarray(done)]);
}

/**
 * Makes every file but the new ones that of the release: most of them are already. Answers which were not; undefined where the release
 * is not as it was. `seals`: what is known of them afterwards.
 */
function takeOver(
  stage: string,
  { kept, release, files }: Swap,
  seals: Stamps,
): readonly string[] | undefined {
  const tree = makeTreeWriter(stage);
  const there = near(stage);
  const ours = new Set(files.map(({ path }) => path));
  const taken: string[] = [];
  const isThere = kept.paths.every((path, index) => {
    if (ours.has(path)) return true;
    if (isSameFile(seals, index, readSeal(`${there}/${path}`))) return true;
    const seal = readSeal(`${release}/${path}`);
    if (seal === undefined || !hasSeal(seals, index, seal)) return false;
    putSeal(seals, index, seal);
    removeFile(`${stage}/${path}`);
    taken.push(path);
    return tree.link(path, release);
  });
  return isThere ? taken : undefined;
}
