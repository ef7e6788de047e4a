/**
 * Finds what a page of Markdown names, with lines: headings, code, hand-written ids, footnotes and what refers to
 * them. A block inside another one has as many lines as it takes of the source, so counting line ends tells each
 * place without a second look at the text. Called by build/markdown.ts, which alone knows the parser.
 */
import { readIds, takeId, type UsedIds } from "./anchors.ts";
import type { Reference } from "./footnotes.ts";
import { countBreaks } from "./text.ts";

/** A token of the parser, as far as it is looked at here. */
export interface Piece {
  readonly type: string;
  readonly raw: string;
  readonly tokens?: readonly Piece[] | undefined;
  /** Of a list. */
  readonly items?: readonly Piece[];
  /** Of a table. */
  readonly header?: readonly Cell[];
  readonly rows?: readonly (readonly Cell[])[];
  /** Of a footnote, and of a reference to one. */
  readonly name?: string;
}

interface Cell {
  readonly tokens: readonly Piece[];
}

export interface PageFault {
  readonly line: number;
  readonly message: string;
}

/** What is found, in the order of the page. */
export interface Places {
  readonly used: UsedIds;
  /** Headings and blocks of code, with their lines. */
  readonly headings: Map<Piece, number>;
  readonly codes: Map<Piece, number>;
  readonly references: Map<Piece, Reference>;
  readonly definitions: Map<string, { readonly piece: Piece; readonly line: number }>;
  readonly faults: PageFault[];
  /** Footnotes and ids stand between the words of a line, which are looked through only then. */
  readonly hasInline: boolean;
}

export function openPlaces(text: string): Places {
  return {
    used: new Map(),
    headings: new Map(),
    codes: new Map(),
    references: new Map(),
    definitions: new Map(),
    faults: [],
    hasInline: text.includes("[^") || (text.includes("=") && /\sid\s*=/i.test(text)),
  };
}

/**
 * @param first line in which the first of the blocks begins
 * @param inside name of the footnote that they stand in
 */
export function placeBlocks(places: Places, blocks: readonly Piece[], first: number, inside?: string): void {
  let line = first;
  for (const block of blocks) {
    placeBlock(places, block, line, inside);
    line += countBreaks(block.raw);
  }
}

function placeBlock(places: Places, block: Piece, line: number, inside: string | undefined): void {
  if (block.type === "list") {
    let itemLine = line;
    for (const item of block.items ?? []) {
      placeBlocks(places, item.tokens ?? [], itemLine, inside);
      itemLine += countBreaks(item.raw);
    }
  } else if (block.type === "blockquote") placeBlocks(places, block.tokens ?? [], line, inside);
  else if (block.type === "footnote") placeDefinition(places, block, line);
  else if (block.type === "code") places.codes.set(block, line);
  else {
    if (block.type === "heading") places.headings.set(block, line);
    if (places.hasInline) placeInline(places, block, line, inside);
  }
}

function placeDefinition(places: Places, piece: Piece, line: number): void {
  const { name = "", tokens = [] } = piece;
  const other = places.definitions.get(name);
  if (other === undefined) places.definitions.set(name, { piece, line });
  else {
    const message = `the footnote "${name}" stands in line ${other.line} already; name one of them otherwise`;
    places.faults.push({ line, message });
  }
  placeBlocks(places, tokens, line, name);
}

function placeInline(places: Places, piece: Piece, line: number, inside: string | undefined): void {
  if (piece.type === "html") for (const id of readIds(piece.raw)) takeId(places.used, id);
  if (piece.type === "reference") {
    const where = inside === undefined ? { line } : { line, inside };
    places.references.set(piece, { name: piece.name ?? "", ...where });
  }
  if (piece.type !== "table") {
    placeWords(places, piece.tokens ?? [], line, inside);
    return;
  }
  // Between the head and the rows there is the line of dashes.
  for (const [index, row] of [piece.header ?? [], [], ...(piece.rows ?? [])].entries())
    for (const cell of row) placeWords(places, cell.tokens, line + index, inside);
}

function placeWords(
  places: Places,
  words: readonly Piece[],
  first: number,
  inside: string | undefined,
): void {
  let line = first;
  for (const word of words) {
    placeInline(places, word, line, inside);
    line += countBreaks(word.raw);
  }
}
