// Goal of this test: what is wrong with a page, its header, or its place in content/ is told with file and line,
// all of it in one run, and nothing is written then.
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWorkshop, readTree, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const faultsOf = async (file: string, text: string | Uint8Array) => {
  workshop.write(`site/content/${file}`, text);
  return workshop.faults();
};

describe("the header of a page", () => {
  it.each([
    ["---\ntitel: A\n---\n<h1>A</h1>\n", ['content/x.html:2:1: unknown key "titel"; did you mean "title"?']],
    [
      "---\ntitle: A\n\n# note\nauthor: B\n---\n",
      [
        'content/x.html:5:1: unknown key "author"; known are title, description, layout, nav, order, date, updated, tags, image, draft, contents, entries',
      ],
    ],
    ["---\ntitle: A\ntitle: B\n---\n", ['content/x.html:3:1: the key "title" is given twice; keep one']],
    [
      "---\ntitle: [A]\n---\n<h1>B</h1>",
      ['content/x.html:2:1: "title" is a group; it must be one line of text'],
    ],
    [
      "---\ntitle: A\norder: first\n---\n",
      ['content/x.html:3:1: "order" is "first"; it must be a whole number from -1000000 to 1000000'],
    ],
    [
      "---\ntitle: A\ndate: 2026-02-30\n---\n",
      ['content/x.html:3:1: "date" is "2026-02-30"; it must be a day, 2026-11-23'],
    ],
    [
      "---\ntitle: A: B\n---\n",
      ["content/x.html:2:8: this is not valid YAML: Nested mappings are not allowed in compact mappings"],
    ],
    [
      "---\ntitle: A\n<h1>A</h1>\n",
      ["content/x.html:1: the header that begins here never ends; put a line with --- behind it"],
    ],
    [
      "---\nA\n---\n",
      [
        'content/x.html:2:1: "key: value" lines are wanted here: title, description, layout, nav, order, date, updated, tags, image, draft, contents, entries',
      ],
    ],
    [
      "---\ntitle: A\nlayout: pgae\n---\n",
      ['content/x.html:3: there is no layout "pgae"; did you mean "page"?'],
    ],
    [
      "---\ntitle: A\nlayout: magazine\n---\n",
      ['content/x.html:3: there is no layout "magazine"; there are: page'],
    ],
    [
      "---\ntitle: A\nlayout: footer\n---\n",
      ['content/x.html:3: there is no layout "footer"; there are: page'],
    ],
    [
      "---\ntitle: A\nlayout: account/login\n---\n",
      ['content/x.html:3: there is no layout "account/login"; there are: page'],
    ],
  ] as const)("is refused in %j", async (text, faults) => {
    expect(await faultsOf("x.html", text)).toEqual(faults);
  });

  it.each([
    ["<h1>A</h1>\n", "A"],
    ["---\ntitle: A\n---\n", "A"],
    ["---\n---\n<h1>A</h1>\n", "A"],
    ["---\n# only a note\n---\n<h1>A</h1>", "A"],
    ["---\r\ntitle: A\r\nnav: A\r\n---\r\n<p>a</p>\r\n", "A"],
    ["\ufeff---\ntitle: A\n---\n<p>a</p>\n", "A"],
    ["---\ntitle: 1.10\n---\n<p>a</p>\n", "1.10"],
    ["---\ntitle: No\n---\n<p>a</p>\n", "No"],
    ["<!-- <h1>B</h1> --><h1 class='x'>\n A <b>c</b>&mdash;d\n</h1>", "A c\u2014d"],
  ])("may be as in %j", async (text, title) => {
    workshop.write("site/content/x.html", text);
    await workshop.built();
    expect(workshop.read("www/x.html")).toContain(`<title>${title} - Good Service</title>`);
    expect(workshop.read("www/x.html")).not.toContain("---");
  });
});

