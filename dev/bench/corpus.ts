/**
 * A made-up site of any size, the same for the same seed: hand-written-like pages of about 4 KiB in eight sections,
 * folders of about forty pages one to three deep, nineteen links a page with header, navigation, and footer. The same
 * text is written as HTML or as Markdown. Bodies are made when they are asked for, so that a hundred thousand pages
 * need not be held. Laid out by builders.ts and peers.ts; test/19-bench says that it is what it claims.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export type Format = "html" | "markdown";

export interface CorpusPage {
  /** Address without its first slash and with its file's name, "docs/area-2/topic-31/page-1290.html". */
  readonly path: string;
  /** "" for the home page. */
  readonly section: string;
  readonly title: string;
  /** What its body is made from. */
  readonly seed: number;
}

export interface Corpus {
  readonly sections: readonly string[];
  readonly pages: readonly CorpusPage[];
}

type Random = () => number;

const sections = ["docs", "guides", "news", "legal", "status", "library", "people", "archive"];
const largestFolder = 40;
const partsPerPage = 7;
const words =
  "amount balance bill block byte cache chain check clock cost credit customer data date day dollar entry error event fact field file folder form hash header history index key layout ledger letter line link list log machine mail message meter money month name night note number order page payment period price proof quantity queue record report request row rule seal section server session site statement storage sum table text time token total transfer unit usage value warning week word year".split(
    " ",
  );

/** Mulberry32: small, and the same everywhere. */
export function makeRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** `count` pages; nine of them are the home page and the sections' own. */
export function makeCorpus(count: number, seed: number): Corpus {
  const inFolder = Math.max(1, Math.min(largestFolder, Math.ceil(count / sections.length)));
  const pages: CorpusPage[] = [{ path: "index.html", section: "", title: "Bench", seed }];
  for (const section of sections)
    pages.push({
      path: `${section}/index.html`,
      section,
      title: `All about ${section}`,
      seed: mix(seed, pages.length),
    });
  while (pages.length < count) {
    const number = pages.length;
    const block = Math.floor((number - sections.length - 1) / inFolder);
    const section = sections[block % sections.length] ?? "";
    const own = mix(seed, number);
    const title = makeWords(makeRandom(own ^ 1), 4);
    pages.push({ path: `${section}/${folderOf(block)}page-${number}.html`, section, title, seed: own });
  }
  return { sections, pages: pages.slice(0, count) };
}

/** Each section's first forty pages lie in its own folder, the others one or two folders deeper. */
function folderOf(block: number): string {
  const turn = Math.floor(block / sections.length);
  if (turn === 0) return "";
  return turn % 2 === 1 ? `topic-${block}/` : `area-${turn}/topic-${block}/`;
}

function mix(seed: number, number: number): number {
  return (seed + Math.imul(number, 0x9e3779b1)) >>> 0;
}

/** A page's text without its front matter. Another `revision` is the same text with one word changed. */
export function makeBody(corpus: Corpus, page: CorpusPage, format: Format, revision = 0): string {
  const random = makeRandom(page.seed);
  const pen = pens[format];
  // Pages differ in length, 3 to 7 KiB, and most are short: the median is 4.1 KiB.
  const usual = 1 + Math.floor(random() ** 2 * 8);
  const parts = headingsOf(page).map((heading, number) => {
    const before = makeSentences(random, pen, usual);
    const see = `See ${makeLink(corpus, random, pen)}.`;
    const text = pen.paragraph(`${before} ${see}\n${makeSentences(random, pen, 2)}`);
    const list = number % 3 === 2 ? pen.list([makeItem(random), makeItem(random), makeItem(random)]) : "";
    return `${pen.heading(2, heading)}${text}${list}`;
  });
  return `${pen.heading(1, page.title)}${parts.join("")}${pen.paragraph(`Revised ${revision} times.`)}`;
}

/** Writes a file, making its folder. */
export function put(folder: string, path: string, text: string): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** The document that every builder must make of a page, but for white space (compare.ts). */
export function expectedDocument(corpus: Corpus, page: CorpusPage, revision = 0): string {
  const nav = corpus.sections.map((section) => {
    const here = page.section === section;
    return `<li${here ? ' class="open"' : ""}><a href="/${section}/">${section}</a></li>`;
  });
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${page.title} - Bench</title></head>
<body>
${headerText}<nav><ul>${nav.join("")}</ul></nav>
<main>${makeBody(corpus, page, "html", revision)}</main>
${footerText}</body>
</html>
`;
}

/** Partials without anything of the page in them, the same for every builder. */
export const headerText = '<header><a href="/">Bench</a></header>\n';
export const footerText =
  '<footer><p><a href="/legal/">legal</a> <a href="/status/">status</a> <a href="/docs/">docs</a></p></footer>\n';

interface Pen {
  readonly heading: (level: number, text: string) => string;
  readonly paragraph: (text: string) => string;
  readonly list: (items: readonly string[]) => string;
  readonly link: (address: string, label: string) => string;
  readonly strong: (text: string) => string;
  readonly code: (text: string) => string;
}

const pens: Readonly<Record<Format, Pen>> = {
  html: {
    heading: (level, text) => `<h${level}${level === 1 ? "" : ` id="${idOf(text)}"`}>${text}</h${level}>\n`,
    paragraph: (text) => `<p>${text}</p>\n`,
    list: (items) => `<ul>\n${items.map((item) => `<li>${item}</li>\n`).join("")}</ul>\n`,
    link: (address, label) => `<a href="${address}">${label}</a>`,
    strong: (text) => `<strong>${text}</strong>`,
    code: (text) => `<code>${text}</code>`,
  },
  markdown: {
    heading: (level, text) => `${"#".repeat(level)} ${text}\n\n`,
    paragraph: (text) => `${text}\n\n`,
    list: (items) => `${items.map((item) => `- ${item}\n`).join("")}\n`,
    link: (address, label) => `[${label}](${address})`,
    strong: (text) => `**${text}**`,
    code: (text) => `\`${text}\``,
  },
};

/** As this builder and Hugo make it of a Markdown heading, so that links to it hold in both formats. */
function idOf(heading: string): string {
  return heading.toLowerCase().replaceAll(" ", "-");
}

/** Made apart from the body, so that another page can link to one. */
function headingsOf(page: CorpusPage): readonly string[] {
  const random = makeRandom(page.seed ^ 2);
  return Array.from({ length: partsPerPage }, () => makeWords(random, 4));
}

/** Every second link goes to a heading. */
function makeLink(corpus: Corpus, random: Random, pen: Pen): string {
  const target = pick(corpus.pages, random);
  const address = `/${target.path.replace(/index\.html$/, "")}`;
  const anchor = random() < 0.5 ? `#${idOf(pick(headingsOf(target), random))}` : "";
  return pen.link(address + anchor, `${pick(words, random)} ${pick(words, random)}`);
}

function makeSentences(random: Random, pen: Pen, count: number): string {
  return Array.from({ length: count }, () => makeSentence(random, pen)).join(" ");
}

function makeSentence(random: Random, pen: Pen): string {
  const text = makeWords(random, 8 + Math.floor(random() * 9));
  const dice = random();
  if (dice < 0.1) return `${text} ${pen.code(pick(words, random))}.`;
  return dice < 0.3 ? `${text} ${pen.strong(pick(words, random))}.` : `${text}.`;
}

function makeItem(random: Random): string {
  return makeWords(random, 7);
}

function makeWords(random: Random, count: number): string {
  const text = Array.from({ length: count }, () => pick(words, random)).join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  return items[Math.floor(random() * items.length)] as Item;
}
