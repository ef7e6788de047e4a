/**
 * The pages of a site in their layouts, and checked there: all of them for a build, one by one for whoever asks for one
 * (preview.ts).
 */
import type { Baked } from "../lib/util/templates.ts";
import { explainLeftOut } from "./choice.ts";
import type { Fault } from "./fault.ts";
import { type FramedPage, type Framer, makeFramer } from "./frame.ts";
import { lineOfKey } from "./header.ts";
import { type LinkCheck, type LinkContext, type NamedTarget, openLinkCheck } from "./links.ts";
import { checkTemplateNames } from "./names.ts";
import { addressOf, type Page } from "./page.ts";
import { redirectsFile } from "./redirects.ts";
import { listHashed, type Site } from "./site.ts";
import type { Source } from "./sources.ts";
import type { Stages } from "./stages.ts";
import { makeSurroundings } from "./surroundings.ts";
import { type Ids, makeIds } from "./targets.ts";
import { listLayouts, listShown } from "./template.ts";
import { readUtf8 } from "./text.ts";
import { listFields } from "./words.ts";

export interface Frames {
  readonly frame: Framer;
  /** What is wrong with the layouts' names. */
  readonly faults: readonly Fault[];
}

export function openFrames(site: Site, baked: Baked): Frames {
  const { templates, siteData } = site;
  const { settings } = baked;
  const faults = checkTemplateNames(templates, listLayouts(templates), siteData.shape);
  const shown = listShown(templates, listLayouts(templates));
  const fields = listFields(shown);
  const surroundingsOf = makeSurroundings({ ...site, ...baked, url: settings.url, fields });
  return { frame: makeFramer(baked, { ...site, shown, surroundingsOf }), faults };
}

/** All pages: those of the sources, and lists without one. */
export function listPages({ pages, lists }: Pick<Site, "pages" | "lists">): readonly Page[] {
  return [...pages, ...lists.flatMap(({ page, isMade }) => (isMade ? [page] : []))];
}

/** Every path below www/; `pages`: all of them. */
export function listOutputs(
  site: Pick<Site, "sources" | "chosen" | "made" | "assets">,
  pages: readonly Page[],
): ReadonlySet<string> {
  const leftOut = new Set([...site.chosen.drafts, ...site.chosen.future].map(({ source }) => source));
  // A page that could not be read is there for those that link to it: its own fault is enough.
  const there = site.sources.filter((source) => !leftOut.has(source));
  const makers = [...there, ...pages.map(({ source }) => source), ...site.made, ...listHashed(site.assets)];
  return new Set(makers.map(({ output }) => output));
}

/** What links are judged by. */
export function makeContext(
  site: Site,
  { settings }: Baked,
  outputs: () => ReadonlySet<string>,
): LinkContext {
  const { templates, bodies, chosen } = site;
  const whyNot = (output: string): string | undefined => explainLeftOut(chosen, output);
  return { settings, outputs, templates, bodies, named: nameTargets(site), whyNot };
}

/** Frames and checks as far as what was read allows, so that one run tells as many faults as it can. */
export function frameSite(
  site: Site,
  stages: Stages,
): { framed: readonly FramedPage[]; faults: readonly Fault[] } {
  const { baked, templates, siteData, faults } = site;
  if (baked === undefined) return { framed: [], faults };
  const pages = listPages(site);
  stages.begin("putting pages into layouts", pages.length);
  const frames = openFrames(site, baked);
  const framed: FramedPage[] = [];
  const found: Fault[] = [];
  for (const page of pages) {
    stages.step();
    const one = frames.frame(page);
    if ("mould" in one) framed.push(one);
    else found.push(one);
  }
  // What a page stumbles over while it is rendered has been told by its name, or by its data, already.
  const isTold = (fault: Fault): boolean =>
    frames.faults.length + siteData.faults.length > 0 && templates.some(({ file }) => file === fault.file);
  const frameFaults = [...frames.faults, ...found.filter((fault) => !isTold(fault))];
  stages.begin("checking links", framed.length);
  const byPath = new Map<string, FramedPage>();
  for (const one of framed) byPath.set(one.page.path, one);
  let outputs: ReadonlySet<string> | undefined;
  const context = makeContext(site, baked, () => {
    outputs ??= listOutputs(site, pages);
    return outputs;
  });
  const idsOf = gatherIds((output) => byPath.get(addressOf(output)));
  const check = openLinkCheck(context, { idsOf, pageAt: (address) => byPath.get(address) }, stages);
  const linkFaults: Fault[] = [];
  for (const one of framed) linkFaults.push(...check.page(one));
  const { styles, faults: styleFaults } = readStyles(site.sources);
  return {
    framed,
    faults: [...faults, ...frameFaults, ...styleFaults, ...linkFaults, ...check.others(styles)],
  };
}

/** For a few pages. `framedAt`: the page at an output; undefined where there is none. */
export function openCheck(
  context: LinkContext,
  framedAt: (output: string) => FramedPage | undefined,
  stages: Stages,
): LinkCheck {
  return openLinkCheck(context, { idsOf: gatherIds(framedAt), pageAt: () => undefined }, stages);
}

/** The ids of one page, its own and its layout's, put together when the first link asks for them. */
function gatherIds(
  framedAt: (output: string) => FramedPage | undefined,
): (output: string) => Ids | undefined {
  const known = new Map<string, Ids | undefined>();
  return (output) => {
    if (known.has(output)) return known.get(output);
    const one = framedAt(output);
    const ids = one && makeIds(one.page.facts.ids, one.outside.ids);
    known.set(output, ids);
    return ids;
  };
}

/** The addresses that owners write elsewhere than in pages. */
function nameTargets({ pages, redirects, baked }: Site): readonly NamedTarget[] {
  const terms = baked?.settings.terms.page ?? "";
  const images = pages.flatMap(({ header: { image }, source: { file }, head }) =>
    image === "" ? [] : [{ target: image, file, line: lineOfKey(head, "image") }],
  );
  return [
    ...images,
    // Whoever signs up is sent there by a program's page, whose links are not known here.
    ...(terms === "" ? [] : [{ target: terms, file: "etc/site.yaml", line: 0 }]),
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
