/**
 * One pass over a piece of HTML: its links, ids, and images with their places, and every tag that is never closed,
 * closes nothing, or is closed in the wrong order. It is the hot path of a build, so it walks by character codes.
 * Comments, and what stands inside script, style, textarea, and title, hold no markup. Called for page bodies, for
 * layouts, and by the checks that look at finished pages.
 */

import { decodeBytes, readAttributes } from "./attributes.ts";
import { closedBy, optionalEnd, rawText, voidElements } from "./elements.ts";

export interface Markup {
  /** Where links can lead: every `id`, and every `name` of an `a`. */
  readonly ids: ReadonlySet<string>;
  /** Of each `id`, in their order. */
  readonly idPlaces: readonly { readonly id: string; readonly offset: number }[];
  readonly links: readonly FoundLink[];
  readonly images: readonly FoundImage[];
  readonly inline: readonly InlineCode[];
  readonly faults: readonly MarkupFault[];
}

export interface FoundLink {
  /** The address as it is meant: entities decoded, spaces around it gone. */
  readonly target: string;
  /** The address as it is written. */
  readonly written: string;
  readonly offset: number;
  /** Names in small letters: "href" of an "a". */
  readonly tag: string;
  readonly attribute: string;
  /** What a `link` element is for, "stylesheet"; "" elsewhere. */
  readonly rel: string;
  /** Where the tag's ">" (or "/>") stands, for attributes that are put in. */
  readonly tagEnd: number;
  readonly hasIntegrity: boolean;
}

export interface FoundImage {
  readonly link: FoundLink;
  readonly hasSize: boolean;
  readonly hasAlt: boolean;
}

/** What a Content-Security-Policy must allow: code that stands in the page itself. */
export interface InlineCode {
  readonly kind: "script" | "style" | "style-attribute" | "handler";
  readonly text: string;
  readonly offset: number;
}

export interface MarkupFault {
  readonly offset: number;
  readonly message: string;
}

export interface ScanOptions {
  /** The text is UTF-8 bytes read as Latin-1, so that offsets are bytes; values are decoded where it matters. */
  readonly isLatin1?: boolean;
  /** Looks at tags as text with `{{...}}` in it: what a template leaves open another one may close. */
  readonly isTemplate?: boolean;
}

interface Open {
  readonly tag: string;
  readonly offset: number;
}

export interface Scan {
  readonly text: string;
  readonly options: ScanOptions;
  readonly ids: Set<string>;
  readonly idPlaces: { readonly id: string; readonly offset: number }[];
  readonly links: FoundLink[];
  readonly images: FoundImage[];
  readonly inline: InlineCode[];
  readonly faults: MarkupFault[];
  readonly stack: Open[];
  /** How many svg and math elements are open: in them "/>" closes a tag. */
  foreign: number;
}

const slash = 0x2f;
const bang = 0x21;

export function scanMarkup(text: string, options: ScanOptions = {}): Markup {
  const scan: Scan = {
    text,
    options,
    ids: new Set(),
    idPlaces: [],
    links: [],
    images: [],
    inline: [],
    faults: [],
    stack: [],
    foreign: 0,
  };
  let at = text.indexOf("<");
  while (at >= 0) {
    const code = text.charCodeAt(at + 1);
    let end = at + 1;
    if ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) end = readOpenTag(scan, at);
    else if (code === slash) end = readCloseTag(scan, at);
    else if (code === bang) end = skipDeclaration(scan, at);
    at = text.indexOf("<", end);
  }
  for (const { tag, offset } of scan.stack)
    if (!optionalEnd.has(tag)) report(scan, offset, `<${tag}> is never closed`);
  return scan;
}

export function report(scan: Scan, offset: number, message: string): void {
  if (scan.options.isTemplate !== true) scan.faults.push({ offset, message });
}

function skipDeclaration(scan: Scan, at: number): number {
  const { text } = scan;
  const isComment = text.startsWith("<!--", at);
  // "<!-->" and "<!--->" are whole comments (HTML Standard, 13.2.5.43).
  const end = isComment ? text.indexOf("-->", at + 2) : text.indexOf(">", at);
  if (end < 0 && isComment) report(scan, at, "the comment that begins here is never closed");
  return end < 0 ? text.length : end + 1;
}

/** A name in small letters, as it stands at `from`. */
function readName(text: string, from: number): string {
  let end = from;
  let hasCapital = false;
  for (; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code <= 0x20 || code === slash || code === 0x3e) break;
    if (code >= 0x41 && code <= 0x5a) hasCapital = true;
  }
  const name = text.slice(from, end);
  return hasCapital ? name.toLowerCase() : name;
}

function readCloseTag(scan: Scan, at: number): number {
  const { text, stack } = scan;
  const tag = readName(text, at + 2);
  const end = text.indexOf(">", at + 2);
  const after = end < 0 ? text.length : end + 1;
  if (stack[stack.length - 1]?.tag === tag) {
    stack.pop();
    if (tag === "svg" || tag === "math") scan.foreign -= 1;
    return after;
  }
  closeOutOfOrder(scan, tag, at);
  return after;
}

/** Closes what may be left open first; everything else in between is a fault. */
function closeOutOfOrder(scan: Scan, tag: string, at: number): void {
  const { stack } = scan;
  const place = stack.findLastIndex((open) => open.tag === tag);
  if (place < 0) {
    if (voidElements.has(tag))
      report(scan, at, `</${tag}> closes nothing: a <${tag}> needs no end; delete it`);
    else if (tag === "p")
      report(scan, at, "</p> closes nothing: its <p> ended where the element before it began");
    else report(scan, at, `</${tag}> closes nothing`);
    return;
  }
  for (const open of stack.slice(place + 1).reverse())
    if (!optionalEnd.has(open.tag)) {
      report(scan, at, `</${tag}> stands where <${open.tag}> is still open; write </${open.tag}> before it`);
      break;
    }
  for (const open of stack.splice(place)) if (open.tag === "svg" || open.tag === "math") scan.foreign -= 1;
}

function readOpenTag(scan: Scan, at: number): number {
  const { text, stack } = scan;
  const tag = readName(text, at + 1);
  const attributes = readAttributes(scan, tag, at + 1 + tag.length);
  const { end, isSelfClosed } = attributes;
  for (
    let top = stack[stack.length - 1];
    top !== undefined && closedBy(top.tag, tag);
    top = stack[stack.length - 1]
  )
    stack.pop();
  if (voidElements.has(tag) || (isSelfClosed && (scan.foreign > 0 || tag === "svg" || tag === "math")))
    return end;
  if (rawText.has(tag)) return skipRawText(scan, tag, end, attributes.hasSource);
  stack.push({ tag, offset: at });
  if (tag === "svg" || tag === "math") scan.foreign += 1;
  return end;
}

const endTags = new Map([...rawText].map((tag) => [tag, new RegExp(`</${tag}(?=[\\s/>])`, "gi")]));

function skipRawText(scan: Scan, tag: string, from: number, hasSource: boolean): number {
  const search = endTags.get(tag);
  if (search === undefined) return from;
  search.lastIndex = from;
  const found = search.exec(scan.text);
  if (found === null) {
    report(scan, from, `<${tag}> is never closed`);
    return scan.text.length;
  }
  const isCode = (tag === "script" && !hasSource) || tag === "style";
  if (isCode && scan.options.isTemplate !== true)
    scan.inline.push({
      kind: tag === "style" ? "style" : "script",
      text: decodeBytes(scan, scan.text.slice(from, found.index)),
      offset: from,
    });
  const end = scan.text.indexOf(">", found.index);
  return end < 0 ? scan.text.length : end + 1;
}
