/**
 * What data files may say, whatever they are written in: plain values, as JSON has them, under names that are safe as
 * names of an object's parts. build/yamldata.ts, build/json.ts, and build/csv.ts read them, build/data.ts puts them together.
 */

export type Plain = string | number | boolean | null | readonly Plain[] | PlainRecord;
export interface PlainRecord {
  readonly [name: string]: Plain;
}

/** A fault of one file, its place told. */
export interface PlainFault {
  readonly line: number;
  readonly column?: number;
  readonly message: string;
}

/** No value where there are faults. */
export interface PlainResult {
  readonly value: Plain | undefined;
  readonly faults: readonly PlainFault[];
}

/** Lists and groups in each other: more than any person writes, and less than what a stack holds. */
export const deepest = 64;
export const tooDeep = `lists and groups lie in each other too deeply; ${deepest} levels are the most`;

/** What is wrong with the name of a part; undefined where nothing is. */
export function judgeName(name: string): string | undefined {
  if (name === "") return "a name is wanted here; it is empty";
  // "constructor", "__proto__", "toString": every object has them, so a template could not tell that they are data.
  if (name === "prototype" || name in Object.prototype)
    return `${JSON.stringify(name)} cannot be a name of data; choose another one`;
  return judgeText(name);
}

/** What is wrong with a text; undefined where nothing is. By such characters segments.ts and facts.ts tell texts apart. */
export function judgeText(text: string): string | undefined {
  const found = /(?![\t\n\r])[\p{Cc}\p{Cs}]/u.exec(text)?.[0];
  if (found === undefined) return undefined;
  const code = found.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return `the character U+${code} stands in this text, which no page can have; delete it`;
}
