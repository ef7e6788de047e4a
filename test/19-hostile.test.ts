// Goal of this test: whatever stands in a site's folder, a build ends soon, with a right release or with faults that name
// the place, never as a bug, and nothing outside of the folder is read or written. Elsewhere: links out of content/ and
// pipes in it (12-pages), links out of layouts/, data made to stop a build (13-data), too much Markdown (12-markdown),
// too much of anything (19-much), cut and mixed tags (14-tags), damaged pictures (14-images), old addresses (12-redirects), addresses with `..` and `%2e` (14-links).
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWorkshop, readTree, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

// Generous: a machine may be busy. What is wrong takes minutes or for ever.
const mostMs = 30_000;

const content = (name: string, text: string | Uint8Array) => workshop.write(`site/content/${name}`, text);

async function faultsSoon(): Promise<readonly string[]> {
  const startedAt = performance.now();
  const faults = await workshop.faults();
  expect(performance.now() - startedAt).toBeLessThan(mostMs);
  for (const fault of faults) {
    expect(fault.length).toBeLessThan(1200);
    expect(fault).not.toMatch(/native code|\n {4}at |node:|TypeError|RangeError/);
  }
  return faults;
}

describe("what is no file", () => {
  const message = "this is neither a file nor a folder; delete it";
  it.each([
    "layouts/page.html",
    "layouts/spare.html",
    "layouts/mail/confirm.txt",
    "layouts/data/x.yaml",
    "etc/site.yaml",
    "etc/prices.yaml",
    "etc/redirects.yaml",
    "content/x.html",
    "content/x.css",
  ])("is told and not waited for: a pipe at %s", async (file) => {
    const absolute = join(workshop.source, file);
    mkdirSync(dirname(absolute), { recursive: true });
    rmSync(absolute, { force: true });
    execFileSync("mkfifo", [absolute]);
    expect(await faultsSoon()).toContain(`${file}: ${message}`);
  });

  it("is told where a link leads to a device that never ends", async () => {
    for (const file of ["layouts/spare.html", "etc/redirects.yaml"])
      symlinkSync("/dev/zero", join(workshop.source, file));
    symlinkSync("/dev/zero", join(workshop.source, "content/x.html"));
    expect(await faultsSoon()).toEqual([
      "content/x.html: this link leads out of content/; put a copy of the file in its place",
      `etc/redirects.yaml: ${message}`,
      `layouts/spare.html: ${message}`,
    ]);
  });

  it("may be a folder or two links that lead to each other", async () => {
    mkdirSync(join(workshop.source, "content/folder.html"));
    symlinkSync("b", join(workshop.source, "content/a"));
    symlinkSync("a", join(workshop.source, "content/b"));
    symlinkSync("/", join(workshop.source, "content/all"));
    expect(await faultsSoon()).toEqual([
      "content/a: this link leads nowhere; delete it or put the file in its place",
      "content/all: this link leads out of content/; put a copy of the file in its place",
      "content/b: this link leads nowhere; delete it or put the file in its place",
    ]);
  });
});

