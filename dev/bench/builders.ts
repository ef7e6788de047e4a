/** The builders that are compared: how each wants its sources laid out, and how it is started. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Corpus, put } from "./corpus.ts";

export interface Builder {
  readonly name: string;
  /** Lays the sources down in an empty folder. */
  readonly layDown: (folder: string, corpus: Corpus) => void;
  /** The command, run in that folder. */
  readonly command: (folder: string) => readonly string[];
  /** Where the documents are after it. */
  readonly output: (folder: string) => string;
  /** Path of a page's document below the output. */
  readonly documentOf: (path: string) => string;
  /** Version as it tells it; undefined if it is not installed. */
  readonly versionCommand: readonly string[];
}

const site = fileURLToPath(new URL("../../cli/site.js", import.meta.url));

const footer = "<footer><p>Bench</p></footer>\n";
const header = '<header><a href="/">Bench</a></header>\n';

const picodollar: Builder = {
  name: "picodollar",
  layDown: (folder, corpus) => {
    put(folder, "etc/site.yaml", 'name: Bench\nurl: "http://127.0.0.1"\n');
    put(folder, "etc/prices.yaml", "currency: USD\nmeters: {}\n");
    put(
      folder,
      "layouts/page.html",
      '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{{page.title}} - Bench</title></head>\n<body>\n{{> header}}{{> nav}}<main>{{{content}}}</main>\n{{> footer}}</body></html>\n',
    );
    put(folder, "layouts/header.html", header);
    put(folder, "layouts/footer.html", footer);
    put(
      folder,
      "layouts/nav.html",
      '<nav><ul>{{#each navigation}}<li{{#if open}} class="open"{{/if}}><a href="{{href}}">{{label}}</a></li>{{/each}}</ul></nav>\n',
    );
    put(folder, "content/index.html", "---\ntitle: Bench\n---\n<h1>Bench</h1>\n");
    for (const { path, title, body } of corpus.pages) {
      const section = path.endsWith("/index.html") ? corpus.sections.indexOf(path.split("/")[0] ?? "") : -1;
      const nav = section < 0 ? "" : `nav: ${corpus.sections[section]}\norder: ${section + 1}\n`;
      put(folder, `content/${path}`, `---\ntitle: ${title}\n${nav}---\n${body}`);
    }
  },
  command: () => [process.execPath, site, "build"],
  output: (folder) => join(folder, "dist", "current", "www"),
  documentOf: (path) => path,
  versionCommand: [process.execPath, site, "--version"],
};

const hugo: Builder = {
  name: "hugo",
  layDown: (folder, corpus) => {
    put(
      folder,
      "config.toml",
      'baseURL = "http://127.0.0.1/"\ntitle = "Bench"\nuglyURLs = true\ndisableKinds = ["taxonomy", "term", "RSS", "sitemap", "home", "section", "404"]\n[security]\n[security.funcs]\n',
    );
    const menu = corpus.sections
      .map(
        (section) =>
          `<li{{ if hasPrefix .RelPermalink "/${section}/" }} class="open"{{ end }}><a href="/${section}/">${section}</a></li>`,
      )
      .join("");
    put(
      folder,
      "layouts/_default/single.html",
      '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{{ .Title }} - Bench</title></head>\n<body>\n{{ partial "header.html" . }}{{ partial "nav.html" . }}<main>{{ .Content }}</main>\n{{ partial "footer.html" . }}</body></html>\n',
    );
    put(folder, "layouts/partials/header.html", header);
    put(folder, "layouts/partials/footer.html", footer);
    put(folder, "layouts/partials/nav.html", `<nav><ul>${menu}</ul></nav>\n`);
    for (const { path, title, body } of corpus.pages)
      put(
        folder,
        `content/${path.replace("/index.html", "/start.html")}`,
        `---\ntitle: ${title}\n---\n${body}`,
      );
  },
  command: () => ["hugo", "--quiet", "--destination", "public"],
  output: (folder) => join(folder, "public"),
  documentOf: (path) => path.replace(/\/index\.html$/, "/start.html"),
  versionCommand: ["hugo", "version"],
};

const floor: Builder = {
  name: "node floor",
  layDown: (folder, corpus) => {
    for (const { path, body } of corpus.pages) put(folder, `content/${path}`, body);
    put(
      folder,
      "floor.cjs",
      `// Reads each source and writes as many bytes more as a layout has; no templates, no checks.
const fs = require("node:fs"), path = require("node:path");
const frame = Buffer.alloc(620, 32);
const walk = (from, to) => {
  fs.mkdirSync(to, { recursive: true });
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) walk(source, target);
    else fs.writeFileSync(target, Buffer.concat([frame, fs.readFileSync(source)]));
  }
};
walk("content", "out");
`,
    );
  },
  command: () => [process.execPath, "floor.cjs"],
  output: (folder) => join(folder, "out"),
  documentOf: () => "",
  versionCommand: [process.execPath, "--version"],
};

export const builders: readonly Builder[] = [picodollar, hugo, floor];

/** Reads a document of a finished build; undefined if it is not there. */
export function readDocument(builder: Builder, folder: string, path: string): string | undefined {
  const file = join(builder.output(folder), builder.documentOf(path));
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

export function countFiles(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .length;
}
