/**
 * A collection's feed in Atom (RFC 4287) with the whole text of its newest entries. Readers show it away from the
 * site, so every address in it is whole.
 */
import { escapeText } from "../lib/util/templates.ts";
import type { Bodies } from "./bodies.ts";
import type { Collection } from "./collections.ts";
import { addressOf, type Page } from "./page.ts";
import { scanMarkup } from "./scan.ts";
import { feedOutput } from "./surroundings.ts";

/** Readers ask often, and have the older ones. */
const mostEntries = 20;

interface Ground {
  readonly bodies: Bodies;
  readonly url: string;
  readonly siteName: string;
}

/** Ids are the addresses; times are the beginnings of days, since no more is known. */
export function writeFeed(collection: Collection, ground: Ground): string {
  const { index, entries } = collection;
  const { url, siteName } = ground;
  const shown = entries.slice(0, mostEntries);
  const days = shown.map(({ header }) => header.updated || header.date).sort();
  // A feed without entries has a time all the same (RFC 4287, 4.1.1): that of the index page, or none that is true.
  const newest = days.at(-1) ?? (index.header.updated || index.header.date || "1970-01-01");
  const lines = [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<feed xmlns="http://www.w3.org/2005/Atom">',
    element("title", index.path === "/" ? siteName : `${siteName}: ${index.title}`),
    ...(index.header.description === "" ? [] : [element("subtitle", index.header.description)]),
    element("id", url + index.path),
    `<link rel="self" type="application/atom+xml" href="${escapeXml(url + addressOf(feedOutput(collection)))}"/>`,
    `<link rel="alternate" type="text/html" href="${escapeXml(url + index.path)}"/>`,
    element("updated", startOf(newest)),
    `<author>${element("name", siteName)}</author>`,
    ...shown.map((page) => writeEntry(page, ground)),
    "</feed>",
  ];
  return `${lines.join("\n")}\n`;
}

function writeEntry(page: Page, { bodies, url }: Ground): string {
  const { title, path, header } = page;
  const html = makeWhole(bodies.read(page.body).toString("utf8"), url, path);
  const lines = [
    "<entry>",
    element("title", title),
    element("id", url + path),
    `<link rel="alternate" type="text/html" href="${escapeXml(url + path)}"/>`,
    element("published", startOf(header.date)),
    element("updated", startOf(header.updated || header.date)),
    ...(header.description === "" ? [] : [element("summary", header.description)]),
    ...header.tags.map((tag) => `<category term="${escapeXml(tag)}"/>`),
    `<content type="html">${escapeXml(dropHeading(html))}</content>`,
    "</entry>",
  ];
  return lines.join("\n");
}

function startOf(day: string): string {
  return `${day}T00:00:00Z`;
}

function element(name: string, text: string): string {
  return `<${name}>${escapeXml(text)}</${name}>`;
}

/** XML 1.0 has no place for most control characters, not even as references. */
export function escapeXml(text: string): string {
  // Addresses, of which there are as many as pages.
  if (/^[\w./:~-]*$/.test(text)) return text;
  return escapeText(text.replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu, "\ufffd"));
}

/** The HTML with the page's address put before those that stand for something only on the page. */
function makeWhole(html: string, url: string, path: string): string {
  let [made, done] = ["", 0];
  for (const { target, written, offset } of scanMarkup(html).links) {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target) || !URL.canParse(target, url + path)) continue;
    made += html.slice(done, offset) + escapeText(new URL(target, url + path).href);
    done = offset + written.length;
  }
  return made + html.slice(done);
}

/** Readers show the title themselves. */
function dropHeading(html: string): string {
  return html.replace(/^\s*<h1\b[^>]*>[\s\S]*?<\/h1\s*>\s*/i, "");
}
