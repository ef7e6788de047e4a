/**
 * From sources to pages: header block, title, and body as HTML, with what must be known of it. Bodies are taken
 * literally: `{{` in a page is text, not a template. They are handled as bytes: most of them go from the source into
 * the document without ever becoming text.
 */

import { decodeEntities } from "../lib/util/entities.ts";
import type { Renames } from "./assets.ts";
import type { Bodies, Place } from "./bodies.ts";
import { collectFacts, type Facts } from "./facts.ts";
import type { Fault } from "./fault.ts";
import { type Header, readHeader } from "./header.ts";
import { type RawTools, readRaw } from "./raw.ts";
import type { Stamp } from "./reader.ts";
import { applyEdits, type Edit, findEdits, growthOf } from "./rename.ts";
import { scanMarkup } from "./scan.ts";
import type { Source } from "./sources.ts";

export interface Page {
  readonly source: Source;
  readonly stamp: Stamp;
  readonly header: Header;
  readonly title: string;
  /** Address on the site: "/docs/" for docs/index.html, "/faq.html" for faq.md. */
  readonly path: string;
  /** The header block as it is written, with both its lines; "" where there is none. */
  readonly head: string;
  /** The line of the source in which the body begins. */
  readonly bodyLine: number;
  /** Where the body's HTML is kept. */
  readonly body: Place;
  /** True if there is nothing in it but spaces. */
  readonly isEmpty: boolean;
  readonly facts: Facts;
  /** What is put into the body where it is shown; undefined where it is shown as it is. */
  readonly edits: readonly Edit[] | undefined;
}

export interface PageReader {
  /** Undefined where the page is not good for anything but its faults. `raw`: where the source was read already. */
  readonly read: (
    source: Source,
    raw?: ReturnType<typeof readRaw>,
  ) => { readonly page: Page | undefined; readonly faults: readonly Fault[] };
}

interface PageTools extends RawTools {
  readonly bodies: Bodies;
  readonly renames: Renames;
}

export function makePageReader(tools: PageTools): PageReader {
  return { read: (source, raw = readRaw(source, tools)) => readPage(source, raw, tools) };
}

function readPage(
  source: Source,
  raw: ReturnType<typeof readRaw>,
  tools: PageTools,
): ReturnType<PageReader["read"]> {
  const { file } = source;
  if (!("body" in raw)) return { page: undefined, faults: [{ file, ...raw }] };
  const { head, stamp } = raw;
  const { header, bodyLine, faults } = readHeader(file, head);
  if (header === undefined) return { page: undefined, faults };
  const bodyFaults = raw.faults.map(({ line, message }): Fault => {
    return { file, line: line === 0 ? 0 : line + bodyLine - 1, message };
  });
  const all = [...faults, ...bodyFaults];
  if (raw.faults.some(({ line }) => line === 0)) return { page: undefined, faults: all };
  const html = raw.body.toString("latin1");
  const markup = scanMarkup(html, { isLatin1: true, isBrief: true });
  const facts = collectFacts(markup);
  const path = addressOf(source.output);
  const title = header.title === "" ? firstHeading(html) : header.title;
  if (title === "" && faults.length === 0)
    all.push({ file, line: 1, message: "no title: give the page a first <h1>, or a title: in its header" });
  const page = {
    source,
    stamp,
    header,
    title,
    path,
    head,
    bodyLine,
    body: tools.bodies.keep(raw.body),
    isEmpty: !/\S/.test(html),
    facts,
    edits: findEdits(markup, path, tools.renames),
  };
  return { page, faults: all };
}

/** The body as it stands in the document; good until the next one is read. */
export function readShown({ isEmpty, body, edits }: Page, bodies: Bodies): Buffer {
  return isEmpty ? nothing : applyEdits(bodies.read(body), edits);
}

const nothing = Buffer.alloc(0);

/** Its length. */
export function measureShown({ isEmpty, body, edits }: Page): number {
  return isEmpty ? 0 : body.length + growthOf(edits);
}

/** "docs/index.html" -> "/docs/"; every other output has its own name. Percent-encoded, as links are written. */
export function addressOf(output: string): string {
  const path = output.endsWith("/index.html") || output === "index.html" ? output.slice(0, -10) : output;
  // Almost every name is plain, and there are many.
  if (/^[\w./~-]*$/.test(path)) return `/${path}`;
  return encodeURI(`/${path}`).replace(/[?#]/g, encodeURIComponent);
}

/** `latin1`: UTF-8 bytes, each as a character. */
function firstHeading(latin1: string): string {
  if (!/<h1\b/i.test(latin1)) return "";
  const shown = latin1.replace(/<!--[\s\S]*?(?:-->|$)/g, "");
  // Only the first one is looked at: a search for the next that is closed would begin anew at each.
  const tag = shown.search(/<h1\b/i);
  const start = shown.indexOf(">", tag) + 1;
  if (tag < 0 || start === 0) return "";
  const end = /<\/h1\s*>/gi;
  end.lastIndex = start;
  const inner = shown.slice(start, end.exec(shown)?.index ?? start);
  const text = Buffer.from(dropTags(inner), "latin1").toString("utf8");
  return decodeEntities(text).replace(/\s+/g, " ").trim();
}

/** A "<" behind which nothing is closed is text. */
function dropTags(html: string): string {
  const lastEnd = html.lastIndexOf(">") + 1;
  return html.slice(0, lastEnd).replace(/<[^>]*>/g, "") + html.slice(lastEnd);
}
