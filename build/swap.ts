/**
 * A new release that differs from the one before in a few files. The oldest release on the shelf is made into it, so
 * that of all the other files nothing needs to be written or linked, and none deleted. Called by change.ts.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../lib/util/digest.ts";
import { clearFolders, type FolderTimes } from "./folders.ts";
import { translateErrors } from "./outfolder.ts";
import type { Published } from "./publish.ts";
import { makeFolder, makeTreeWriter, manifestName, readManifest, withUmask, writeEntry } from "./release.ts";
import { nameRelease, placeRelease, pointCurrent, prune, stageName, sweep, takeOldest } from "./shelf.ts";
import { hasSeal, putSeal, readSeal } from "./stamps.ts";
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
  const manifest = changeManifest(readManifest(release), files);
  if (manifest === undefined) return undefined;
  sweep(outFolder);
  const spare = takeOldest(outFolder);
  const stage = spare?.stage ?? stageName(outFolder);
  const releaseId = nameRelease(clock.now(), manifest);
  const releaseFolder = join(outFolder, "releases", releaseId);
  const seals = kept.seals.slice();
  const all: readonly NewFile[] = [...files, { path: manifestName, bytes: Buffer.from(manifest) }];
  try {
    if (spare === undefined) makeFolder(stage);
    else clearFolders(stage, kept.paths, findTimes(kept, spare.releaseId));
    if (!takeOver(stage, { kept, release, files: all })) {
      rmSync(stage, { recursive: true, force: true });
      return undefined;
    }
    const tree = makeTreeWriter(stage);
    for (const { path, bytes, of } of all) {
      rmSync(join(stage, path), { force: true });
      const seal = of === undefined ? tree.write(path, [bytes]) : tree.writeBeside(path, of, [bytes]);
      putSeal(seals, kept.paths.indexOf(path), seal);
    }
    placeRelease(stage, releaseFolder, manifest);
  } catch (error) {
    rmSync(stage, { recursive: true, force: true });
    throw error;
  }
  prune(outFolder, releaseId, release, pointCurrent(outFolder, releaseId));
  return { releaseId, releaseFolder, changed: true, written: all.length, paths: kept.paths, seals };
}

function findTimes({ shelf }: Kept, releaseId: string): FolderTimes | undefined {
  return shelf.find((one) => one.releaseId === releaseId);
}

/** The manifest with other lines for these files; undefined where it does not have each of them. */
function changeManifest(manifest: string | undefined, files: readonly NewFile[]): string | undefined {
  let text = manifest;
  for (const { path, bytes, of } of files) {
    if (of !== undefined) continue;
    const start = text?.indexOf(`\n{"path":${JSON.stringify(path)},"sha256":`) ?? -1;
    const end = text?.indexOf("}", start + path.length) ?? -1;
    if (text === undefined || start < 0 || end < 0) return undefined;
    const line = writeEntry({ path, sha256: sha256Hex(bytes), bytes: bytes.length });
    text = `${text.slice(0, start + 1)}${line}${text.slice(end + 1)}`;
  }
  return text;
}

/** Makes every file but the new ones that of the release: most of them are already. */
function takeOver(stage: string, { kept, release, files }: Swap): boolean {
  const tree = makeTreeWriter(stage);
  const ours = new Set(files.map(({ path }) => path));
  return kept.paths.every((path, index) => {
    if (ours.has(path)) return true;
    const there = readSeal(`${stage}/${path}`);
    if (hasSeal(kept.seals, index, there)) return true;
    if (!hasSeal(kept.seals, index, readSeal(`${release}/${path}`))) return false;
    rmSync(`${stage}/${path}`, { recursive: true, force: true });
    return tree.link(path, release);
  });
}
