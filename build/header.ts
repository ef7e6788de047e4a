/**
 * The header block of a page: optional, YAML between two `---` lines at the top of the file. Its keys are
 * defined here and nowhere else; misspelt ones are refused.
 */
import { parseDay } from "../lib/util/clock.ts";
import type { Fault } from "./fault.ts";
import {
  isTextList,
  offsetOfKey,
  readChoice,
  readKeys,
  readText,
  readTexts,
  readWhole,
  readYaml,
  type Section,
} from "./section.ts";
import { countBreaks, plainWords } from "./text.ts";

export interface Header {
  /** "" where the page leaves it to its first heading. */
  readonly title: string;
  readonly description: string;
  readonly layout: string;
  /** Line of the `layout` key, for messages about it. */
  readonly layoutLine: number;
  /** Its name in the navigation; "" if it is not in there. */
  readonly nav: string;
  readonly navLine: number;
  readonly order: number;
  /** Days, `YYYY-MM-DD`, or "". */
  readonly date: string;
  readonly updated: string;
  readonly tags: readonly string[];
  /** Address of the picture that stands for the page elsewhere; "" where there is none. */
  readonly image: string;
  /** Left out of what is published. */
  readonly draft: boolean;
  /** Whether layouts are given its headings. */
  readonly contents: boolean;
  /** How many of the folder's dated pages this page lists; 0 if it lists none. */
  readonly entries: number;
}

const keys = [
  "title",
  "description",
  "layout",
  "nav",
  "order",
  "date",
  "updated",
  "tags",
  "image",
  "draft",
  "contents",
  "entries",
];
/** In characters. What is longer was not meant as a header, and keys are compared each with all others. */
const longestHead = 64 * 1024;
/** `entries: all`. */
const allEntries = 1_000_000;
const defaults: Header = {
  title: "",
  description: "",
  layout: "page",
  layoutLine: 1,
  nav: "",
  navLine: 1,
  order: 100,
  date: "",
  updated: "",
  tags: [],
  image: "",
  draft: false,
  contents: false,
  entries: 0,
};

/**
 * Reads the header block of a page; `head` is the whole of it with both its `---` lines, "" where there is none, and
 * everything from its first line where it never ends: then there is no header. `bodyLine` is the line of the file in
 * which the body begins.
 */
export function readHeader(
  file: string,
  head: string,
): { readonly header: Header | undefined; readonly bodyLine: number; readonly faults: readonly Fault[] } {
  if (head === "") return { header: defaults, bodyLine: 1, faults: [] };
  if (head.length > longestHead) {
    const message = `the header that begins here is larger than ${longestHead / 1024} KiB; put into the body what is no key`;
    return { header: undefined, bodyLine: 1, faults: [{ file, line: 1, message }] };
  }
  // As almost every header is written; it ends where the first such line stands.
  if (head.startsWith("---\n") && head.endsWith("\n---\n") && head.length > 8) {
    const plain = readPlain(head.slice(4, -5));
    if (plain !== undefined) return { header: plain, bodyLine: countBreaks(head) + 1, faults: [] };
  }
  const match = /^---[ \t]*\r?\n([\s\S]*?)(?:^|\r?\n)---[ \t]*(?:\r?\n|$)/m.exec(head);
  if (match === null) {
    const message = "the header that begins here never ends; put a line with --- behind it";
    return { header: undefined, bodyLine: 1, faults: [{ file, line: 1, message }] };
  }
  const bodyLine = countBreaks(match[0]) + 1;
  const yaml = match[1] ?? "";
  if (yaml.trim() === "") return { header: defaults, bodyLine, faults: [] };
  const plain = readPlain(yaml);
  if (plain !== undefined) return { header: plain, bodyLine, faults: [] };
  return { ...readByLibrary(file, yaml), bodyLine };
}

