/**
 * The index of a site's pages: one SQLite file with an FTS5 table, made when the site is built. The same documents in
 * the same order make the same bytes, so that a release can be made again. Called by build/search.ts.
 */
import { makePlainFile, type PlainOptions } from "../store/plain.ts";
import { foldText, readPlainText } from "./text.ts";

/** A page as it is searched: plain words, no tags. */
export interface SearchDocument {
  /** Address on the site, "/docs/". */
  readonly path: string;
  readonly title: string;
  readonly text: string;
  /** Of those words, the ones that stand in headings. */
  readonly headings?: string;
  readonly description?: string;
}

// Porter's stemmer lets "payment" find "payments": it is for English, and harms no other language much. Diacritics are
// dropped, since people type "uber" for "über"; by 2 also where one letter has two of them.
const table = `
  CREATE VIRTUAL TABLE page USING fts5(
    title, headings, description, text, rest, path UNINDEXED,
    tokenize = 'porter unicode61 remove_diacritics 2'
  )`;

// Of a hit, in the order of the columns: a page that is called by a word is about it.
const weights = "bm25(10.0, 4.0, 4.0, 1.0, 1.0, 0.0)";

// Words are gathered in memory up to so many bytes. With SQLite's own bound, 1 MiB, a large site is merged from
// many parts, which takes longer and leaves a tenth of the file empty.
const gatheredBytes = 67_108_864;

// What is found is shown from this much of a text; more is found, but not shown. SQLite marks hits in a time that grows
// with their number times the length of the text: without a bound, a page of 2 MiB could take minutes.
const shownCharacters = 32_768;

const setting = "INSERT INTO page (page, rank) VALUES (?, ?)";
const insertion =
  "INSERT INTO page (title, headings, description, text, rest, path) VALUES (?, ?, ?, ?, ?, ?)";

/**
 * Makes the file, in one transaction; one that was there is replaced. It is not made safe against a power cut:
 * whoever wants that makes it aside and renames it.
 */
export function makeSearchIndex(options: PlainOptions, documents: Iterable<SearchDocument>): void {
  makePlainFile(options, ({ run }) => {
    run(table);
    run(setting, ["rank", weights]);
    run(setting, ["hashsize", gatheredBytes]);
    for (const { path, title, text, headings = "", description = "" } of documents)
      run(insertion, [title, headings, description, ...cutText(text), path]);
    run("INSERT INTO page (page) VALUES ('optimize')");
  });
}

/** Cut between words, where there is a space to cut at. */
function cutText(text: string): readonly [shown: string, rest: string] {
  if (text.length <= shownCharacters) return [text, ""];
  const space = text.lastIndexOf(" ", shownCharacters);
  const at = space > 0 ? space : shownCharacters;
  return [text.slice(0, at), text.slice(at)];
}

/** A page of the site as a document; `title` and `description` are plain text, `html` is its body. */
export function makeSearchDocument(page: {
  readonly path: string;
  readonly title: string;
  readonly description: string;
  readonly html: string;
}): SearchDocument {
  const title = foldText(page.title);
  const { text, headings } = readPlainText(page.html);
  // Most pages begin with their title; shown below it in a result, it would stand there twice.
  const rest = text.startsWith(`${title} `) ? text.slice(title.length + 1) : text;
  return { path: page.path, title, description: foldText(page.description), headings, text: rest };
}
