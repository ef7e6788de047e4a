// Goal of this test: Markdown becomes HTML that can be linked to, read by everyone, and shown under a strict
// Content-Security-Policy; what a reader would miss is told with its line; no page is too strange to be answered soon.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { slugOf, takeId } from "../build/anchors.ts";
import { highlightCode } from "../build/highlight.ts";
import { lineOfHtml, renderMarkdown } from "../build/markdown.ts";
import { scanMarkup } from "../build/scan.ts";
import { systemClock } from "../lib/util/clock.ts";

const htmlOf = (text: string): string => renderMarkdown(text).html;
const faultsOf = (text: string) =>
  renderMarkdown(text).faults.map(({ line, message }) => `${line}: ${message}`);

describe("a heading", () => {
  it.each([
    ["# A b", '<h1 id="a-b">A b</h1>\n'],
    ["## A *b*", '<h2 id="a-b"><a class="anchor" href="#a-b">A <em>b</em></a></h2>\n'],
    ["### Price {#own.id_1}", '<h3 id="own.id_1"><a class="anchor" href="#own.id_1">Price</a></h3>\n'],
    ["A\n---", '<h2 id="a"><a class="anchor" href="#a">A</a></h2>\n'],
    [
      "# \u4ef7\u683c \u0926\u093f\u0928",
      '<h1 id="\u4ef7\u683c-\u0926\u093f\u0928">\u4ef7\u683c \u0926\u093f\u0928</h1>\n',
    ],
    ["# ?!", '<h1 id="section">?!</h1>\n'],
    [
      "## See [x](/y)",
      '<h2 id="see-x">See <a href="/y">x</a> <a class="anchor" href="#see-x" aria-label="Link to this section"></a></h2>\n',
    ],
    ["# A \\{#b}", '<h1 id="a-b">A {#b}</h1>\n'],
    ["# `{#b}`", '<h1 id="b"><code>{#b}</code></h1>\n'],
  ])("has an id and leads to itself: %j", (text, html) => {
    expect(renderMarkdown(text)).toMatchObject({ html, faults: [] });
  });

  it("has an id that nothing else on the page has", () => {
    const text =
      "## A\n\n## A-2\n\n## A\n\n<p id='a-3'>x</p>\n\n## A\n\n## B {#a-4}\n\nword <b id=a-5>x</b>\n\n## A\n\n## fn x\n\n[^x]\n\n[^x]: y\n";
    const { ids, faults } = scanMarkup(htmlOf(text));
    expect(faults).toEqual([]);
    expect([...ids]).toEqual([
      "a",
      "a-2",
      "a-6",
      "a-3",
      "a-7",
      "a-4",
      "a-5",
      "a-8",
      "fn-x-2",
      "fnref-x",
      "fn-x",
    ]);
    expect(renderMarkdown("# A").html).toContain('id="a"');
  });

  it("is told with its depth, plain text, and line", () => {
    const text =
      "# A &amp; *b*\n\ntext\ntext\n\n> - x\n>\n>   ## `C` <b>d</b>[^n]\n\n```\n# no\n```\n\nE\n=\n\n[^n]: x\n";
    expect(renderMarkdown(text).headings).toEqual([
      { depth: 1, id: "a-b", text: "A & b", line: 1 },
      { depth: 2, id: "c-d", text: "C d", line: 8 },
      { depth: 1, id: "e", text: "E", line: 14 },
    ]);
  });

  it.each([
    ["x\n\n# A {#a b}", '3: "{#a b}" gives no id; ids are made of letters, digits, "-", "_", ".", and ":"'],
    ["# A {#a}\n\n## B {#a}", '3: the id "a" is given twice on this page; write another one'],
  ])("is refused where its own id is none: %j", (text, fault) => {
    expect(faultsOf(text)).toEqual([fault]);
  });

  it("may stand ten thousand times", () => {
    const used = new Map<string, number>();
    const ids = Array.from({ length: 10_000 }, () => takeId(used, "a"));
    expect(new Set(ids).size).toBe(10_000);
    expect(slugOf("What is a day?")).toBe("what-is-a-day");
  });
});

describe("what GitHub's flavour adds", () => {
  it("is a table whose columns are named", () => {
    expect(htmlOf("| a | |\n|--|:-:|\n| 1 | ~~2~~ |\n")).toBe(
      '<table>\n<thead>\n<tr>\n<th scope="col">a</th>\n<td class="center"></td>\n</tr>\n</thead>\n' +
        '<tbody><tr>\n<td>1</td>\n<td class="center"><del>2</del></td>\n</tr>\n</tbody></table>\n',
    );
  });

  it("is a list of tasks whose boxes have names", () => {
    const html = htmlOf("- [x] a\n- [ ] b\n");
    expect(html).toContain(
      '<li class="task"><input type="checkbox" disabled checked aria-label="Done"> a</li>',
    );
    expect(html).toContain('<li class="task"><input type="checkbox" disabled aria-label="To do"> b</li>');
  });

  it("leaves addresses and hand-written tags as they are", () => {
    expect(htmlOf("[a](javascript:alert(1)) <b onclick='x'>{{b}}</b>")).toBe(
      "<p><a href=\"javascript:alert(1)\">a</a> <b onclick='x'>{{b}}</b></p>\n",
    );
  });
});

