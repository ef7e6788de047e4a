/**
 * What a build would make of a site now, one file at a time: a page is put into its layout and checked when somebody asks for
 * it. For the development server; nothing is written. Called by way of build.ts.
 */
import { resolve } from "node:path";
import type { Clock } from "../lib/util/clock.ts";
import { TryLater } from "../lib/util/failure.ts";
import type { AssetFile } from "./assets.ts";
import { type Fault, sortFaults } from "./fault.ts";
import { type FramedPage, makeDocument } from "./frame.ts";
import { type Frames, listOutputs, listPages, makeContext, openCheck, openFrames } from "./frames.ts";
import type { LinkContext } from "./links.ts";
import type { Made } from "./made.ts";
import { type Known, type Memory, openMemory } from "./memory.ts";
import { findPackage, type Package } from "./package.ts";
import type { Page } from "./page.ts";
import { writePolicy } from "./policy.ts";
import type { Site } from "./site.ts";
import type { Source } from "./sources.ts";
import { makeStages } from "./stages.ts";

export interface PreviewOptions {
  readonly sourceFolder: string;
  readonly clock: Clock;
  readonly home?: Package;
  readonly drafts?: boolean;
  readonly future?: boolean;
}

/** A file of www/; in the place of a page that has faults, these. */
export type Previewed =
  | { readonly bytes: Uint8Array /** The site's, so far as this page needs it. */; readonly policy: string }
  | { readonly faults: readonly Fault[] };

export interface Preview {
  /** Something has happened to a file or a folder. Its path is absolute. */
  readonly note: (path: string) => void;
  /** What lies at a path below www/, "docs/index.html"; undefined where there is nothing. */
  readonly find: (output: string) => Promise<Previewed | undefined>;
  readonly close: () => void;
}

/** Begins to read the site at once; whoever asks for something waits until it is read. */
export function openPreview(options: PreviewOptions): Preview {
  const { sourceFolder, clock, home = findPackage(), drafts = false, future = false } = options;
  const begin = (): Promise<Memory> =>
    openMemory({ sourceFolder: resolve(sourceFolder), clock, home, drafts, future });
  let opening = begin();
  // Told to whoever asks first.
  opening.catch(() => undefined);
  const noted = new Set<string>();
  let view: View | undefined;
  const look = async (output: string): Promise<Previewed | undefined> => {
    const memory = await opening;
    for (const path of noted) memory.note(path);
    noted.clear();
    const known = await memory.read(output);
    view = updateView(view, known);
    return findIn(view, output);
  };
  const lookTwice = async (output: string): Promise<Previewed | undefined> => {
    try {
      return await look(output);
    } catch (cause) {
      if (!(cause instanceof TryLater)) throw cause;
      // What pages load was changed and is not noted yet.
      for (const { file, path } of view?.known.site.assets.files ?? [])
        if (path === `www/${output}`) noted.add(resolve(sourceFolder, file));
      return look(output);
    }
  };
  // One after the other: what is read changes what is known.
  let last: Promise<unknown> = Promise.resolve();
  const find: Preview["find"] = (output) => {
    const found = last.then(() => lookTwice(output));
    last = found.catch(() => {
      opening = opening.catch(begin);
    });
    return found;
  };
  const close = (): void => {
    opening.then((memory) => memory.close()).catch(() => undefined);
  };
  return { note: (path) => noted.add(path), find, close };
}

/** What was worked out of what is known, each part for as long as it holds. */
interface View {
  readonly known: Known;
  readonly index: Index;
  /** Undefined where layouts are faulty. */
  readonly frames: Frames | undefined;
  readonly context: LinkContext | undefined;
}

/** By paths below www/. */
interface Index {
  readonly pages: ReadonlyMap<string, Page>;
  readonly sources: ReadonlyMap<string, Source>;
  readonly files: ReadonlyMap<string, AssetFile>;
  readonly made: ReadonlyMap<string, Made>;
  readonly outputs: ReadonlySet<string>;
}

function updateView(before: View | undefined, { site, together, words }: Known): View {
  const isSameSite = before?.known.site === site;
  if (before !== undefined && isSameSite && before.known.words === words) return before;
  const { baked } = site;
  const frames = baked && openFrames(site, baked);
  const index = before?.known.together === together ? before.index : openIndex(site);
  const context = isSameSite ? before?.context : baked && makeContext(site, baked, () => index.outputs);
  // What is known is one object, which changes.
  return { known: { site, together, words }, index, frames, context };
}

function openIndex(site: Site): Index {
  const pages = listPages(site);
  return {
    pages: new Map(pages.map((page) => [page.source.output, page])),
    sources: new Map(site.sources.map((source) => [source.output, source])),
    files: new Map(site.assets.files.map((file) => [file.path, file])),
    made: new Map(site.made.map((one) => [one.output, one])),
    outputs: listOutputs(site, pages),
  };
}

function findIn(view: View, output: string): Previewed | undefined {
  const { site } = view.known;
  const { pages, sources, files, made } = view.index;
  const page = pages.get(output);
  const source = page?.source ?? sources.get(output);
  const isPage = source !== undefined && source.kind !== "file";
  const faults = site.faults.filter((fault) => isPage && concerns(fault, source.file, site));
  const shown = page && showPage(page, view);
  const all = [...faults, ...(shown !== undefined && "faults" in shown ? shown.faults : [])];
  if (all.length > 0) return { faults: sortFaults(all) };
  if (shown !== undefined) return shown;
  const bytes = files.get(`www/${output}`)?.bytesNow() ?? made.get(output)?.text();
  return bytes === undefined ? undefined : { bytes: Buffer.from(bytes), policy: policyOf(site, []) };
}

/** Its own faults, and those that all pages have: of layouts and settings, and of what pages load. */
function concerns({ file }: Fault, own: string, { assets }: Site): boolean {
  return !file.startsWith("content/") || file === own || assets.faults.some((fault) => fault.file === file);
}

function showPage(page: Page, { known, index, frames, context }: View): Previewed | undefined {
  if (frames === undefined || context === undefined) return undefined;
  const { site } = known;
  const one = frames.frame(page);
  if (!("mould" in one)) return { faults: frames.faults.length > 0 ? frames.faults : [one] };
  const framedAt = (output: string): FramedPage | undefined => {
    const other = index.pages.get(output);
    const framed = other && frames.frame(other);
    return framed !== undefined && "mould" in framed ? framed : undefined;
  };
  const check = openCheck(context, framedAt, makeStages());
  const faults = [...frames.faults, ...check.page(one), ...check.head(page.source.file)];
  if (faults.length > 0) return { faults: sortFaults(faults) };
  const { bytes } = makeDocument(one, site.bodies);
  return { bytes: Buffer.from(bytes), policy: policyOf(site, one.outside.needs) };
}

function policyOf({ pages }: Site, outside: readonly string[]): string {
  return writePolicy(new Set([...pages.flatMap(({ facts }) => facts.needs), ...outside]));
}
