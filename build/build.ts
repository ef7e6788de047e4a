/**
 * The front door of the site builder: content/, layouts/, and etc/ in, a release in dist/ out. Each stage is a
 * module; all faults of a run are collected, and nothing is written while one stands. Called by cli/build,
 * dev/serve, and tests.
 */
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Clock } from "../lib/util/clock.ts";
import type { Baked } from "../lib/util/templates.ts";
import { type Fault, sortFaults } from "./fault.ts";
import { type FramedPage, framePages } from "./frame.ts";
import { checkLinks } from "./links.ts";
import { checkTemplateNames } from "./names.ts";
import { checkNavigation, makeNavigation } from "./nav.ts";
import { findPackage, type Package } from "./package.ts";
import { type Page, readPages } from "./page.ts";
import { buildPrograms } from "./programs.ts";
import { checkOutFolder, publishRelease, type ReleaseFile } from "./publish.ts";
import { readSettings } from "./settings.ts";
import { readSources, type Source } from "./sources.ts";
import { listLayouts, loadTemplates, readTemplates, type Template } from "./template.ts";
import { readUtf8 } from "./text.ts";

export { type Fault, formatFault, showLine } from "./fault.ts";

export interface BuildOptions {
  readonly sourceFolder: string;
  readonly outFolder: string;
  readonly clock: Clock;
  readonly onProgress?: (line: string) => void;
  /** Where layouts and programs come from; the package this file belongs to, unless a test says otherwise. */
  readonly home?: Package;
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
      /** False where the current release was the same already: nothing was written. */
      readonly changed: boolean;
      readonly ms: number;
    }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * Builds the site and puts the release in place at once. May be repeated, and run twice at the same time.
 * @throws NeedsHuman if the folder cannot be written; TryLater if a source changes while it is read
 */
export async function buildSite(options: BuildOptions): Promise<BuildResult> {
  const startedAt = options.clock.now();
  const say = options.onProgress ?? (() => undefined);
  const sourceFolder = resolve(options.sourceFolder);
  const outFolder = resolve(options.outFolder);
  const home = options.home ?? findPackage();
  const site = readSite(sourceFolder, home);
  const { framed, faults } = frameSite(site);
  const all = [...faults, ...checkOutFolder(outFolder, sourceFolder)];
  if (site.baked === undefined || all.length > 0) return { ok: false, faults: sortFaults(all) };
  say(`${framed.length} pages: links checked`);
  const programs = await buildPrograms({ home, ...site.baked, templates: site.templates });
  say(`${programs.length} programs made`);
  const copies = site.sources.filter(({ kind }) => kind === "file");
  const files: ReleaseFile[] = [
    ...framed.map(({ page, document }) => ({ path: `www/${page.source.output}`, content: document })),
    ...copies.map((source) => ({ path: `www/${source.output}`, copyOf: source.absolute })),
    ...programs.map(({ path, text }) => ({ path, content: text, isProgram: true })),
    // Programs are CommonJS, whatever package.json lies in a folder above.
    { path: "package.json", content: '{"type":"commonjs"}\n' },
  ];
  const release = publishRelease({
    outFolder,
    files,
    addonFile: home.addonFile,
    tool: home.version,
    clock: options.clock,
  });
  return {
    ok: true,
    ...release,
    pages: framed.length,
    files: copies.length,
    programs: programs.length,
    ms: options.clock.now() - startedAt,
  };
}

export interface Framing {
  readonly framed: readonly FramedPage[];
  readonly templates: readonly Template[];
  readonly url: string;
  /** Addresses that the navigation leads to. */
  readonly navigation: readonly string[];
  /** Absolute paths of what is copied as it is, by output. */
  readonly assets: ReadonlyMap<string, string>;
  /** Whether a build would take the folder for its releases. */
  readonly isOutRight: boolean;
  /** All that a build would refuse. */
  readonly faults: readonly Fault[];
}

