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
import type { Page } from "./page.ts";
import { redirectsFile } from "./redirects.ts";
import { listHashed, type Site } from "./site.ts";
import type { Source } from "./sources.ts";
import type { Stages } from "./stages.ts";
import { makeSurroundings } from "./surroundings.ts";
import { type Ids, makeIds } from "./targets.ts";
import { listLayouts } from "./template.ts";
import { readUtf8 } from "./text.ts";
import { listFields } from "./words.ts";

export interface Frames {
  /** All that have a layout: those of the sources, and lists without one. */
  readonly pages: readonly Page[];
  readonly frame: Framer;
  /** What is wrong with the layouts' names. */
  readonly faults: readonly Fault[];
}

export function openFrames(site: Site, baked: Baked): Frames {
  const { templates, siteData } = site;
  const { settings } = baked;
  const pages = [...site.pages, ...site.lists.flatMap(({ page, isMade }) => (isMade ? [page] : []))];
  const faults = checkTemplateNames(templates, listLayouts(templates), siteData.shape);
  const fields = listFields(templates);
  const surroundingsOf = makeSurroundings({ ...site, ...baked, url: settings.url, fields });
  return { pages, frame: makeFramer(baked, { ...site, surroundingsOf }), faults };
}

/** What links are judged by; `pages`: those of the frames. */
export function makeContext(site: Site, { settings }: Baked, pages: readonly Page[]): LinkContext {
  const { templates, bodies, sources, chosen } = site;
  const leftOut = new Set([...chosen.drafts, ...chosen.future].map(({ source }) => source));
  // A page that could not be read is there for those that link to it: its own fault is enough.
  const there = sources.filter((source) => !leftOut.has(source));
  const makers = [...there, ...pages.map(({ source }) => source), ...site.made, ...listHashed(site.assets)];
  return {
    settings,
    outputs: new Set(makers.map(({ output }) => output)),
    templates,
    bodies,
    named: nameTargets(site),
    whyNot: (output: string) => explainLeftOut(chosen, output),
  };
}

/** Frames and checks as far as what was read allows, so that one run tells as many faults as it can. */
export function frameSite(
  site: Site,
  stages: Stages,
): { framed: readonly FramedPage[]; faults: readonly Fault[] } {
  const { baked, templates, siteData, faults } = site;
  if (baked === undefined) return { framed: [], faults };
  stages.begin("putting pages into layouts", site.pages.length);
  const frames = openFrames(site, baked);
  const framed: FramedPage[] = [];
  const found: Fault[] = [];
  for (const page of frames.pages) {
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
  const byOutput = new Map(framed.map((one) => [one.page.source.output, one]));
  const context = makeContext(site, baked, frames.pages);
  const check = openCheck(context, (output) => byOutput.get(output), stages);
  const linkFaults = framed.flatMap(check.page);
  const { styles, faults: styleFaults } = readStyles(site.sources);
  return {
    framed,
    faults: [...faults, ...frameFaults, ...styleFaults, ...linkFaults, ...check.others(styles)],
  };
}

/** `framedAt`: the page at an output; undefined where there is none. */
export function openCheck(
  context: LinkContext,
  framedAt: (output: string) => FramedPage | undefined,
  stages: Stages,
): LinkCheck {
  return openLinkCheck(context, gatherIds(framedAt), stages);
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
