/**
 * Every link inside the site must lead somewhere: to a page, a file, an anchor in a page, or an account program.
 * Links are looked for in the finished pages; one that stands in a layout is a fault of the layout, told once.
 */
import { findRoute } from "../lib/util/routes.ts";
import { compareText, didYouMean, type Fault, locate } from "./fault.ts";
import type { FramedPage } from "./frame.ts";
import { type FoundLink, type Markup, readMarkup } from "./markup.ts";
import { addressOf, type Page } from "./page.ts";
import type { Source } from "./sources.ts";
import { readStyleLinks } from "./styles.ts";
import type { Template } from "./template.ts";

export interface LinkContext {
  /** Base URL: links that spell it out are links inside the site. */
  readonly url: string;
  /** Every path below www/, "docs/index.html". */
  readonly outputs: ReadonlySet<string>;
  readonly templates: readonly Template[];
  /** The site's style sheets, with their text. */
  readonly styles: readonly { readonly source: Source; readonly text: string }[];
}

interface Check extends LinkContext {
  /** By output: what each page holds. */
  readonly markup: ReadonlyMap<string, Markup>;
  /** Where links were found in Markdown so far, so that the second of two equal ones is looked for further down. */
  readonly found: Map<string, number>;
}

export function checkLinks(framed: readonly FramedPage[], context: LinkContext): readonly Fault[] {
  const markup = new Map(framed.map(({ page, document }) => [page.source.output, readMarkup(document)]));
  const check: Check = { ...context, markup, found: new Map() };
  const inLayouts = new Map<string, Fault>();
  const inPages: Fault[] = [];
  for (const { page, bodyStarts } of [...framed].sort((a, b) => compareText(a.page.path, b.page.path)))
    for (const link of markup.get(page.source.output)?.links ?? []) {
      const wrong = judgeLink(link, page, check);
      if (wrong === undefined) continue;
      const message = `link ${JSON.stringify(link.target)}: ${wrong}`;
      const start = bodyStarts.find((at) => link.offset >= at && link.offset < at + page.html.length);
      // A body that the layout puts in twice is looked at once.
      if (start !== undefined && start !== bodyStarts[0]) continue;
      if (start !== undefined)
        inPages.push({ file: page.source.file, ...placeInPage(page, link, start, check), message });
      else if (!inLayouts.has(link.written))
        inLayouts.set(link.written, { ...placeInLayout(page, link, context.templates), message });
    }
  return [...inPages, ...inLayouts.values(), ...checkAccountPages(check), ...checkStyles(check)];
}

/** What is wrong with a link on a page; undefined if nothing is, or if it leads to another host. */
function judgeLink(
  link: Pick<FoundLink, "target" | "tag">,
  page: Pick<Page, "path">,
  check: Check,
): string | undefined {
  const { target, tag } = link;
  if (tag === "base") return "a base moves every link of the page; write each link in full instead";
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) && !/^https?:/i.test(target)) return undefined;
  if (!URL.canParse(target, check.url + page.path)) return "this is no address";
  const resolved = new URL(target, check.url + page.path);
  if (resolved.origin !== new URL(check.url).origin) return undefined;
  if (page.path === "/404.html" && !/^(?:[/#]|https?:)/i.test(target))
    return 'this page is shown at every address that is not found; begin the link with "/"';
  const path = decode(resolved.pathname);
  if (path === undefined) return "its percent signs are not right; write %25 for %";
  if (findRoute(path) !== undefined) return undefined;
  const output = `${path.slice(1)}${path.endsWith("/") ? "index.html" : ""}`;
  if (!check.outputs.has(output)) return explainMissing(path, check.outputs);
  return judgeAnchor(resolved.hash.slice(1), path, check.markup.get(output)?.ids);
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
    const [place] = readMarkup(text).links.filter(({ target }) => target === link.target);
    if (place !== undefined) return { file, ...locate(text, place.offset) };
  }
  return { file: own[0]?.file ?? page.source.file, line: 0 };
}

/** The links of account pages that are written out: what programs fill in is known only when they run. */
function checkAccountPages(check: Check): readonly Fault[] {
  const accountPages = check.templates.filter(({ name }) => name.startsWith("account/"));
  return accountPages.flatMap(({ name, file, text }) =>
    readMarkup(text).links.flatMap((link): Fault[] => {
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