describe("a name", () => {
  it.each([
    ["with a blank", "a b", "/a%20b.html"],
    ["like an escape", "%2e%2e", "/%252e%252e.html"],
    ["with a percent sign", "100%", "/100%25.html"],
    ["with # and ?", "a#b?c", "/a%23b%3Fc.html"],
    ["with quotes", `'"`, "/'%22.html"],
    ["with tags", "<b>&amp;", "/%3Cb%3E&amp;amp;.html"],
    ["with a colon", "javascript:x", "/javascript:x.html"],
    ["composed", "\u00e9", "/%C3%A9.html"],
    ["decomposed", "e\u0301", "/e%CC%81.html"],
    ["of another script", "\u0928\u092e", "/%E0%A4%A8%E0%A4%AE.html"],
    ["beyond the first plane", "\u{1f600}", "/%F0%9F%98%80.html"],
    ["that turns the line around", "\u202ea", "/%E2%80%AEa.html"],
    ["of every object", "__proto__", "/__proto__.html"],
    ["of every function", "constructor", "/constructor.html"],
    ["like an option", "--help", "/--help.html"],
  ])("%s is an address that is linked as it must be", async (_what, name, address) => {
    content(`${name}.html`, '---\nnav: X\n---\n<h1 id="x">X</h1><a href="#x">x</a>');
    content("to.html", `<h1>To</h1><a href="${address}#x">x</a>`);
    await workshop.built();
    const written = address.replace("'", "&#x27;");
    expect(workshop.read(`www/${name}.html`)).toContain('<h1 id="x">X</h1>');
    expect(workshop.read("www/index.html")).toContain(`href="${written}"`);
    expect(workshop.read("www/sitemap.xml")).toContain(`<loc>https://good.example${written}</loc>`);
  });

  it("composed is another one than decomposed", async () => {
    content("\u00e9.html", "<h1>One</h1>");
    content("e\u0301.html", "<h1>Two</h1>");
    await workshop.built();
    expect([workshop.read("www/\u00e9.html"), workshop.read("www/e\u0301.html")]).toEqual([
      expect.stringContaining("<h1>One</h1>"),
      expect.stringContaining("<h1>Two</h1>"),
    ]);
  });

  it.each([
    ["constructor/index.html", undefined],
    ["toString", undefined],
    ["a..b.html", undefined],
    [`${"x".repeat(195)}.html`, undefined],
    [`${"\u00e9".repeat(98)}.html`, `its name is longer than 200 bytes; shorten it`],
    [`${"x".repeat(250)}.html`, `its name is longer than 200 bytes; shorten it`],
    [
      `${`${"d".repeat(99)}/`.repeat(10)}x.html`,
      "its path is longer than 1000 bytes; let it lie in fewer folders, or shorten their names",
    ],
    ["a\\b.html", "rename this: its name has a character that no address can have"],
  ])("%s is let through, or told", async (name, fault) => {
    content(name, "<h1>X</h1>");
    // What hashes and compressed files add to a name has room.
    workshop.write("site/etc/site.yaml", "name: A\nurl: https://good.example\ncompress: yes\n");
    expect(await faultsSoon()).toEqual(fault === undefined ? [] : [`content/${name}: ${fault}`]);
  });
});

describe("a template", () => {
  const plan = (text: string) => {
    workshop.write("site/layouts/plan.html", `[${text}]{{{content}}}`);
    content("plan.html", "---\nlayout: plan\ntitle: Plan\n---\n<p>Body</p>");
  };
  const endless = "layouts/plan.html: cannot be rendered: one of its partials contains itself";
  it.each<[string, Readonly<Record<string, string>>]>([
    ["{{> plan}}", {}],
    ["{{> one}}", { one: "{{> two}}", two: "{{> one}}" }],
    ["{{#each navigation}}{{> one}}{{/each}}", { one: "{{#each ../navigation}}{{> one}}{{/each}}" }],
  ])("that shows itself is told: %s", async (text, partials) => {
    plan(text);
    for (const [name, partial] of Object.entries(partials))
      workshop.write(`site/layouts/${name}.html`, partial);
    expect((await faultsSoon()).at(-1)).toMatch(/^layouts\/(?:plan|one).html/);
    if (text !== "{{#each navigation}}{{> one}}{{/each}}") expect(await workshop.faults()).toEqual([endless]);
  });

  it.each([
    ["{{constructor}}", "constructor"],
    ["{{__proto__}}", "__proto__"],
    ["{{this.constructor}}", "constructor"],
    ["{{page.title.constructor}}", "constructor"],
    ["{{@root.toString}}", "toString"],
    ["{{#each navigation}}{{hasOwnProperty}}{{/each}}", "hasOwnProperty"],
  ])("is given nothing of the language: %s", async (text, name) => {
    plan(text);
    expect(await faultsSoon()).toEqual([
      expect.stringMatching(new RegExp(`^layouts/plan.html:1:\\d+: "${name}" is not among `)),
    ]);
  });

  it.each([
    '{{lookup this "constructor"}}',
    '{{lookup page "__proto__"}}',
    '{{lookup (lookup page "constructor") "prototype"}}',
    '{{#with (lookup site "constructor")}}x{{/with}}',
    '{{#each (lookup this "__proto__")}}x{{/each}}',
  ])("finds nothing of it either: %s", async (text) => {
    plan(text);
    await workshop.built();
    expect(workshop.read("www/plan.html")).toBe("[]<p>Body</p>");
  });
});