describe("a footnote", () => {
  it("is numbered by its references, and leads there and back", () => {
    const { html, faults } = renderMarkdown(
      "A[^Two] b[^one] c[^two].\n\n[^one]: One.\n[^two]: Two\n  more,\n\n  and more[^3].\n\n[^3]: - x\n",
    );
    expect(faults).toEqual([]);
    expect(html).toContain(
      'A<sup><a href="#fn-two" id="fnref-two" role="doc-noteref" aria-label="Footnote 1">1</a></sup>',
    );
    expect(html).toContain(
      'c<sup><a href="#fn-two" id="fnref-two-2" role="doc-noteref" aria-label="Footnote 1">1</a></sup>',
    );
    expect(html).toContain(
      '<section class="footnotes" role="doc-endnotes" aria-label="Footnotes">\n<ol>\n<li id="fn-two"><p>Two\nmore,</p>\n<p>and more<sup>',
    );
    expect(html).toContain(
      '<li id="fn-one"><p>One. <a href="#fnref-one" role="doc-backlink" aria-label="Back to footnote 2">\u21a9\ufe0e</a></p></li>',
    );
    expect(html).toContain('aria-label="Back to footnote 1, place 2">');
    expect(html).toContain('<li id="fn-3"><ul>\n<li>x</li>\n</ul>\n<p><a href="#fnref-3"');
    expect(scanMarkup(html).faults).toEqual([]);
  });

  it.each([
    [
      "a\n\nb\nc[^x]\n",
      '4: there is no footnote "x"; write [^x]: and its text, or \\[^x] to show it as it is',
    ],
    ["a[^one]\n\nb[^onn]\n\n[^one]: x", '3: there is no footnote "onn"; did you mean "one"?'],
    ["a\n\n[^x]: b\n", '3: nothing refers to the footnote "x"; write [^x] where it belongs, or delete it'],
    ["a[^x]\n[^x]: b\n[^X]: c\n", '3: the footnote "x" stands in line 2 already; name one of them otherwise'],
    [
      "[^y]: b[^x]\n[^x]: b[^x]\n",
      '1: nothing refers to the footnote "y"; write [^y] where it belongs, or delete it',
    ],
    [
      "|a|\n|-|\n|b|\n|c[^x]|\n",
      '4: there is no footnote "x"; write [^x]: and its text, or \\[^x] to show it as it is',
    ],
    [
      "> - a\n>   b[^x]\n",
      '2: there is no footnote "x"; write [^x]: and its text, or \\[^x] to show it as it is',
    ],
    [
      "a[^b]\n\n[^b]:\n    x\n\n    y[^__proto__]\n",
      '6: there is no footnote "__proto__"; write [^__proto__]: and its text, or \\[^__proto__] to show it as it is',
    ],
  ])("that leads nowhere is told: %j", (text, fault) => {
    expect(faultsOf(text)[0]).toBe(fault);
  });

  it("is none in code, in links, in pictures, or where it is escaped", () => {
    for (const text of [
      "`a[^x]`",
      "```\na[^x]\n[^x]: y\n```",
      "[a[^x]](/y)",
      "![a[^x]](y.png)",
      "a\\[^x]",
      "[^x](/y)",
    ])
      expect([text, renderMarkdown(text)]).toMatchObject([
        text,
        { faults: [], html: expect.not.stringContaining("<sup>") },
      ]);
  });

  it("ends where another block begins", () => {
    for (const next of ["# H", "- x", "> x", "```\nx\n```", "<p>x</p>", "---", "[^b]: x"])
      expect(htmlOf(`a[^a] b[^b]\n\n[^a]: A\nlazy\n${next}\n`)).toContain("<p>A\nlazy <a");
  });
});