/** The pages in their layouts, for `site check` (check/check.ts); nothing is written. Folders are absolute. */
export function frameForCheck(options: {
  readonly sourceFolder: string;
  readonly outFolder: string;
  readonly home: Package;
}): Framing {
  const site = readSite(options.sourceFolder, options.home);
  const { framed, faults } = frameSite(site);
  const outFaults = checkOutFolder(options.outFolder, options.sourceFolder);
  const copies = site.sources.filter(({ kind }) => kind === "file");
  const entries = site.baked?.navigation ?? [];
  return {
    framed,
    templates: site.templates,
    url: site.baked?.settings.url ?? "http://127.0.0.1",
    navigation: entries.flatMap(({ href, children }) => [href, ...children.map((child) => child.href)]),
    assets: new Map(copies.map(({ output, absolute }) => [output, absolute])),
    isOutRight: outFaults.length === 0,
    faults: [...faults, ...outFaults],
  };
}

/** What programs are given: settings, navigation, and templates of a site, for tests of account pages and mails. */
export async function loadBaked(
  sourceFolder: string,
  home: Package = findPackage(),
): Promise<
  { readonly ok: true; readonly baked: Baked } | { readonly ok: false; readonly faults: readonly Fault[] }
> {
  const { baked, faults } = readSite(resolve(sourceFolder), home);
  return baked === undefined || faults.length > 0
    ? { ok: false, faults: sortFaults(faults) }
    : { ok: true, baked };
}

/** The text of the file that a fault names; undefined where it is none of the site's or cannot be read as text. */
export function readFaulty(
  fault: Fault,
  sourceFolder: string,
  home: Package = findPackage(),
): string | undefined {
  const given = "(package) ";
  const file = fault.file.startsWith(given)
    ? join(home.folder, fault.file.slice(given.length))
    : join(sourceFolder, fault.file);
  if (fault.line === 0 || statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const text = readUtf8(file);
  return typeof text === "string" ? text : undefined;
}

interface Site {
  readonly sources: readonly Source[];
  readonly pages: readonly Page[];
  readonly templates: readonly Template[];
  /** Undefined where templates are faulty; where other faults are, good only for finding more of them. */
  readonly baked: Baked | undefined;
  readonly faults: readonly Fault[];
}

function readSite(sourceFolder: string, home: Package): Site {
  const { settings, faults: settingFaults } = readSettings(sourceFolder);
  const { sources, faults: sourceFaults } = readSources(sourceFolder);
  const { pages, faults: pageFaults } = readPages(sources);
  const { templates, faults: templateFaults } = readTemplates(sourceFolder, home.folder);
  const faults = [
    ...settingFaults,
    ...sourceFaults,
    ...pageFaults,
    ...checkNavigation(pages),
    ...templateFaults,
  ];
  const navigation = makeNavigation(pages);
  const baked =
    templateFaults.length > 0 ? undefined : { settings, navigation, templates: loadTemplates(templates) };
  return { sources, pages, templates, baked, faults };
}

/** Frames and checks as far as what was read allows, so that one run tells as many faults as it can. */
function frameSite(site: Site): { framed: readonly FramedPage[]; faults: readonly Fault[] } {
  const { baked, templates, sources, faults } = site;
  if (baked === undefined) return { framed: [], faults };
  const nameFaults = checkTemplateNames(templates, listLayouts(templates));
  const { framed, faults: foundFaults } = framePages(site.pages, baked, templates);
  // What a page stumbles over while it is rendered has been told by its name already.
  const isTold = (fault: Fault): boolean =>
    nameFaults.length > 0 && templates.some(({ file }) => file === fault.file);
  const frameFaults = [...nameFaults, ...foundFaults.filter((fault) => !isTold(fault))];
  const outputs = new Set(sources.map(({ output }) => output));
  const { styles, faults: styleFaults } = readStyles(sources);
  const linkFaults = checkLinks(framed, { url: baked.settings.url, outputs, templates, styles });
  return { framed, faults: [...faults, ...frameFaults, ...styleFaults, ...linkFaults] };
}

/** Style sheets are copied as they are; their text is read for the addresses in it. */
function readStyles(sources: readonly Source[]) {
  const faults: Fault[] = [];
  const styles = sources.flatMap((source) => {
    if (source.kind !== "file" || !source.output.endsWith(".css")) return [];
    const text = readUtf8(source.absolute);
    if (typeof text === "string") return [{ source, text }];
    faults.push({ file: source.file, ...text });
    return [];
  });
  return { styles, faults };
}