// A plain scalar as almost every header has it: nothing of it could mean anything else in YAML.
const plainValue = /^(?=[\p{L}\p{N}])(?:(?!: | #)[^\p{C}\p{Zl}\p{Zp}])*[^\p{C}\p{Z}:]$/u;

/**
 * Headers of plain `key: value` lines without the library, which takes most of a build's time for them; undefined
 * for every other header. What it reads, the library reads alike (test/12-header).
 */
export function readPlain(yaml: string): Header | undefined {
  const header: { -readonly [Key in keyof Header]: Header[Key] } = { ...defaults };
  const seen: string[] = [];
  let index = -1;
  for (const line of yaml.split("\n")) {
    index += 1;
    const colon = line.indexOf(": ");
    const key = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 2);
    if (seen.includes(key) || !(plainWords.test(value) || plainValue.test(value))) return undefined;
    seen.push(key);
    if (key === "title" || key === "description") header[key] = value;
    else if (key === "layout") [header.layout, header.layoutLine] = [value, index + 2];
    else if (key === "nav") [header.nav, header.navLine] = [value, index + 2];
    else if (key === "order" && /^\d{1,6}$/.test(value)) header.order = Number(value);
    else if ((key === "date" || key === "updated") && parseDay(value) !== undefined) header[key] = value;
    else if ((key === "draft" || key === "contents") && /^(?:yes|no)$/.test(value))
      header[key] = value === "yes";
    else if (key === "entries" && /^[1-9]\d{0,2}$/.test(value)) header.entries = Number(value);
    else if (key === "tags") header.tags = splitTags(value);
    else return undefined;
  }
  return header;
}

/** Tags have commas between them; one that is given twice counts once. */
function splitTags(text: string): readonly string[] {
  return [...new Set(text.split(",").map((tag) => tag.trim()))].filter((tag) => tag !== "");
}

/** Where a key stands in a page's header block, for messages about it: a line of the file, from 1. */
export function lineOfKey(head: string, key: string): number {
  const line = head.split("\n").findIndex((text) => text.startsWith(`${key}:`));
  return Math.max(line, 0) + 1;
}

/** The header by the library alone; `yaml` begins in the second line of its file. */
export function readByLibrary(
  file: string,
  yaml: string,
): { readonly header: Header; readonly faults: readonly Fault[] } {
  const { section, faults } = readYaml(file, yaml, keys, 2);
  return { header: section === undefined ? defaults : readKeysOf(section, yaml), faults };
}

function readKeysOf(section: Section, yaml: string): Header {
  const has = (key: string): boolean => readKeys(section).some(({ name }) => name === key);
  const text = (key: keyof Header): string => (has(key) ? readText(section, key) : String(defaults[key]));
  const day = (key: "date" | "updated"): string => {
    const value = text(key);
    if (value !== "" && parseDay(value) === undefined)
      section.reader.report(
        offsetOfKey(section, key),
        `"${key}" is "${value}"; it must be a day, 2026-11-23`,
      );
    return value;
  };
  const image = (): string => {
    const value = text("image");
    if (value === "" || /^(?:\/(?!\/)|https:\/\/)/.test(value)) return value;
    section.reader.report(
      offsetOfKey(section, "image"),
      `"image" is "${value}"; it must be an address of this site, "/picture.png", or a whole one, "https://..."`,
    );
    return "";
  };
  const yesOrNo = (key: "draft" | "contents"): boolean =>
    has(key) && readChoice(section, key, ["yes", "no"]) === "yes";
  const lineOf = (key: string): number =>
    has(key) ? yaml.slice(0, offsetOfKey(section, key)).split("\n").length + 1 : 1;
  return {
    title: text("title"),
    description: text("description"),
    layout: text("layout"),
    layoutLine: lineOf("layout"),
    nav: text("nav"),
    navLine: lineOf("nav"),
    order: readWhole(section, "order", { least: -1_000_000, most: 1_000_000, fallback: defaults.order }),
    date: day("date"),
    updated: day("updated"),
    tags: readTags(section),
    image: image(),
    draft: yesOrNo("draft"),
    contents: yesOrNo("contents"),
    entries: has("entries") ? readEntries(section) : 0,
  };
}

/** A list, or words with commas between them. */
function readTags(section: Section): readonly string[] {
  if (isTextList(section, "tags")) return splitTags(readTexts(section, "tags").join(","));
  return readKeys(section).some(({ name }) => name === "tags") ? splitTags(readText(section, "tags")) : [];
}

function readEntries(section: Section): number {
  if (readText(section, "entries", "-") === "all") return allEntries;
  return readWhole(section, "entries", { least: 1, most: 999 });
}
