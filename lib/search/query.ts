/**
 * From what a person typed to pages. Nothing typed reaches FTS5 as syntax: each word stands in quotes of our own, and
 * quotes typed only say which words belong together. Length, words, and results are bounded, and with them the time.
 * Called by cgi/search.
 */
import { type PlainFile, type PlainOptions, readPlainFile } from "../store/plain.ts";
import { assert, NeedsHuman, type Refusal, refuse } from "../util/failure.ts";
import { cutExcerpt, markBegin, markEnd, type Part, splitMarked } from "./excerpt.ts";
import { foldText } from "./text.ts";

export const longestQueryBytes = 200;
export const mostWords = 12;
export const resultsPerPage = 10;
/** Beyond so many, nobody counts or leafs. */
export const mostResults = 200;

export interface FoundPage {
  readonly path: string;
  readonly title: readonly Part[];
  readonly snippet: readonly Part[];
}

export interface Found {
  readonly ok: true;
  readonly pages: readonly FoundPage[];
  /** At most `mostResults`. */
  readonly total: number;
  /** There are more than `total`. */
  readonly isMore: boolean;
  /** No page has all of the words; these have at least one. */
  readonly isPartial: boolean;
}

export type QueryRefusal = Refusal<"too-long" | "no-words" | "too-many-words">;
export type SearchRefusal = QueryRefusal | Refusal<"no-such-page">;

/** Two expressions of FTS5: all of the words, and any of them (the same where there is but one). */
export interface Query {
  readonly ok: true;
  readonly every: string;
  readonly any: string;
}

/** What FTS5's unicode61 takes for a part of a word, and marks. */
const word = /[\p{L}\p{N}\p{M}\p{Co}]+/gu;
/** Straight, curly, and pointed: whatever a keyboard makes of them. */
const quote = /["\u201c-\u201f\u00ab\u00bb]/;

/** Reads what was typed. Refusals come in the order of QueryRefusal's list; `detail` is for the person. */
export function parseQuery(typed: string): Query | QueryRefusal {
  if (Buffer.byteLength(typed) > longestQueryBytes)
    return refuse("too-long", "That is longer than can be searched for. Please use fewer words.");
  const phrases = splitPhrases(foldText(typed));
  if (phrases.length === 0) return refuse("no-words", "Please type a word to look for.");
  const count = phrases.reduce((sum, { words }) => sum + words.length, 0);
  if (count > mostWords)
    return refuse("too-many-words", `Please use fewer words: at most ${mostWords} at once.`);
  const terms = phrases.map(({ words, isQuoted }, index) => {
    const exact = `"${words.join(" ")}"`;
    // The last word may be unfinished. It is also asked for as it stands, so that the word itself comes first.
    return index < phrases.length - 1 || isQuoted ? exact : `(${exact} OR ${exact} *)`;
  });
  return { ok: true, every: terms.join(" AND "), any: terms.join(" OR ") };
}

/** Words that stand together: in quotes, or joined by anything but a space ("e-mail"). */
function splitPhrases(text: string): { readonly words: readonly string[]; readonly isQuoted: boolean }[] {
  return text
    .split(quote)
    .flatMap((piece, index) => {
      const isQuoted = index % 2 === 1;
      const parts = isQuoted ? [piece] : piece.split(" ");
      return parts.map((part) => ({ words: part.match(word) ?? [], isQuoted }));
    })
    .filter(({ words }) => words.length > 0);
}

/**
 * Searches. `page` counts from 1.
 * @throws NeedsHuman if there is no index, or it cannot be read
 */
export function searchPages(options: PlainOptions, typed: string, page: number): Found | SearchRefusal {
  const query = parseQuery(typed);
  if (!query.ok) return query;
  if (!(Number.isInteger(page) && page >= 1 && page <= mostResults / resultsPerPage))
    return refuse("no-such-page");
  try {
    return readPlainFile(options, (file) => findPages(file, query, page));
  } catch (cause) {
    const message = `${options.file}: the search index cannot be read; build the site again`;
    throw new NeedsHuman(message, { cause });
  }
}

function findPages(file: PlainFile, { every, any }: Query, page: number): Found | Refusal<"no-such-page"> {
  const withEvery = countPages(file, every);
  const expression = withEvery === 0 ? any : every;
  const counted = expression === every ? withEvery : countPages(file, any);
  const total = Math.min(counted, mostResults);
  const skipped = (page - 1) * resultsPerPage;
  if (page > 1 && skipped >= total) return refuse("no-such-page");
  const rows = file.all<{ readonly rowid: bigint }>(ranking, [expression, resultsPerPage, skipped]);
  const pages = rows.map(({ rowid }) => describePage(file, expression, rowid));
  return { ok: true, pages, total, isMore: counted > total, isPartial: expression !== every && total > 0 };
}

/** At most one more than are shown: to count all that have a common word takes longer than to find the best. */
function countPages(file: PlainFile, expression: string): number {
  const [row] = file.all<{ readonly total: bigint }>(
    "SELECT count(*) AS total FROM (SELECT 1 FROM page WHERE page MATCH ? LIMIT ?)",
    [expression, mostResults + 1],
  );
  return Number(row?.total ?? 0);
}

// Equally good ones come in the order of the build. Nothing else is asked here: it would be worked out for those
// that are passed over, too.
const ranking = "SELECT rowid FROM page WHERE page MATCH ? ORDER BY rank, rowid LIMIT ? OFFSET ?";

// Columns by their numbers: 0 is the title, 2 the description, 3 the text.
const description = `
  SELECT path, highlight(page, 0, '${markBegin}', '${markEnd}') AS title,
    highlight(page, 2, '${markBegin}', '${markEnd}') AS description,
    highlight(page, 3, '${markBegin}', '${markEnd}') AS text
  FROM page WHERE page MATCH ? AND rowid = ?`;

interface Row {
  readonly path: string;
  readonly title: string;
  readonly description: string;
  readonly text: string;
}

function describePage(file: PlainFile, expression: string, rowid: bigint): FoundPage {
  const [row] = file.all<Row>(description, [expression, rowid]);
  assert(row !== undefined, `page ${rowid} of the index is there`);
  // Where the text has none of the words, its author's own sentence says more than its beginning.
  const shown = row.text.includes(markBegin) || row.description === "" ? row.text : row.description;
  return { path: row.path, title: splitMarked(row.title), snippet: cutExcerpt(shown) };
}