describe("a page", () => {
  it.each([
    "<p>a</p>",
    "",
    "<h1> </h1>",
    '<h1><img src="/style.css" alt=""></h1>',
    "<pre>&lt;h1&gt;A&lt;/h1&gt;</pre>",
  ])("without a title is refused: %j", async (text) => {
    expect(await faultsOf("x.html", text)).toEqual([
      "content/x.html:1: no title: give the page a first <h1>, or a title: in its header",
    ]);
  });

  it("must be UTF-8", async () => {
    const text = Buffer.from("<h1>A</h1>\n<p>caf\xe9</p>\n", "latin1");
    expect(await faultsOf("x.html", text)).toEqual([
      "content/x.html:2: this line is not UTF-8 text; save the file as UTF-8",
    ]);
    expect(await faultsOf("x.html", "<h1>A</h1>\n\n\0")).toEqual([
      "content/x.html:3: this line is not UTF-8 text; save the file as UTF-8",
    ]);
  });

  it("that wants to be in a section which is not in the navigation is refused", async () => {
    workshop.write("site/content/news/index.html", "<h1>News</h1>");
    expect(await faultsOf("news/first.md", "---\ntitle: A\nnav: First\n---\n")).toEqual([
      'content/news/first.md:3: "nav" shows nothing, for its section has none; put nav: into content/news/index.html',
    ]);
  });

  it("may have any name that a file can have", async () => {
    const names = [
      "a b",
      "it's",
      'say "hi"',
      "100%",
      "what?",
      "a#b",
      "a&b",
      "\u4f60\u597d",
      "+",
      "a:b",
      "...",
    ];
    for (const name of names)
      workshop.write(`site/content/${name}.html`, `---\nnav: X\n---\n<h1 id="t">T</h1><a href="#t">t</a>`);
    const own = names.filter((name) => name !== "...");
    const { pages } = await workshop.built();
    expect(pages).toBe(8 + own.length);
    for (const name of own) expect(workshop.read(`www/${name}.html`)).toContain('aria-current="page">X</a>');
  });
});

