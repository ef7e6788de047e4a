/**
 * Maps of a YAML file read strictly: known keys only, the right types only, every fault with its place. settings.ts,
 * header.ts, and check/settings.ts say what is expected.
 */
import { didYouMean, type Fault, locate } from "./fault.ts";
import { isMap, isScalar, isSeq, noAliases, parseYaml, type ReportAt, visit, YAMLMap } from "./yaml.ts";

/** A map of a YAML file, and where its faults go. */
export interface Section {
  readonly reader: Reader;
  readonly map: YAMLMap;
  /** Path of keys that leads here, "mail.smtp"; "" at the top. */
  readonly path: string;
}

export interface Reader {
  readonly faults: Fault[];
  readonly report: ReportAt;
}

/**
 * Parses a text whose top must be a map with no other keys than the given ones.
 * @param firstLine line of the file in which the text begins, from 1
 */
export function readYaml(
  file: string,
  text: string,
  keys: readonly string[],
  firstLine = 1,
): { readonly section: Section | undefined; readonly faults: Fault[] } {
  // Every value is text until a reader makes it a number: `nav: 1.10` stays 1.10, and a price keeps its digits.
  const faults: Fault[] = [];
  const { document, report } = parseYaml(text, { schema: "failsafe" }, (line, column, message) =>
    faults.push({ file, line: line + firstLine - 1, column, message }),
  );
  if (document === undefined) return { section: undefined, faults };
  const contents = document.contents ?? new YAMLMap();
  visit(document, {
    Alias: (_, alias) => report(alias.range?.[0] ?? 0, noAliases),
  });
  if (faults.length > 0) return { section: undefined, faults };
  if (!isMap(contents)) {
    report(0, `"key: value" lines are wanted here: ${keys.join(", ")}`);
    return { section: undefined, faults };
  }
  const section: Section = { reader: { faults, report }, map: contents, path: "" };
  checkKeys(section, keys);
  return { section, faults };
}

export interface Pair {
  readonly name: string;
  readonly value: string;
  /** Where the name stands, from 1. */
  readonly line: number;
  readonly column: number;
}

/** A file of `name: text` lines, whatever the names. */
export function readPairs(
  file: string,
  text: string,
): { readonly pairs: readonly Pair[]; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const { document, report } = parseYaml(text, { schema: "failsafe" }, (line, column, message) =>
    faults.push({ file, line, column, message }),
  );
  const contents = document?.contents ?? new YAMLMap();
  const wanted = "lines of NAME: TEXT are wanted here";
  if (!isMap(contents)) {
    report(0, wanted);
    return { pairs: [], faults };
  }
  const pairs = contents.items.flatMap(({ key, value }): readonly Pair[] => {
    const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
    if (isScalar(key) && isScalar(value) && value.value !== "")
      return [{ name: String(key.value), value: String(value.value), ...locate(text, offset) }];
    report(offset, wanted);
    return [];
  });
  return { pairs, faults };
}

/** Reports every key that is not known. */
export function checkKeys(section: Section, known: readonly string[]): void {
  for (const { name, offset } of readKeys(section))
    if (!known.includes(name))
      section.reader.report(
        offset,
        `unknown key "${join(section, name)}"${didYouMean(name, known) || `; known are ${known.join(", ")}`}`,
      );
}

/** The keys of a map in their order, with their offsets. */
export function readKeys(section: Section): readonly { readonly name: string; readonly offset: number }[] {
  return section.map.items.map((item) => {
    const key = isScalar(item.key) ? item.key : undefined;
    return { name: String(key?.value ?? ""), offset: key?.range?.[0] ?? offsetOf(section) };
  });
}

/** A map below a key; undefined (and a fault, if it is there but no map). */
export function readSection(section: Section, key: string, keys?: readonly string[]): Section | undefined {
  const node = section.map.get(key, true) as unknown;
  // `mail:` with nothing but comments below it is as good as left out.
  if (node === undefined || (isScalar(node) && node.value === "")) return undefined;
  if (!isMap(node)) {
    section.reader.report(offsetOfKey(section, key), `"${join(section, key)}" must hold keys of its own`);
    return undefined;
  }
  const below: Section = { reader: section.reader, map: node, path: join(section, key) };
  if (keys !== undefined) checkKeys(below, keys);
  return below;
}

