/**
 * A site kept in memory: its sources are read once, and again as they are said to have changed, each by itself. What
 * follows from them is found anew only where something else than the body of a page is another one. Called by preview.ts.
 */
import { lstatSync } from "node:fs";
import { join, relative } from "node:path";
import { type Clock, dayOf } from "../lib/util/clock.ts";
import { type Assets, type Renames, readAssets } from "./assets.ts";
import { openBodies } from "./bodies.ts";
import { isWithin } from "./choice.ts";
import { readData, type SiteData } from "./data.ts";
import type { Fault } from "./fault.ts";
import type { Package } from "./package.ts";
import { makePageReader, type Page } from "./page.ts";
import { findRenderer } from "./raw.ts";
import { makeReader } from "./reader.ts";
import { readSettings } from "./settings.ts";
import { dress, findTogether, type Parts, readLayouts, readPages, type Site, type Together } from "./site.ts";
import { readSources, type Source } from "./sources.ts";
import { makeStages } from "./stages.ts";
import { isSameStamp, readStamp } from "./stamps.ts";

export interface MemoryOptions {
  /** Absolute. */
  readonly sourceFolder: string;
  readonly home: Package;
  readonly clock: Clock;
  readonly drafts: boolean;
  readonly future: boolean;
}

export interface Memory {
  /** Something has happened to a file or a folder. Its path is absolute. */
  readonly note: (path: string) => void;
  /**
   * The site as its sources are now, so far as their changes were noted; the source of the page at `output` is looked
   * at itself. One call at a time.
   */
  readonly read: (output: string) => Promise<Known>;
  readonly close: () => void;
}

export interface Known {
  /** The same object while nothing but bodies, titles, and descriptions changed: its pages have the new ones. */
  readonly site: Site;
  /** What of it does not follow from layouts and data: the same object while nothing but these changed as well. */
  readonly together: Together;
  /** Another number whenever titles or descriptions changed. */
  readonly words: number;
}

/** What a change reaches: a page alone, others that show its words, all that layouts show, or what belongs together. */
const reaches = ["body", "words", "look", "together"] as const;
type Reach = (typeof reaches)[number];

interface ReadPage {
  readonly page: Page | undefined;
  readonly faults: readonly Fault[];
  /** The names of assets that were put into it. */
  readonly renames: Renames;
}

interface Tools extends MemoryOptions, Pick<Parts, "bodies"> {}

/** What was read; `site` follows from the rest. */
interface State {
  walked: ReturnType<typeof readSources>;
  byFile: ReadonlyMap<string, Source>;
  byOutput: ReadonlyMap<string, Source>;
  general: Parts["general"];
  siteData: SiteData;
  assets: Assets;
  layouts: Parts["layouts"];
  /** By their sources' files. */
  readonly pages: Map<string, ReadPage>;
  together: Together;
  site: Site;
  words: number;
}

export async function openMemory(options: MemoryOptions): Promise<Memory> {
  const tools: Tools = { ...options, bodies: openBodies() };
  const state = await readState(tools);
  let noted = new Set<string>();
  const settle = (reach: Reach): void => {
    if (reach === "together") state.together = bringTogether(state, tools);
    if (reach === "together" || reach === "look") state.site = dress(state.together, state);
    if (reach === "words") state.words += 1;
  };
  const takeUp = async (): Promise<void> => {
    const paths = noted;
    noted = new Set();
    try {
      settle(await refresh(state, tools, paths));
    } catch (cause) {
      // Tried again when the next one asks.
      for (const path of paths) noted.add(path);
      throw cause;
    }
  };
  const read: Memory["read"] = async (output) => {
    const source = state.byOutput.get(output);
    if (source !== undefined && hasChanged(source, state.pages.get(source.file)))
      noted.add(join(tools.sourceFolder, source.file));
    await takeUp();
    const now = state.byOutput.get(output);
    const known = now && state.pages.get(now.file);
    if (now !== undefined && known !== undefined && known.renames !== state.assets.renames)
      settle(await readAgain(state, tools, now));
    return state;
  };
  return { note: (path) => noted.add(path), read, close: tools.bodies.close };
}

async function readState(tools: Tools): Promise<State> {
  const { sourceFolder, home } = tools;
  const walked = readSources(sourceFolder);
  const { sources } = walked;
  const general = readSettings(sourceFolder);
  const assets = await findAssets(sources, general, tools);
  const layouts = await readLayouts(sourceFolder, home, assets.renames);
  const { renames } = assets;
  const found = await readPages(sources, home, { ...tools, renames }, makeStages());
  const pageOf = new Map(found.pages.map((page) => [page.source.file, page]));
  const faultsOf = groupByFile(found.faults);
  const pages = new Map<string, ReadPage>();
  for (const { file, kind } of sources)
    if (kind !== "file")
      pages.set(file, { page: pageOf.get(file), faults: faultsOf.get(file) ?? [], renames });
  const siteData = readData(sourceFolder);
  const parts = { walked, ...indexSources(sources), general, siteData, assets, layouts, pages };
  const together = bringTogether(parts, tools);
  return { ...parts, together, site: dress(together, parts), words: 0 };
}

function indexSources(sources: readonly Source[]): Pick<State, "byFile" | "byOutput"> {
  return {
    byFile: new Map(sources.map((source) => [source.file, source])),
    byOutput: new Map(sources.map((source) => [source.output, source])),
  };
}