describe("code", () => {
  it("is coloured by classes alone, where its language is named", () => {
    const { html, codeLanguages } = renderMarkdown(
      '```ts title="x"\nconst a = "<b>";\n```\n\n~~~HTML\n<p style="x">\n~~~\n',
    );
    expect(html).toContain(
      '<pre tabindex="0"><code class="language-typescript"><span class="hljs-keyword">const</span>',
    );
    expect(html).toContain("&lt;b&gt;");
    expect(html.replace(/&lt;[\s\S]*?&gt;/g, "")).not.toMatch(/style=/);
    expect(scanMarkup(html)).toMatchObject({ faults: [], inline: [] });
    expect(codeLanguages).toEqual(["typescript", "xml"]);
  });

  it("is plain where none is named", () => {
    for (const text of ["```\na <b>\n```", "    a <b>"])
      expect(renderMarkdown(text)).toMatchObject({
        html: '<pre tabindex="0"><code>a &lt;b&gt;\n</code></pre>\n',
        codeLanguages: [],
      });
  });

  it.each([
    ["typscript", '3: the language "typscript" of this code is not known; did you mean "typescript"?'],
    ["../core", '3: the language "../core" of this code is not known; leave it out, or write text'],
    ["constructor", '3: the language "constructor" of this code is not known; leave it out, or write text'],
  ])("in a language that is not known is told: %s", (name, fault) => {
    expect(faultsOf(`a\n\n\`\`\`${name}\nx\n\`\`\`\n`)).toEqual([fault]);
  });

  it("looks the same whatever was coloured before", () => {
    const code = 'POST / HTTP/1.1\nContent-Type: application/json\n\n{"a": 1}\n';
    const before = highlightCode(code, "http");
    for (const name of ["json", "golang", "js", "c++"]) expect(highlightCode(code, name).ok).toBe(true);
    expect(highlightCode(code, "http")).toEqual(before);
    expect(highlightCode("<style>a { b: 1px }</style>", "html")).toMatchObject({
      html: expect.stringContaining("hljs-number"),
    });
  });

  it("that is endless is left without colours, and soon", () => {
    const startedAt = systemClock.now();
    for (const name of ["ts", "bash", "ini", "markdown"])
      expect(highlightCode(`${"a".repeat(1 << 20)}<`, name)).toMatchObject({
        html: `${"a".repeat(1 << 20)}&lt;`,
      });
    expect(systemClock.now() - startedAt).toBeLessThan(2000);
  });
});

describe("a place in the HTML", () => {
  it("is told as the line of its block", () => {
    const rendered = renderMarkdown("\n# A\r\n\r\nb\n\n- c\n- [d](x)\n\n<p>e</p>\n\nf[^f]\n\n[^f]: g\n");
    const lines = ["A</h1>", "b</p>", "c</li>", "d</a>", "e</p>", "f<sup>"].map((word) =>
      lineOfHtml(rendered, rendered.html.indexOf(word)),
    );
    expect(lines).toEqual([2, 4, 6, 6, 9, 11]);
    expect(lineOfHtml(renderMarkdown(""), 0)).toBe(1);
  });
});

describe("a page that is meant to be too much", () => {
  const much = 1 << 20;
  it.each([
    ["quotes in quotes", "> ".repeat(5000)],
    ["one long line", "a".repeat(much)],
    ["spaces in a heading", `## a${" ".repeat(much)}b {#x y`],
    ["braces in a heading", `## ${" {#".repeat(much / 8)}`],
    ["references", "[^a] ".repeat(10_000)],
    ["brackets", "[^".repeat(20_000)],
    ["footnotes", "a\n[^a]: x\n".repeat(5000)],
    ["footnotes of footnotes", Array.from({ length: 2000 }, (_, at) => `[^${at}]: [^${at + 1}]\n`).join("")],
    ["headings beside a footnote", `[^x]\n\n${"a\n# b\n".repeat(10_000)}`],
    ["open attributes", '<b id="'.repeat(5000)],
  ])("is answered within seconds: %s", (_, text) => {
    const startedAt = systemClock.now();
    renderMarkdown(text);
    expect(systemClock.now() - startedAt).toBeLessThan(10_000);
  });

  it("is a fault where no stack holds it, and the next page is none the worse", () => {
    expect(faultsOf("> ".repeat(20_000))).toEqual(["0: quotes or lists lie in each other too deeply"]);
    expect(renderMarkdown("# A")).toMatchObject({ html: '<h1 id="a">A</h1>\n', faults: [] });
  });
});

describe("the colours of code", () => {
  const css = readFileSync(new URL("../content/style.css", import.meta.url), "utf8");
  const [light = "", dark = ""] = [...css.matchAll(/:root \{([^}]*)\}/g)].map((match) => match[1]);
  const readColour = (sheet: string, name: string): string =>
    new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(sheet)?.[1] ?? "";
  /** WCAG 2.2, relative luminance. */
  const luminance = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };

  it.each([
    ["light", light],
    ["dark", dark],
  ])("can be read on its panel: %s", (_, sheet) => {
    for (const name of ["quiet", "ink", "bad", "code-word", "code-text", "code-number", "code-name"]) {
      const [low = 0, high = 0] = [
        luminance(readColour(sheet, name)),
        luminance(readColour(sheet, "panel")),
      ].sort((a, b) => a - b);
      expect([name, (high + 0.05) / (low + 0.05) >= 4.5]).toEqual([name, true]);
    }
  });
});
