/** The headings of a page that can be linked to, as a table of its contents. Called by surroundings.ts. */
import { decodeEntities } from "../lib/util/entities.ts";
import type { NamedLink, Surroundings } from "../lib/util/templates.ts";
import { scanMarkup } from "./scan.ts";

type Heading = Surroundings["contents"][number];

/** Headings of the second level with an id, and below each those of the third. */
export function listHeadings(html: string): readonly Heading[] {
  const headings: { href: string; label: string; children: NamedLink[] }[] = [];
  for (const { id, offset } of scanMarkup(html).idPlaces) {
    const start = html.lastIndexOf("<", offset);
    const level = /^<h([23])(?=[\s/])/i.exec(html.slice(start, start + 5))?.[1];
    const label = level === undefined ? "" : readLabel(html, offset, level);
    if (label === "") continue;
    const link = { href: `#${encodeURIComponent(id)}`, label };
    const above = headings.at(-1);
    if (level === "3" && above !== undefined) above.children.push(link);
    else headings.push({ ...link, children: [] });
  }
  return headings;
}

/** The words of the heading in whose tag the offset lies, without its own markup and notes. */
function readLabel(html: string, offset: number, level: string): string {
  const from = html.indexOf(">", offset) + 1;
  const end = new RegExp(`</h${level}\\s*>`, "i").exec(html.slice(from));
  if (from === 0 || end === null) return "";
  const inner = html.slice(from, from + end.index);
  const words = inner.replace(/<!--[\s\S]*?-->|<sup\b[\s\S]*?<\/sup>|<[^>]*>/gi, "");
  return decodeEntities(words).replace(/\s+/g, " ").trim();
}
