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

/** Gives the same string for equal ones. */
export type Intern = (text: string) => string;

export function makeIntern(): Intern {
  const known = new Map<string, string>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    known.set(text, text);
    return text;
  };
}

export function collectFacts(markup: Markup, intern: Intern): Facts {
  const { ids, links, faults } = markup;
  const targets = new Set<string>();
  let hasBase = false;
  for (const { target, tag } of links) {
    if (tag === "base") hasBase = true;
    targets.add(target);
  }
  return {
    ids: detach([...ids]),
    // Many pages have the same links; ids are a page's own.
    targets: detach([...targets]).map(intern),
    isFaulty: faults.length > 0 || hasBase,
    needs: findNeeds(markup),
  };
}

// No page has it, and no entity stands for it; data that a layout shows may.
const between = "\u0000";

/** V8 cuts by reference: texts that were cut from a page keep all of it in memory. These keep each other, and no more. */
function detach(texts: readonly string[]): readonly string[] {
  if (texts.length === 0) return texts;
  // With one behind the last as well: what has nothing to join or split would be the same string still.
  const own = `${texts.join(between)}${between}`.split(between);
  own.pop();
  return own.length === texts.length ? own : texts;
}
