// Goal of this test: what build/markdown.ts takes for plain words at a glance is what marked takes for text: the HTML is
// the same as that of marked left to itself. Paragraphs of random pieces, most of which are almost something else.
import { Marked } from "marked";
import { describe, expect, it } from "vitest";
import { renderMarkdown } from "../build/markdown.ts";
import { makeRandom } from "../dev/bench/corpus.ts";

const itself = new Marked({ gfm: true, async: false });
const pieces = [
  ..."word Word 1 12. 3) www www. www.a.example http http: https://a.example mailto: mailto:a@b.example a@b.example".split(
    " ",
  ),
  ..."a.b@c_d.example x@ @x _a_ a_b _ __b__ * *c* **d** ~e~ ~~f~~ ` `g` ``h`` \\ \\* &amp; & &#42; < > <b> </b> <br> <!-- -->".split(
    " ",
  ),
  ...'<https://a.example> [ ] [x](/y) ![x](/y) [x] ! ( ) (see) and/or re-read it\'s "so" ; : , . ... é ß für naïve — “q” 日本 语 🙂'.split(
    " ",
  ),
  "\u00a0",
  "\u00a0www.a.example",
  "\u2028",
  "\t",
  "ftp://a.example",
  "xmpp:a@b.example",
  "<pre>",
  "</pre>",
  "<a href=/>",
  "</a>",
];
const gaps = [" ", " ", " ", " ", "", "  ", "\n", "  \n", "\\\n", ". ", ", ", ": "];

function makeText(seed: number): string {
  const random = makeRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = (from: readonly string[]): string => from[below(from.length)] ?? "";
  return Array.from({ length: 2 + below(14) }, () => pick(pieces) + pick(gaps)).join("");
}

describe("plain words", () => {
  it("are read as marked reads them", () => {
    // A list of tasks, a heading, and code have a form of our own.
    const texts = Array.from({ length: 20_000 }, (_, seed) => `x ${makeText(seed)}`);
    const compared = texts.filter((text) => !/^(?: {0,3}(?:[-*+>#=|]|\d+[.)])| {4}|\t)/m.test(text));
    expect(compared.length).toBeGreaterThan(10_000);
    for (const text of compared)
      expect([text, renderMarkdown(text).html]).toEqual([text, itself.parse(text)]);
  });
});
