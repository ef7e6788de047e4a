/**
 * The navigation, from the content itself: a page of the top level with `nav:` is an entry; a folder whose
 * index page has `nav:` is a section with the folder's other `nav:` pages below it.
 */
import type { NavSection } from "../lib/util/navigation.ts";
import { compareText, type Fault } from "./fault.ts";
import type { Page } from "./page.ts";

export function makeNavigation(pages: readonly Page[]): readonly NavSection[] {
  const listed = pages.filter((page) => page.header.nav !== "").sort(byOrder);
  const depth = (page: Page): number => page.path.split("/").length - (page.path.endsWith("/") ? 3 : 2);
  const isIndex = (page: Page): boolean => page.path.endsWith("/");
  const tops = listed.filter((page) => page.path === "/" || depth(page) <= 0);
  return tops.map((top) => {
    const inside = (page: Page): boolean => page !== top && page.path.startsWith(top.path);
    const children = isIndex(top) && top.path !== "/" ? listed.filter(inside) : [];
    return { ...linkTo(top), children: children.map(linkTo) };
  });
}

/** A page that asks for a place below a section that there is not would be missing without a word. */
export function checkNavigation(pages: readonly Page[]): readonly Fault[] {
  const sections = makeNavigation(pages).map((section) => section.href);
  return pages.flatMap(({ header, path, source }): Fault[] => {
    if (header.nav === "") return [];
    const [, folder = ""] = path.split("/");
    if (sections.includes(path) || sections.includes(`/${folder}/`)) return [];
    const message = `"nav" shows nothing, for its section has none; put nav: into content/${decodeURI(folder)}/index.html`;
    return [{ file: source.file, line: header.navLine, message }];
  });
}

function linkTo(page: Page): { readonly label: string; readonly href: string } {
  return { label: page.header.nav, href: page.path };
}

function byOrder(left: Page, right: Page): number {
  return (
    left.header.order - right.header.order ||
    compareText(left.header.nav, right.header.nav) ||
    compareText(left.path, right.path)
  );
}
