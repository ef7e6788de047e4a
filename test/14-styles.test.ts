// Goal of this test: a style sheet and what it imports become one small sheet, the same every time, whose addresses
// are those that the caller gives; and whatever is wrong in any of them is told with its place.
import { describe, expect, it } from "vitest";
import { formatFault } from "../build/fault.ts";
import { bundleStyle } from "../build/styles.ts";

type Sheets = Readonly<Record<string, string>>;

function bundle(sheets: Sheets, asked: string[] = []) {
  const place = (target: string, from: string): string =>
    new URL(target, `file:///${from}`).pathname.slice(1);
  return bundleStyle(
    { file: "content/style.css", text: sheets["content/style.css"] ?? "" },
    (target, from) => {
      const file = place(target, from);
      const text = sheets[file];
      return text === undefined ? { wrong: `there is no file ${file}` } : { file, text };
    },
    (target, from) => {
      asked.push(`${from}: ${target}`);
      if (target.includes("missing")) return { wrong: `url "${target}": there is no such file` };
      return `/${place(target, from)
        .slice("content/".length)
        .replace(/(\.\w+)$/, ".1a2b$1")}`;
    },
  );
}

async function faultsOf(sheets: Sheets): Promise<readonly string[]> {
  const { text, faults } = await bundle(sheets);
  expect(text === undefined).toBe(faults.length > 0);
  return faults.map(formatFault);
}

const good: Sheets = {
  "content/style.css": `@import "base/a.css";
@import url("base/b.css") screen;
@import url(https://example.org/far.css);
/* a comment with url(nothing.png) */
.x { background: url( "pic one.png" ); color: #ff0000; content: "Ü url(y)" }
.y { &:hover { mask: url(#clip) } background: url(data:image/gif;base64,AA==), url(//example.org/z.png) }
`,
  "content/base/a.css": "@import 'b.css';\n.a { background: url(../a.png) }\n",
  "content/base/b.css": ".b { margin: 0px }\n",
};

describe("a bundled style sheet", () => {
  it("is one, small, with its own addresses in place of those written", async () => {
    const asked: string[] = [];
    const { text, faults } = await bundle(good, asked);
    expect(faults).toEqual([]);
    expect(text).toBe(
      `@import"https://example.org/far.css";.b{margin:0}.a{background:url(/a.1a2b.png)}@media screen{.b{margin:0}}.x{background:url(/pic%20one.1a2b.png);color:red;content:"\u00dc url(y)"}.y{&:hover{mask:url(#clip)}background:url(data:image/gif;base64,AA==),url(//example.org/z.png)}\n`,
    );
    expect(asked.sort()).toEqual(["content/base/a.css: ../a.png", "content/style.css: pic one.png"]);
  });

  it("is the same every time, also beside others", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => bundle(good)));
    expect(new Set(all.map(({ text }) => text)).size).toBe(1);
  });

  it("may import itself, in a ring, or twice, and may be empty", async () => {
    const ring = {
      "content/style.css": '@import "a.css";.s{top:0}',
      "content/a.css": '@import "style.css";.a{top:0}',
    };
    expect(await bundle(ring)).toEqual({ text: ".a{top:0}.s{top:0}\n", faults: [] });
    expect(await bundle({})).toEqual({ text: "", faults: [] });
  });
});

describe("a fault in a style sheet", () => {
  it.each<[string, Sheets, readonly (string | RegExp)[]]>([
    [
      "an @import that leads nowhere, in a sheet that is imported",
      { "content/style.css": '@import "a.css";', "content/a.css": '\n  @import "b.css";' },
      ["content/a.css:2:11: there is no file content/b.css"],
    ],
    [
      "addresses that lead nowhere, all of them, by characters and not bytes",
      { "content/style.css": '.ü { background: url(missing1.png) }\n.b { background: url("missing2.png") }' },
      [
        'content/style.css:1:18: url "missing1.png": there is no such file',
        'content/style.css:2:22: url "missing2.png": there is no such file',
      ],
    ],
    [
      "a brace too many",
      { "content/style.css": ".a { top: 0 } }\n" },
      [/^content\/style.css:1:15: Unexpected "}"/],
    ],
    [
      "a brace too few",
      { "content/style.css": "@media screen {\n.a { top: 0 }\n" },
      [/^content\/style.css:\d:\d+: Expected "}"/],
    ],
    [
      "a misspelt property",
      { "content/style.css": ".a {\n  colr: red;\n}\n" },
      [/^content\/style.css:2:3: "colr" .*/],
    ],
    [
      "an @import behind rules",
      { "content/style.css": '.a { top: 0 }\n@import "a.css";', "content/a.css": "" },
      [/^content\/style.css:2:1: /],
    ],
  ])("%s is told", async (_what, sheets, wanted) => {
    const faults = await faultsOf(sheets);
    expect(faults).toHaveLength(wanted.length);
    for (const [index, message] of wanted.entries())
      if (typeof message === "string") expect(faults[index]).toBe(message);
      else expect(faults[index]).toMatch(message);
  });

  it("is told as often as it is there", async () => {
    const text = Array.from({ length: 30 }, (_, index) => `.a${index} { colr: red }`).join("\n");
    expect(await faultsOf({ "content/style.css": text })).toHaveLength(30);
  });
});
