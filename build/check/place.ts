/**
 * Where in the sources a place of a finished document comes from: in a page's own body by counting, in Markdown by the
 * block that made it, and in what the layout gives by the template whose text around it is most alike. Called by
 * pages.ts for what is found, never for what is right.
 */
import { locate } from "../fault.ts";
import type { CheckedPage } from "../framing.ts";
import { renderMarkdown } from "../markdown.ts";
import type { Template } from "../template.ts";

export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column?: number;
  readonly isLayout: boolean;
}

/** The place of an offset in a page's document; undefined in a second copy of the body, which is told once. */
export type Placer = (page: CheckedPage, offset: number) => Place | undefined;

export function makePlacer(templates: readonly Template[]): Placer {
  const inLayouts = new Map<string, Place>();
  let mapped: { readonly page: CheckedPage; readonly blocks: readonly Block[] } | undefined;
  return (page, offset) => {
    const start = page.bodyStarts.find((at) => offset >= at && offset < at + page.bodyLength);
    if (start !== undefined && start !== page.bodyStarts[0]) return undefined;
    if (start === undefined) {
      const key = `${page.layout} ${page.document.slice(Math.max(0, offset - reach), offset + reach)}`;
      const place = inLayouts.get(key) ?? placeInLayout(page, offset, templates);
      inLayouts.set(key, place);
      return place;
    }
    const body = page.document.slice(start, start + page.bodyLength);
    if (!page.isMarkdown) {
      const { line, column } = locate(body, offset - start);
      return { file: page.file, line: line + page.bodyLine - 1, column, isLayout: false };
    }
    if (mapped?.page !== page) mapped = { page, blocks: mapMarkdown(bodyOf(page)) };
    return placeInMarkdown(page, mapped.blocks, body, offset - start);
  };
}

/** A piece of the text between blank lines, and where its HTML ends. */
interface Block {
  /** Where it begins in the text, in lines from 0. */
  readonly line: number;
  readonly source: string;
  readonly htmlEnd: number;
}

function mapMarkdown(text: string): readonly Block[] {
  const { blocks } = renderMarkdown(text);
  const lines = text.split("\n");
  return blocks.map(({ line }, index) => {
    const next = blocks[index + 1];
    const source = lines.slice(line - 1, next === undefined ? undefined : next.line - 1).join("\n");
    return { line: line - 1, source, htmlEnd: next?.offset ?? Number.POSITIVE_INFINITY };
  });
}

function bodyOf({ source, bodyLine }: CheckedPage): string {
  return source
    .split("\n")
    .slice(bodyLine - 1)
    .join("\n");
}

/** The line of the block; where the tag, its address, or its heading is written there, its line and column. */
function placeInMarkdown(page: CheckedPage, blocks: readonly Block[], html: string, offset: number): Place {
  const index = blocks.findIndex(({ htmlEnd }) => offset < htmlEnd);
  const block = blocks[index];
  if (block === undefined) return { file: page.file, line: page.bodyLine, isLayout: false };
  const line = page.bodyLine + block.line;
  const from = blocks[index - 1]?.htmlEnd ?? 0;
  const tag = /^<[^>]*>/.exec(html.slice(offset))?.[0];
  const address = /\b(?:src|href)="([^"]+)"/.exec(tag ?? "")?.[1];
  for (const written of [tag, address]) {
    if (written === undefined) continue;
    // The second of two equal ones in the HTML is the second in the source.
    const before = html.slice(from, offset).split(written).length - 1;
    const at = findNth(block.source, written, before);
    if (at < 0) continue;
    const found = locate(block.source, at);
    return { file: page.file, line: line + found.line - 1, column: found.column, isLayout: false };
  }
  return { file: page.file, line, isLayout: false };
}

function findNth(text: string, part: string, count: number): number {
  let at = text.indexOf(part);
  for (let left = count; left > 0 && at >= 0; left -= 1) at = text.indexOf(part, at + part.length);
  return at;
}

// How many characters around a place are compared.
const reach = 200;
// Words that are filled in; templates are compared around them.
const mustache = /\{\{[^}]*\}\}\}?/;

/** The tag of the same name whose surroundings in a template are most alike; the page's own layout if none is. */
function placeInLayout(page: CheckedPage, offset: number, templates: readonly Template[]): Place {
  const { document, layout } = page;
  const layouts = templates.filter(({ name }) => !name.includes("/"));
  const own = layouts.filter(({ name }) => name === layout);
  const tagStart = document.lastIndexOf("<", offset);
  const tag = /^<[!/]?[a-z][a-z0-9-]*/i.exec(document.slice(tagStart, tagStart + 40))?.[0];
  const whole: Place = { file: own[0]?.file ?? page.file, line: 0, isLayout: own.length > 0 };
  if (tag === undefined) return whole;
  let [best, found] = [tag.length, whole];
  for (const { file, text } of [...own, ...layouts]) {
    for (let at = text.indexOf(tag); at >= 0; at = text.indexOf(tag, at + 1)) {
      const after = alikeAfter(document, tagStart, text, at);
      const score = after + alikeBefore(document, tagStart, text, at);
      if (score <= best) continue;
      best = score;
      // Inside of the tag as far as it is written out there.
      const inside = offset - tagStart <= after ? offset - tagStart : 0;
      found = { file, ...locate(text, at + inside), isLayout: true };
    }
  }
  return found;
}

function alikeAfter(document: string, from: number, text: string, at: number): number {
  let count = 0;
  while (count < reach && from + count < document.length && document[from + count] === text[at + count])
    count += 1;
  // What follows a word that was filled in is looked for behind it.
  const word = mustache.exec(text.slice(at + count, at + count + reach));
  if (word === null || word.index > 0) return count;
  const rest = text.slice(at + count + word[0].length).split(/[\n>{]/)[0] ?? "";
  return rest !== "" && document.slice(from + count, from + count + reach).includes(rest)
    ? count + rest.length
    : count;
}

function alikeBefore(document: string, from: number, text: string, at: number): number {
  let count = 0;
  while (count < reach && count < Math.min(from, at) && document[from - 1 - count] === text[at - 1 - count])
    count += 1;
  return count;
}
