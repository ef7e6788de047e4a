/**
 * The sources of a site, read and checked as far as they go: settings, pages, layouts, navigation, links. What is
 * wrong is collected, so that one run tells all of it. Called by build.ts.
 */
import type { NavSection } from "../lib/util/navigation.ts";
import type { Settings } from "../lib/util/settings.ts";
import type { Baked } from "../lib/util/templates.ts";
import { type Assets, type Renames, readAssets } from "./assets.ts";
import { type Bodies, openBodies } from "./bodies.ts";
import { type Choice, type Chosen, choosePages } from "./choice.ts";
import { type Collection, findCollections, type ListPage, makeListPages } from "./collections.ts";
import { openCrew } from "./crew.ts";
import { readData, type SiteData } from "./data.ts";
import type { Fault } from "./fault.ts";
import type { Cluster } from "./host/cluster.ts";
import { type Made, planMade } from "./made.ts";
import { checkNavigation, makeNavigation } from "./nav.ts";
import type { Package } from "./package.ts";
import { makePageReader, type Page } from "./page.ts";
import { findRenderer } from "./raw.ts";
import { makeReader } from "./reader.ts";
import { type Redirect, readRedirects } from "./redirects.ts";
import { renameInTemplates } from "./rename.ts";
import { readSettings } from "./settings.ts";
import { findClashes, type Maker, type Source } from "./sources.ts";
import type { Stages } from "./stages.ts";
import { listLayouts, listShown, loadTemplates, readTemplates, type Template } from "./template.ts";

export interface Site {
  readonly sources: readonly Source[];
  /** Those that are published. */
  readonly pages: readonly Page[];
  readonly chosen: Chosen;
  readonly templates: readonly Template[];
  readonly siteData: SiteData;
  /** Whether compressed files are to stand beside those of www/. */
  readonly compress: boolean;
  readonly cluster: Cluster;
  /**
   * With the templates that pages show. Undefined where templates are faulty; where other faults are, good only for
   * finding more of them.
   */
  readonly baked: Baked | undefined;
  readonly bodies: Bodies;
  readonly collections: readonly Collection[];
  readonly lists: readonly ListPage[];
  readonly redirects: readonly Redirect[];
  /** What is made besides pages, and where it goes. */
  readonly made: readonly Made[];
  readonly assets: Assets;
  readonly faults: readonly Fault[];
}

export interface Workshop {
  readonly sourceFolder: string;
  /** Where something may be kept between builds, if anywhere. */
  readonly outFolder: string | undefined;
  readonly stages: Stages;
  /** Files that were read already, by absolute path. */
  readonly read?: ReadonlyMap<string, Buffer>;
}

/** What is read, before it is put together. */
export interface Parts {
  readonly sources: readonly Source[];
  readonly sourceFaults: readonly Fault[];
  readonly general: ReturnType<typeof readSettings>;
  readonly assets: Assets;
  readonly layouts: { readonly templates: readonly Template[]; readonly faults: readonly Fault[] };
  readonly siteData: SiteData;
  /** Of all sources that are pages, and good for something. */
  readonly pages: readonly Page[];
  readonly pageFaults: readonly Fault[];
  readonly bodies: Bodies;
}

/** Reads all of it and puts it together. The caller closes `bodies`. */
export async function readSite(
  workshop: Workshop,
  home: Package,
  walked: Pick<Parts, "sources"> & { readonly faults: readonly Fault[] },
  choice: Choice,
): Promise<Site> {
  const { stages, sourceFolder } = workshop;
  stages.begin("reading settings, layouts, and assets");
  const general = readSettings(sourceFolder);
  const assets = await readAssets(walked.sources, {
    isPlain: general.isPlain || choice.isPlain === true,
    outFolder: workshop.outFolder,
    tool: home.version,
  });
  const layouts = await readLayouts(sourceFolder, home, assets.renames, workshop.read);
  const siteData = readData(sourceFolder);
  const tools = { bodies: openBodies(), renames: assets.renames };
  stages.begin("reading pages", walked.sources.length);
  const { pages, faults } = await readPages(walked.sources, home, tools, stages);
  stages.begin("finding out what belongs together");
  const { sources, faults: sourceFaults } = walked;
  return putTogether(
    { ...tools, sources, sourceFaults, general, assets, layouts, siteData, pages, pageFaults: faults },
    sourceFolder,
    choice,
  );
}

