/**
 * Layouts evaluated in part: pages that differ in nothing but their words share one rendering, in which the words
 * are stood for by marks; each page's document is then put together from its pieces, as bytes. A template looks at
 * words only by asking whether there are any (its helpers are few and known), so pages are grouped by that, by layout,
 * and by their place in the navigation. The first page of each group is also rendered in full: were the two not the
 * same, every page of the group would be. Called by frame.ts.
 */
import { assert } from "../lib/util/failure.ts";
import { type Baked, escapeText, frameData, type PageFrame, type Renderer } from "../lib/util/templates.ts";
import type { Template } from "./template.ts";
import { type Field, listFields, markFields, takeWords } from "./words.ts";

/** A document with holes: fixed bytes, and the words and the body that belong between them. */
export type Piece = Buffer | Hole;

export interface Hole {
  readonly word: number;
  readonly isEscaped: boolean;
}

/** What pages have in common that are alike but for their words. */
export interface Mould {
  readonly pieces: readonly Piece[];
  /** The layout's text with a mark in the place of each word, and nothing in the place of the body. */
  readonly outside: string;
  /** The marks of words that are addresses of the build's own making, as they stand in `outside`. */
  readonly addresses: ReadonlySet<string>;
}

/** A page without its body. */
export type PageHead = Omit<PageFrame, "content">;

export interface Found {
  readonly mould: Mould;
  /** The page's words, in the order of the mould's numbers. */
  readonly words: readonly string[];
}

export interface Moulds {
  /** Throws what a template throws. `body` is asked for the first page of each mould. */
  readonly find: (page: PageHead, hasBody: boolean, body: () => string) => Found;
}

/** Stands for the body among the numbers of words. */
export const bodyWord = -1;

// HTML forbids the character around a number, even as a reference: no page has it.
const edge = "\u0002";
const markOf = (word: number): string => `${edge}<${word}>${edge}`;
const marks = new RegExp(`${edge}(?:<(-?\\d+)>|&lt;(-?\\d+)&gt;)${edge}`);
const allMarks = new RegExp(marks, "g");

export function makeMoulds(
  renderer: Pick<Renderer, "render">,
  baked: Pick<Baked, "settings" | "navigation">,
  templates: readonly Template[],
): Moulds {
  const moulds = new Map<string, Mould | "in-full">();
  const canSplit = !templates.some(measuresWords);
  const placeOf = makePlaces(baked);
  const used = listFields(templates);
  // Pages that follow one another are mostly of one kind.
  let last: { readonly key: string; readonly mould: Mould | "in-full" } | undefined;
  const inFull = (whole: PageFrame): Found => ({ mould: castWhole(renderer, baked, whole), words: [] });
  const find: Moulds["find"] = (page, hasBody, body) => {
    if (!canSplit) return inFull({ ...page, content: body() });
    const { words, shape } = takeWords(page, used);
    const key = `${page.layout} ${placeOf(page.path)} ${shape}${hasBody ? "1" : "0"}`;
    let mould = last?.key === key ? last.mould : moulds.get(key);
    if (mould === undefined) {
      const whole = { ...page, content: body() };
      mould = cast(renderer, baked, whole, used);
      if (!isRight(mould, words, whole, renderer.render(page.layout, frameData(baked, whole))))
        mould = "in-full";
      moulds.set(key, mould);
    }
    if (last?.key !== key) last = { key, mould };
    return mould === "in-full" ? inFull({ ...page, content: body() }) : { mould, words };
  };
  return { find };
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
  const folders = new Map<string, string>();
  return (path) => {
    if (entries.has(path) || path === "/") return `at ${path}`;
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    let place = folders.get(folder);
    if (place === undefined) {
      place = `in ${sections.filter((href) => folder.startsWith(href)).join(" ")}`;
      folders.set(folder, place);
    }
    return place;
  };
}

