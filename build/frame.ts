/**
 * Pages put into their layouts, by the very code that account programs use, so that both look alike. A layout
 * that names what is not there is a fault of the layout, told once.
 */
import { type Baked, makeRenderer } from "../lib/util/templates.ts";
import { didYouMean, type Fault } from "./fault.ts";
import type { Page } from "./page.ts";
import { type Framed, makeFramer } from "./segments.ts";
import { faultOfRender, listLayouts, type Template } from "./template.ts";

export interface FramedPage extends Framed {
  readonly page: Page;
}

// What a page has that asks for none (build/header.ts).
const defaultLayout = "page";
const noContent = "a layout of pages must place the page's body: write {{{content}}} where it belongs";

/** Pages with a wrong layout are left out of `framed`, and are faults. */
export function framePages(
  pages: readonly Page[],
  baked: Baked,
  templates: readonly Template[],
): { framed: readonly FramedPage[]; faults: readonly Fault[] } {
  const frame = makeFramer(makeRenderer(baked), baked, templates);
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
    const { title, path } = page;
    const content = page.html.trim() === "" ? "" : page.html;
    try {
      return [{ page, ...frame({ layout, title, description, path, content }) }];
    } catch (error) {
      faults.push(faultOfRender(error, layout, templates));
      return [];
    }
  });
  return { framed, faults };
}

function explainLayout(layout: string, layouts: readonly string[]): string {
  return `there is no layout "${layout}"${didYouMean(layout, layouts) || `; there are: ${layouts.join(", ")}`}`;
}