/** Of layouts: compiled, with the hashed names of assets in them. */
export async function readLayouts(
  sourceFolder: string,
  home: Package,
  renames: Renames,
  read?: ReadonlyMap<string, Buffer>,
): Promise<Parts["layouts"]> {
  const { templates, faults } = await readTemplates(sourceFolder, home, read);
  return { templates: await renameInTemplates(templates, renames), faults };
}

export async function readPages(
  sources: readonly Source[],
  home: Package,
  tools: Pick<Parts, "bodies"> & { readonly renames: Renames },
  stages: Stages,
): Promise<{ readonly pages: readonly Page[]; readonly faults: readonly Fault[] }> {
  const renderMarkdown = await findRenderer(sources);
  const reader = makePageReader({ ...tools, read: makeReader(), renderMarkdown });
  const pages: Page[] = [];
  const all: Fault[] = [];
  const crew = await openCrew(sources, home);
  try {
    for (const source of sources) {
      stages.step();
      if (source.kind === "file") continue;
      const raw = source.kind === "markdown" ? await crew.next() : undefined;
      const { page, faults } = reader.read(source, raw);
      all.push(...faults);
      if (page !== undefined) pages.push(page);
    }
  } finally {
    await crew.close();
  }
  return { pages, faults: all };
}

/** What follows from all parts but the look: which pages there are, and how they belong together. */
export interface Together extends Omit<Site, "templates" | "siteData" | "baked"> {
  readonly settings: Settings;
  readonly navigation: readonly NavSection[];
}

/** What follows from the parts, whichever of them changed. */
export function putTogether(parts: Parts, sourceFolder: string, choice: Choice): Site {
  return dress(findTogether(parts, sourceFolder, choice), parts);
}

export function findTogether(
  parts: Omit<Parts, "layouts" | "siteData">,
  sourceFolder: string,
  choice: Choice,
): Together {
  const { sources, bodies, assets } = parts;
  const { settings, compress, cluster } = parts.general;
  const chosen = choosePages(parts.pages, choice);
  const { pages } = chosen;
  const { collections, faults: collectionFaults } = findCollections(pages);
  const lists = makeListPages(collections, bodies);
  const makers = [...sources, ...lists.flatMap(({ page, isMade }) => (isMade ? [page.source] : []))];
  const { redirects, faults: redirectFaults } = readRedirects(
    sourceFolder,
    () => new Map(makers.map(({ output, file }) => [output, file])),
  );
  const made = planMade({ sources, pages, lists, collections, redirects, bodies, settings });
  const faults = [
    ...parts.general.faults,
    ...parts.sourceFaults,
    ...assets.faults,
    ...findClashes([...makers, ...made, ...listHashed(assets)]),
    ...parts.pageFaults,
    ...checkNavigation(pages),
    ...collectionFaults,
    ...redirectFaults,
  ];
  const navigation = makeNavigation(pages);
  const what = { sources, pages, chosen, collections, lists, redirects, made, assets };
  return { ...what, settings, navigation, compress, cluster, bodies, faults };
}

/** With what layouts are and show. */
export function dress(
  { settings, navigation, ...together }: Together,
  { layouts, siteData }: Pick<Parts, "layouts" | "siteData">,
): Site {
  const { templates } = layouts;
  // Those of account pages and mails are for programs, and need not be loaded here.
  const shown = listShown(templates, listLayouts(templates));
  const baked =
    layouts.faults.length > 0 ? undefined : { settings, navigation, templates: loadTemplates(shown) };
  const faults = [...together.faults, ...layouts.faults, ...siteData.faults];
  return { ...together, templates, siteData, baked, faults };
}

/** The second names of assets. */
export function listHashed({ files }: Assets): readonly Maker[] {
  const plain = new Set(files.map(({ file }) => `www/${file.slice("content/".length)}`));
  return files.flatMap(({ path, file }) => (plain.has(path) ? [] : [{ file, output: path.slice(4) }]));
}
