// Goal of this test: the search page as a visitor meets it, well-meaning or hostile: every answer is a page of the
// site, every word on it is text, and nothing is kept.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeSearchIndex, type SearchDocument } from "../lib/search/index.ts";
import { searchPages } from "../lib/search/query.ts";
import { hostile, page, pages } from "./support/search.ts";
import { makeVisitor, type Visitor } from "./support/visitor.ts";

let visitor: Visitor;
let file: string;
beforeEach(async () => {
  visitor = await makeVisitor();
  file = join(visitor.test.folder, "pages.sqlite");
});
afterEach(() => visitor.end());

const index = (documents: readonly SearchDocument[] = pages) => makeSearchIndex({ file }, documents);

describe("hostile input", () => {
  beforeEach(() => index());

  it("is answered with a page that has results, none, or what to do; never with a fault", async () => {
    const statuses = new Map<number, number>();
    for (const text of [
      ...hostile,
      ...hostile.flatMap((one) => [`a ${one}`, `${one} backup`, `"${one}`, one + one]),
    ]) {
      const found = searchPages({ file }, text, 1);
      expect([text, found.ok || /^(no-words|too-long|too-many-words)$/.test(found.why)]).toEqual([
        text,
        true,
      ]);
      // A query string holds no half of a character.
      if (/\p{Cs}/u.test(text)) continue;
      const answer = await visitor.get("search", { q: text });
      expect([text, [200, 400].includes(answer.status)]).toEqual([text, true]);
      expect(answer.body).not.toMatch(/<script|<img|fts5:|syntax error|no such column/i);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    }
    expect(visitor.logged).toEqual([]);
    expect([...statuses.keys()].sort()).toEqual([200, 400]);
    expect(Math.min(...statuses.values())).toBeGreaterThan(100);
    expect(searchPages({ file }, "backup", 1)).toMatchObject({ total: 2 });
  });

  it("made at random is no other", () => {
    // Mulberry32, seed 45.
    let state = 45;
    const random = (): number => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    };
    for (let round = 0; round < 2000; round += 1) {
      const length = 1 + Math.floor(random() * 12);
      const pieces = Array.from({ length }, () => {
        const kind = random();
        if (kind < 0.4) return hostile[Math.floor(random() * hostile.length)];
        return kind < 0.6
          ? " "
          : String.fromCodePoint(1 + Math.floor(random() * (kind < 0.8 ? 0x250 : 0x1ffff)));
      });
      const typed = pieces.join("");
      const found = searchPages({ file }, typed, 1);
      expect([typed, found.ok || found.detail !== undefined]).toEqual([typed, true]);
    }
  });

  it("of many kilobytes, of unknown fields, or of another method does not reach the search", async () => {
    const statusOf = async (query: Record<string, string>) => (await visitor.get("search", query)).status;
    expect(await statusOf({ q: "a".repeat(10_240) })).toBe(400);
    expect(await statusOf({ q: "a ".repeat(400) })).toBe(400);
    expect(await statusOf({ q: "a", form_token: "b" })).toBe(400);
    expect(await statusOf({ q: "a", page: "00001" })).toBe(400);
    for (const number of ["0", "x", "-1", "9999", "1.5", "²", ""])
      expect([number, await statusOf({ q: "backup", page: number })]).toEqual([number, 404]);
    const posted = await visitor.post("search", { q: "a" });
    expect([posted.status, posted.headers.get("Allow")]).toEqual([405, "GET"]);
  });
});

describe("the page", () => {
  it("shows the form first, with what was typed, and results as text", async () => {
    index();
    const answer = await visitor.get("search", { q: '"danger" script' });
    expect(answer.status).toBe(200);
    const forms = [...answer.body.matchAll(/<form [^>]*>/g)].map(([form]) => form);
    expect(forms[0]).toContain('action="/search.cgi"');
    expect(forms[0]).not.toContain("method");
    expect(answer.body).toContain('value="&quot;danger&quot; script"');
    expect(answer.body).toContain("&lt;<mark>script</mark>&gt;alert(1)");
    expect(answer.body).toContain('<a href="/code.html">Code</a>');
    expect(answer.body).toContain("1 page.");
  });

  it("leafs, keeping the query, and says how many there are", async () => {
    index(
      Array.from({ length: 25 }, (_, number) => page(`/${number}.html`, `Page ${number}`, "<p>a & b</p>")),
    );
    const first = (await visitor.get("search", { q: "page & b" })).body;
    expect(first).toContain("25 pages.");
    expect(first).toContain('rel="next" href="/search.cgi?q&#x3D;page+%26+b&amp;page&#x3D;2"');
    expect(first).not.toContain('rel="prev"');
    const last = (await visitor.get("search", { q: "page & b", page: "3" })).body;
    expect(last).toContain('<ol class="results" start="21">');
    expect(last.match(/<li><a href="\/\d+\.html">/g)).toHaveLength(5);
    expect(last).toContain("page&#x3D;2");
    expect(last).not.toContain('rel="next"');
  });

  it("helps where nothing was found, and where only some words were", async () => {
    index();
    expect((await visitor.get("search", { q: "xyzzy" })).body).toContain("No page has any of these words.");
    expect((await visitor.get("search", { q: "card xyzzy" })).body).toContain(
      "No page has all of these words. 1 page with some of them.",
    );
    const refused = await visitor.get("search", { q: "?!" });
    expect([refused.status, refused.body.includes("Please type a word to look for.")]).toEqual([400, true]);
  });

  it("of an empty query is the form, and asks for nothing else", async () => {
    for (const query of [{}, { q: "" }, { q: " \t\n" }, { q: "", page: "7" }] as const) {
      const { status, body } = await visitor.get("search", query);
      expect([query, status]).toEqual([query, 200]);
      expect(body).toContain('<input id="query" name="q" type="search" value=""');
      expect(body).not.toMatch(/role="(?:alert|status)"/);
    }
  });

  it.each(["gone", "damaged"])(
    "is told to be away, and not the accounts, where the index is %s",
    async (how) => {
      if (how === "damaged") writeFileSync(file, "no database");
      const answer = await visitor.get("search", { q: "backup" });
      expect([answer.status, answer.headers.get("Retry-After")]).toEqual([503, "300"]);
      expect(answer.body).toContain("This page cannot be made just now");
      expect(visitor.logged.join("\n")).toContain("build the site again");
    },
  );

  it("sets no cookie, has no form token, is not stored, and is no result of other search engines", async () => {
    index();
    for (const query of [{}, { q: "backup" }, { q: "" }] as const) {
      const { headers, body } = await visitor.get("search", query);
      expect([headers.has("Set-Cookie"), body.includes("form_token")]).toEqual([false, false]);
      expect(headers.get("Cache-Control")).toBe("no-store");
      expect(headers.get("X-Robots-Tag")).toBe("noindex");
      expect(headers.get("Content-Security-Policy")).toContain("default-src 'none'");
      expect(body).not.toMatch(/<script|style=/);
    }
    expect(visitor.cookie()).toBe("");
  });
});
