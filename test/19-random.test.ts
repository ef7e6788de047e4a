// Goal of this test: random sites that are right are built, every address in what was built leads somewhere, judged by other means than
// the builder's own; feeds and sitemaps are what their readers take; and one wrong link among thousands is refused with its place.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { makeRandom, siteUrl, writeRandomSite } from "./sites/random.ts";
import type { Built } from "./sites/workshop.ts";
import { openWorkshop, readTree, type Workshop } from "./sites/workshop.ts";
import { hasBrowser, openBrowser } from "./support/browser.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const seeds = Array.from({ length: 12 }, (_, at) => 20_261_127 + at);

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#x27": "'",
  "#x3D": "=",
  "#39": "'",
};
const decode = (text: string): string =>
  text.replace(/&([#\w]+);/g, (whole, name) => entities[name] ?? whole);

function findAll(text: string, form: RegExp): readonly string[] {
  return [...text.matchAll(form)].map((match) => decode(match[1] ?? match[2] ?? match[3] ?? ""));
}

/** Every address in a file, as a browser would find it. */
function findAddresses(name: string, text: string): readonly string[] {
  if (name.endsWith(".css")) return findAll(text, /url\(\s*"?([^")]*)"?\s*\)/g);
  const sets = findAll(text, /\ssrcset="([^"]*)"/g).flatMap((set) =>
    set.split(",").map((one) => one.trim().split(" ")[0] ?? ""),
  );
  return [...findAll(text, /\s(?:href|src|action)="([^"]*)"/g), ...sets];
}

/** What is wrong with all that the release's files refer to. */
function findBroken({ releaseFolder }: Built): {
  readonly broken: readonly string[];
  readonly count: number;
} {
  const tree = readTree(join(releaseFolder, "www"));
  const names = Object.keys(tree).filter((name) => /\.(?:html|css)$/.test(name));
  const idsOf = (name: string): readonly string[] =>
    findAll(Buffer.from(tree[name]?.content ?? "", "latin1").toString(), /\sid="([^"]*)"/g);
  const broken: string[] = [];
  let count = 0;
  for (const name of names) {
    const text = Buffer.from(tree[name]?.content ?? "", "latin1").toString();
    const base = `${siteUrl}/${name.split("/").map(encodeURIComponent).join("/")}`;
    for (const address of findAddresses(name, text)) {
      const url = new URL(address, base);
      if (url.origin !== siteUrl) continue;
      count += 1;
      const path = decodeURIComponent(url.pathname.slice(1));
      const file = path === "" || path.endsWith("/") ? `${path}index.html` : path;
      const isThere = file in tree || existsSync(join(releaseFolder, "cgi", file));
      const id = decodeURIComponent(url.hash.slice(1));
      if (!isThere || (id !== "" && !idsOf(file).includes(id))) broken.push(`${name}: ${address}`);
    }
  }
  return { broken, count };
}

describe("a random site", () => {
  it.each(seeds)(
    "is built, every address in it leads somewhere, and it is built alike once more: %d",
    async (seed) => {
      writeRandomSite(workshop, makeRandom(seed));
      const built = await workshop.built();
      const { broken, count } = findBroken(built);
      expect(broken).toEqual([]);
      expect(count).toBeGreaterThan(500);
      const again = await workshop.built({ outFolder: join(workshop.folder, "again") });
      expect(again.releaseId).toBe(built.releaseId);
    },
    30_000,
  );

  it.each(seeds.slice(0, 6))(
    "is refused for one wrong link, with its place: %d",
    async (seed) => {
      const next = makeRandom(seed);
      const pages = writeRandomSite(workshop, next);
      const { file } = pages[next(pages.length)] ?? pages[0] ?? { file: "" };
      const target =
        ["/no such page.html", "/nowhere/", "#nothing", "/pictures/none.svg", "/index.html#no%20id"][
          next(5)
        ] ?? "";
      const source = join(workshop.source, "content", file);
      const before = readFileSync(source, "utf8");
      const text = `${before}\n<p><a href="${target}">wrong</a></p>\n`;
      workshop.write(`site/content/${file}`, text);
      const [fault, ...more] = await workshop.faults();
      expect(more).toEqual([]);
      const [line = "", column] = [before.split("\n").length + 1, text.split("\n").at(-2)?.indexOf(target)];
      expect(fault).toContain(`content/${file}:${line}:`);
      if (file.endsWith(".html")) expect(fault).toContain(`:${line}:${(column ?? 0) + 1}: link "${target}"`);
    },
    30_000,
  );
});

describe.skipIf(!hasBrowser)("what is made for other programs", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  interface Document {
    readonly error: string;
    readonly root: string;
    readonly addresses: readonly string[];
    readonly entries: readonly (readonly string[])[];
  }

  /** The document as a browser's XML parser reads it. */
  async function parse(text: string): Promise<Document> {
    const page = await browser.newPage();
    try {
      return await page.evaluate((xml) => {
        const read = new DOMParser().parseFromString(xml, "application/xml");
        const all = [...read.querySelectorAll("loc, link, id")];
        const addresses = all.map((one) => one.getAttribute("href") ?? one.textContent ?? "");
        const entries = [...read.querySelectorAll("entry")].map((entry) =>
          ["id", "title", "updated", "content"].map((name) => entry.querySelector(name)?.textContent ?? ""),
        );
        const { namespaceURI, localName } = read.documentElement;
        return {
          error: read.querySelector("parsererror")?.textContent ?? "",
          root: `${namespaceURI} ${localName}`,
          addresses,
          entries,
        };
      }, text);
    } finally {
      await page.close();
    }
  }

  it.each(seeds.slice(0, 4))(
    "is read by their parser, and leads to what is there: %d",
    async (seed) => {
      writeRandomSite(workshop, makeRandom(seed));
      const built = await workshop.built();
      const www = join(built.releaseFolder, "www");
      const feed = await parse(readFileSync(join(www, "news/feed.xml"), "utf8"));
      const map = await parse(readFileSync(join(www, "sitemap.xml"), "utf8"));
      expect([feed.error, map.error]).toEqual(["", ""]);
      expect(feed.root).toBe("http://www.w3.org/2005/Atom feed");
      expect(map.root).toBe("http://www.sitemaps.org/schemas/sitemap/0.9 urlset");
      for (const address of [...feed.addresses, ...map.addresses]) {
        expect(address.startsWith(`${siteUrl}/`), address).toBe(true);
        const path = decodeURIComponent(new URL(address).pathname.slice(1));
        expect(existsSync(join(www, /(?:^|\/)$/.test(path) ? `${path}index.html` : path)), address).toBe(
          true,
        );
      }
      for (const [id = "", title, updated, content = ""] of feed.entries) {
        expect(title).toMatch(/^Day \d < 2026-1/);
        expect(updated).toMatch(/^2026-1[12]-\d\dT00:00:00Z$/);
        // Away from the site, only whole addresses lead anywhere.
        for (const address of findAddresses("entry.html", content)) expect(address).toMatch(/^https:/);
        expect(map.addresses).toContain(id);
      }
      const pages = Object.keys(readTree(www)).filter((name) => name.endsWith(".html"));
      const moved = pages.filter((name) => name.startsWith("old-"));
      // All but the error page and the addresses that pages have left.
      expect(new Set(map.addresses).size).toBe(pages.length - moved.length - 1);
    },
    30_000,
  );
});