describe("content/", () => {
  it("may not have two sources for one output", async () => {
    expect(await faultsOf("faq.html", "<h1>A</h1>")).toEqual([
      "content/faq.md: makes /faq.html, and so does content/faq.html; rename or delete one",
    ]);
  });

  it("may not have a page and a folder of one name", async () => {
    workshop.write("site/content/a.md", "# A");
    expect(await faultsOf("a.html/style.css", "")).toEqual([
      "content/a.html/style.css: lies in a folder /a.html, but content/a.md makes a file of that name; rename one",
    ]);
  });

  it.each([
    [
      "account/help.html",
      "content/account: addresses below /account/ belong to the account programs; name this otherwise",
    ],
    [
      "mailbox/index.html",
      "content/mailbox: at /mailbox/ the development server shows its mails; name this otherwise",
    ],
    [
      "Prices.HTML",
      "content/Prices.HTML: the names of pages end in .html or .md, in small letters; rename this",
    ],
    ["docs/a.MD", "content/docs/a.MD: the names of pages end in .html or .md, in small letters; rename this"],
    ["b.htm", "content/b.htm: the names of pages end in .html or .md, in small letters; rename this"],
  ])("may not be %s", async (file, fault) => {
    expect(await faultsOf(file, "<h1>A</h1>")).toEqual([fault]);
  });

  it("is told by name where it cannot be read, or is nested without end", async () => {
    workshop.write("site/content/deep.md", `# A\n\n${"> ".repeat(5000)}x\n`);
    symlinkSync("loop.html", join(workshop.source, "content", "loop.html"));
    workshop.remove("site/etc/site.yaml");
    mkdirSync(join(workshop.source, "etc", "site.yaml"));
    mkdirSync(join(workshop.source, "layouts", "foo.html"), { recursive: true });
    symlinkSync("nowhere", join(workshop.source, "layouts", "gone.html"));
    expect(await workshop.faults()).toEqual([
      "content/deep.md: quotes or lists lie in each other too deeply",
      "content/loop.html: this link leads nowhere; delete it or put the file in its place",
      "etc/site.yaml: this is a folder; a file is wanted here",
      "layouts/foo.html: this is a folder; a file is wanted here",
      "layouts/gone.html: this link leads nowhere; delete it or put the file in its place",
    ]);
  });

  it("is told by name where layouts/ is a file", async () => {
    workshop.remove("site/layouts");
    workshop.write("site/layouts", "x");
    expect(await workshop.faults()).toEqual(["layouts: this is a file; a folder is wanted here"]);
  });

  it.each([
    ["../../secret", "this link leads out of content/; put a copy of the file in its place"],
    ["../etc/site.yaml", "this link leads out of content/; put a copy of the file in its place"],
    ["../etc", "this link leads out of content/; put a copy of the file in its place"],
    ["nowhere", "this link leads nowhere; delete it or put the file in its place"],
    ["x", "this link leads nowhere; delete it or put the file in its place"],
    [".", "this link leads out of content/; put a copy of the file in its place"],
  ])("may not have a link to %s", async (target, message) => {
    workshop.write("secret", "a secret");
    symlinkSync(target, join(workshop.source, "content/x"));
    expect(await workshop.faults()).toEqual([`content/x: ${message}`]);
  });

  it("may not have links that go round in a circle", async () => {
    symlinkSync("../docs", join(workshop.source, "content/docs/x"));
    expect(await workshop.faults()).toEqual([
      "content/docs/x: this link leads to a folder that it lies in; delete it",
    ]);
  });

  it("may have links to its own files and folders", async () => {
    symlinkSync("style.css", join(workshop.source, "content/same.css"));
    symlinkSync("docs", join(workshop.source, "content/manual"));
    await workshop.built();
    expect(workshop.read("www/same.css")).toBe(workshop.read("www/style.css"));
    expect(workshop.read("www/manual/pages.html")).toContain("<h1>Writing pages</h1>");
  });

  it("may not have what is neither file nor folder, nor names that no address can have", async () => {
    execFileSync("mkfifo", [join(workshop.source, "content/pipe")]);
    workshop.write("site/content/a\nb.css", "");
    expect(await workshop.faults()).toEqual([
      "content/a?b.css: rename this: its name has a character that no address can have",
      "content/pipe: this is neither a file nor a folder; delete it",
    ]);
  });

  it("must be there, and hold something", async () => {
    workshop.remove("site/content");
    expect(await workshop.faults()).toEqual([
      "content: not found; the pages of a site lie in this folder, and `site init` makes one",
    ]);
    workshop.write("site/content/.keep", "");
    expect(await workshop.faults()).toEqual(["content: there is no page; write content/index.html"]);
  });
});

describe("a site with faults", () => {
  it("has all of them told at once, in the order of files and lines, and dist/ stays as it was", async () => {
    await workshop.built();
    const before = readTree(workshop.out);
    workshop.clock.ms += 60_000;
    workshop.write("site/content/b.md", "---\nnav: B\n---\n# B\n\n[x](nowhere.html)\n\n[y](/nowhere/)\n");
    workshop.write("site/content/a.html", "<p>no title</p>");
    workshop.write("site/layouts/footer.html", '<p>\n  <a href="/gone.html">gone</a>\n</p>\n');
    workshop.write("site/content/index.html", "---\ntitel: A\n---\n<h1>Changed</h1>");
    expect(await workshop.faults()).toEqual([
      "content/a.html:1: no title: give the page a first <h1>, or a title: in its header",
      'content/b.md:6:5: link "nowhere.html": there is no page and no file /nowhere.html',
      'content/b.md:8:5: link "/nowhere/": there is no page and no file /nowhere/',
      'content/index.html:2:1: unknown key "titel"; did you mean "title"?',
      'layouts/footer.html:2:12: link "/gone.html": there is no page and no file /gone.html',
    ]);
    expect(readTree(workshop.out)).toEqual(before);
  });

  it("makes no folder where there was none", async () => {
    workshop.write("site/content/a.html", "<p>no title</p>");
    await workshop.faults();
    expect(() => readTree(workshop.out)).toThrow("ENOENT");
  });
});
