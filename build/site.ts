/**
 * The sources of a site, read and checked as far as they go: settings, pages, layouts, navigation, links. What is
 * wrong is collected, so that one run tells all of it. Called by build.ts.
 */
import type { Baked } from "../lib/util/templates.ts";
import { type Assets, readAssets } from "./assets.ts";
import { type Bodies, openBodies } from "./bodies.ts";
import { type Choice, type Chosen, choosePages, explainLeftOut } from "./choice.ts";
import { type Collection, findCollections, type ListPage, makeListPages } from "./collections.ts";
import { openCrew } from "./crew.ts";
import { readData, type SiteData } from "./data.ts";
import { type Intern, makeIntern } from "./facts.ts";
import type { Fault } from "./fault.ts";
import { type FramedPage, framePages } from "./frame.ts";
import { lineOfKey } from "./header.ts";
import { checkLinks, type NamedTarget } from "./links.ts";
import { type Made, planMade } from "./made.ts";
import { checkTemplateNames } from "./names.ts";
import { checkNavigation, makeNavigation } from "./nav.ts";
import type { Package } from "./package.ts";
import { makePageReader, type Page } from "./page.ts";
import { findRenderer } from "./raw.ts";
import { makeReader } from "./reader.ts";
import { type Redirect, readRedirects, redirectsFile } from "./redirects.ts";
import { renameInTemplates } from "./rename.ts";
import { readSettings } from "./settings.ts";
import { findClashes, type Maker, type Source } from "./sources.ts";
import type { Stages } from "./stages.ts";
import { makeSurroundings } from "./surroundings.ts";
import { listLayouts, listShown, loadTemplates, readTemplates, type Template } from "./template.ts";
import { readUtf8 } from "./text.ts";
import { listFields } from "./words.ts";

export interface Site {
  readonly sources: readonly Source[];
  /** Those that are published. */
  readonly pages: readonly Page[];
  readonly chosen: Chosen;
  readonly templates: readonly Template[];
  readonly siteData: SiteData;
  /** Whether compressed files are to stand beside those of www/. */
  readonly compress: boolean;
  /**
   * With the templates that pages show. Undefined where templates are faulty; where other faults are, good only for
   * finding more of them.
   */
  readonly baked: Baked | undefined;
  readonly bodies: Bodies;
  readonly intern: Intern;
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
}

/** The caller closes `bodies`. */
export async function readSite(
  { sourceFolder, outFolder, stages }: Workshop,
  home: Package,
  {
    sources,
    faults: sourceFaults,
  }: { readonly sources: readonly Source[]; readonly faults: readonly Fault[] },
  choice: Choice,
): Promise<Site> {
  stages.begin("reading settings, layouts, and assets");
  const { settings, compress, isPlain, faults: settingFaults } = readSettings(sourceFolder);
  const assets = await readAssets(sources, {
    isPlain: isPlain || choice.isPlain === true,
    outFolder,
    tool: home.version,
  });
  const { renames } = assets;
  const { templates: written, faults: templateFaults } = await readTemplates(sourceFolder, home);
  const templates = await renameInTemplates(written, renames);
  const siteData = readData(sourceFolder);
  const renderMarkdown = await findRenderer(sources);
  const [bodies, intern] = [openBodies(), makeIntern()];
  const reader = makePageReader({ read: makeReader(), bodies, intern, renames, renderMarkdown });
  const all: Page[] = [];
  const pageFaults: Fault[] = [];
  stages.begin("reading pages", sources.length);
  const crew = openCrew(sources, home);
  try {
    for (const source of sources) {
      stages.step();
      if (source.kind === "file") continue;
      const raw = source.kind === "markdown" ? await crew.next() : undefined;
      const { page, faults } = reader.read(source, raw);
      pageFaults.push(...faults);
      if (page !== undefined) all.push(page);
    }
  } finally {
    await crew.close();
  }
  stages.begin("finding out what belongs together");
  const chosen = choosePages(all, choice);
  const { pages } = chosen;
  const { collections, faults: collectionFaults } = findCollections(pages);
  const lists = makeListPages(collections, { bodies, intern });
  const makers = [...sources, ...lists.flatMap(({ page, isMade }) => (isMade ? [page.source] : []))];
  const { redirects, faults: redirectFaults } = readRedirects(
    sourceFolder,
    new Map(makers.map(({ output, file }) => [output, file])),
  );
  const made = planMade({ sources, pages, lists, collections, redirects, bodies, settings });
  const faults = [
    ...settingFaults,
    ...sourceFaults,
    ...assets.faults,
    ...findClashes([...makers, ...made, ...listHashed(assets)]),
    ...pageFaults,
    ...checkNavigation(pages),
    ...collectionFaults,
    ...redirectFaults,
    ...templateFaults,
    ...siteData.faults,
  ];
  const navigation = makeNavigation(pages);
  // Those of account pages and mails are for programs, and need not be loaded here.
  const shown = listShown(templates, listLayouts(templates));
  const baked =
    templateFaults.length > 0 ? undefined : { settings, navigation, templates: loadTemplates(shown) };
  return {
    sources,
    pages,
    templates,
    siteData,
    compress,
    baked,
    bodies,
    intern,
    collections,
    lists,
    redirects,
    made,
    chosen,
    assets,
    faults,
  };
}

