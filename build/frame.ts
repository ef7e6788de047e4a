/**
 * Pages put into their layouts, by the very code that account programs use, so that both look alike. A layout
 * that names what is not there is a fault of the layout, told once.
 */
import { type Baked, makeRenderer, type Surroundings } from "../lib/util/templates.ts";
import type { Bodies } from "./bodies.ts";
import { collectFacts, type Facts, pack, unpack } from "./facts.ts";
import { didYouMean, type Fault } from "./fault.ts";
import { type Page, readShown } from "./page.ts";
import { scanMarkup } from "./scan.ts";
import { fillMarks, type Mould, makeMoulds, type Poured, pour } from "./segments.ts";
import { accountLayout } from "./shapes.ts";
import type { Site } from "./site.ts";
import { faultOfRender, listLayouts, type Template } from "./template.ts";

export interface FramedPage {
  readonly page: Page;
  /** What its layout may show of it, in the order of the mould's numbers. */
  readonly words: readonly string[];
  readonly mould: Mould;
  /** What the layout puts around this page's body. */
  readonly outside: Facts;
}

// What a page has that asks for none (build/header.ts).
const defaultLayout = "page";
const noContent = "a layout of pages must place the page's body: write {{{content}}} where it belongs";

/** A page in its layout, or what is wrong with that. Pages that are alike share what was done for the first of them. */
export type Framer = (page: Page) => FramedPage | Fault;

export function makeFramer(
  baked: Baked,
  {
    templates,
    shown,
    bodies,
    siteData: { data },
    surroundingsOf,
  }: Pick<Site, "templates" | "bodies" | "siteData"> & {
    /** Layouts, and what they show. */
    readonly shown: readonly Template[];
    readonly surroundingsOf: (page: Page) => Surroundings;
  },
): Framer {
  const { render } = makeRenderer(baked);
  // The same for all pages, so that those of one kind share one rendering still.
  const withData = (layout: string, given: object): string =>
    render(layout, layout === accountLayout ? given : { ...given, data });
  const moulds = makeMoulds({ render: withData }, baked, shown);
  const outsideOf = makeOutsides();
  const layouts = listLayouts(templates);
  return (page) => {
    const { layout, layoutLine, description } = page.header;
    if (!layouts.includes(layout)) {
      const there = templates.find(({ name }) => name === layout);
      // Told once, by the layout itself: the same fault from each page is one.
      return there !== undefined && layout === defaultLayout
        ? { file: there.file, line: 0, message: noContent }
        : { file: page.source.file, line: layoutLine, message: explainLayout(layout, layouts) };
    }
    const surroundings = surroundingsOf(page);
    const head = { layout, title: page.title, description, path: page.path, surroundings };
    try {
      const { mould, words } = moulds.find(head, !page.isEmpty, () =>
        readShown(page, bodies).toString("utf8"),
      );
      return { page, words, mould, outside: outsideOf(mould, words) };
    } catch (error) {
      return faultOfRender(error, layout, templates);
    }
  };
}

/** The whole document; its bytes are good until the next one is made. */
export function makeDocument({ page, words, mould }: FramedPage, bodies: Bodies): Poured {
  return pour(mould.pieces, words, readShown(page, bodies));
}

/** Layouts are looked at once for all pages that share a mould, unless one of their words is part of an address. */
function makeOutsides(): (mould: Mould, words: readonly string[]) => Facts {
  const known = new Map<Mould, { readonly facts: Facts; readonly hasMarks: boolean }>();
  return (mould, words) => {
    let found = known.get(mould);
    if (found === undefined) {
      const all = collectFacts(scanMarkup(mould.outside));
      // Attributes' values are decoded: the mark is found as it was before it was escaped.
      const facts = {
        ...all,
        targets: pack(unpack(all.targets).filter((target) => !mould.addresses.has(target))),
      };
      const hasMarks = [facts.ids, facts.targets].some((text) => fillMarks(text, words) !== text);
      found = { facts, hasMarks };
      known.set(mould, found);
    }
    const { facts, hasMarks } = found;
    if (!hasMarks) return facts;
    return { ...facts, ids: fillMarks(facts.ids, words), targets: fillMarks(facts.targets, words) };
  };
}

function explainLayout(layout: string, layouts: readonly string[]): string {
  return `there is no layout "${layout}"${didYouMean(layout, layouts) || `; there are: ${layouts.join(", ")}`}`;
}