function findAssets(
  sources: readonly Source[],
  { isPlain }: Parts["general"],
  { home }: Tools,
): Promise<Assets> {
  return readAssets(sources, { isPlain, outFolder: undefined, tool: home.version });
}

function bringTogether(state: Omit<State, "together" | "site" | "words">, tools: Tools): Together {
  const { walked, pages, general, assets } = state;
  const { sources, faults: sourceFaults } = walked;
  const all = sources.flatMap(({ file }) => pages.get(file) ?? []);
  const pageFaults = all.flatMap(({ faults }) => faults);
  const good = all.flatMap(({ page }) => page ?? []);
  const { bodies, sourceFolder, drafts, future, clock } = tools;
  const parts = { general, assets, bodies, sources, sourceFaults, pages: good, pageFaults };
  return findTogether(parts, sourceFolder, { drafts, future, today: dayOf(clock.now()) });
}

/** Reads what lies at the paths. */
async function refresh(state: State, tools: Tools, paths: ReadonlySet<string>): Promise<Reach> {
  const { sourceFolder, home, clock } = tools;
  const files = [...paths].map((path) => relative(sourceFolder, path));
  const inContent = files.filter((file) => file === "content" || file.startsWith("content/"));
  let isOther = !isWithin(state.site.chosen.span, dayOf(clock.now()));
  const changed = new Set<Source>();
  if (inContent.some((file) => !isPlainFile(sourceFolder, state.byFile.get(file)))) {
    const before = state.byFile;
    if (walkAgain(state, sourceFolder)) isOther = true;
    for (const source of state.byFile.values())
      if (before.get(source.file)?.absolute !== source.absolute) changed.add(source);
    for (const { file, kind } of before.values())
      if (!state.byFile.has(file) && !state.pages.delete(file) && kind === "file") isOther = true;
  }
  for (const file of inContent) {
    const source = state.byFile.get(file);
    if (source !== undefined) changed.add(source);
  }
  const { renames } = state.assets;
  const isLook = inContent.length < files.length;
  if (files.some((file) => file === "etc" || file.startsWith("etc/"))) {
    state.general = readSettings(sourceFolder);
    isOther = true;
  }
  if (isLook) state.siteData = readData(sourceFolder);
  const hasAssets = [...changed].some(({ kind }) => kind === "file");
  if (hasAssets || isOther) {
    const assets = await findAssets(state.walked.sources, state.general, tools);
    const isSame = JSON.stringify([...assets.renames]) === JSON.stringify([...renames]);
    state.assets = isSame ? { ...assets, renames } : assets;
  }
  if (isLook || state.assets.renames !== renames)
    state.layouts = await readLayouts(sourceFolder, home, state.assets.renames);
  const found = new Set<Reach>(isOther || hasAssets ? ["together"] : isLook ? ["look"] : []);
  for (const source of changed) if (source.kind !== "file") found.add(await readAgain(state, tools, source));
  return reaches.findLast((reach) => found.has(reach)) ?? "body";
}

/** Whether it is there by itself still; what a link leads to may be anything by now. */
function isPlainFile(sourceFolder: string, source: Source | undefined): boolean {
  if (source === undefined) return false;
  const own = join(sourceFolder, source.file);
  return lstatSync(own, { throwIfNoEntry: false })?.isFile() === true;
}

/** True if there are others now, or others' faults. */
function walkAgain(state: State, sourceFolder: string): boolean {
  const before = state.walked;
  state.walked = readSources(sourceFolder);
  Object.assign(state, indexSources(state.walked.sources));
  const isSame =
    JSON.stringify(before.faults) === JSON.stringify(state.walked.faults) &&
    before.sources.length === state.walked.sources.length &&
    before.sources.every(({ absolute }, at) => absolute === state.walked.sources[at]?.absolute);
  return !isSame;
}

async function readAgain(state: State, tools: Tools, source: Source): Promise<Reach> {
  const { bodies } = tools;
  const { renames } = state.assets;
  const before = state.pages.get(source.file);
  const renderMarkdown = await findRenderer([source]);
  const reader = makePageReader({ bodies, read: makeReader(), renames, renderMarkdown });
  const { page, faults } = reader.read(source);
  const old = before?.page;
  const hasFaults = faults.length + (before?.faults.length ?? 0) > 0;
  if (old === undefined || page === undefined || hasFaults || !isPlacedAlike(page, old)) {
    state.pages.set(source.file, { page, faults, renames });
    return "together";
  }
  const reach = page.head === old.head && page.title === old.title ? "body" : "words";
  // The object stays: all that belongs together is told by it.
  Object.assign(old, page);
  state.pages.set(source.file, { page: old, faults, renames });
  return reach;
}

/** Whether all of its header is the same, line by line, but for words; those of a collection's page are its lists' as well. */
function isPlacedAlike(page: Page, old: Page): boolean {
  const place = ({ header, bodyLine }: Page): string =>
    JSON.stringify({ ...header, title: "", description: "", bodyLine });
  return page.header.entries === 0 && place(page) === place(old);
}

function groupByFile(faults: readonly Fault[]): ReadonlyMap<string, readonly Fault[]> {
  const groups = new Map<string, Fault[]>();
  for (const fault of faults) {
    const group = groups.get(fault.file) ?? [];
    group.push(fault);
    groups.set(fault.file, group);
  }
  return groups;
}

function hasChanged({ absolute }: Source, known: ReadPage | undefined): boolean {
  if (known === undefined) return false;
  const stamp = readStamp(absolute);
  return stamp === undefined || known.page === undefined || !isSameStamp(stamp, known.page.stamp);
}
