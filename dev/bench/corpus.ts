/**
 * A made-up site of any size, the same for the same seed: hand-written-like pages of about 4 KiB in eight sections,
 * folders of about forty pages one to three deep, links between them, a header, and a navigation that marks the
 * current section. Laid out for each builder in its own way; all of them must make the same documents of it.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface CorpusPage {
  /** Address without its slash, "docs/a/b/page-12.html". */
  readonly path: string;
  readonly title: string;
  readonly body: string;
}

export interface Corpus {
  readonly sections: readonly string[];
  readonly pages: readonly CorpusPage[];
}

const sections = ["docs", "guides", "news", "legal", "status", "library", "people", "archive"];
const words =
  "amount balance bill block byte cache chain check clock cost credit customer data date day dollar entry error event fact field file folder form hash header history index key layout ledger letter line link list log machine mail message meter money month name night note number order page payment period price proof quantity queue record report request row rule seal section server session site statement storage sum table text time token total transfer unit usage value warning week word year".split(
    " ",
  );

/** Mulberry32: small, and the same everywhere. */
export function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function makeCorpus(count: number, seed: number): Corpus {
  const random = makeRandom(seed);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const paths = sections.map((section) => `${section}/index.html`);
  for (let number = sections.length; number < count; number += 1) {
    const folder = Math.floor(number / 40);
    const depth = folder % 3;
    const below = Array.from({ length: depth }, (_, level) => `f${folder + level}/`).join("");
    paths.push(`${sections[number % sections.length]}/${below}page-${number}.html`);
  }
  const sentence = (length: number): string => {
    const chosen = Array.from({ length }, () => pick(words));
    const [first = ""] = chosen;
    return `${first.charAt(0).toUpperCase()}${chosen.join(" ").slice(1)}.`;
  };
  const link = (): string => {
    const target = pick(paths);
    return `<a href="/${target.replace(/index\.html$/, "")}">${pick(words)} ${pick(words)}</a>`;
  };
  const paragraph = (): string =>
    `<p>${sentence(14)} ${sentence(9)} See ${link()}. ${sentence(17)}\n${sentence(12)} ${sentence(15)}</p>`;
  const pages = paths.map((path): CorpusPage => {
    const title = path.endsWith("index.html") ? `All about ${path.split("/")[0]}` : sentence(4).slice(0, -1);
    const parts = Array.from(
      { length: 7 },
      (_, index) => `<h2 id="part-${index + 1}">${sentence(4)}</h2>\n${paragraph()}`,
    );
    return { path, title, body: `<h1>${title}</h1>\n${parts.join("\n")}\n` };
  });
  return { sections, pages };
}

/** Writes a file, making its folder. */
export function put(folder: string, path: string, text: string): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** The document that every builder must make of a page, but for white space. */
export function expectedDocument(corpus: Corpus, page: CorpusPage): string {
  const nav = corpus.sections.map((section) => {
    const here = page.path.startsWith(`${section}/`);
    return `<li${here ? ' class="open"' : ""}><a href="/${section}/">${section}</a></li>`;
  });
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${page.title} - Bench</title></head>
<body><header><a href="/">Bench</a></header><nav><ul>${nav.join("")}</ul></nav><main>${page.body}</main>
<footer><p>Bench</p></footer></body></html>`;
}