describe("the bytes of a page", () => {
  const bad = (at: number) => [`content/x.html:${at}: this line is not UTF-8 text; save the file as UTF-8`];
  it.each<[string, readonly number[], readonly string[]]>([
    ["a letter of Latin-1", [0x0a, 0xe9], bad(2)],
    ["too long a form", [0xc0, 0xaf], bad(1)],
    ["half of a pair", [0xed, 0xa0, 0x80], bad(1)],
    ["a cut letter", [0xe2, 0x82], bad(1)],
    ["a NUL", [0x0a, 0x0a, 0x00], bad(3)],
    ["what is no character", [0xef, 0xbf, 0xbe], []],
    ["a replaced one", [0xef, 0xbf, 0xbd], []],
  ])("may hold %s, or it is told", async (_what, bytes, faults) => {
    content("x.html", Buffer.concat([Buffer.from("<h1>X</h1>"), Buffer.from(bytes)]));
    expect(await faultsSoon()).toEqual(faults);
  });

  it("may begin with a mark and have another system's line ends: places are right", async () => {
    content("x.html", '\ufeff---\r\ntitle: X\r\n---\r\n<p>x</p>\r\n<a href="/gone">g</a>\r\n');
    expect(await faultsSoon()).toEqual([
      'content/x.html:5:10: link "/gone": there is no page and no file /gone',
    ]);
  });
});

describe("a header", () => {
  const aliases = "anchors and aliases are not used here; write the value itself";
  it.each<[string, string]>([
    ["title: &a x\nnav: *a\n", `3:6: ${aliases}`],
    [`a: &a [x,x]\nb: &b [${"*a,".repeat(99)}*a]\n`, `3:8: ${aliases}`],
    ["title: x\n<<: {nav: y}\n", '3:1: unknown key "<<"; known are title'],
    ["title: x\n__proto__: y\n", '3:1: unknown key "__proto__"; known are title'],
    ["title: !!js/function x\n", "2:8: this is not valid YAML: Unresolved tag"],
    [`title: ${"[".repeat(5000)}\n`, "2:"],
    [`${"- ".repeat(3000)}x\n`, "2:"],
    ["title: x\nlayout: ../../etc/passwd\n", '3: there is no layout "../../etc/passwd"; there are: page'],
    ["title: x\nlayout: __proto__\n", '3: there is no layout "__proto__"; there are: page'],
    [
      "title: x\nimage: /../../etc/passwd\n",
      '3: link "/../../etc/passwd": there is no page and no file /etc/passwd',
    ],
  ])("%j is refused with its place", async (text, fault) => {
    content("x.html", `---\n${text}---\n<p>x</p>`);
    const [first = ""] = await faultsSoon();
    expect(first.slice(0, `content/x.html:${fault}`.length)).toBe(`content/x.html:${fault}`);
  });
});

it("nothing outside of the folder is written", async () => {
  const others = () => Object.keys(readTree(workshop.folder)).filter((name) => !name.startsWith("out/"));
  writeFileSync(join(workshop.folder, "secret"), "a secret");
  for (const name of ["..%2f..%2fx.html", "%2e%2e.html", "...html"]) content(name, "<h1>X</h1>");
  const before = others();
  await workshop.built();
  expect(others()).toEqual(before);
  for (const [name, { content: bytes }] of Object.entries(readTree(join(workshop.out, "current", "www"))))
    expect([name, bytes.includes("a secret")]).toEqual([name, false]);
});
