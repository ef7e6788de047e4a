/**
 * The attributes of one tag: ids, addresses, and code, noted with their places in the scan that they belong to.
 * Part of the scanner (scan.ts), which calls it for every tag, and as fast as it must be.
 */
import { decodeEntities } from "../lib/util/entities.ts";
import { type FoundLink, type InlineCode, report, type Scan } from "./scan.ts";

const slash = 0x2f;
const greater = 0x3e;

// Attributes that name an address.
const linking = new Set([
  "href",
  "src",
  "srcset",
  "action",
  "formaction",
  "poster",
  "data",
  "imagesrcset",
  "xlink:href",
]);

/** What is known of a tag when all of it was read. */
interface Tag {
  /** Where the first of its links stands among all. */
  readonly firstLink: number;
  rel: string;
  hasIntegrity: boolean;
  hasSize: boolean;
  hasAlt: boolean;
}

/** What readAttributes finds, besides what it notes: one for all tags, since there are so many. */
export const lastTag = { end: 0, isSelfClosed: false, hasSource: false };

/** Reads attributes up to the tag's end, as the HTML Standard's tokenizer does (13.2.5.32 and after); see lastTag. */
export function readAttributes(scan: Scan, tag: string, from: number): void {
  const { text } = scan;
  const read: Tag = {
    firstLink: scan.links.length,
    rel: "",
    hasIntegrity: false,
    hasSize: false,
    hasAlt: false,
  };
  let at = from;
  lastTag.isSelfClosed = false;
  lastTag.hasSource = false;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === greater) break;
    if (code <= 0x20 || code === slash) {
      lastTag.isSelfClosed = code === slash;
      at += 1;
      continue;
    }
    lastTag.isSelfClosed = false;
    at = readAttribute(scan, tag, at, read);
  }
  const tagEnd = lastTag.isSelfClosed ? at - 1 : at;
  for (let index = read.firstLink; index < scan.links.length; index += 1) {
    const link = scan.links[index] as { -readonly [Key in keyof FoundLink]: FoundLink[Key] };
    link.rel = tag === "link" ? read.rel : "";
    link.tagEnd = tagEnd;
    link.hasIntegrity = read.hasIntegrity;
    if (tag === "img" && link.attribute === "src")
      scan.images.push({ link, hasSize: read.hasSize, hasAlt: read.hasAlt });
  }
  lastTag.end = Math.min(at + 1, text.length);
}

/** Names of attributes that almost every tag has, if any; such a one is found at once where it is written as most are. */
const usual = new Set([
  "href",
  "id",
  "class",
  "src",
  "alt",
  "title",
  "name",
  "lang",
  "type",
  "rel",
  "datetime",
]);
const longestUsual = 8;

/** Notes the attribute that begins at `start`; where it ends. */
function readAttribute(scan: Scan, tag: string, start: number, read: Tag): number {
  const { text } = scan;
  let sign = start + 1;
  // No further: where there is none, the rest of the page would be looked through for each attribute.
  while (sign - start < longestUsual && text.charCodeAt(sign) !== 0x3d) sign += 1;
  if (text.charCodeAt(sign) === 0x3d && text.charCodeAt(sign + 1) === 0x22) {
    const name = text.slice(start, sign);
    const end = usual.has(name) ? text.indexOf('"', sign + 2) : -1;
    if (end >= 0) {
      noteAttribute(scan, tag, name, text.slice(sign + 2, end), sign + 2, read);
      return end + 1;
    }
  }
  return readAnyAttribute(scan, tag, start, read);
}

function readAnyAttribute(scan: Scan, tag: string, start: number, read: Tag): number {
  const { text } = scan;
  let at = start;
  while (at < text.length) {
    const next = text.charCodeAt(at);
    if (next <= 0x20 || next === slash || next === greater || (next === 0x3d && at > start)) break;
    at += 1;
  }
  const name = text.slice(start, at);
  let equals = at;
  while (text.charCodeAt(equals) <= 0x20) equals += 1;
  let value: string | undefined;
  let offset = at;
  if (text.charCodeAt(equals) === 0x3d) {
    at = equals + 1;
    while (text.charCodeAt(at) <= 0x20) at += 1;
    const quote = text.charCodeAt(at);
    let end: number;
    if (quote === 0x22 || quote === 0x27) {
      offset = at + 1;
      end = text.indexOf(quote === 0x22 ? '"' : "'", offset);
      if (end < 0) {
        report(scan, offset - 1, `the value of ${name} has no closing quote`);
        end = text.length;
      }
      at = end + 1;
    } else {
      offset = at;
      while (at < text.length && text.charCodeAt(at) > 0x20 && text.charCodeAt(at) !== greater) at += 1;
      end = at;
    }
    value = text.slice(offset, end);
  }
  noteAttribute(scan, tag, name.toLowerCase(), value, offset, read);
  return at;
}

