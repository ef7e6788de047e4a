/**
 * What a reader reads of a page's HTML: its words and its headings, without tags. One pass whose time grows with the
 * length alone, whatever is left unclosed. Called when the search index is made.
 */
import { decodeEntities } from "../util/entities.ts";

export interface PlainText {
  /** All words, white space folded. */
  readonly text: string;
  /** The words of h1 to h6. */
  readonly headings: string;
}

const openings = /<!--|<[!?]|<\/?([a-zA-Z][^\s/>]*)/g;
/** Of what stands in these, nobody reads a word. */
const unread = new Set(["script", "style", "template"]);
/** The number of a footnote, which stands close behind a word that it is no part of, and the way back from it. */
const footnoteLink = /\srole="doc-(?:noteref|backlink)"/;
const headingTags = new Set(["h1", "h2", "h3", "h4", "h5", "h6"]);
/** Tags that may stand within a word: "H<sub>2</sub>O". All others end one. */
const within = new Set(
  "a abbr b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp small span strong sub sup time tt u var wbr".split(
    " ",
  ),
);

export function readPlainText(html: string): PlainText {
  const pieces: string[] = [];
  const headings: string[] = [];
  // Where in `pieces` the heading that is open begins.
  let heading: number | undefined;
  let at = 0;
  openings.lastIndex = 0;
  for (let opening = openings.exec(html); opening !== null; opening = openings.exec(html)) {
    const tag = opening[1]?.toLowerCase() ?? "";
    const closes = opening[0].startsWith("</");
    pieces.push(html.slice(at, opening.index));
    // A comment is no tag, and ends no word either.
    if (tag !== "" && !within.has(tag)) pieces.push(" ");
    if (headingTags.has(tag)) {
      if (heading !== undefined) headings.push(pieces.slice(heading).join(""));
      heading = closes ? undefined : pieces.length;
    }
    at = findEnd(html, opening[0], openings.lastIndex);
    const isUnread = unread.has(tag) || (tag === "a" && footnoteLink.test(html.slice(opening.index, at)));
    if (isUnread && !closes) at = findClosing(html, tag, at);
    openings.lastIndex = at;
  }
  pieces.push(html.slice(at));
  return { text: toWords(pieces.join("")), headings: toWords(headings.join(" ")) };
}

function toWords(markup: string): string {
  return foldText(decodeEntities(markup));
}

// One space between two words is most of what there is, and stays: written anew, it would take most of the time.
const unfolded = /[^\S ][\s\p{Cc}\p{Cs}]*| [\s\p{Cc}\p{Cs}]+|[\p{Cc}\p{Cs}][\s\p{Cc}\p{Cs}]*/gu;

/** One line of words: no control characters, no hyphens that only show where a word may break (U+00AD). */
export function foldText(text: string): string {
  return text
    .normalize("NFC")
    .replace(/\u00ad/g, "")
    .replace(unfolded, " ")
    .trim();
}

/** Where what begins before `from` ends; in a tag's quotes a ">" is text. */
function findEnd(html: string, opening: string, from: number): number {
  if (opening === "<!--") return findAfter(html, "-->", from - 2);
  if (opening === "<!" || opening === "<?") return findAfter(html, ">", from);
  const stops = /["'>]/g;
  stops.lastIndex = from;
  for (let stop = stops.exec(html); stop !== null; stop = stops.exec(html)) {
    if (stop[0] === ">") return stops.lastIndex;
    stops.lastIndex = findAfter(html, stop[0], stops.lastIndex);
  }
  return html.length;
}

function findClosing(html: string, tag: string, from: number): number {
  const closing = new RegExp(`</${tag}`, "gi");
  closing.lastIndex = from;
  return closing.exec(html)?.index ?? html.length;
}

function findAfter(html: string, end: string, from: number): number {
  const found = html.indexOf(end, from);
  return found < 0 ? html.length : found + end.length;
}
