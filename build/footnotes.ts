/**
 * Footnotes of Markdown pages: `[^name]` in the text, `[^name]: what it says` in a paragraph of its own, further lines
 * indented. Numbers follow the order of the references; a reference without a footnote, and a footnote that nothing
 * refers to, are faults, since both are words that a reader would miss. Texts in, texts out: what Markdown means
 * inside of a footnote is build/markdown.ts's to say, which calls this.
 */
import { takeId, type UsedIds } from "./anchors.ts";
import { didYouMean } from "./fault.ts";

/** `[^name]` as it stands in a text. */
export interface Reference {
  /** In small letters: capitals make no difference. */
  readonly name: string;
  readonly line: number;
  /** The footnote in which it stands. */
  readonly inside?: string;
}

export interface Note {
  readonly name: string;
  readonly number: number;
  readonly id: string;
  /** Ids of the references to it, in their order. */
  readonly referenceIds: readonly string[];
}

export interface Numbered {
  readonly notes: readonly Note[];
  /** The note and the id of each reference that has one. */
  readonly places: ReadonlyMap<Reference, { readonly note: Note; readonly id: string }>;
  readonly faults: readonly { readonly line: number; readonly message: string }[];
}

const referenceForm = /^\[\^([^\s[\]^]{1,200})\](?!\()/;
const definitionForm = /^ {0,3}\[\^([^\s[\]^]{1,200})\]:[ \t]*/;
/** What ends a paragraph without a blank line: it ends a footnote too. */
const blockStart =
  /^ {0,3}(?:\[\^[^\s[\]^]{1,200}\]:|#{1,6}(?:[ \t]|$)|>|```|~~~|[-*+][ \t]|\d{1,9}[.)][ \t]|<|\||(?:[-*_][ \t]*){3,}$)/;

export function readReference(text: string): { readonly raw: string; readonly name: string } | undefined {
  const match = referenceForm.exec(text);
  return match === null ? undefined : { raw: match[0], name: (match[1] ?? "").toLowerCase() };
}

/** A footnote that begins at the beginning of the text. Its lines stay lines, so that places can be told. */
export function readDefinition(
  text: string,
): { readonly raw: string; readonly name: string; readonly body: string } | undefined {
  const match = definitionForm.exec(text);
  if (match === null) return undefined;
  const firstEnd = endOfLine(text, match[0].length);
  const lines = [text.slice(match[0].length, firstEnd)];
  let blanks: string[] = [];
  let end = firstEnd;
  for (let at = firstEnd + 1; at < text.length; ) {
    const lineEnd = endOfLine(text, at);
    const line = text.slice(at, lineEnd);
    if (line.trim() === "") blanks.push("");
    else if (/^(?: {2}|\t)/.test(line) || (blanks.length === 0 && !blockStart.test(line))) {
      lines.push(...blanks, line.replace(/^(?: {1,4}|\t)/, ""));
      blanks = [];
      end = lineEnd;
    } else break;
    at = lineEnd + 1;
  }
  return { raw: text.slice(0, end), name: (match[1] ?? "").toLowerCase(), body: lines.join("\n") };
}

/** Where in a paragraph a footnote begins, which ends the paragraph; looked for no further than it can reach. */
export function findDefinition(text: string): number | undefined {
  const stops =
    /\n(?: {0,3}(?:(\[\^[^\s[\]^]{1,200}\]:)|#{1,6}[ \t]|>|```|~~~|[-*+][ \t]+\S|1[.)][ \t]+\S)|[ \t]*\n)/g;
  const match = stops.exec(text);
  return match?.[1] === undefined ? undefined : match.index + 1;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

/**
 * Numbers and ids. A footnote may refer to others, which are numbered behind those of the text.
 * @param definitions line of each footnote by its name
 */
export function numberFootnotes(
  references: readonly Reference[],
  definitions: ReadonlyMap<string, number>,
  used: UsedIds,
): Numbered {
  const byPlace = new Map<string, Reference[]>();
  for (const reference of references) {
    const beside = byPlace.get(reference.inside ?? "");
    if (beside === undefined) byPlace.set(reference.inside ?? "", [reference]);
    else beside.push(reference);
  }
  const order = new Map<string, Reference[]>();
  const look = (inside: string): void => {
    for (const reference of byPlace.get(inside) ?? []) {
      const known = order.get(reference.name);
      if (known !== undefined) known.push(reference);
      else if (definitions.has(reference.name)) order.set(reference.name, [reference]);
    }
  };
  look("");
  // The map grows while it is walked: what footnotes refer to is looked at as well.
  for (const name of order.keys()) look(name);
  const places = new Map<Reference, { note: Note; id: string }>();
  const notes = [...order].map(([name, found], index): Note => {
    const word = name.replace(/[^\p{L}\p{N}\p{M}_-]+/gu, "-");
    const referenceIds = found.map(() => takeId(used, `fnref-${word}`));
    const note = { name, number: index + 1, id: takeId(used, `fn-${word}`), referenceIds };
    for (const [at, reference] of found.entries())
      places.set(reference, { note, id: referenceIds[at] ?? "" });
    return note;
  });
  const faults = [...findUnknown(references, definitions), ...findUnused(definitions, order)];
  return { notes, places, faults };
}

function findUnknown(references: readonly Reference[], definitions: ReadonlyMap<string, number>) {
  const names = [...definitions.keys()];
  return references
    .filter(({ name }) => !definitions.has(name))
    .map(({ name, line }) => {
      const hint =
        didYouMean(name, names) || `; write [^${name}]: and its text, or \\[^${name}] to show it as it is`;
      return { line, message: `there is no footnote "${name}"${hint}` };
    });
}

function findUnused(definitions: ReadonlyMap<string, number>, used: ReadonlyMap<string, unknown>) {
  return [...definitions]
    .filter(([name]) => !used.has(name))
    .map(([name, line]) => ({
      line,
      message: `nothing refers to the footnote "${name}"; write [^${name}] where it belongs, or delete it`,
    }));
}

/** The roles are those of DPUB-ARIA 1.1, which browsers tell to screen readers. */
export function writeReference({ id: target, number }: Note, id: string): string {
  const name = `aria-label="Footnote ${number}"`;
  return `<sup><a href="#${target}" id="${id}" role="doc-noteref" ${name}>${number}</a></sup>`;
}

/** The section at the end of a page. `htmls`: each note's text. */
export function writeSection(notes: readonly Note[], htmls: readonly string[]): string {
  if (notes.length === 0) return "";
  const items = notes.map((note, index) => {
    const html = htmls[index] ?? "";
    const back = note.referenceIds.map((id, at) => writeBackLink(id, note, at)).join(" ");
    // The links back stand at the end of the last paragraph.
    const text = html.endsWith("</p>\n") ? `${html.slice(0, -5)} ${back}</p>` : `${html}<p>${back}</p>`;
    return `<li id="${note.id}">${text}</li>\n`;
  });
  return `<section class="footnotes" role="doc-endnotes" aria-label="Footnotes">\n<ol>\n${items.join("")}</ol>\n</section>\n`;
}

function writeBackLink(id: string, { number, referenceIds }: Note, index: number): string {
  const which = referenceIds.length === 1 ? `${number}` : `${number}, place ${index + 1}`;
  // U+FE0E keeps the arrow from being shown as a picture.
  return `<a href="#${id}" role="doc-backlink" aria-label="Back to footnote ${which}">\u21a9\ufe0e</a>`;
}
