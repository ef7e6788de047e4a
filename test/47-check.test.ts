// Goal of this test: `site check` finds what a build lets through, and tells each with its own place, its rule, and its
// level; what is right is let alone.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkAlone, makePage } from "./support/checked.ts";

const h1 = "<h1>X</h1>\n";

describe("a page that is wrong", () => {
  it.each([
    [
      "<div><center>c</center></div>",
      [
        "2:6: <center> element is not permitted as content under <div> [element-permitted-content]",
        "2:6: <center> is deprecated: use CSS instead [deprecated]",
      ],
    ],
    [
      "<ul><p>a</p></ul>",
      ["2:5: <p> element is not permitted as content under <ul> [element-permitted-content]"],
    ],
    [
      "<button type='button'><div>a</div></button>",
      ["2:23: <div> element is not permitted as content under <button> [element-permitted-content]"],
    ],
    ["<p class=a class=b>a</p>", ['2:12: attribute "class" duplicated [no-dup-attr]']],
    ["<p>&nosuch;</p>", ['2:4: unrecognized character reference "&nosuch;" [unrecognized-char-ref]']],
    ["<p><a href='/'></a></p>", ["2:4: anchor link must have a text describing its purpose [wcag/h30]"]],
    ["<p><input name='a'></p>", ["2:4: <input> element does not have a <label> [input-missing-label]"]],
    [
      "<p><label for='no'>a</label></p>",
      ['2:16: element references missing id "no" [no-missing-references]'],
    ],
    ["<h2></h2>", ["2:1: <h2> cannot be empty, must have text content [empty-heading]"]],
    [
      "<p><img src='/a.png'></p>",
      ['2:4: <img> has no alt; write what the picture says, or alt="" if it only decorates [missing-alt]'],
    ],
    [
      "<p><input type=image src='/a.png' alt=' '></p>",
      ['2:4: <input type="image"> has no alt; write what the button does [missing-alt]'],
    ],
    ["<map name='m'><area href='/'></map>", ["2:15: <area> has no alt; write where it leads [missing-alt]"]],
    [
      "<h3>a</h3>",
      [
        "2:1: <h3> stands after <h1>; write <h2>, or the heading that is missing between them [heading-order]",
      ],
    ],
    [
      "<h2>a</h2><h4>b</h4><h2>c</h2><h5>d</h5>",
      [
        "2:11: <h4> stands after <h2>; write <h3>, or the heading that is missing between them [heading-order]",
        "2:31: <h5> stands after <h2>; write <h3>, or the heading that is missing between them [heading-order]",
      ],
    ],
  ])("%j is told", (html, found) => {
    expect(checkAlone([makePage(h1 + html)])).toEqual(found.map((line) => `content/x.html:${line}`));
  });

  it.each([
    ["<p>a</p>", "warn content/x.html: the page has no <h1>; begin it with one, for its title [single-h1]"],
    [
      "<h1>a</h1><h1>b</h1>",
      "warn content/x.html:1:11: this is another <h1>; a page has one, for its title [single-h1]",
    ],
  ])("%j is warned of", (html, warning) => {
    expect(checkAlone([makePage(html)])).toEqual([warning]);
  });
});

describe("what HTML allows", () => {
  it.each([
    "<p><img src='/a.png' alt=''><a id='x'></a> a & b &hellip;</p>",
    "<form action='/x'><p><input type='image' alt='Go' src='/a.png'></p></form>",
    "<table><tr><th scope=col>a<th>b<tr><td>c<td>d</table>",
    "<dl><div><dt>a<dd>b</div></dl><ul><li>a<li>b</ul>",
    "<div popover id='p'>x</div><button type='button' popovertarget='p'>b</button>",
    "<p contenteditable='plaintext-only'>a <a name='old'></a></p>",
    "<svg viewBox='0 0 1 1'><path d='M0 0h1'/></svg><math><mi>x</mi></math>",
    "<h2>a</h2><h3>b</h3><h4>c</h4><h2>d</h2>",
    "<details><summary>s</summary>x</details><search><p>x</p></search><hgroup><h2>a</h2><p>b</p></hgroup>",
    "<a href='/'><div>a block</div></a><my-part foo='1'>x</my-part>",
    "<P STYLE='color: red' >a</P><BR/>",
  ])("%j is let through", (html) => {
    expect(checkAlone([makePage(h1 + html)])).toEqual([]);
  });
});

describe("a page in Markdown", () => {
  it("is told by its lines: of the tag itself, of an address, or of the block", () => {
    const lines = [
      "# X",
      "",
      "- a",
      "- b",
      "",
      "#### z",
      "",
      "a <img src='/a.png'> and",
      "[](/b) <center>c</center>",
      "",
      "<img src='/a.png'>",
    ];
    const alt = 'alt; write what the picture says, or alt="" if it only decorates [missing-alt]';
    expect(checkAlone([makePage(lines.join("\n"), "md")])).toEqual([
      "content/x.md:6: <h4> stands after <h1>; write <h2>, or the heading that is missing between them [heading-order]",
      `content/x.md:8:3: <img> has no ${alt}`,
      "content/x.md:9:4: anchor link must have a text describing its purpose [wcag/h30]",
      "content/x.md:9:8: <center> element is not permitted as content under <p> [element-permitted-content]",
      "content/x.md:9:8: <center> is deprecated: use CSS instead [deprecated]",
      `content/x.md:11:1: <img> has no ${alt}`,
    ]);
  });
});

