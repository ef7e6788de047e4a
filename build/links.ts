/**
 * Every link inside the site must lead somewhere: to a page, a file, an anchor in a page, or a program that the site has; and
 * every tag must be closed in its order, every id be given once. Finished pages are looked at; what stands in a
 * layout is a fault of the layout, told once.
 */
import { findRoute, isOffered } from "../lib/util/routes.ts";
import type { Settings } from "../lib/util/settings.ts";
import { compareText, didYouMean, type Fault, locate } from "./fault.ts";
import type { FramedPage } from "./frame.ts";
import { addressOf, type Page } from "./page.ts";
import { type FoundLink, type Markup, scanMarkup } from "./scan.ts";
import type { Source } from "./sources.ts";
import { readStyleLinks } from "./styles.ts";
import type { Template } from "./template.ts";

export interface LinkContext {
  /** The base URL, since links that spell it out are links inside the site; and what decides which programs it has. */
  readonly settings: Pick<Settings, "url" | "search">;
  /** Every path below www/, "docs/index.html". */
  readonly outputs: ReadonlySet<string>;
  readonly templates: readonly Template[];
  /** The site's style sheets, with their text. */
  readonly styles: readonly { readonly source: Source; readonly text: string }[];
}

interface Check extends LinkContext {
  /** By output: the ids of each page. */
  readonly ids: ReadonlyMap<string, ReadonlySet<string>>;
  /** What was found of targets that mean the same on every page; "" where nothing is wrong. */
  readonly judged: Map<string, string>;
  /** Where links were found in Markdown so far, so that the second of two equal ones is looked for further down. */
  readonly found: Map<string, number>;
}

interface Scanned {
  readonly framed: FramedPage;
  readonly markup: Markup;
}

export function checkLinks(framed: readonly FramedPage[], context: LinkContext): readonly Fault[] {
  const scanned = framed
    .map((one): Scanned => ({ framed: one, markup: scanMarkup(one.document) }))
    .sort((a, b) => compareText(a.framed.page.path, b.framed.page.path));
  const ids = new Map(
    scanned.map(({ framed: one, markup }) => [one.page.source.output, new Set(markup.ids)]),
  );
  const check: Check = { ...context, ids, judged: new Map(), found: new Map() };
  const inLayouts = new Map<string, Fault>();
  const inPages = scanned.flatMap((one) => [
    ...checkPageLinks(one, check, inLayouts),
    ...checkPageTags(one, check, inLayouts),
  ]);
  return [...inPages, ...inLayouts.values(), ...checkAccountPages(check), ...checkStyles(check)];
}

/** Faults of the page itself; those of its layout go into `inLayouts`. */
function checkPageLinks(
  { framed, markup }: Scanned,
  check: Check,
  inLayouts: Map<string, Fault>,
): readonly Fault[] {
  const { page } = framed;
  return markup.links.flatMap((link): Fault[] => {
    const wrong = judgeLink(link, page, check);
    if (wrong === undefined) return [];
    const message = `link ${JSON.stringify(link.target)}: ${wrong}`;
    const start = bodyAround(framed, link.offset);
    // A body that the layout puts in twice is looked at once.
    if (start !== undefined && start !== framed.bodyStarts[0]) return [];
    if (start !== undefined)
      return [{ file: page.source.file, ...placeInPage(page, link, start, check), message }];
    if (!inLayouts.has(link.written))
      inLayouts.set(link.written, { ...placeInLayout(page, link, check.templates), message });
    return [];
  });
}

/** A body is judged by itself: what it leaves open would otherwise be told of the layout around it. */
function checkPageTags(
  { framed, markup }: Scanned,
  check: Check,
  inLayouts: Map<string, Fault>,
): readonly Fault[] {
  if (markup.faults.length === 0) return [];
  const { page } = framed;
  const own = scanMarkup(page.html).faults;
  if (own.length > 0)
    return own.map(({ offset, message }) => ({
      file: page.source.file,
      ...placeOfTag(page, offset),
      message,
    }));
  return markup.faults.flatMap(({ offset, message }): Fault[] => {
    const start = bodyAround(framed, offset);
    // An id of the layout that the page gives again. A layout that puts the body in twice is at fault itself.
    if (start !== undefined && start === framed.bodyStarts[0])
      return [{ file: page.source.file, ...placeOfTag(page, offset - start), message }];
    if (!inLayouts.has(message))
      inLayouts.set(message, { ...placeTagInLayout(page, message, check.templates), message });
    return [];
  });
}

