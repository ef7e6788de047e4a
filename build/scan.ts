/**
 * One pass over a piece of HTML: its links, ids, and images with their places, and every tag that is never closed,
 * closes nothing, or is closed in the wrong order. It is the hot path of a build, so it walks by character codes.
 * Comments, and what stands inside script, style, textarea, and title, hold no markup. Called for page bodies, for
 * layouts, and by the checks that look at finished pages.
 */

import { decodeBytes, lastTag, readAttributes } from "./attributes.ts";
import { type Element, endOfName, findElement, rawTextNames, readElement } from "./elements.ts";

export interface Markup {
  /** Where links can lead: every `id`, and every `name` of an `a`; each once. */
  readonly ids: readonly string[];
  /** Of each `id`, in their order. */
  readonly idPlaces: readonly { readonly id: string; readonly offset: number }[];
  /** Where links lead, in their order. */
  readonly targets: readonly string[];
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
  /** Tells of links that a reader follows nothing but their targets, and no places of ids: most pages have no others. */
  readonly isBrief?: boolean;
  /** Looks at tags as text with `{{...}}` in it: what a template leaves open another one may close. */
  readonly isTemplate?: boolean;
}

export interface Scan {
  readonly text: string;
  readonly options: ScanOptions;
  readonly isBrief: boolean;
  readonly ids: string[];
  /** The same, once there are many. */
  idSet: Set<string> | undefined;
  readonly idPlaces: { readonly id: string; readonly offset: number }[];
  readonly targets: string[];
  readonly links: FoundLink[];
  readonly images: FoundImage[];
  readonly inline: InlineCode[];
  readonly faults: MarkupFault[];
  /** The elements that are open, the innermost last, and where each of them begins. */
  readonly stack: Element[];
  readonly places: number[];
  /** How many svg and math elements are open: in them "/>" closes a tag. */
  foreign: number;
}

const slash = 0x2f;
const bang = 0x21;

export function scanMarkup(text: string, options: ScanOptions = {}): Markup {
  const scan: Scan = {
    text,
    options,
    isBrief: options.isBrief === true,
    ids: [],
    idSet: undefined,
    idPlaces: [],
    targets: [],
    links: [],
    images: [],
    inline: [],
    faults: [],
    stack: [],
    places: [],
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
  for (const [index, { isOptional, name }] of scan.stack.entries())
    if (!isOptional) report(scan, scan.places[index] ?? 0, `<${name}> is never closed`);
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

function readCloseTag(scan: Scan, at: number): number {
  const { text, stack } = scan;
  if (stack.length > 0) {
    const { closing, isForeign } = stack[stack.length - 1] as Element;
    if (text.startsWith(closing, at)) {
      stack.pop();
      if (isForeign) scan.foreign -= 1;
      return at + closing.length;
    }
  }
  const nameEnd = endOfName(text, at + 2);
  const end = text.indexOf(">", nameEnd);
  closeElement(scan, readElement(text, at + 2, nameEnd), at);
  return end < 0 ? text.length : end + 1;
}

/** Closes what may be left open first; everything else in between is a fault. */
function closeElement(scan: Scan, { name, isVoid }: Element, at: number): void {
  const { stack } = scan;
  const place = stack.findLastIndex((open) => open.name === name);
  if (place < 0) {
    if (isVoid) report(scan, at, `</${name}> closes nothing: a <${name}> needs no end; delete it`);
    else if (name === "p")
      report(scan, at, "</p> closes nothing: its <p> ended where the element before it began");
    else report(scan, at, `</${name}> closes nothing`);
    return;
  }
  const between = stack.slice(place + 1).findLast(({ isOptional }) => !isOptional)?.name;
  if (between !== undefined)
    report(scan, at, `</${name}> stands where <${between}> is still open; write </${between}> before it`);
  for (const { isForeign } of stack.splice(place)) if (isForeign) scan.foreign -= 1;
}

function readOpenTag(scan: Scan, at: number): number {
  const { text, stack } = scan;
  const tagEnd = text.indexOf(">", at);
  // Most tags are nothing but a name.
  const bare = findElement(text, at + 1, tagEnd);
  const nameEnd = bare === undefined ? endOfName(text, at + 1) : tagEnd;
  const element = bare ?? readElement(text, at + 1, nameEnd);
  if (bare === undefined) readAttributes(scan, element.name, nameEnd);
  const end = bare === undefined ? lastTag.end : nameEnd + 1;
  while (stack.length > 0 && (stack[stack.length - 1] as Element).enders?.has(element.name) === true)
    stack.pop();
  const closesItself = bare === undefined && lastTag.isSelfClosed && (scan.foreign > 0 || element.isForeign);
  if (element.isVoid || closesItself) return end;
  if (element.isRawText) return skipRawText(scan, element.name, end, bare === undefined && lastTag.hasSource);
  scan.places[stack.length] = at;
  stack.push(element);
  if (element.isForeign) scan.foreign += 1;
  return end;
}

const endTags = new Map([...rawTextNames].map((tag) => [tag, new RegExp(`</${tag}(?=[\\s/>])`, "gi")]));

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