/** `name` in small letters. */
function noteAttribute(
  scan: Scan,
  tag: string,
  name: string,
  value: string | undefined,
  offset: number,
  read: Tag,
): void {
  if (name === "id" || (name === "name" && tag === "a")) addId(scan, value ?? "", offset, name);
  else if (name === "rel") read.rel = (value ?? "").toLowerCase();
  else if (name === "integrity") read.hasIntegrity = true;
  else if (name === "width" || name === "height") read.hasSize = true;
  else if (name === "alt") read.hasAlt = true;
  else if (name === "style") addInline(scan, "style-attribute", value ?? "", offset);
  else if (name.length > 2 && name.startsWith("on")) addInline(scan, "handler", value ?? "", offset);
  else if (value !== undefined && linking.has(name) && !(name === "data" && tag !== "object")) {
    if (name === "src") lastTag.hasSource = true;
    addLinks(scan, tag, name, value, offset);
  }
}

function addInline(scan: Scan, kind: InlineCode["kind"], text: string, offset: number): void {
  scan.inline.push({ kind, text: decodeEntities(decodeBytes(scan, text)), offset });
}

function addId(scan: Scan, written: string, offset: number, attribute: string): void {
  const id = decodeEntities(decodeBytes(scan, written));
  const isTwice = hasId(scan, id);
  if (!isTwice) scan.ids.push(id);
  if (attribute !== "id") return;
  // `name` of an `a` is where old links lead; beside an `id` of the same name it says it twice.
  if (isTwice) report(scan, offset, `the id ${JSON.stringify(id)} is given twice`);
  if (id === "" || /\s/.test(id))
    report(
      scan,
      offset,
      `the id ${JSON.stringify(id)} must have no spaces, and be at least one character long`,
    );
  if (!scan.isBrief) scan.idPlaces.push({ id, offset });
}

/** Few are looked through as quickly as put in order. */
const few = 20;

function hasId(scan: Scan, id: string): boolean {
  if (scan.ids.length < few) return scan.ids.includes(id);
  scan.idSet ??= new Set(scan.ids);
  const { size } = scan.idSet;
  return scan.idSet.add(id).size === size;
}

/** Bytes read as Latin-1, as the text that they are. */
export function decodeBytes({ options }: Scan, value: string): string {
  return options.isLatin1 === true && /[\x80-\xff]/.test(value)
    ? Buffer.from(value, "latin1").toString("utf8")
    : value;
}

/** Whether an element's address is for readers: nothing is loaded from there with the page. */
export function isFollowed(tag: string): boolean {
  return tag === "a" || tag === "area";
}

function addLinks(scan: Scan, tag: string, attribute: string, written: string, offset: number): void {
  if (attribute !== "srcset" && attribute !== "imagesrcset") {
    // URLs are stripped of spaces around them and of line breaks within (URL Standard, 4.4).
    const plain = decodeBytes(scan, written);
    const target = /[&\s]/.test(plain)
      ? decodeEntities(plain)
          .replace(/[\t\r\n]/g, "")
          .trim()
      : plain;
    addLink(scan, tag, attribute, target, written, offset);
    return;
  }
  // HTML Standard, 4.8.4.2.1: addresses end at a space, and may have commas inside.
  for (const candidate of written.matchAll(/(?:^|,)\s*([^\s,]\S*?)(?=,?(?:\s|$))(?:\s[^,]*)?/g)) {
    const own = candidate[1] ?? "";
    const target = decodeEntities(decodeBytes(scan, own));
    addLink(scan, tag, attribute, target, own, offset + candidate.index + candidate[0].indexOf(own));
  }
}

function addLink(
  scan: Scan,
  tag: string,
  attribute: string,
  target: string,
  written: string,
  offset: number,
): void {
  scan.targets.push(target);
  if (scan.isBrief && isFollowed(tag)) return;
  // Every field is set in the same order: objects of one form are quick to make.
  scan.links.push({ target, written, offset, tag, attribute, rel: "", tagEnd: 0, hasIntegrity: false });
}