/** The same, where all keys of the map have defaults: an empty one stands for one that is left out. */
export function readGroup(section: Section, key: string, keys: readonly string[]): Section {
  const map = new YAMLMap();
  map.range = section.map.range ?? null;
  return readSection(section, key, keys) ?? { ...section, map, path: join(section, key) };
}

/** The maps of a list below a key, at least one; other items are faults. */
export function readList(section: Section, key: string, keys: readonly string[]): readonly Section[] {
  const node = section.map.get(key, true) as unknown;
  if (!isSeq(node) || node.items.length === 0) {
    section.reader.report(offsetOfKey(section, key), `"${join(section, key)}" must be a list of one or more`);
    return [];
  }
  return node.items.flatMap((item, index) => {
    if (!isMap(item)) {
      section.reader.report(
        offsetOfKey(section, key),
        `item ${index + 1} of "${join(section, key)}" must hold keys`,
      );
      return [];
    }
    const below: Section = { reader: section.reader, map: item, path: `${join(section, key)}[${index}]` };
    checkKeys(below, keys);
    return [below];
  });
}

/** True if a list stands below a key, whatever is in it. */
export function isTextList(section: Section, key: string): boolean {
  return isSeq(section.map.get(key, true));
}

/** The texts of a list below a key; none if the key is absent. */
export function readTexts(section: Section, key: string): readonly string[] {
  const node = section.map.get(key, true) as unknown;
  if (node === undefined || (isScalar(node) && node.value === "")) return [];
  const items = isSeq(node)
    ? node.items.map((item) => (isScalar(item) ? item.value : undefined))
    : [undefined];
  const texts = items.filter((item) => typeof item === "string" && item !== "") as readonly string[];
  if (texts.length === items.length) return texts;
  section.reader.report(offsetOfKey(section, key), `"${join(section, key)}" must be a list of words`);
  return [];
}

/** A text; `fallback` if the key is absent, a fault if there is no fallback either. */
export function readText(section: Section, key: string, fallback?: string): string {
  const value = readScalar(section, key);
  if (typeof value === "string" && value !== "" && !/\p{Cc}/u.test(value)) return value;
  return refuse(section, key, value, "one line of text", fallback) ?? "";
}

/** A whole number within bounds. */
export function readWhole(
  section: Section,
  key: string,
  bounds: { readonly least: number; readonly most: number; readonly fallback?: number },
): number {
  const value = readScalar(section, key);
  const { least, most, fallback } = bounds;
  const number = typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= most) return number;
  return refuse(section, key, value, `a whole number from ${least} to ${most}`, fallback) ?? least;
}

/** One of several words. */
export function readChoice<const Word extends string>(
  section: Section,
  key: string,
  choices: readonly Word[],
  fallback?: Word,
): Word | undefined {
  const value = readScalar(section, key);
  const found = choices.find((choice) => choice === value);
  return found ?? refuse(section, key, value, `one of ${choices.join(", ")}`, fallback);
}

/** Where a key stands, or the section that lacks it. */
export function offsetOfKey(section: Section, key: string): number {
  return readKeys(section).find(({ name }) => name === key)?.offset ?? offsetOf(section);
}

function readScalar(section: Section, key: string): unknown {
  const node = section.map.get(key, true) as unknown;
  return isScalar(node) ? node.value : node;
}

/** The fallback where the key is absent, or has nothing behind it; otherwise a fault. */
function refuse<Value>(
  section: Section,
  key: string,
  value: unknown,
  wanted: string,
  fallback: Value | undefined,
): Value | undefined {
  if ((value === undefined || value === "") && fallback !== undefined) return fallback;
  const found = isMap(value) || isSeq(value) ? "a group" : JSON.stringify(value);
  const what = value === undefined ? "is missing" : value === "" ? "is empty" : `is ${found}`;
  section.reader.report(offsetOfKey(section, key), `"${join(section, key)}" ${what}; it must be ${wanted}`);
  return fallback;
}

function offsetOf(section: Section): number {
  return section.map.range?.[0] ?? 0;
}

function join(section: Section, key: string): string {
  return section.path === "" ? key : `${section.path}.${key}`;
}