describe("a page that nothing leads to", () => {
  const pageOf = (output: string, html: string) => makePage(h1 + html, "html", output);
  const orphan = (name: string) =>
    `content/${name}: no other page leads here, nor does the navigation; link to it, or delete it [orphan-page]`;
  it.each([
    ["a link", "<p><a href='b.html'>b</a></p>", []],
    ["a link in full", "<p><a href='https://good.example/b.html?x#y'>b</a></p>", []],
    ["a link of another host", "<p><a href='https://other.example/b.html'>b</a></p>", [orphan("b.html")]],
    ["a picture's address", "<p><img src='/b.html' alt=''></p>", [orphan("b.html")]],
    ["nothing", "", [orphan("b.html")]],
  ])("is found where there is %s", (_what, html, found) => {
    const pages = [pageOf("index.html", html), pageOf("b.html", "<p><a href='/b.html'>itself</a></p>")];
    expect(checkAlone(pages, { isListed: false })).toEqual(found);
  });

  it("is none where the navigation leads there, or the web server shows it", () => {
    const pages = ["index.html", "404.html", "403.html", "ü b.html"].map((name) => pageOf(name, ""));
    expect(checkAlone(pages, { isListed: false })).toEqual([orphan("ü b.html")]);
    expect(checkAlone(pages)).toEqual([]);
  });

  it("at 404/index.html is one as well: the front page alone is exempt", () => {
    expect(checkAlone([pageOf("a/index.html", "")], { isListed: false })).toEqual([orphan("a/index.html")]);
  });
});

describe("the weight of a page", () => {
  let folder: string;
  const assets: Record<string, string> = {};
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "picodollar-weight-"));
    const write = (name: string, content: string) => {
      assets[name] = join(folder, name);
      writeFileSync(join(folder, name), content);
    };
    write("small.png", "x".repeat(1000));
    write("large.png", "x".repeat(20_000));
    write("a.css", '@import "b.css"; body { background: url(large.png) }');
    write("b.css", `/*${" ".repeat(15_000)}*/@import "a.css";`);
    write("a.js", " ".repeat(12_000));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ["a small picture", "<img src='/small.png' alt=''>", ""],
    [
      "a large picture",
      "<img src='/large.png' alt=''>",
      "weighs 21 kB with its pictures, styles, and scripts, most of it in /large.png (20 kB)",
    ],
    ["the same picture twice", "<img src='/small.png' alt=''><img src='small.png' alt=''>", ""],
    [
      "the largest of a picture's sizes",
      "<img src='/small.png' srcset='/large.png 2x, /small.png 1x' alt=''>",
      "weighs 21 kB with its pictures, styles, and scripts, most of it in /large.png (20 kB)",
    ],
    [
      "style sheets and what they import",
      "<link rel='stylesheet' href='/a.css'>",
      "weighs 16 kB with its pictures, styles, and scripts, most of it in /b.css (16 kB), /a.css (1 kB)",
    ],
    [
      "a script and a picture",
      "<script src='/a.js'></script><img src='/small.png' alt=''>",
      "weighs 14 kB with its pictures, styles, and scripts, most of it in /a.js (12 kB), /small.png (1 kB)",
    ],
    ["what another host gives", "<img src='https://other.example/large.png' alt=''>", ""],
    ["what is linked and not loaded", "<a href='/large.png'>a</a>", ""],
    [
      "its own words",
      `<p>${"a ".repeat(6000)}</p>`,
      "weighs 13 kB with its pictures, styles, and scripts, all of it in the page itself",
    ],
  ])("counts %s", (_what, html, wrong) => {
    const found = wrong === "" ? [] : [`content/x.html: ${wrong}; the budget is 10 kB [page-weight]`];
    expect(checkAlone([makePage(h1 + html)], { budgetBytes: 10_000, assets })).toEqual(found);
  });
});

describe("a rule", () => {
  const page = makePage("<h1>X</h1>\n<h3>a</h3><p><img src='/a.png'><center>c</center></p>");
  const names = (levels: Parameters<typeof checkAlone>[1]) =>
    checkAlone([page], { ...levels, budgetBytes: 10 }).map((line) =>
      line.replace(/^(warn )?.*\[(.*)\]$/, "$1$2"),
    );
  const all = ["page-weight", "heading-order", "missing-alt", "element-permitted-content", "deprecated"];
  it.each([
    [{}, all],
    [{ "page-weight": "off", "heading-order": "off", "missing-alt": "off" }, all.slice(3)],
    [
      { "page-weight": "warn", "heading-order": "warn", "missing-alt": "warn" },
      ["warn page-weight", "warn heading-order", "warn missing-alt", ...all.slice(3)],
    ],
    [{ "invalid-html": "off" }, all.slice(0, 3)],
    [{ "invalid-html": "warn" }, [...all.slice(0, 3), "warn element-permitted-content", "warn deprecated"]],
    [{ "invalid-html": "off", deprecated: "warn" }, [...all.slice(0, 3), "warn deprecated"]],
    [{ deprecated: "off" }, all.slice(0, 4)],
    [{ "attr-quotes": "error" }, [...all.slice(0, 3), "attr-quotes", ...all.slice(3)]],
  ] as const)("set to %j tells %j", (levels, found) => {
    expect(names({ levels }).sort()).toEqual([...found].sort());
  });
});