function bodyAround({ page, bodyStarts }: FramedPage, offset: number): number | undefined {
  return bodyStarts.find((at) => offset >= at && offset < at + page.html.length);
}

function placeOfTag(page: Page, offset: number): { readonly line: number; readonly column?: number } {
  // Where Markdown made the tag, only the page is known.
  if (page.source.kind === "markdown") return { line: page.bodyLine };
  const { line, column } = locate(page.html, offset);
  return { line: line + page.bodyLine - 1, column };
}

/** The layout in which the same fault is found when it is looked at by itself; else the page's own layout. */
function placeTagInLayout(
  page: Page,
  message: string,
  templates: readonly Template[],
): { readonly file: string; readonly line: number; readonly column?: number } {
  const layouts = templates.filter((template) => !template.name.includes("/"));
  const own = layouts.filter(({ name }) => name === page.header.layout);
  for (const { file, text } of [...own, ...layouts]) {
    const found = scanMarkup(text).faults.find((fault) => fault.message === message);
    if (found !== undefined) return { file, ...locate(text, found.offset) };
  }
  return { file: own[0]?.file ?? page.source.file, line: 0 };
}

/** What is wrong with a link on a page; undefined if nothing is, or if it leads to another host. */
function judgeLink(
  link: Pick<FoundLink, "target" | "tag">,
  page: Pick<Page, "path">,
  check: Check,
): string | undefined {
  const { target, tag } = link;
  // "/..." but not "//host": wherever it stands it leads to the same place, so it is judged once.
  if (tag === "base" || target.charCodeAt(0) !== 0x2f || target.charCodeAt(1) === 0x2f)
    return judgeAnew(link, page, check);
  const known = check.judged.get(target);
  if (known !== undefined) return known === "" ? undefined : known;
  const wrong = judgeAnew(link, page, check);
  check.judged.set(target, wrong ?? "");
  return wrong;
}

