/**
 * Markdown bodies to HTML, by marked (GitHub's flavour). Every page goes through one of two
 * engines made once; what belongs to a page stands in one record, which is in place while the page is rendered:
 * nothing here waits, so no two pages can meet. Nothing is thrown for what a page says. Called by build/page.ts.
 */
import { Marked, type MarkedExtension, Parser, type RendererObject, type Token, type Tokens } from "marked";
import { decodeEntities } from "../lib/util/entities.ts";
import { readOwnId, slugOf, takeId } from "./anchors.ts";
import {
  findDefinition,
  type Numbered,
  numberFootnotes,
  readDefinition,
  readReference,
  writeReference,
  writeSection,
} from "./footnotes.ts";
import { highlightCode } from "./highlight.ts";
import { readTokens, TooDeep, tokenizer } from "./lexer.ts";
import { openPlaces, type PageFault, type Piece, type Places, placeBlocks } from "./placing.ts";
import { countBreaks, plainWords } from "./text.ts";

export interface Rendered {
  readonly html: string;
  /** In their order, for tables of contents. */
  readonly headings: readonly Heading[];
  /** Languages of the code that was coloured, by highlight.js's names: empty where the page needs no colours. */
  readonly codeLanguages: readonly string[];
  /** Where in the HTML each block of the page begins, and its line in the text: see lineOfHtml. */
  readonly blocks: readonly Block[];
  /** Lines from 1 in the given text; 0 where the whole of it is meant. */
  readonly faults: readonly PageFault[];
}

export interface Heading {
  readonly depth: number;
  readonly id: string;
  /** Plain text: no tags, entities decoded. */
  readonly text: string;
  readonly line: number;
}

interface Block {
  readonly offset: number;
  readonly line: number;
}

/** What is known of the page that is being rendered. */
interface Page extends Places {
  readonly named: Map<Piece, { readonly heading: Heading; readonly inner: string }>;
  readonly shown: Heading[];
  readonly languages: Set<string>;
  numbered: Numbered;
}

const nobody = openPage("");
let page = nobody;

