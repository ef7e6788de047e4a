/**
 * The builders that are compared: how each wants its sources laid out, and how it is started. Here are this builder,
 * the same with each extra on, and the floor under anything written in Node; the others are in peers.ts.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Corpus,
  type CorpusPage,
  expectedDocument,
  type Format,
  footerText,
  headerText,
  makeBody,
  put,
} from "./corpus.ts";

export interface Builder {
  /** Name of its row, and for --only. */
  readonly name: string;
  /** Lays down in an empty folder what the pages need. */
  readonly layDown: (folder: string, corpus: Corpus, format: Format) => void;
  /** Lays down one page's source, or another revision of it. */
  readonly putPage: (
    folder: string,
    corpus: Corpus,
    page: CorpusPage,
    format: Format,
    revision: number,
  ) => void;
  /** The command, run in that folder. */
  readonly command: readonly string[];
  /** Besides PATH. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where the documents are after it, below the folder. */
  readonly output: string;
  /** All that it makes, below the folder: `output` or a folder around it. */
  readonly made: string;
  readonly versionCommand: readonly string[];
  /** It makes no documents that could be compared. */
  readonly isFloor?: boolean;
  /** It keeps something from build to build: some changes are made before changes are measured. */
  readonly isIncremental?: boolean;
  /** Where its refusal has this in it, the row is left out and the reason printed. */
  readonly mayRefuse?: RegExp;
}

// Compiled, this file is out/dev/bench/builders.js; in tests it is dev/bench/builders.ts.
const above = fileURLToPath(new URL("../../", import.meta.url));
const out = [above, join(above, "out")].find((folder) => existsSync(join(folder, "cli/site.cjs"))) ?? above;
const site = join(out, "cli/site.cjs");

/** This builder, with more lines in etc/site.yaml. */
export function makePicodollar(name: string, settings: string): Builder {
  return {
    name,
    layDown: (folder) => {
      put(folder, "etc/site.yaml", `name: Bench\nurl: "http://127.0.0.1"\n${settings}`);
      put(folder, "etc/prices.yaml", "currency: USD\nmeters: {}\n");
      put(
        folder,
        "layouts/page.html",
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{{page.title}} - Bench</title></head>\n<body>\n{{> header}}{{> nav}}<main>{{{content}}}</main>\n{{> footer}}</body>\n</html>\n',
      );
      put(folder, "layouts/header.html", headerText);
      put(folder, "layouts/footer.html", footerText);
      put(
        folder,
        "layouts/nav.html",
        '<nav><ul>{{#each navigation}}<li{{#if open}} class="open"{{/if}}><a href="{{href}}">{{label}}</a></li>{{/each}}</ul></nav>\n',
      );
    },
    putPage: (folder, corpus, page, format, revision) => {
      const isEntry = page.path === `${page.section}/index.html`;
      const entry = isEntry
        ? `nav: ${page.section}\norder: ${corpus.sections.indexOf(page.section) + 1}\n`
        : "";
      const body = makeBody(corpus, page, format, revision);
      put(folder, `content/${sourceName(page, format)}`, `---\ntitle: ${page.title}\n${entry}---\n${body}`);
    },
    command: [process.execPath, site, "build"],
    output: "dist/current/www",
    made: "dist",
    versionCommand: [process.execPath, site, "--version"],
    isIncremental: true,
  };
}

/** What the extras cost, apart. */
export const extras: readonly Builder[] = ["compress", "search"].map((key) => ({
  ...makePicodollar(`picodollar ${key}`, `${key}: yes\n`),
  mayRefuse: new RegExp(`unknown key "${key}"`),
}));

/** Reads each source and writes as many bytes as its document has: no templates, no checks. */
export const floor: Builder = {
  name: "node floor",
  layDown: (folder, corpus, format) => put(folder, "floor.cjs", makeFloor(meanFrame(corpus, format))),
  putPage: (folder, corpus, page, format, revision) =>
    put(folder, `content/${page.path}`, makeSource(corpus, page, format, revision)),
  command: [process.execPath, "floor.cjs"],
  output: "out",
  made: "out",
  versionCommand: [process.execPath, "--version"],
  isFloor: true,
};

/** "docs/index.md" of docs/index.html. */
export function sourceName(page: CorpusPage, format: Format): string {
  return format === "html" ? page.path : page.path.replace(/\.html$/, ".md");
}

/** A source with nothing but its title in the front matter. */
export function makeSource(corpus: Corpus, page: CorpusPage, format: Format, revision: number): string {
  return `---\ntitle: ${page.title}\n---\n${makeBody(corpus, page, format, revision)}`;
}

/** Lays the whole site down, in place of what is there. */
export function layDownSite(builder: Builder, folder: string, corpus: Corpus, format: Format): void {
  rmSync(folder, { recursive: true, force: true });
  builder.layDown(folder, corpus, format);
  for (const page of corpus.pages) builder.putPage(folder, corpus, page, format, 0);
}

/** Bytes that a document has more than its source, on the average of some pages. */
function meanFrame(corpus: Corpus, format: Format): number {
  const pages = corpus.pages.slice(0, 200);
  const more = pages.map(
    (page) =>
      Buffer.byteLength(expectedDocument(corpus, page)) -
      Buffer.byteLength(makeSource(corpus, page, format, 0)),
  );
  return Math.round(more.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, pages.length));
}

function makeFloor(frame: number): string {
  return `const fs = require("node:fs");
const buffer = Buffer.alloc(1 << 20, 32);
const walk = (from, to) => {
  fs.mkdirSync(to, { recursive: true });
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [from + "/" + entry.name, to + "/" + entry.name];
    if (entry.isDirectory()) { walk(source, target); continue; }
    const reading = fs.openSync(source, "r");
    const length = fs.readSync(reading, buffer, ${frame}, buffer.length - ${frame}, null);
    fs.closeSync(reading);
    const writing = fs.openSync(target, "w");
    fs.writeSync(writing, buffer, 0, length + ${frame});
    fs.closeSync(writing);
  }
};
walk("content", "out");
`;
}