function cast(
  { render }: Pick<Renderer, "render">,
  baked: Pick<Baked, "settings" | "navigation">,
  page: PageFrame,
  used: readonly Field[],
): Mould {
  const data = frameData(baked, page);
  const content = page.content === "" ? "" : markOf(bodyWord);
  const addresses = new Set<string>();
  const marked = markFields(data.page, used, (word, isAddress) => {
    if (isAddress) addresses.add(markOf(word));
    return markOf(word);
  });
  const text = render(page.layout, { ...data, page: { ...data.page, ...marked }, content });
  // Every third and second part of the split is a mark's number, raw or escaped.
  const parts = text.split(marks);
  const pieces: Piece[] = [];
  for (let index = 0; index < parts.length; index += 3) {
    const fixed = parts[index] ?? "";
    if (fixed !== "") pieces.push(Buffer.from(fixed));
    const [raw, escaped] = [parts[index + 1], parts[index + 2]];
    if (raw !== undefined || escaped !== undefined)
      pieces.push({ word: Number(raw ?? escaped), isEscaped: raw === undefined });
  }
  return { pieces, outside: text.replaceAll(markOf(bodyWord), ""), addresses };
}

/** A word that is put in raw may be markup: then the layout is not the same for every page. */
function isRight(
  { pieces }: Mould,
  words: readonly string[],
  { content }: PageFrame,
  whole: string,
): boolean {
  if (pieces.some((piece) => !Buffer.isBuffer(piece) && piece.isEscaped === (piece.word === bodyWord)))
    return false;
  return pour(pieces, words, Buffer.from(content)).bytes.equals(Buffer.from(whole));
}

// Stands around the body while a page is rendered in full.
const bodyMark = "<!--\u0001-->";

/** A mould for one page alone: its words are in it already. */
function castWhole(
  { render }: Pick<Renderer, "render">,
  baked: Pick<Baked, "settings" | "navigation">,
  page: PageFrame,
): Mould {
  // An empty body stays empty, for a layout that asks for it with {{#if content}}.
  const content = page.content === "" ? "" : bodyMark + page.content + bodyMark;
  // Outside, inside, outside, inside, outside: every second part is the body.
  const parts = render(page.layout, frameData(baked, { ...page, content })).split(bodyMark);
  const pieces = parts.map(
    (part, index): Piece => (index % 2 === 1 ? { word: bodyWord, isEscaped: false } : Buffer.from(part)),
  );
  return { pieces, outside: parts.filter((_, index) => index % 2 === 0).join(""), addresses: new Set() };
}

export interface Poured {
  /** The whole document; good until the next one is made. */
  readonly bytes: Buffer;
  /** Where the body begins in it: once, unless a layout puts it in several times. */
  readonly bodyStarts: readonly number[];
}

let room: Buffer = Buffer.allocUnsafeSlow(1 << 16);

/** Puts a document together. */
export function pour(pieces: readonly Piece[], words: readonly string[], body: Uint8Array): Poured {
  const bodyStarts: number[] = [];
  let at = 0;
  const need = (length: number): void => {
    if (at + length <= room.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (at + length));
    room.copy(larger, 0, 0, at);
    room = larger;
  };
  for (const piece of pieces) {
    if (!Buffer.isBuffer(piece) && piece.word !== bodyWord) {
      const word = words[piece.word];
      assert(word !== undefined, "a hole is for a word");
      const text = piece.isEscaped ? escapeText(word) : word;
      // No character of UTF-16 takes more than three bytes of UTF-8.
      need(3 * text.length);
      at += room.write(text, at);
      continue;
    }
    const bytes = Buffer.isBuffer(piece) ? piece : body;
    if (bytes === body) bodyStarts.push(at);
    need(bytes.length);
    room.set(bytes, at);
    at += bytes.length;
  }
  return { bytes: room.subarray(0, at), bodyStarts };
}

/** A text of a mould's `outside` with the page's words in the place of their marks. */
export function fillMarks(text: string, words: readonly string[]): string {
  if (!text.includes(edge)) return text;
  return text.replace(
    allMarks,
    (mark, raw?: string, escaped?: string) => words[Number(raw ?? escaped)] ?? mark,
  );
}
