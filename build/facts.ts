/**
 * What other pages and later builds need to know of a piece of HTML, without its text: its ids, where its links lead,
 * and whether something in it needs a closer look. Called by page.ts for bodies and by frame.ts for layouts.
 */
import { findNeeds, type Needs } from "./policy.ts";
import type { Markup } from "./scan.ts";

export interface Facts {
  readonly ids: Packed;
  /** Each once, in the order of their first places. */
  readonly targets: Packed;
  /** Something is wrong in it: the reason and the place are found by looking at the text (faults.ts). */
  readonly isFaulty: boolean;
  /** What a Content-Security-Policy must allow for it. */
  readonly needs: Needs;
}

/**
 * Texts in one, each with a NUL behind it: "a\0b\0". Thousands of pages have a dozen each, and V8 looks at every object in
 * memory again and again. No page has a NUL, and no entity stands for it.
 */
export type Packed = string;

const end = "\u0000";

export function pack(texts: readonly string[]): Packed {
  // Joined, they are a string of their own: V8 cuts by reference, and what was cut from a page would keep all of it in memory.
  return texts.length === 0 ? "" : [...texts, ""].join(end);
}

export function unpack(packed: Packed): string[] {
  if (packed === "") return [];
  const texts = packed.split(end);
  texts.pop();
  return texts;
}

/** @param text without a NUL in it */
export function isPacked(packed: Packed, text: string): boolean {
  if (text === "") return packed.startsWith(end) || packed.includes(end + end);
  for (let at = packed.indexOf(text); at >= 0; at = packed.indexOf(text, at + 1)) {
    const isWhole = packed.charCodeAt(at + text.length) === 0;
    if (isWhole && (at === 0 || packed.charCodeAt(at - 1) === 0)) return true;
  }
  return false;
}

/** So long a text is looked through as quickly as put in order. */
export const short = 2000;

/** Whether a text is among them, for who asks for many. */
export function openPacked(packed: Packed): (text: string) => boolean {
  if (packed.length <= short) return (text) => isPacked(packed, text);
  const all = new Set(unpack(packed));
  return (text) => all.has(text);
}

/** Whether one of the texts is in both. */
export function shareText(left: Packed, right: Packed): boolean {
  return left !== "" && right !== "" && unpack(right).some(openPacked(left));
}

export function collectFacts(markup: Markup): Facts {
  const { ids, targets, links, faults } = markup;
  return {
    ids: pack(ids),
    targets: pack(dropRepeated(targets)),
    isFaulty: faults.length > 0 || links.some(({ tag }) => tag === "base"),
    needs: findNeeds(markup),
  };
}

/** Few are looked through as quickly as put in order. */
const few = 20;

function dropRepeated(texts: readonly string[]): readonly string[] {
  if (texts.length > few) return [...new Set(texts)];
  return texts.filter((text, index) => texts.indexOf(text) === index);
}
