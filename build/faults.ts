/**
 * Where exactly a fault stands that was found in what is noted of a page or a layout: their text is read once more,
 * with the line and the column of everything in it. Called by links.ts for the few pages that have one.
 */
import type { Bodies } from "./bodies.ts";
import { isPacked } from "./facts.ts";
import { type Fault, locate, makeLocator } from "./fault.ts";
import type { FramedPage } from "./frame.ts";
import type { Page } from "./page.ts";
import { type FoundLink, scanMarkup } from "./scan.ts";
import { baseMessage, decode, type Judge } from "./targets.ts";
import type { Template } from "./template.ts";
import { readUtf8 } from "./text.ts";

interface Position {
  readonly line: number;
  readonly column?: number;
}

/** The faults of a page's own body. */
export function explainBody(
  { page, outside }: FramedPage,
  { judge }: Judge,
  bodies: Bodies,
): readonly Fault[] {
  const html = bodies.read(page.body).toString("utf8");
  const markup = scanMarkup(html);
  const { file } = page.source;
  const placeTag = makeTagPlacer(page, html);
  const placeLink = makeLinkPlacer(page, placeTag);
  const links = markup.links.flatMap((link) => {
    const wrong = link.tag === "base" ? baseMessage : judge(link.target, page.path);
    const message = `link ${JSON.stringify(link.target)}: ${wrong}`;
    return wrong === undefined ? [] : [{ place: () => placeLink(link), message }];
  });
  const tags = markup.faults.map(({ offset, message }) => ({ place: () => placeTag(offset), message }));
  const twice = markup.idPlaces.flatMap(({ id, offset }) => {
    if (!isPacked(outside.ids, id)) return [];
    const message = `the id ${JSON.stringify(id)} is given twice`;
    return [{ place: () => placeTag(offset), message }];
  });
  const all = [...links, ...tags, ...twice];
  const told = all.slice(0, mostFaults).map(({ place, message }): Fault => ({ file, ...place(), message }));
  if (all.length === told.length) return told;
  const message = `has ${all.length - told.length} more faults like those that are told`;
  return [...told, { file, line: 0, message }];
}

/** Of one page. */
const mostFaults = 500;

type PlaceTag = (offset: number) => Position;

function makeTagPlacer(page: Page, html: string): PlaceTag {
  // Where Markdown made the tag, only the page is known.
  if (page.source.kind === "markdown") return () => ({ line: page.bodyLine });
  const locateHere = makeLocator(html);
  return (offset) => {
    const { line, column } = locateHere(offset);
    return { line: line + page.bodyLine - 1, column };
  };
}

function makeLinkPlacer(page: Page, placeTag: PlaceTag): (link: FoundLink) => Position {
  if (page.source.kind === "html") return ({ offset }) => placeTag(offset);
  const text = readUtf8(page.source.absolute);
  const written = typeof text === "string" ? text.split("\n").slice(page.bodyLine - 1) : [];
  const body = written.join("\n");
  const locateHere = makeLocator(body);
  // Where each address was found so far, so that the second of two equal ones is looked for further down.
  const found = new Map<string, number>();
  return (link) => {
    // The next place of the source in which the address is written, with nothing of an address around it.
    for (const spelling of [link.target, link.written, decode(link.target) ?? link.target]) {
      const exact = spelling.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      const spelled = new RegExp(`(?<![\\w./#-])${exact}(?![\\w./#?=&-])`, "g");
      spelled.lastIndex = found.get(link.target) ?? 0;
      const match = spelled.exec(body);
      if (match === null) continue;
      found.set(link.target, spelled.lastIndex);
      const { line, column } = locateHere(match.index);
      return { line: line + page.bodyLine - 1, column };
    }
    return { line: page.bodyLine };
  };
}

type InLayout = Position & { readonly file: string };

/** The layout in which a link to the address is written; else the page's own layout. */
export function placeLinkInLayout(page: Page, target: string, templates: readonly Template[]): InLayout {
  return searchLayouts(page, templates, (text) =>
    scanMarkup(text, { isTemplate: true }).links.find((link) => link.target === target),
  );
}

/** The layout in which the same fault is found when it is looked at by itself; else the page's own layout. */
export function placeTagInLayout(page: Page, message: string, templates: readonly Template[]): InLayout {
  return searchLayouts(page, templates, (text) =>
    scanMarkup(text).faults.find((fault) => fault.message === message),
  );
}

function searchLayouts(
  page: Page,
  templates: readonly Template[],
  search: (text: string) => { readonly offset: number } | undefined,
): InLayout {
  const layouts = templates.filter((template) => !template.name.includes("/"));
  const own = layouts.filter(({ name }) => name === page.header.layout);
  for (const { file, text } of [...own, ...layouts]) {
    const found = search(text);
    if (found !== undefined) return { file, ...locate(text, found.offset) };
  }
  return { file: own[0]?.file ?? page.source.file, line: 0 };
}
