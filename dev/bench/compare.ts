/**
 * That the builders made the same, and what a build touched. A builder that is quick because it makes something else,
 * or because it leaves an old page in place, is no peer.
 */
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Builder } from "./builders.ts";
import { type Corpus, type CorpusPage, expectedDocument, type Format } from "./corpus.ts";

/**
 * A document without what builders may differ in: white space between tags and its kind elsewhere, and in Markdown
 * the ids of headings, which the corpus' text does not name, and links of headings to themselves.
 */
export function squeeze(document: string, format: Format): string {
  const same = format === "html" ? document : document.replace(headingForm, "<$1>$2</$1>");
  return same.replace(/\s+/g, " ").replaceAll("> <", "><").trim();
}

const headingForm = /<(h[1-6]) id="[^"]*">(?:<a class="anchor" href="#[^"]*">)?(.*?)(?:<\/a>)?<\/\1>/g;

/** What is wrong with a page's document, or undefined. */
export function findDifference(
  builder: Builder,
  folder: string,
  corpus: Corpus,
  page: CorpusPage,
  format: Format,
  revision: number,
): string | undefined {
  if (builder.isFloor) return undefined;
  const file = join(folder, builder.output, page.path);
  if (!existsSync(file)) return `${builder.name} made no ${page.path}`;
  const [made, wanted] = [readFileSync(file, "utf8"), expectedDocument(corpus, page, revision)];
  // Most are equal as they are, and squeezing takes longer than building.
  if (made === wanted || squeeze(made, format) === squeeze(wanted, format)) return undefined;
  return `${builder.name} made another document of ${page.path}:\n${made.slice(0, 3000)}`;
}

/** Inode, time, and size of every file and link below a folder, by path. */
export function snapshot(folder: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (!existsSync(folder)) return found;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const file = join(entry.parentPath, entry.name);
    const { ino, mtimeNs, size } = lstatSync(file, { bigint: true });
    found.set(file, `${ino} ${mtimeNs} ${size}`);
  }
  return found;
}

/** How many files were made, removed, or written between two snapshots. */
export function countTouched(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): number {
  const gone = [...before.keys()].filter((file) => !after.has(file)).length;
  return gone + [...after].filter(([file, print]) => before.get(file) !== print).length;
}
