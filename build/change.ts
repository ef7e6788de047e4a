/**
 * A build after which little is to be done: nothing changed, or only the bodies of pages and files that nothing else
 * shows. Then the new document is the old one with the new body in its place, and no layout is looked at. Whatever
 * else happened, or may have, is left to a whole build: `undefined` says so. Called by build.ts.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../lib/util/clock.ts";
import { openBodies } from "./bodies.ts";
import { noteFolders } from "./folders.ts";
import { near } from "./near.ts";
import { checkOutFolder } from "./outfolder.ts";
import { makePageReader, measureShown, type Page, readShown } from "./page.ts";
import type { Published } from "./publish.ts";
import { findRenderer } from "./raw.ts";
import { makeReader, type Stamp } from "./reader.ts";
import { type Change, isSound } from "./recheck.ts";
import { Damage, type KeptPage, type Records } from "./records.ts";
import { addonPath } from "./release.ts";
import { keptBefore, readCurrent } from "./shelf.ts";
import type { Source } from "./sources.ts";
import { hasSeal, hasStamp, putStamp, readSeal, readStamp } from "./stamps.ts";
import { type Kept, saveState } from "./state.ts";
import { type NewFile, swapFiles } from "./swap.ts";
import type { Task } from "./task.ts";
import type { Outcome } from "./whole.ts";

/** More than this, and a whole build is as quick. */
const mostChanges = 500;

interface Found {
  readonly index: number;
  readonly stamp: Stamp;
  readonly file: NewFile;
  /** Undefined for a file that is no page. */
  readonly change: Change | undefined;
}

/** Undefined where it cannot be told that little changed, for whatever reason: then a whole build is to be made. */
export async function buildChange(task: Task, kept: Kept): Promise<Outcome | undefined> {
  try {
    return await change(task, kept);
  } catch (error) {
    if (error instanceof Damage) return undefined;
    throw error;
  }
}

async function change(task: Task, kept: Kept): Promise<Outcome | undefined> {
  const { sourceFolder, outFolder, walked, stages } = task;
  const release = readCurrent(outFolder);
  if (release === undefined || !release.endsWith(`/${kept.releaseId}`)) return undefined;
  if (walked.faults.length > 0 || !isSameList(walked.sources, kept.sources)) return undefined;
  if (checkOutFolder(outFolder, sourceFolder).length > 0) return undefined;
  const suspects = listSuspects(walked.sources, kept);
  if (suspects === undefined || suspects.length > mostChanges) return undefined;
  if (suspects.length === 0) return isWhole(release, kept) ? unchanged(release, kept) : undefined;
  stages.begin("reading what changed");
  const records = kept.records();
  const readMs = systemClock.now();
  const found = await readSuspects(suspects, walked.sources, { release, kept, records });
  if (found === undefined) return undefined;
  const changes = found.flatMap(({ change }) => (change === undefined ? [] : [change]));
  const { settings } = kept;
  if (!isSound(changes, { settings, kept, records })) return undefined;
  const files = found.map(({ file }) => file).filter(({ path, bytes }) => !isAsItWas(release, path, bytes));
  // The index of a search has the words of all pages.
  if (settings.search && changes.length > 0 && files.length > 0) return undefined;
  const besides = settings.compress ? await compressAnew(outFolder, files, kept) : [];
  if (besides === undefined) return undefined;
  // A source was saved without a change, or its stamp could not be believed.
  if (files.length === 0 && !isWhole(release, kept)) return undefined;
  stages.begin("writing files");
  const published =
    files.length === 0
      ? leave(release, kept)
      : swapFiles(task, { kept, release, files: [...files, ...besides] });
  if (published === undefined) return undefined;
  stages.begin("noting what was built");
  keepChange(task, { kept, records, found, published, readMs });
  const compressed = { files: countBesides(kept), anew: besides.length };
  return { ok: true, published, counts: kept.counts, sourcesRead: found.length, compressed };
}

function isSameList(sources: readonly Source[], files: readonly string[]): boolean {
  if (sources.length !== files.length) return false;
  return sources.every(({ file }, index) => file === files[index]);
}

/** The sources that are not surely as they were; undefined where one is gone. */
function listSuspects(sources: readonly Source[], { stamps }: Kept): readonly number[] | undefined {
  const suspects: number[] = [];
  for (const [index, { absolute }] of sources.entries()) {
    const stamp = readStamp(absolute);
    if (stamp === undefined) return undefined;
    if (!hasStamp(stamps, index, stamp)) suspects.push(index);
  }
  return suspects;
}

/** Every file of the release lies there as it was left. */
function isWhole(release: string, { paths, seals }: Kept): boolean {
  const folder = near(release);
  return paths.every((path, index) => hasSeal(seals, index, readSeal(`${folder}/${path}`)));
}

/** Behind the addon stand the compressed files, and last the manifest. */
function countBesides({ paths }: Kept): number {
  return paths.length - paths.indexOf(addonPath) - 2;
}

/** The current release as it is. */
function leave(releaseFolder: string, kept: Kept): Published {
  return { ...kept, releaseFolder, changed: false, written: 0 };
}

