/**
 * What search engines ask for: sitemap.xml (sitemaps.org, protocol 0.9) and robots.txt (RFC 9309). A date stands where
 * the page itself gives one: the time of a file says when it was copied, and a wrong date is worse than none.
 */
import { routes } from "../lib/util/routes.ts";
import { escapeXml } from "./feed.ts";
import type { Page } from "./page.ts";
import { isErrorPage } from "./surroundings.ts";

/** The protocol's limit for one file. */
const mostAddresses = 50_000;

export interface TextFile {
  /** Path below www/. */
  readonly output: string;
  /** Made when it is asked for. */
  readonly text: () => string;
}

/** One file, or an index of several. */
export function writeSitemap(pages: readonly Page[], url: string, most = mostAddresses): readonly TextFile[] {
  const shown = pages.filter((page) => !isErrorPage(page));
  if (shown.length <= most) return [{ output: "sitemap.xml", text: () => writeAddresses(shown, url) }];
  const parts = Array.from({ length: Math.ceil(shown.length / most) }, (_, at): TextFile => {
    const part = shown.slice(at * most, (at + 1) * most);
    return { output: `sitemap-${at + 1}.xml`, text: () => writeAddresses(part, url) };
  });
  const lines = parts.map(({ output }) => `<sitemap><loc>${escapeXml(`${url}/${output}`)}</loc></sitemap>`);
  return [{ output: "sitemap.xml", text: () => wrap("sitemapindex", lines) }, ...parts];
}

function writeAddresses(pages: readonly Page[], url: string): string {
  const lines = pages.map(({ path, header }) => {
    const day = header.updated || header.date;
    const changed = day === "" ? "" : `<lastmod>${day}</lastmod>`;
    return `<url><loc>${escapeXml(url + path)}</loc>${changed}</url>`;
  });
  return wrap("urlset", lines);
}

function wrap(name: string, lines: readonly string[]): string {
  const opening = `<${name} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`;
  return `<?xml version="1.0" encoding="utf-8"?>\n${[opening, ...lines, `</${name}>`].join("\n")}\n`;
}

/** Everything may be looked at but the account pages and the results of a search. */
export function writeRobots(url: string): TextFile {
  const others = routes.map(({ path }) => path).filter((path) => !path.startsWith("/account/"));
  const closed = ["/account/", ...others];
  const lines = [
    "User-agent: *",
    ...closed.map((path) => `Disallow: ${path}`),
    "",
    `Sitemap: ${url}/sitemap.xml`,
  ];
  return { output: "robots.txt", text: () => `${lines.join("\n")}\n` };
}
