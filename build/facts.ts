/**
 * What other pages and later builds need to know of a piece of HTML, without its text: its ids, where its links lead,
 * and whether something in it needs a closer look. Called by page.ts for bodies and by segments.ts for layouts.
 */
import { findNeeds, type Needs } from "./policy.ts";
import type { Markup } from "./scan.ts";

export interface Facts {
  readonly ids: readonly string[];
  /** Each once, in the order of their first places. */
  readonly targets: readonly string[];
  /** Something is wrong in it: the reason and the place are found by looking at the text (faults.ts). */
  readonly isFaulty: boolean;
  /** What a Content-Security-Policy must allow for it. */
  readonly needs: Needs;
}

/** Gives the same string for equal ones, and one that does not keep the text alive that it was cut from. */
export type Intern = (text: string) => string;

export function makeIntern(): Intern {
  const known = new Map<string, string>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    // V8 cuts by reference: a copy is the only string that is nothing but itself.
    const own = Buffer.from(text, "utf16le").toString("utf16le");
    known.set(own, own);
    return own;
  };
}

export function collectFacts(markup: Markup, intern: Intern): Facts {
  const { ids, links, faults } = markup;
  const targets = new Set<string>();
  let hasBase = false;
  for (const { target, tag } of links) {
    if (tag === "base") hasBase = true;
    targets.add(intern(target));
  }
  const needs = findNeeds(markup);
  return { ids: [...ids].map(intern), targets: [...targets], isFaulty: faults.length > 0 || hasBase, needs };
}
