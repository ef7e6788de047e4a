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

interface Attributes {
  readonly end: number;
  readonly isSelfClosed: boolean;
  readonly hasSource: boolean;
}

/** Reads attributes up to the tag's end, as the HTML Standard's tokenizer does (13.2.5.32 and after). */
export function readAttributes(scan: Scan, tag: string, from: number): Attributes {
  const { text } = scan;
  const firstLink = scan.links.length;
  let [rel, hasIntegrity, hasWidth, hasHeight, hasAlt] = ["", false, false, false, false];
  let at = from;
  let isSelfClosed = false;
  let hasSource = false;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === greater) break;
    if (code <= 0x20 || code === slash) {
      isSelfClosed = code === slash;
      at += 1;
      continue;
    }
    isSelfClosed = false;
    const nameStart = at;
    let hasCapital = false;
    while (at < text.length) {
      const next = text.charCodeAt(at);
      if (next >= 0x41 && next <= 0x5a) hasCapital = true;
      if (next <= 0x20 || next === slash || next === greater || (next === 0x3d && at > nameStart)) break;
      at += 1;
    }
    const name = text.slice(nameStart, at);
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
    const lower = hasCapital ? name.toLowerCase() : name;
    if (lower === "id" || (lower === "name" && tag === "a")) addId(scan, value ?? "", offset, lower);
    else if (lower === "rel") rel = (value ?? "").toLowerCase();
    else if (lower === "integrity") hasIntegrity = true;
    else if (lower === "width") hasWidth = true;
    else if (lower === "height") hasHeight = true;
    else if (lower === "alt") hasAlt = true;
    else if (lower === "style") addInline(scan, "style-attribute", value ?? "", offset);
    else if (lower.length > 2 && lower.startsWith("on")) addInline(scan, "handler", value ?? "", offset);
    else if (value !== undefined && linking.has(lower) && !(lower === "data" && tag !== "object")) {
      if (lower === "src") hasSource = true;
      addLinks(scan, tag, lower, value, offset);
    }
  }
  const tagEnd = isSelfClosed ? at - 1 : at;
  for (let index = firstLink; index < scan.links.length; index += 1) {
    const link = scan.links[index] as { -readonly [Key in keyof FoundLink]: FoundLink[Key] };
    link.rel = tag === "link" ? rel : "";
    link.tagEnd = tagEnd;
    link.hasIntegrity = hasIntegrity;
    if (tag === "img" && link.attribute === "src")
      scan.images.push({ link, hasSize: hasWidth || hasHeight, hasAlt });
  }
  return { end: Math.min(at + 1, text.length), isSelfClosed, hasSource };
}

function addInline(scan: Scan, kind: InlineCode["kind"], text: string, offset: number): void {
  scan.inline.push({ kind, text: decodeEntities(decodeBytes(scan, text)), offset });
}

function addId(scan: Scan, written: string, offset: number, attribute: string): void {
  const id = decodeEntities(decodeBytes(scan, written));
  // `name` of an `a` is where old links lead; beside an `id` of the same name it says it twice.
  if (attribute === "id" && scan.ids.has(id))
    report(scan, offset, `the id ${JSON.stringify(id)} is given twice`);
  if (attribute === "id" && (id === "" || /\s/.test(id)))
    report(
      scan,
      offset,
      `the id ${JSON.stringify(id)} must have no spaces, and be at least one character long`,
    );
  if (attribute === "id") scan.idPlaces.push({ id, offset });
  scan.ids.add(id);
}

/** Bytes read as Latin-1, as the text that they are. */
export function decodeBytes({ options }: Scan, value: string): string {
  return options.isLatin1 === true && /[\x80-\xff]/.test(value)
    ? Buffer.from(value, "latin1").toString("utf8")
    : value;
}

function addLinks(scan: Scan, tag: string, attribute: string, written: string, offset: number): void {
  // Every field is set in the same order: objects of one form are quick to make.
  const add = (target: string, own: string, at: number): void => {
    scan.links.push({
      target,
      written: own,
      offset: at,
      tag,
      attribute,
      rel: "",
      tagEnd: 0,
      hasIntegrity: false,
    });
  };
  if (attribute !== "srcset" && attribute !== "imagesrcset") {
    // URLs are stripped of spaces around them and of line breaks within (URL Standard, 4.4).
    const plain = decodeBytes(scan, written);
    const target = /[&\s]/.test(plain)
      ? decodeEntities(plain)
          .replace(/[\t\r\n]/g, "")
          .trim()
      : plain;
    add(target, written, offset);
    return;
  }
  // HTML Standard, 4.8.4.2.1: addresses end at a space, and may have commas inside.
  for (const candidate of written.matchAll(/(?:^|,)\s*([^\s,]\S*?)(?=,?(?:\s|$))(?:\s[^,]*)?/g)) {
    const own = candidate[1] ?? "";
    add(decodeEntities(decodeBytes(scan, own)), own, offset + candidate.index + candidate[0].indexOf(own));
  }
}