function unchanged(releaseFolder: string, kept: Kept): Outcome {
  return {
    ok: true,
    published: leave(releaseFolder, kept),
    counts: kept.counts,
    sourcesRead: 0,
    compressed: { files: countBesides(kept), anew: 0 },
  };
}

interface Before {
  readonly release: string;
  readonly kept: Kept;
  readonly records: Records;
}

async function readSuspects(
  suspects: readonly number[],
  sources: readonly Source[],
  before: Before,
): Promise<readonly Found[] | undefined> {
  const chosen = suspects.flatMap((index) => sources[index] ?? []);
  const [bodies, read] = [openBodies(), makeReader()];
  const renderMarkdown = await findRenderer(chosen);
  const renames = new Map(before.kept.renames);
  const pages = makePageReader({ read, bodies, renames, renderMarkdown });
  const found: Found[] = [];
  try {
    for (const [place, source] of chosen.entries()) {
      const index = suspects[place] ?? 0;
      const path = `www/${source.output}`;
      if (source.kind === "file") {
        const { bytes, stamp } = read(source.absolute);
        // What a style sheet names is judged with all others, and what pages load has a name of its content.
        if (
          (source.output.endsWith(".css") || renames.has(source.output)) &&
          !isAsItWas(before.release, path, bytes)
        )
          return undefined;
        found.push({ index, stamp, file: { path, bytes: Buffer.from(bytes) }, change: undefined });
        continue;
      }
      const { page, faults } = pages.read(source);
      const old = before.records.read(index);
      if (page === undefined || old === undefined || faults.length > 0 || !isFramedAlike(page, old))
        return undefined;
      const body = readShown(page, bodies);
      const document = replaceBody(before, path, old, body);
      if (document === undefined) return undefined;
      const file = { path, bytes: document };
      found.push({ index, stamp: page.stamp, file, change: { index, page, old } });
    }
  } finally {
    bodies.close();
  }
  return found;
}

/** A layout sees of a page what its header block and its title say, and whether it has a body. */
function isFramedAlike(page: Page, old: KeptPage): boolean {
  if (page.head !== old.head || page.title !== old.title || page.isEmpty !== old.isEmpty) return false;
  // The policy is of all pages.
  if (page.facts.needs.join(" ") !== (old.needs ?? []).join(" ")) return false;
  // Its headings stand around it, or a feed has its words.
  if (page.header.contents || page.header.date !== "") return false;
  return !page.facts.isFaulty && old.bodyStarts.length <= 1;
}

function replaceBody(
  { release, kept }: Before,
  path: string,
  old: KeptPage,
  body: Uint8Array,
): Uint8Array | undefined {
  const file = `${release}/${path}`;
  if (!hasSeal(kept.seals, kept.paths.indexOf(path), readSeal(file))) return undefined;
  const document = readFileSync(file);
  const [start] = old.bodyStarts;
  if (start === undefined) return document;
  return Buffer.concat([document.subarray(0, start), body, document.subarray(start + old.bodyLength)]);
}

function isAsItWas(release: string, path: string, bytes: Uint8Array): boolean {
  const file = join(release, path);
  return readSeal(file)?.size === bytes.length && readFileSync(file).equals(bytes);
}

/** The compressed files beside those; undefined where there are to be more or fewer of them than there were. */
async function compressAnew(
  outFolder: string,
  files: readonly NewFile[],
  { paths }: Kept,
): Promise<readonly NewFile[] | undefined> {
  const { compressFile } = await import("./compress.ts");
  const own = new Set(paths.slice(0, paths.indexOf(addonPath)));
  const there = new Set(paths.slice(own.size));
  const besides: NewFile[] = [];
  for (const file of files) {
    const squeezed = compressFile(outFolder, file);
    for (const form of ["br", "gz"] as const) {
      const path = `${file.path}.${form}`;
      const bytes = squeezed[form];
      if (there.has(path) !== (bytes.length > 0 && !own.has(path))) return undefined;
      if (there.has(path)) besides.push({ path, bytes, of: file.path });
    }
  }
  return besides;
}

interface Result extends Pick<Before, "kept" | "records"> {
  readonly found: readonly Found[];
  readonly published: Published;
  /** When the first of them was read, or sooner. */
  readonly readMs: number;
}

function keepChange({ outFolder, inputs }: Task, { kept, records, found, published, readMs }: Result): void {
  if (inputs === undefined) return;
  const stamps = kept.stamps.slice();
  const anew = new Map<number, KeptPage>();
  for (const { index, stamp, change } of found) {
    putStamp(stamps, index, stamp, readMs);
    if (change === undefined) continue;
    const { page, old } = change;
    const { ids, targets } = page.facts;
    anew.set(index, { ...old, bodyLength: measureShown(page), facts: { ids, targets } });
  }
  const { releaseId, paths, seals, releaseFolder } = published;
  const { counts, settings, span, renames, sources } = kept;
  const others = kept.shelf.filter((one) => one.releaseId !== releaseId).slice(-keptBefore);
  const shelf = [...others, noteFolders(releaseFolder, releaseId, paths)];
  const state = { releaseId, paths, seals, counts, settings, span, renames, shelf, sources, stamps };
  saveState(outFolder, inputs, state, records.change(anew));
}
