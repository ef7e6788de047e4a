// Goal of this test: of a page, what a reader reads is indexed and shown; and the index is the same, byte for byte, for
// the same pages.
import { readFileSync, rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cutExcerpt } from "../lib/search/excerpt.ts";
import { makeSearchIndex, type SearchDocument } from "../lib/search/index.ts";
import { readPlainText } from "../lib/search/text.ts";
import { readPlainFile } from "../lib/store/plain.ts";
import { type Library, openLibrary, page, pages } from "./support/search.ts";

let library: Library;
beforeEach(() => {
  library = openLibrary();
});
afterEach(() => library.end());

describe("the words of a page", () => {
  it.each([
    ["<h1>A</h1><p>b <b>c</b>d</p>", "A b cd", "A"],
    ["H<sub>2</sub>O<br>x<td>y</td>z", "H2O x y z", ""],
    ["a<!-- <b> --> b<script>var x = '</b>';</script>c<STYLE>p{}</style >d", "a b c d", ""],
    ["<a title=\"1 > 0\" href='>'>link</a> 1 < 2 & 3 > 2", "link 1 < 2 & 3 > 2", ""],
    ["&lt;b&gt; &amp;lt; &auml; &#x1F600; &#0; &nosuch;", "<b> &lt; ä 😀 &#0; &nosuch;", ""],
    ["so\u00adft&shy;ly \u0001\u0000x\n\n y", "softly x y", ""],
    ["<h2>One</h2><h3 id=x>Two <i>three</i></h3><p>text</p>", "One Two three text", "One Two three"],
    [
      'word<sup><a href="#n" role="doc-noteref">1</a></sup>, <a href="#w" role="doc-backlink">x</a>y',
      "word, y",
      "",
    ],
    ["a <b", "a", ""],
    ['a <b title="x', "a", ""],
    ["a <!-- b", "a", ""],
    ["a <script>b", "a", ""],
    ["<h2>never closed", "never closed", ""],
    ["cafe\u0301", "caf\u00e9", ""],
  ])("of %j", (html, text, headings) => {
    expect(readPlainText(html)).toEqual({ text, headings });
  });

  it.each(["<", "<a ", '<a "', "<!--", "<h1>", "<script>", "&#", "</", "<b>"])(
    "are read in a time that grows with the length alone: %j",
    (piece) => {
      const startedAt = performance.now();
      readPlainText(piece.repeat(200_000));
      expect(performance.now() - startedAt).toBeLessThan(2000);
    },
  );
});

describe("the index", () => {
  it("has the same bytes for the same pages, and other bytes for others", () => {
    const many = Array.from({ length: 300 }, (_, number) =>
      page(`/${number}.html`, `Page ${number}`, `<p>${`word${number} other${number % 7} `.repeat(200)}</p>`),
    );
    const bytesOf = (documents: readonly SearchDocument[]) => {
      rmSync(library.file, { force: true });
      library.index(documents);
      return readFileSync(library.file);
    };
    const first = bytesOf(many);
    expect(bytesOf(many).equals(first)).toBe(true);
    library.index(pages);
    library.index(many); // In place of another one.
    expect(readFileSync(library.file).equals(first)).toBe(true);
    expect(bytesOf(many.slice(1)).equals(first)).toBe(false);
  });

  it("wants no more of a page than its address, title, and text, one at a time", () => {
    const three = function* () {
      for (const number of [1, 2, 3])
        yield { path: `/${number}.html`, title: `Page ${number}`, text: "words" };
    };
    library.index(three());
    expect(library.pathsOf("words")).toEqual(["/1.html", "/2.html", "/3.html"]);
  });

  it("is not there where it could not be made", () => {
    const broken = function* () {
      yield* pages;
      throw new Error("a page cannot be read");
    };
    expect(() => makeSearchIndex({ file: library.file }, broken())).toThrow("cannot be read");
    expect(() => readFileSync(library.file)).toThrow("ENOENT");
  });

  it("can only be read once it is made", () => {
    library.index();
    const before = readFileSync(library.file);
    const write = () => readPlainFile({ file: library.file }, ({ run }) => run("DELETE FROM page"));
    expect(write).toThrow("readonly");
    expect(readFileSync(library.file).equals(before)).toBe(true);
  });
});

describe("an excerpt", () => {
  const show = (marked: string) =>
    cutExcerpt(marked.replaceAll("[", "\u0001").replaceAll("]", "\u0002"))
      .map(({ text, marked: isHit }) => (isHit ? `[${text}]` : text))
      .join("");
  const filler = "Lorem ipsum dolor sit amet, ".repeat(20);

  it.each([
    ["", ""],
    ["No hit at all.", "No hit at all."],
    ["[One] and [two].", "[One] and [two]."],
    [`${filler}x. The [word] is here.`, "\u2026The [word] is here."],
    ["\u{1f600}".repeat(300), `${"\u{1f600}".repeat(110)}\u2026`],
    [`[${"x".repeat(300)}] y z`, `[${"x".repeat(300)}]\u2026`],
  ])("of %j", (marked, shown) => {
    expect(show(marked)).toBe(shown);
  });

  it("is of bounded length, begins with a whole word, and shows the place with the most words", () => {
    const shown = show(
      `[bill] ${filler}[bill] and [bills] ${filler}, a [mail] with a [bill], ${filler}[mail]`,
    );
    expect(shown).toMatch(/^\u2026[A-Za-z]+ .* a \[mail\] with a \[bill\], Lorem .*\w\u2026$/);
    expect(shown.length).toBeLessThan(240);
  });
});