function judgeAnew(
  { target, tag }: Pick<FoundLink, "target" | "tag">,
  page: Pick<Page, "path">,
  check: Check,
): string | undefined {
  if (tag === "base") return "a base moves every link of the page; write each link in full instead";
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) && !/^https?:/i.test(target)) return undefined;
  const { url } = check.settings;
  if (!URL.canParse(target, url + page.path)) return "this is no address";
  const resolved = new URL(target, url + page.path);
  if (resolved.origin !== new URL(url).origin) return undefined;
  if (page.path === "/404.html" && !/^(?:[/#]|https?:)/i.test(target))
    return 'this page is shown at every address that is not found; begin the link with "/"';
  const path = decode(resolved.pathname);
  if (path === undefined) return "its percent signs are not right; write %25 for %";
  const route = findRoute(path);
  if (route !== undefined)
    return isOffered(route, check.settings)
      ? undefined
      : `only sites with "${route.setting}: yes" in etc/site.yaml have this; write that, or take the link out`;
  const output = `${path.slice(1)}${path.endsWith("/") ? "index.html" : ""}`;
  if (!check.outputs.has(output)) return explainMissing(path, check.outputs);
  return judgeAnchor(resolved.hash.slice(1), path, check.ids.get(output));
}

function judgeAnchor(hash: string, path: string, ids: ReadonlySet<string> | undefined): string | undefined {
  // What follows ":~:" (text to scroll to) is for the browser alone.
  const written = hash.split(":~:")[0] ?? "";
  const anchor = decode(written) ?? written;
  // HTML Standard, 7.4.6.4: "" and "top" are the top of every page. Files that are no pages have no ids here.
  if (anchor === "" || anchor.toLowerCase() === "top" || ids === undefined) return undefined;
  if (ids.has(written) || ids.has(anchor)) return undefined;
  return `${path} has nothing with the id ${JSON.stringify(anchor)}${didYouMean(anchor, [...ids])}`;
}

function explainMissing(path: string, outputs: ReadonlySet<string>): string {
  if (outputs.has(`${path.slice(1)}/index.html`)) return `this is a folder; write "${path}/"`;
  if (path.endsWith("/") && outputs.has(path.slice(1, -1)))
    return `this is a file; write "${path.slice(0, -1)}"`;
  if (outputs.has(`${path.slice(1)}.html`)) return `the page is named "${path}.html"`;
  if (path.endsWith(".md") && outputs.has(`${path.slice(1, -3)}.html`))
    return `Markdown becomes HTML; write "${path.slice(0, -3)}.html"`;
  const known = [...outputs].map((output) => `/${output}`.replace(/\/index\.html$/, "/"));
  return `there is no page and no file ${path}${didYouMean(path, known)}`;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function placeInPage(
  page: Page,
  link: FoundLink,
  bodyStart: number,
  { found }: Check,
): { readonly line: number; readonly column?: number } {
  if (page.source.kind === "html") {
    const { line, column } = locate(page.html, link.offset - bodyStart);
    return { line: line + page.bodyLine - 1, column };
  }
  // Markdown: the next place of the source in which the address is written, with nothing of an address around it.
  const body = page.text
    .split("\n")
    .slice(page.bodyLine - 1)
    .join("\n");
  const key = `${page.path} ${link.target}`;
  for (const written of [link.target, link.written, decode(link.target) ?? link.target]) {
    const spelled = new RegExp(
      `(?<![\\w./#-])${written.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w./#?=&-])`,
      "g",
    );
    spelled.lastIndex = found.get(key) ?? 0;
    const match = spelled.exec(body);
    if (match === null) continue;
    found.set(key, spelled.lastIndex);
    const { line, column } = locate(body, match.index);
    return { line: line + page.bodyLine - 1, column };
  }
  return { line: page.bodyLine };
}

function placeInLayout(
  page: Page,
  link: FoundLink,
  templates: readonly Template[],
): { readonly file: string; readonly line: number; readonly column?: number } {
  const layouts = templates.filter((template) => !template.name.includes("/"));
  const own = layouts.filter(({ name }) => name === page.header.layout);
  for (const { file, text } of [...own, ...layouts]) {
    const [place] = scanMarkup(text, { isTemplate: true }).links.filter(
      ({ target }) => target === link.target,
    );
    if (place !== undefined) return { file, ...locate(text, place.offset) };
  }
  return { file: own[0]?.file ?? page.source.file, line: 0 };
}

/** The links of account pages that are written out: what programs fill in is known only when they run. */
function checkAccountPages(check: Check): readonly Fault[] {
  const accountPages = check.templates.filter(({ name }) => name.startsWith("account/"));
  return accountPages.flatMap(({ name, file, text }) =>
    scanMarkup(text, { isTemplate: true }).links.flatMap((link): Fault[] => {
      if (link.target.includes("{{") || link.target.startsWith("#")) return [];
      const wrong = judgeLink(link, { path: `/${name}.cgi` }, check);
      const message = `link ${JSON.stringify(link.target)}: ${wrong}`;
      return wrong === undefined ? [] : [{ file, ...locate(text, link.offset), message }];
    }),
  );
}

function checkStyles(check: Check): readonly Fault[] {
  return check.styles.flatMap(({ source, text }) =>
    readStyleLinks(text).flatMap((link): Fault[] => {
      const wrong = judgeLink(
        { target: link.target, tag: "style" },
        { path: addressOf(source.output) },
        check,
      );
      const message = `link ${JSON.stringify(link.target)}: ${wrong}`;
      return wrong === undefined ? [] : [{ file: source.file, ...locate(text, link.offset), message }];
    }),
  );
}
