// Goal of this test: a tag that is never closed, closes nothing, or is closed in the wrong order, and an id given
// twice, stop the build, told at their own place; what HTML lets an author leave out is let through.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { showLine } from "../build/fault.ts";
import { scanMarkup } from "../build/scan.ts";
import { openWorkshop, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const faultsOf = async (file: string, text: string) => {
  workshop.write(`site/${file}`, text);
  return workshop.faults();
};

describe("a page", () => {
  it.each([
    ["<p>\n<b>a</p>", "2:5: </p> stands where <b> is still open; write </b> before it"],
    ["<div>\n<p>a", "1:11: <div> is never closed"],
    ["\n</div>", "2:1: </div> closes nothing"],
    ["<b><i>a</b></i>", "1:18: </b> stands where <i> is still open; write </i> before it"],
    ["<p>a<div>b</div></p>", "1:27: </p> closes nothing: its <p> ended where the element before it began"],
    ["<br></br>", "1:15: </br> closes nothing: a <br> needs no end; delete it"],
    ["<div/>", "1:11: <div> is never closed"],
    ["<textarea>a", "1:21: <textarea> is never closed"],
    ["<p title='a>b</p>", "1:20: the value of title has no closing quote"],
    ["<!-- a", "1:11: the comment that begins here is never closed"],
    ["<p id=a></p>\n<p id='a'></p>", '2:8: the id "a" is given twice'],
    ["<p id='a b'></p>", '1:18: the id "a b" must have no spaces, and be at least one character long'],
    ['<p id="main"></p>', '1:18: the id "main" is given twice'],
  ])("with %j is refused", async (html, fault) => {
    const [first = ""] = await faultsOf("content/x.html", `<h1>X</h1>${html}`);
    expect(first).toBe(`content/x.html:${fault}`);
  });

  it("in Markdown is named", async () => {
    expect(await faultsOf("content/x.md", "# X\n\n<div>\n\na\n")).toEqual([
      "content/x.md:1: <div> is never closed",
    ]);
  });
});

describe("a layout", () => {
  it("is told once, with its own place", async () => {
    expect(await faultsOf("layouts/footer.html", "<footer>\n<p>a</div></footer>\n")).toEqual([
      "layouts/footer.html:2:5: </div> closes nothing",
    ]);
  });
});

describe("what HTML lets an author leave out", () => {
  it.each([
    "<ul><li>a<li>b</ul>",
    "<ul><li><p>a<li>b</ul>",
    "<dl><dt>a<dd>b<dt>c<dd>d</dl>",
    "<table><caption>x<thead><tr><th>a<tbody><tr><td>b<td>c<tr><td>d</table>",
    "<p>a<p>b<ul></ul><p>c",
    "<select><optgroup><option>a<option>b<optgroup><option>c</select>",
    "<svg><path d='m'/><g><circle r='1'/></g></svg><svg/>",
    "<math><mi/></math>",
    "<img src=a><br><hr/><input>",
    "<script>if (a < b) '</div>'</script>",
    "<title></b></title>",
    "<!doctype html><!-- </b> --><!-->",
    "a < b <3",
    "<DIV></div>",
  ])("%j is let through", (html) => {
    expect(scanMarkup(html).faults).toEqual([]);
  });
});

function makeNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state;
  };
}

describe("the scanner", () => {
  it("is not stopped by any cut or mixture of markup", () => {
    const parts = [
      "<",
      ">",
      "</",
      "a",
      " href=",
      '"',
      "'",
      "<!--",
      "-->",
      "<p>",
      "</p>",
      "=",
      "/",
      "<svg>",
      "\0",
      "é",
    ];
    const next = makeNumbers(20_261_125);
    for (let round = 0; round < 3000; round += 1) {
      const text = Array.from({ length: next() % 30 }, () => parts[(next() >> 8) % parts.length]).join("");
      for (const { offset } of scanMarkup(text).faults) expect(offset).toBeLessThanOrEqual(text.length);
    }
  });

  it("takes time in proportion to the length, whatever is nested or repeated", () => {
    for (const piece of [
      "<p>",
      "<div>",
      "</b>",
      "<a href=",
      "<!--",
      "<svg>",
      '<p a="',
      "<p a ",
      "a='<b ",
      "<",
    ]) {
      const startedAt = performance.now();
      scanMarkup(piece.repeat(50_000));
      expect(performance.now() - startedAt, piece).toBeLessThan(5000);
    }
  });

  it("finds in brief what it finds at length, but for what readers follow", () => {
    const parts = [
      '<a href="/x#y">',
      "</a>",
      "<AREA HREF=/z>",
      '<h2 id="one">',
      "</h2>",
      '<p id="two" class=x>',
      "</p >",
      "<a name=one>",
      '<img src="a.png" alt="" width=1>',
      '<link rel="stylesheet" href="/s.css" integrity=x>',
      "<base href=/>",
      '<img srcset="a 1x, b 2x"/>',
      '<form action="&amp;x">',
      "</form>",
      "<script>if (a<b)</script>",
      '<b style="a" onclick="b">',
      "</b>",
      "<svg><g/></svg>",
      "<!-- <i> -->",
      "a = 'b' > c",
      '<i title="a>b"',
      ">",
    ];
    const random = makeNumbers(20_261_128);
    const next = (): number => random() >> 8;
    for (let round = 0; round < 2000; round += 1) {
      const text = Array.from({ length: next() % 40 }, () => parts[next() % parts.length]).join("");
      const [whole, brief] = [scanMarkup(text), scanMarkup(text, { isBrief: true })];
      const loaded = whole.links.filter(({ tag }) => tag !== "a" && tag !== "area");
      expect(brief.links).toEqual(loaded);
      expect(whole.targets).toEqual(whole.links.map(({ target }) => target));
      const { ids, targets, images, inline, faults } = whole;
      expect(brief).toMatchObject({ ids, targets, images, inline, faults, idPlaces: [] });
    }
  });

  it("reads bytes as Latin-1 with their own offsets, and decodes what it tells", () => {
    const bytes = Buffer.from('é<a id="ü" href="/ß&amp;">x</a>');
    const { ids, links } = scanMarkup(bytes.toString("latin1"), { isLatin1: true });
    expect([...ids]).toEqual(["ü"]);
    expect(links).toMatchObject([{ target: "/ß&", offset: 19 }]);
  });
});

describe("the line of a fault", () => {
  const fault = (line: number, column?: number) => ({
    file: "x",
    line,
    message: "",
    ...(column === undefined ? {} : { column }),
  });
  it.each([
    ["a\n\tb\n", fault(2, 2), ["  2 |  b", "    |  ^"]],
    ["a\nb", fault(2), ["  2 | b"]],
    ["a", fault(0), []],
    ["a\n\n", fault(2, 1), []],
    ["a", fault(9, 1), []],
    ["a", fault(1, 99), ["  1 | a", "    |  ^"]],
    [`${"a".repeat(5000)}b`, fault(1, 5001), [`  1 | ${"a".repeat(47)}b`, `    | ${" ".repeat(47)}^`]],
  ])("of %j is shown", (text, place, shown) => {
    expect(showLine(place, text.split("\n"))).toEqual(shown);
  });
});
