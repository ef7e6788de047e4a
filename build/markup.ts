/**
 * Just enough of HTML to find links and ids with their places. Comments, and what stands inside script, style,
 * textarea, and title, hold none.
 */
import { decodeEntities } from "./entities.ts";

export interface Markup {
  readonly links: readonly FoundLink[];
  readonly ids: ReadonlySet<string>;
}

export interface FoundLink {
  /** The address as it is meant, entities decoded. */
  readonly target: string;
  /** The address as it is written. */
  readonly written: string;
  readonly offset: number;
  /** "href" of an `a`, and so on: names in small letters. */
  readonly tag: string;
  readonly attribute: string;
}

const openings = /<!--|<([a-zA-Z][^\s/>]*)/g;
// One attribute: its name, and its value in either kind of quotes or (up to a space) in none.
const attributes = /[\s/]*([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*)))?/y;
const linking = new Set(["href", "src", "srcset", "action", "formaction", "poster", "xlink:href"]);
const rawText = new Set(["script", "style", "textarea", "title"]);

export function readMarkup(html: string): Markup {
  const links: FoundLink[] = [];
  const ids = new Set<string>();
  openings.lastIndex = 0;
  for (let opening = openings.exec(html); opening !== null; opening = openings.exec(html)) {
    const tag = opening[1]?.toLowerCase();
    if (tag === undefined) {
      const end = html.indexOf("-->", openings.lastIndex);
      openings.lastIndex = end < 0 ? html.length : end;
      continue;
    }
    attributes.lastIndex = openings.lastIndex;
    for (let found = attributes.exec(html); found !== null; found = attributes.exec(html)) {
      openings.lastIndex = attributes.lastIndex;
      const attribute = (found[1] ?? "").toLowerCase();
      const written = found[2] ?? found[3] ?? found[4];
      if (written === undefined) continue;
      const closing = found[4] === undefined ? 1 : 0;
      const offset = openings.lastIndex - closing - written.length;
      if (attribute === "id" || (attribute === "name" && tag === "a")) ids.add(decodeEntities(written));
      else if (linking.has(attribute)) links.push(...linksOf({ tag, attribute, written, offset }));
    }
    if (rawText.has(tag)) openings.lastIndex = findEnd(html, tag, openings.lastIndex);
  }
  return { links, ids };
}

type Written = Omit<FoundLink, "target">;

function linksOf(link: Written): FoundLink[] {
  // URLs are stripped of spaces around them and of line breaks within (URL Standard, 4.4).
  if (link.attribute !== "srcset")
    return [
      {
        ...link,
        target: decodeEntities(link.written)
          .replace(/[\t\r\n]/g, "")
          .trim(),
      },
    ];
  // HTML Standard, 4.8.4.2.1: addresses end at a space, and may have commas inside.
  const candidates = link.written.matchAll(/(?:^|,)\s*([^\s,]\S*?)(?=,?(?:\s|$))(?:\s[^,]*)?/g);
  return [...candidates].map((candidate) => {
    const written = candidate[1] ?? "";
    const offset = link.offset + candidate.index + candidate[0].indexOf(written);
    return { ...link, target: decodeEntities(written), written, offset };
  });
}

function findEnd(html: string, tag: string, from: number): number {
  const end = new RegExp(`</${tag}`, "gi");
  end.lastIndex = from;
  return end.exec(html)?.index ?? html.length;
}
