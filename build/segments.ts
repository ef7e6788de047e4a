/**
 * Layouts evaluated in part: pages that differ in nothing but their words share one rendering, in which the words
 * are stood for by marks; each page's document is then put together from its pieces. A template looks at words only
 * by asking whether there are any (its helpers are few and known), so pages are grouped by that, by layout, and by
 * their place in the navigation. The first page of each group is also rendered in full: were the two not the same,
 * every page of the group would be. Called by frame.ts.
 */
import { assert } from "../lib/util/failure.ts";
import { type Baked, frameData, type PageFrame, type Renderer } from "../lib/util/templates.ts";
import { escapeText, type Template } from "./template.ts";

export interface Framed {
  /** The whole document. */
  readonly document: string;
  /** Where the page's own HTML begins in it: once, unless a layout puts it in several times. */
  readonly bodyStarts: readonly number[];
}

/** Puts a page into its layout; throws what a template throws. */
export type Framer = (page: PageFrame) => Framed;

type Piece = string | { readonly word: number; readonly isEscaped: boolean };

// The words of a page that layouts may show (lib/util/templates, frameData), the body last.
const wordsOf = (page: PageFrame): readonly string[] => [
  page.title,
  page.description,
  page.path,
  page.content,
];
const bodyWord = 3;

// HTML forbids the character around a number, even as a reference: no page has it.
const edge = "\u0002";
const markOf = (word: number): string => `${edge}<${word}>${edge}`;
const marks = new RegExp(`${edge}(?:<(\\d)>|&lt;(\\d)&gt;)${edge}`);

export function makeFramer(
  renderer: Pick<Renderer, "render">,
  baked: Pick<Baked, "settings" | "navigation">,
  templates: readonly Template[],
): Framer {
  const groups = new Map<string, readonly Piece[] | "in-full">();
  const canSplit = !templates.some(measuresWords);
  const placeOf = makePlaces(baked);
  return (page) => {
    const words = wordsOf(page);
    if (!canSplit) return frameWhole(renderer, baked, page);
    const asked = words.map((word) => (word === "" ? "0" : "1")).join("");
    const key = `${page.layout} ${placeOf(page.path)} ${asked}`;
    let pieces = groups.get(key);
    if (pieces === undefined) {
      const whole = frameWhole(renderer, baked, page);
      const found = renderPieces(renderer, baked, page);
      pieces = join(found, words).document === whole.document ? found : "in-full";
      groups.set(key, pieces);
    }
    return pieces === "in-full" ? frameWhole(renderer, baked, page) : join(pieces, words);
  };
}

/** `length` and `lookup` see more of a word than that it is there. */
function measuresWords({ uses }: Template): boolean {
  return uses.paths.some(({ parts }) => parts.includes("length") || parts[0] === "lookup");
}

/** What the navigation shows for a page: the entry that it is, or the section that it lies in. */
function makePlaces({ navigation }: Pick<Baked, "navigation">): (path: string) => string {
  const entries = new Set(
    navigation.flatMap(({ href, children }) => [href, ...children.map((child) => child.href)]),
  );
  const sections = navigation.map(({ href }) => href).filter((href) => href !== "/" && href.endsWith("/"));
  return (path) => {
    if (entries.has(path) || path === "/") return `at ${path}`;
    return `in ${sections.filter((href) => path.startsWith(href)).join(" ")}`;
  };
}

function renderPieces(
  { render }: Pick<Renderer, "render">,
  baked: Pick<Baked, "settings" | "navigation">,
  page: PageFrame,
): readonly Piece[] {
  const [title, description, path, content] = wordsOf(page).map((word, index) =>
    word === "" ? "" : markOf(index),
  );
  const data = frameData(baked, page) as { readonly page: object };
  const text = render(page.layout, { ...data, page: { ...data.page, title, description, path }, content });
  // Every third and second part of the split is a mark's number, raw or escaped.
  const parts = text.split(marks);
  const pieces: Piece[] = [];
  for (let index = 0; index < parts.length; index += 3) {
    pieces.push(parts[index] ?? "");
    const [raw, escaped] = [parts[index + 1], parts[index + 2]];
    if (raw !== undefined || escaped !== undefined)
      pieces.push({ word: Number(raw ?? escaped), isEscaped: raw === undefined });
  }
  return pieces;
}

function join(pieces: readonly Piece[], words: readonly string[]): Framed {
  const bodyStarts: number[] = [];
  let document = "";
  for (const piece of pieces) {
    if (typeof piece === "string") {
      document += piece;
      continue;
    }
    const word = words[piece.word];
    assert(word !== undefined, "a mark stands for a word");
    if (piece.word === bodyWord) bodyStarts.push(document.length);
    document += piece.isEscaped ? escapeText(word) : word;
  }
  return { document, bodyStarts };
}

// Stands around the body while a page is rendered in full.
const bodyMark = "<!--\u0001-->";

function frameWhole(
  { render }: Pick<Renderer, "render">,
  baked: Pick<Baked, "settings" | "navigation">,
  page: PageFrame,
): Framed {
  // An empty body stays empty, for a layout that asks for it with {{#if content}}.
  const content = page.content === "" ? "" : bodyMark + page.content + bodyMark;
  const parts = render(page.layout, frameData(baked, { ...page, content })).split(bodyMark);
  // Outside, inside, outside, inside, outside: every second part is the body.
  const bodyStarts: number[] = [];
  let length = 0;
  for (const [index, part] of parts.entries()) {
    if (index % 2 === 1) bodyStarts.push(length);
    length += part.length;
  }
  return { document: parts.join(""), bodyStarts };
}