/** The second names of assets. */
function listHashed({ files }: Assets): readonly Maker[] {
  const plain = new Set(files.map(({ file }) => `www/${file.slice("content/".length)}`));
  return files.flatMap(({ path, file }) => (plain.has(path) ? [] : [{ file, output: path.slice(4) }]));
}

/** Frames and checks as far as what was read allows, so that one run tells as many faults as it can. */
export function frameSite(
  site: Site,
  stages: Stages,
): { framed: readonly FramedPage[]; faults: readonly Fault[] } {
  const { baked, templates, siteData, sources, bodies, faults } = site;
  if (baked === undefined) return { framed: [], faults };
  const pages = [...site.pages, ...site.lists.flatMap(({ page, isMade }) => (isMade ? [page] : []))];
  stages.begin("putting pages into layouts", pages.length);
  const nameFaults = checkTemplateNames(templates, listLayouts(templates), siteData.shape);
  const { url } = baked.settings;
  const surroundingsOf = makeSurroundings({ ...site, ...baked, url, fields: listFields(templates) });
  const { framed, faults: foundFaults } = framePages(pages, baked, { ...site, stages, surroundingsOf });
  // What a page stumbles over while it is rendered has been told by its name, or by its data, already.
  const isTold = (fault: Fault): boolean =>
    nameFaults.length + siteData.faults.length > 0 && templates.some(({ file }) => file === fault.file);
  const frameFaults = [...nameFaults, ...foundFaults.filter((fault) => !isTold(fault))];
  const leftOut = new Set([...site.chosen.drafts, ...site.chosen.future].map(({ source }) => source));
  // A page that could not be read is there for those that link to it: its own fault is enough.
  const there = sources.filter((source) => !leftOut.has(source));
  const makers = [...there, ...pages.map(({ source }) => source), ...site.made, ...listHashed(site.assets)];
  stages.begin("checking links", framed.length);
  const outputs = new Set(makers.map(({ output }) => output));
  const { styles, faults: styleFaults } = readStyles(sources);
  const { settings } = baked;
  const linkFaults = checkLinks(framed, {
    stages,
    settings,
    outputs,
    templates,
    styles,
    bodies,
    named: nameTargets(site),
    whyNot: (output) => explainLeftOut(site.chosen, output),
  });
  return { framed, faults: [...faults, ...frameFaults, ...styleFaults, ...linkFaults] };
}

/** The addresses that owners write elsewhere than in pages. */
function nameTargets({ pages, redirects }: Site): readonly NamedTarget[] {
  const images = pages.flatMap(({ header: { image }, source: { file }, head }) =>
    image === "" ? [] : [{ target: image, file, line: lineOfKey(head, "image") }],
  );
  return [
    ...images,
    ...redirects.map(({ to, line, column }) => ({ target: to, file: redirectsFile, line, column })),
  ];
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
