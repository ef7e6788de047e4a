// Goal of this test: what build/lexer.ts sees at a glance is what marked sees when it is left to itself: the same tokens, and
// the same HTML. Texts of random pieces, most of which are almost something else.
import { Lexer, Marked } from "marked";
import { describe, expect, it } from "vitest";
import { readTokens, tokenizer } from "../build/lexer.ts";
import { renderMarkdown } from "../build/markdown.ts";
import { makeRandom } from "../dev/bench/corpus.ts";

const itself = new Marked({ gfm: true, async: false });
const words = [
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
const blocks = [
  ..."= === - --- :-: |-| |--|:-:| | |a| a|b a|b| |- -| > >> - * + 1. 2) # ## #a ``` ~~~ - 1. [x]: [x]:/y".split(
    " ",
  ),
  ..."> ===,> ---,  ---,   === ,    ---,- a,- - -,* * *,- [ ] a,1. a,> - a,> | a | b |,> |---|---|,a\n---,a\n===".split(
    ",",
  ),
  ..."<div>,</div>,<!--,-->,| a | b |,| - | :-: |,: -,-:,-: |,\t- a,    a,[a]: /b 'c'".split(","),
];
const gaps = [" ", " ", " ", " ", "", "  ", "\n", "  \n", "\\\n", ". ", ", ", ": "];

function makeText(seed: number, pieces: readonly string[], between: readonly string[]): string {
  const random = makeRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = (from: readonly string[]): string => from[below(from.length)] ?? "";
  return Array.from({ length: 2 + below(14) }, () => pick(pieces) + pick(between)).join("");
}

/** A token with all that lies in it, without the forms of text that are the same in HTML. */
const shapeOf = (token: object): unknown =>
  Object.fromEntries(
    Object.entries(token).flatMap(([key, value]) => {
      if (Array.isArray(value))
        return [[key, value.map((one) => (typeof one === "object" && one !== null ? shapeOf(one) : one))]];
      return key === "escaped" || (key === "text" && "type" in token && token.type === "text")
        ? []
        : [[key, value]];
    }),
  );
const shapesOf = (tokens: readonly object[]): unknown => tokens.map(shapeOf);

describe("what is read quickly", () => {
  it("has the HTML that marked gives it", () => {
    // A list of tasks, a heading, and code have a form of our own.
    const texts = Array.from({ length: 20_000 }, (_, seed) => `x ${makeText(seed, words, gaps)}`);
    const compared = texts.filter((text) => !/^(?: {0,3}(?:[-*+>#=|]|\d+[.)])| {4}|\t)/m.test(text));
    expect(compared.length).toBeGreaterThan(10_000);
    for (const text of compared)
      expect([text, renderMarkdown(text).html]).toEqual([text, itself.parse(text)]);
  });

  it("has the tokens that marked gives it", () => {
    const { defaults } = new Marked({ gfm: true, async: false, tokenizer });
    for (let seed = 0; seed < 20_000; seed += 1) {
      const text = makeText(seed, [...blocks, ...blocks, ...words], ["\n", "\n", "\n\n", ...gaps]);
      const [ours, theirs] = [readTokens(text, defaults), Lexer.lex(text, itself.defaults)];
      expect([text, shapesOf(ours)]).toEqual([text, shapesOf(theirs)]);
    }
  });
});
