/**
 * The ids that Markdown's headings and footnotes get: no two of a page are the same, the first of equal ones keeps
 * the plain name, and letters of every script stay, so that a published address goes on working while headings are
 * added below it. Called by build/markdown.ts and build/footnotes.ts.
 */
import { plainWords } from "./text.ts";

/** The ids of one page, each with the number of times that it was asked for. */
export type UsedIds = Map<string, number>;

/** The wanted id, or "wanted-2" and so on where it is taken; taken from now on. */
export function takeId(used: UsedIds, wanted: string): string {
  let count = (used.get(wanted) ?? 0) + 1;
  let id = count === 1 ? wanted : `${wanted}-${count}`;
  while (id !== wanted && used.has(id)) {
    count += 1;
    id = `${wanted}-${count}`;
  }
  used.set(wanted, count);
  if (id !== wanted) used.set(id, 1);
  return id;
}

/** "What is a day?" -> "what-is-a-day". Marks belong to the letters that they stand on. */
export function slugOf(text: string): string {
  // As most headings are, and soon seen to be.
  if (plainWords.test(text)) return text.toLowerCase().split(" ").join("-");
  const words = text
    .normalize("NFC")
    .toLowerCase()
    .match(/[\p{L}\p{N}\p{M}]+/gu);
  return words === null ? "section" : words.join("-");
}

/** The end of a heading that may set its id: "{#prices}". */
const ownIdForm = /[ \t]*\{#([^{}]*)\}[ \t]*$/;
const idForm = /^[\p{L}\p{N}\p{M}_.:-]+$/u;

/** What a heading's text says of its id; `id` is undefined where it is none that an address can have. */
export function readOwnId(
  text: string,
): { readonly rest: string; readonly written: string; readonly id: string | undefined } | undefined {
  // The search is tried from every space on: a megabyte of them must not be looked at so often.
  const from = text.lastIndexOf("{#");
  const match = from < 0 ? null : ownIdForm.exec(text.slice(from));
  if (match === null) return undefined;
  const [, written = ""] = match;
  return {
    rest: text.slice(0, from).trimEnd(),
    written,
    id: idForm.test(written) ? written.normalize("NFC") : undefined,
  };
}

/** The ids that a piece of hand-written HTML gives. */
export function readIds(html: string): readonly string[] {
  return [...html.matchAll(/\sid\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? "",
  );
}
