// Goal of this test: what build/lexer.ts sees at a glance is what marked sees when it is left to itself: the same tokens, and
// the same HTML. Texts of random pieces, most of which are almost something else.
import { Lexer, Marked, Tokenizer } from "marked";
import { describe, expect, it, vi } from "vitest";
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
  "-:\u00a0",
  ..."<div>,</div>,<!--,-->,| a | b |,| - | :-: |,: -,-:,-: |,\t- a,    a,[a]: /b 'c'".split(","),
];
/** What stands out of words, most of it with nothing unusual around it. */
const usual =
  "word Word 12 it's (see here) and/or é **strong** **a1b2** `code` `*a*` [link](/y) [a](/a/b.html#c-d)".split(
    " ",
  );
const standingOut = [
  ...[...usual, ...usual, ...usual, ...usual],
  ..."**a-b** **(a)** ``a`` [x](y_z) [a-b](/y) [x](/y 't') [x](/(y)) [x]() []() **".split(" "),
  ..."**two words**,[two words](/y),`a b`,[**x**](/y),**[x](/y)**,[`x`](/y),[[x](/y)](/z),**`x`**,[x](/y)[z](/y),`a``b`".split(
    ",",
  ),
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

  it("has the tokens that marked gives it, where it is words with code, links, and what is strong", () => {
    const { defaults } = new Marked({ gfm: true, async: false, tokenizer });
    const between = [...Array.from({ length: 12 }, () => " "), "\n", ". ", ", ", ": ", ".", "", ") ", " ("];
    // marked's own way through a paragraph; what was read without it was read quickly.
    const own = vi.spyOn(Lexer.prototype, "inlineTokens");
    let quick = 0;
    for (let seed = 0; seed < 20_000; seed += 1) {
      const text = makeText(seed, standingOut, between).trim();
      own.mockClear();
      const ours = readTokens(text, defaults);
      if (own.mock.calls.length === 0 && /[*[`]/.test(text)) quick += 1;
      expect([text, shapesOf(ours)]).toEqual([text, shapesOf(Lexer.lex(text, itself.defaults))]);
    }
    own.mockRestore();
    expect(quick).toBeGreaterThan(2000);
  });

  it("has the tokens that marked gives it, where it is lists", () => {
    const { defaults } = new Marked({ gfm: true, async: false, tokenizer });
    const plain =
      "- word|- two words|- **x** `y` [z](/z)|- a|- b|- Word.|- word|- a b c|||word|# Head|- a".split("|");
    const lines = [
      ...[...plain, ...plain, ...plain],
      ..."- a |- [ ] a|- 1. a|  b|    c|* a|- - a|-|- |  - a|1. a|- \ta|- a\tb|- a  |> - a|---|- | a |- <b>a</b>|- # a|===|-\u00a0a|- a\u00a0".split(
        "|",
      ),
    ];
    const marked = vi.spyOn(Tokenizer.prototype, "list");
    let quick = 0;
    for (let seed = 0; seed < 20_000; seed += 1) {
      const text = makeText(seed, lines, ["\n", "\n", "\n", "\n\n"]);
      marked.mockClear();
      const ours = readTokens(text, defaults);
      if (
        ours.some(({ type }) => type === "list") &&
        marked.mock.calls.every(([own]) => !/^ *[-*] /.test(own))
      )
        quick += 1;
      expect([text, shapesOf(ours)]).toEqual([text, shapesOf(Lexer.lex(text, itself.defaults))]);
    }
    marked.mockRestore();
    expect(quick).toBeGreaterThan(500);
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
