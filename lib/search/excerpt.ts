/**
 * The piece of a page's text that shows best why it was found, as parts that a template can mark. SQLite's own
 * `snippet` compares each hit with each other one, which takes too long on a page that has a word everywhere; this goes
 * over the hits once. Called by query.ts.
 */

/** Some words, marked where they are what was looked for. */
export interface Part {
  readonly text: string;
  readonly marked: boolean;
}

/** Around what was found; no text in the index holds either (foldText). */
export const [markBegin, markEnd] = ["\u0001", "\u0002"];

const longest = 220;
/** So much may stand before the first hit: the beginning of its sentence, or some words. */
const longestBefore = 80;

interface Hit {
  readonly at: number;
  readonly end: number;
  /** Words that begin alike count as one: "bill" and "billing". */
  readonly stem: string;
}

/** Takes a text with marks apart. */
export function splitMarked(marked: string): readonly Part[] {
  const parts = marked.split(markBegin).flatMap((piece, index): Part[] => {
    if (index === 0) return [{ text: piece, marked: false }];
    const [inside = "", outside = ""] = piece.split(markEnd);
    return [
      { text: inside, marked: true },
      { text: outside, marked: false },
    ];
  });
  return parts.filter(({ text }) => text !== "");
}

/** The first place with the most different hits; the beginning where there is none. */
export function cutExcerpt(marked: string): readonly Part[] {
  const whole = splitMarked(marked);
  const text = whole.map((part) => part.text).join("");
  const hits = listHits(whole);
  const first = findBest(hits);
  const from = first === undefined ? 0 : findStart(text, first.at);
  const until = findStop(text, Math.max(from + longest, first?.end ?? 0));
  const parts: Part[] = [];
  let at = from;
  for (const hit of hits) {
    if (hit.at < from) continue;
    if (hit.end > until) break;
    parts.push({ text: text.slice(at, hit.at), marked: false });
    parts.push({ text: text.slice(hit.at, hit.end), marked: true });
    at = hit.end;
  }
  parts.push({ text: text.slice(at, until), marked: false });
  if (from > 0) parts.unshift({ text: "\u2026", marked: false });
  if (until < text.length) parts.push({ text: "\u2026", marked: false });
  return parts.filter((part) => part.text !== "");
}

function listHits(parts: readonly Part[]): readonly Hit[] {
  const hits: Hit[] = [];
  let at = 0;
  for (const { text, marked } of parts) {
    const end = at + text.length;
    if (marked) hits.push({ at, end, stem: text.slice(0, 4).toLowerCase() });
    at = end;
  }
  return hits;
}

/** The hit from which on an excerpt has the most different ones. */
function findBest(hits: readonly Hit[]): Hit | undefined {
  // How often each stem stands between `first` and the hit that is looked at.
  const counts = new Map<string, number>();
  let first = 0;
  let best: { readonly hit: Hit; readonly different: number } | undefined;
  for (const hit of hits) {
    counts.set(hit.stem, (counts.get(hit.stem) ?? 0) + 1);
    for (let left = hits[first]; left !== undefined && hit.end - left.at > longest - longestBefore; ) {
      const count = (counts.get(left.stem) ?? 0) - 1;
      if (count > 0) counts.set(left.stem, count);
      else counts.delete(left.stem);
      first += 1;
      left = hits[first];
    }
    const start = hits[first] ?? hit;
    if (best === undefined || counts.size > best.different) best = { hit: start, different: counts.size };
  }
  return best?.hit;
}

/** Where the sentence begins, if that is near; else some words before. */
function findStart(text: string, at: number): number {
  if (at <= longestBefore) return 0;
  const before = text.slice(at - longestBefore, at);
  const sentence = before.search(/(?<=[.!?:] )\S[^.!?:]*$/);
  const word = before.indexOf(" ") + 1;
  return at - longestBefore + (sentence >= 0 ? sentence : word);
}

/** Behind the last whole word; a text without spaces is cut where it must be, but never through a character. */
function findStop(text: string, at: number): number {
  if (at >= text.length) return text.length;
  const space = text.lastIndexOf(" ", at);
  if (space > at - 40) return space;
  return /[\udc00-\udfff]/.test(text.charAt(at)) ? at - 1 : at;
}
