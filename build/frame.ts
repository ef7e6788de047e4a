/**
 * Pages put into their layouts, by the very code that account programs use, so that both look alike. A layout
 * that names what is not there is a fault of the layout, told once.
 */
import { type Baked, makeRenderer } from "../lib/util/templates.ts";
import { didYouMean, type Fault } from "./fault.ts";
import type { Page } from "./page.ts";
import { faultOfRender, listLayouts, type Template } from "./template.ts";

export interface FramedPage {
  readonly page: Page;
  /** The whole document. */
  readonly document: string;
  /** Where the page's own HTML begins in it: once, unless a layout puts it in several times. */
  readonly bodyStarts: readonly number[];
}

// What a page has that asks for none (build/header.ts).
const defaultLayout = "page";
const noContent = "a layout of pages must place the page's body: write {{{content}}} where it belongs";

// Stands around the body while it is framed. HTML forbids the character, even as a reference: no page has it.
const mark = "<!--\u0001-->";

/** Pages with a wrong layout are left out of `framed`, and are faults. */
export function framePages(
  pages: readonly Page[],
  baked: Baked,
  templates: readonly Template[],
): { framed: readonly FramedPage[]; faults: readonly Fault[] } {
  const { frame } = makeRenderer(baked);
  const layouts = listLayouts(templates);
  const faults: Fault[] = [];
  const framed = pages.flatMap((page): FramedPage[] => {
    const { layout, layoutLine, description } = page.header;
    if (!layouts.includes(layout)) {
      const there = templates.find(({ name }) => name === layout);
      // Told once, by the layout itself: the same fault from each page is one.
      if (there !== undefined && layout === defaultLayout)
        faults.push({ file: there.file, line: 0, message: noContent });
      else faults.push({ file: page.source.file, line: layoutLine, message: explainLayout(layout, layouts) });
      return [];
    }
    // An empty body stays empty, for a layout that asks for it with {{#if content}}.
    const content = page.html.trim() === "" ? "" : mark + page.html + mark;
    try {
      return [
        {
          page,
          ...splitDocument(frame({ layout, title: page.title, description, path: page.path, content })),
        },
      ];
    } catch (error) {
      faults.push(faultOfRender(error, layout, templates));
      return [];
    }
  });
  return { framed, faults };
}

function splitDocument(marked: string): Pick<FramedPage, "document" | "bodyStarts"> {
  const pieces = marked.split(mark);
  // Outside, inside, outside, inside, outside: every second piece is the body.
  const bodyStarts: number[] = [];
  let length = 0;
  for (const [index, piece] of pieces.entries()) {
    if (index % 2 === 1) bodyStarts.push(length);
    length += piece.length;
  }
  return { document: pieces.join(""), bodyStarts };
}

function explainLayout(layout: string, layouts: readonly string[]): string {
  return `there is no layout "${layout}"${didYouMean(layout, layouts) || `; there are: ${layouts.join(", ")}`}`;
}
