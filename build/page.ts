/**
 * From sources to pages: text, header block, title, and body as HTML. Bodies are taken literally: `{{` in a
 * page is text, not a template.
 */

import { decodeEntities } from "../lib/util/entities.ts";
import type { Fault } from "./fault.ts";
import { type Header, readHeader } from "./header.ts";
import { renderMarkdown } from "./markdown.ts";
import type { Source } from "./sources.ts";
import { readUtf8 } from "./text.ts";

export interface Page {
  readonly source: Source;
  readonly header: Header;
  readonly title: string;
  /** Address on the site: "/docs/" for docs/index.html, "/faq.html" for faq.md. */
  readonly path: string;
  /** The whole source text and the line in which its body begins. */
  readonly text: string;
  readonly bodyLine: number;
  /** The body as HTML. */
  readonly html: string;
}

export function readPages(sources: readonly Source[]): { pages: readonly Page[]; faults: readonly Fault[] } {
  const pages: Page[] = [];
  const faults: Fault[] = [];
  for (const source of sources) {
    if (source.kind === "file") continue;
    const text = readUtf8(source.absolute);
    if (typeof text !== "string") {
      faults.push({ file: source.file, ...text });
      continue;
    }
    const { header, body, bodyLine, faults: found } = readHeader(source.file, text);
    faults.push(...found);
    const rendered = source.kind === "markdown" ? renderMarkdown(body) : { html: body, faults: [] };
    const { html } = rendered;
    for (const { line, message } of rendered.faults)
      faults.push({ file: source.file, line: line === 0 ? 0 : line + bodyLine - 1, message });
    if (rendered.faults.some(({ line }) => line === 0)) continue;
    const title = header.title === "" ? firstHeading(html) : header.title;
    if (title === "" && found.length === 0)
      faults.push({
        file: source.file,
        line: 1,
        message: "no title: give the page a first <h1>, or a title: in its header",
      });
    pages.push({ source, header, title, path: addressOf(source.output), text, bodyLine, html });
  }
  return { pages, faults };
}

/** "docs/index.html" -> "/docs/"; every other output has its own name. Percent-encoded, as links are written. */
export function addressOf(output: string): string {
  const path = `/${output}`.replace(/\/index\.html$/, "/");
  return encodeURI(path).replace(/[?#]/g, encodeURIComponent);
}

function firstHeading(html: string): string {
  const shown = html.replace(/<!--[\s\S]*?-->/g, "");
  const inner = /<h1\b[^>]*>([\s\S]*?)<\/h1\s*>/i.exec(shown)?.[1] ?? "";
  return decodeEntities(inner.replace(/<[^>]*>/g, ""))
    .replace(/\s+/g, " ")
    .trim();
}
