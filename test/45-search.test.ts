// Goal of this test: whatever is typed is searched for as words and never as syntax, the best page comes first, what
// is shown is text, and no search takes long.
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mostResults, parseQuery, searchPages } from "../lib/search/query.ts";
import { type Library, openLibrary, page } from "./support/search.ts";

let library: Library;
beforeEach(() => {
  library = openLibrary();
});
afterEach(() => library.end());

describe("a query", () => {
  it.each([
    ["back up", '"back" AND ("up" OR "up" *)', '"back" OR ("up" OR "up" *)'],
    ['"back up" night', '"back up" AND ("night" OR "night" *)', '"back up" OR ("night" OR "night" *)'],
    ["e-mail", '("e mail" OR "e mail" *)', '("e mail" OR "e mail" *)'],
    ["„back up“", '"back up"', '"back up"'],
    ['open "never closed', '"open" AND "never closed"', '"open" OR "never closed"'],
    ["a OR b", '"a" AND "OR" AND ("b" OR "b" *)', '"a" OR "OR" OR ("b" OR "b" *)'],
    ["title:x* NEAR(y)", '"title x" AND ("NEAR y" OR "NEAR y" *)', '"title x" OR ("NEAR y" OR "NEAR y" *)'],
  ])("%j is asked as words", (typed, every, any) => {
    expect(parseQuery(typed)).toEqual({ ok: true, every, any });
  });

  it.each([
    ["", "no-words"],
    [" \t\n ", "no-words"],
    ['"""', "no-words"],
    ["* - + ( ) ^ : { } '", "no-words"],
    ["😀 🎉", "no-words"],
    ["\0", "no-words"],
    ["a".repeat(201), "too-long"],
    ["ж".repeat(101), "too-long"],
    ["a b c d e f g h i j k l m", "too-many-words"],
    ["a.b.c.d.e.f.g.h.i.j.k.l.m", "too-many-words"],
  ])("%j is refused as %s", (typed, why) => {
    expect(parseQuery(typed)).toMatchObject({ ok: false, why, detail: expect.stringMatching(/^\S.*\.$/) });
  });

  it("of the full length and number of words is taken", () => {
    for (const typed of ["a".repeat(200), "ж".repeat(100), "a b c d e f g h i j k l"])
      expect(parseQuery(typed)).toMatchObject({ ok: true });
  });
});

describe("a search", () => {
  beforeEach(() => library.index());

  it.each([
    ["backups", ["/docs/backups.html", "/docs/nights.html"]],
    ["backup night", ["/docs/nights.html", "/docs/backups.html"]],
    ["payment", ["/docs/paying.html"]],
    ["pay", ["/docs/paying.html"]],
    ["uber", ["/%C3%BCber.html"]],
    ["CREME brulee", ["/%C3%BCber.html"]],
    ["nang naivete", ["/%C3%BCber.html"]],
    ["who we are", ["/%C3%BCber.html"]],
    ["хранение", ["/ru.html"]],
    ["хран", ["/ru.html"]],
    ['"night run"', []],
    ['"run at night"', ["/docs/nights.html"]],
    ["xyzzy", []],
    ["script", ["/code.html"]],
  ])("for %j finds %j, the best first", (typed, paths) => {
    expect(library.pathsOf(typed)).toEqual(paths);
    expect(library.find(typed).isPartial).toBe(false);
  });

  it("for words that no page has together finds those that have some, and says so", () => {
    expect(library.find("card xyzzy")).toMatchObject({ total: 1, isPartial: true });
    expect(library.find("plugh xyzzy")).toMatchObject({ total: 0, isPartial: false });
  });

  it("puts a title before a heading, a heading before many words, and a word before a longer one", () => {
    library.index([
      ...Array.from({ length: 20 }, (_, number) => page(`/${number}.html`, "Other", "<p>and much else</p>")),
      page("/words.html", "One", `<p>${"amber ".repeat(3)} and much else</p>`),
      page("/heading.html", "Two", "<p>x</p><h2>Amber</h2><p>and much else, and more of it</p>"),
      page("/title.html", "Amber", "<p>something else</p>"),
      page("/longer.html", "Ambergris", "<p>something else</p>"),
    ]);
    expect(library.pathsOf("amber")).toEqual(["/title.html", "/heading.html", "/words.html", "/longer.html"]);
  });

  it("marks what was found, in the title, the text, or else the description", () => {
    const [first] = library.find("backup").pages;
    expect(first?.title).toEqual([{ text: "Backups", marked: true }]);
    expect(first?.snippet).toEqual([{ text: "Copy the file each night.", marked: false }]);
    expect(library.find("payments card").pages[0]?.snippet.filter(({ marked }) => marked)).toEqual([
      { text: "Payments", marked: true },
      { text: "card", marked: true },
    ]);
    expect(library.find("who").pages[0]?.snippet).toEqual([
      { text: "Who", marked: true },
      { text: " we are", marked: false },
    ]);
  });

  it("is bounded: it counts to 200, and leafs no further", () => {
    library.index(
      Array.from({ length: 250 }, (_, number) => page(`/${number}.html`, `Page ${number}`, "<p>same</p>")),
    );
    expect(library.find("same")).toMatchObject({ total: mostResults, isMore: true });
    expect(library.find("same", 20).pages.map(({ path }) => path)).toContain("/199.html");
    for (const number of [0, 21, -1, 1.5, Number.NaN, 1e9])
      expect(searchPages({ file: library.file }, "same", number)).toEqual({ ok: false, why: "no-such-page" });
    expect(searchPages({ file: library.file }, "199", 2)).toEqual({ ok: false, why: "no-such-page" });
  });

  it("of long pages that have the words everywhere takes no minutes", () => {
    const html = `<p>${"alpha beta ".repeat(50_000)}</p>`;
    library.index(Array.from({ length: 10 }, (_, number) => page(`/${number}.html`, "Long", html)));
    const startedAt = performance.now();
    expect(library.find("alpha beta").pages).toHaveLength(10);
    expect(performance.now() - startedAt).toBeLessThan(5000);
    // The end of a long page is found, though its beginning is shown.
    library.index([
      page("/long.html", "Long", `${html} omega`),
      page("/flat.html", "Flat", `${"z".repeat(70_000)} omega`),
    ]);
    expect(library.pathsOf("omega")).toEqual(["/flat.html", "/long.html"]);
    expect(library.find("omega").pages[1]?.snippet[0]?.text).toMatch(/^alpha beta alpha/);
  });

  it("of a file that is no index wants a person", () => {
    writeFileSync(library.file, "this is no database, and long enough to look at its header".repeat(20));
    expect(() => library.find("x")).toThrow("the search index cannot be read; build the site again");
  });
});
