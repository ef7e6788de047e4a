/**
 * Random sites, from a seed: folders and pages with names that are hard to write in an address, links written in every way that
 * there is, anchors, pictures, style sheets, a collection with tags, redirects, drafts. All of it is right.
 */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../support/served.ts";
import type { Workshop } from "./workshop.ts";

export const siteUrl = "https://random.example";

export type Random = (count: number) => number;

export function makeRandom(seed: number): Random {
  let state = seed;
  return (count) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % count;
  };
}

export interface RandomPage {
  /** Below content/. */
  readonly file: string;
  /** Below www/. */
  readonly output: string;
  readonly ids: readonly string[];
}

const folderNames = ["docs", "über", "a b", "100%", "it's", "x&y", "日本", "deep/er", "docs/more"];
const pageNames = ["plain", "two words", "Ünï", "50%25", "a&b", "o'clock", "semi;colon", "плюс+", "eq=al", "(round)"];

/** Puts the site into a workshop, with the package's own layouts; answers the pages that may be linked to. */
export function writeRandomSite(workshop: Workshop, next: Random): readonly RandomPage[] {
  const write = (path: string, text: string): void => workshop.write(`site/${path}`, text);
  const pick = <Item>(items: readonly Item[]): Item => items[next(items.length)] as Item;
  cpSync(join(projectFolder, "layouts"), join(workshop.home.folder, "layouts"), { recursive: true });
  workshop.remove("site/content");
  write("etc/site.yaml", `name: Random\nurl: "${siteUrl}"\n${pick(["", "compress: yes\n", "assets: plain\n"])}`);
  const folders = ["", ...folderNames.filter(() => next(3) > 0)];
  const pages: RandomPage[] = [];
  const add = (folder: string, name: string): void => {
    const ending = pick(["html", "md"]);
    const path = folder === "" ? name : `${folder}/${name}`;
    const ids = ["one", "two", "ärger", "x.y:z"].filter(() => next(2) === 0);
    pages.push({ file: `${path}.${ending}`, output: `${path}.html`, ids });
  };
  for (const folder of folders) {
    add(folder, "index");
    for (const name of pageNames) if (next(2) === 0) add(folder, name);
  }
  add("", "404");
  writeAssets(write);
  writeNews(write, next);
  const addressOf = ({ output }: RandomPage): string =>
    `/${output.split("/").map(encodeURIComponent).join("/")}`.replace(/(^|\/)index\.html$/, "$1");
  for (const page of pages) {
    const links = Array.from({ length: 3 + next(6) }, () => {
      const target = pick(pages);
      const anchor = target.ids.length > 0 && next(2) === 0 ? `#${encodeURIComponent(pick(target.ids))}` : "";
      return writeAddress(addressOf(target), page, next) + anchor;
    });
    write(`content/${page.file}`, writePage(page, links, next));
  }
  const moved = Array.from({ length: next(4) }, (_, at) => `/old-${at}.html: "${addressOf(pick(pages))}"\n`);
  write("etc/redirects.yaml", `# where pages were\n${moved.join("")}`);
  return pages;
}

/** From the page's place, from the root, or whole. */
function writeAddress(address: string, { output }: RandomPage, next: Random): string {
  const kind = next(3);
  if (kind === 0 || output === "404.html") return address;
  if (kind === 1) return siteUrl + address;
  const up = "../".repeat(output.split("/").length - 1);
  return `${up === "" ? "./" : up}${address.slice(1)}`;
}

function writePage({ file, ids }: RandomPage, links: readonly string[], next: Random): string {
  const title = `Page ${next(1000)}`;
  const header = next(2) === 0 ? `---\nnav: ${title}\norder: ${next(50)}\n---\n` : "";
  // A section needs a page in the navigation of its folder's index.
  const head = file.includes("/") && !/^[^/]+\/index\.\w+$/.test(file) ? "" : header;
  const sections = ids.map((id) => `<h2 id="${id}">About ${id}</h2>`);
  const shown = '<p><img src="/pictures/dot.svg" srcset="/pictures/dot.svg 1x, /pictures/my%20dot.svg 2x" alt="A dot"></p>';
  const picture = next(2) === 0 ? [shown] : [];
  if (file.endsWith(".md")) {
    const list = links.map((link, at) => `- see [link *${at}*](<${link}>)`);
    return `${head}# ${title}\n\n${list.join("\n")}\n\n${[...sections, ...picture].join("\n\n")}\n`;
  }
  const list = links.map((link, at) => `<li><a href="${link.replaceAll("&", "&amp;")}">link ${at}</a></li>`);
  return `${head}<h1>${title}</h1>\n<ul>\n${list.join("\n")}\n</ul>\n${[...sections, ...picture].join("\n")}\n`;
}

function writeAssets(write: (path: string, text: string) => void): void {
  const dot = (size: number): string =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><circle r="1"/></svg>`;
  write("content/favicon.svg", dot(1));
  write("content/pictures/dot.svg", dot(4));
  write("content/pictures/my dot.svg", dot(8));
  write("content/style.css", '@import "css/colours.css";\nmain { background: url("pictures/my%20dot.svg") }\n');
  write("content/css/colours.css", "main { color: #111; background-image: url(../pictures/dot.svg) }\n");
}

function writeNews(write: (path: string, text: string) => void, next: Random): void {
  write("content/news/index.md", `---\nnav: News\nentries: ${1 + next(4)}\n---\n# News\n`);
  for (let number = next(9); number >= 0; number -= 1) {
    const day = `2026-${11 + next(2)}-${10 + next(15)}`;
    const tags = ["", "tags: money\n", "tags: money, a & b\n"][next(3)];
    const draft = next(5) === 0 ? "draft: yes\n" : "";
    const text = 'A *day* like [others](/ "home"), with ![a dot](../pictures/dot.svg) in it & more.';
    write(`content/news/${number}.md`, `---\ndate: ${day}\n${tags}${draft}---\n# Day ${number} < ${day}\n\n${text}\n`);
  }
}