/** The HTML of a page, and what else is to be known of it. */
export function renderMarkdown(text: string): Rendered {
  page = openPage(text);
  try {
    return renderPage(text.includes("[^") ? noting : plain, text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const faults = [{ line: 0, message: error instanceof TooDeep ? error.message : explainTooMuch(text) }];
    return { html: "", headings: [], codeLanguages: [], blocks: [], faults };
  } finally {
    page = nobody;
  }
}

const longestParagraph = 1 << 20;

/** Why no stack holds it: quotes in quotes, or more text in one piece than a regular expression can take. */
function explainTooMuch(text: string): string {
  const long = text.split(/\n[ \t\r]*\n/).find(({ length }) => length > longestParagraph);
  if (long !== undefined)
    return `a paragraph of ${long.length} characters is too long; part it with empty lines`;
  return new TooDeep().message;
}

/** The line of the text that the HTML at an offset was made of: that of the outermost block around it. */
export function lineOfHtml({ blocks }: Pick<Rendered, "blocks">, offset: number): number {
  let [low, high] = [0, blocks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((blocks[middle]?.offset ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return blocks[low - 1]?.line ?? 1;
}

function openPage(text: string): Page {
  return {
    ...openPlaces(text),
    named: new Map(),
    shown: [],
    languages: new Set(),
    numbered: { notes: [], places: new Map(), faults: [] },
  };
}

function renderPage({ engine, parser }: Engine, text: string): Rendered {
  const tokens = readTokens(text, engine.defaults);
  placeBlocks(page, tokens, 1);
  if (page.references.size + page.definitions.size > 0) {
    const lines = new Map([...page.definitions].map(([name, { line }]) => [name, line]));
    page.numbered = numberFootnotes([...page.references.values()], lines, page.used);
  }
  nameHeadings(parser);
  const blocks: Block[] = [];
  let html = "";
  let line = 1;
  for (const token of tokens) {
    const block = parser.parse([token]);
    if (block !== "") blocks.push({ offset: html.length, line });
    html += block;
    line += countBreaks(token.raw);
  }
  const { notes } = page.numbered;
  const noteHtmls = notes.map(({ name }) => parser.parse(tokensOf(page.definitions.get(name)?.piece)));
  if (notes.length > 0) html += writeSection(notes, noteHtmls);
  const faults = [...page.faults, ...page.numbered.faults].sort((a, b) => a.line - b.line);
  return { html, headings: page.shown, codeLanguages: [...page.languages].sort(), blocks, faults };
}

function tokensOf(piece: Piece | undefined): Token[] {
  return [...((piece?.tokens ?? []) as readonly Token[])];
}

/** The text of a piece of HTML, without its footnotes. */
function shownText(html: string): string {
  const words = html.replace(/<sup><a href="#fn-[^>]*>\d+<\/a><\/sup>|<[^>]*>/g, "");
  return decodeEntities(words).replace(/\s+/g, " ").trim();
}

/** Ids that are written come first: no heading may take one of them by chance. */
function nameHeadings(parser: Parser<string, string>): void {
  const headings = [...page.headings].map(([piece, line]) => ({ token: piece as Tokens.Heading, line }));
  const own = headings.map(({ token, line }) => takeOwnId(token, line));
  for (const [index, { token, line }] of headings.entries()) {
    const inner = parser.parseInline(token.tokens);
    const text = plainWords.test(inner) ? inner : shownText(inner);
    const id = own[index] ?? takeId(page.used, slugOf(text));
    page.named.set(token, { heading: { depth: token.depth, id, text, line }, inner });
  }
}

function takeOwnId({ tokens }: Tokens.Heading, line: number): string | undefined {
  const last = tokens.at(-1);
  const own = last?.type === "text" ? readOwnId(last.text) : undefined;
  if (last === undefined || own === undefined) return undefined;
  const { rest, written, id } = own;
  if (id === undefined) {
    const message = `"{#${written}}" gives no id; ids are made of letters, digits, "-", "_", ".", and ":"`;
    page.faults.push({ line, message });
    return undefined;
  }
  Object.assign(last, { raw: rest, text: rest });
  if (page.used.has(id)) {
    const message = `the id "${id}" is given twice on this page; write another one`;
    page.faults.push({ line, message });
  }
  return takeId(page.used, id);
}

function escapeHtml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

/** As marked would write it, but for what is said at each. */
const renderer: RendererObject<string, string> = {
  /** With a link to itself from h2 on: the words are the link, so that a screen reader reads them once. */
  heading(token) {
    const { heading, inner } = page.named.get(token) ?? {};
    if (heading === undefined || inner === undefined) return false;
    page.shown.push(heading);
    const { depth, id, text } = heading;
    const link = `<a class="anchor" href="#${id}"`;
    // A link cannot stand in a link, and one without words needs a name.
    const isApart = text === "" || /<a[\s>]/i.test(inner);
    const named = isApart
      ? `${inner} ${link} aria-label="Link to this section"></a>`
      : `${link}>${inner}</a>`;
    return `<h${depth} id="${id}">${depth === 1 ? inner : named}</h${depth}>\n`;
  },
  /** Can be reached by keyboard, since it may have to be scrolled sideways. */
  code(token) {
    const { text, lang = "" } = token;
    const code = text === "" ? "" : `${text.replace(/\n$/, "")}\n`;
    const [name = ""] = /^\S+/.exec(lang) ?? [];
    const result = name === "" ? undefined : highlightCode(code, name);
    if (result?.ok === false) page.faults.push({ line: page.codes.get(token) ?? 0, message: result.why });
    if (result?.ok !== true) return `<pre tabindex="0"><code>${escapeHtml(code)}</code></pre>\n`;
    page.languages.add(result.language);
    return `<pre tabindex="0"><code class="language-${result.language}">${result.html}</code></pre>\n`;
  },
  /** Columns are named for screen readers; a column without a name has an empty cell there, and no empty header. */
  tablecell({ tokens, header, align }) {
    const tag = header && tokens.length > 0 ? "th" : "td";
    const scope = tag === "th" ? ' scope="col"' : "";
    const side = align === null ? "" : ` class="${align}"`;
    return `<${tag}${scope}${side}>${this.parser.parseInline(tokens)}</${tag}>\n`;
  },
  listitem(item) {
    return `<li${item.task ? ' class="task"' : ""}>${this.parser.parse(item.tokens)}</li>\n`;
  },
  checkbox({ checked }) {
    return `<input type="checkbox" disabled${checked ? " checked" : ""} aria-label="${checked ? "Done" : "To do"}"> `;
  },
};

const footnotes: MarkedExtension<string, string> = {
  extensions: [
    {
      name: "footnote",
      level: "block",
      start: findDefinition,
      tokenizer(text) {
        const found = readDefinition(text);
        if (found === undefined) return undefined;
        const { raw, name, body } = found;
        return { type: "footnote", raw, name, tokens: this.lexer.blockTokens(body, []) };
      },
      // They stand in a section of their own at the end.
      renderer: () => "",
    },
    {
      name: "reference",
      level: "inline",
      tokenizer(text) {
        // Neither a link nor the text of an image can hold one.
        const found = this.lexer.state.inLink ? undefined : readReference(text);
        return found === undefined ? undefined : { type: "reference", ...found };
      },
      renderer(token) {
        const reference = page.references.get(token as Piece);
        const place = reference === undefined ? undefined : page.numbered.places.get(reference);
        return place === undefined ? escapeHtml(token.raw) : writeReference(place.note, place.id);
      },
    },
  ],
};

interface Engine {
  readonly engine: Marked<string, string>;
  readonly parser: Parser<string, string>;
}

function makeEngine(...extensions: readonly MarkedExtension<string, string>[]): Engine {
  const engine = new Marked<string, string>({ gfm: true, async: false, renderer, tokenizer }, ...extensions);
  return { engine, parser: new Parser(engine.defaults) };
}

/** Pages without footnotes are not looked through for them. */
const plain = makeEngine();
const noting = makeEngine(footnotes);
