// Goal of this test: a page or a sheet of ten megabytes in one line, and a hundred thousand of one thing, are answered
// soon, with a right release or with faults that are short enough to be read. Data is in 13-data, Markdown in 12-markdown too.
import { performance } from "node:perf_hooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWorkshop, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

// Generous: a machine may be busy. What is wrong takes minutes or for ever.
const mostMs = 30_000;
const line = 10_000_000;

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

describe("a line of ten megabytes", () => {
  const large =
    "content/x.html:1: the header that begins here is larger than 64 KiB; put into the body what is no key";
  it.each<[string, string, string, readonly unknown[]]>([
    ["in a page", "x.html", `<h1>X</h1>${"x".repeat(line)}`, []],
    ["in a heading", "x.html", `<h1>${"x ".repeat(line / 2)}</h1>`, []],
    [
      "before a link",
      "x.html",
      `<h1>X</h1>${"x".repeat(line)}<a href="/gone">g</a>`,
      [/^content\/x.html:1:10000020: link "\/gone": there is no page and no file \/gone$/],
    ],
    [
      "in a link",
      "x.html",
      `<h1>X</h1><a href="/${"x".repeat(line)}">g</a>`,
      [/^content\/x.html:1:20: link "\/x+ \[\.\.\.\] x+$/],
    ],
    ["in a title", "x.html", `---\ntitle: ${"x".repeat(line)}\n---\n`, [large]],
    ["in a header that never ends", "x.html", `---\n${"x".repeat(line)}`, [large]],
    ["of tags", "x.html", `---\ntitle: X\ntags: ${"a,".repeat(line / 2)}\n---\n`, [large]],
    [
      "in Markdown",
      "x.md",
      `# X\n\n${"x ".repeat(line / 2)}`,
      ["content/x.md: a paragraph of 10000000 characters is too long; part it with empty lines"],
    ],
    ["in a style sheet", "x.css", "a{color:red}".repeat(line / 12), []],
    [
      "in a comment of one",
      "x.css",
      `/*${"x".repeat(line)}`,
      [/^content\/x.css:1:10000003: Expected "\*\/"/],
    ],
    [
      "in an address of one",
      "x.css",
      `a{background:url(${"x".repeat(line)})}`,
      [/^content\/x.css:1:18: link "x+ \[\.\.\.\] x+$/],
    ],
  ])(
    "%s is answered soon",
    async (_where, name, text, wanted) => {
      content(name, text);
      const faults = await faultsSoon();
      expect(faults).toHaveLength(wanted.length);
      for (const [at, fault] of faults.entries())
        expect(fault).toEqual(
          typeof wanted[at] === "string" ? wanted[at] : expect.stringMatching(wanted[at] as RegExp),
        );
    },
    60_000,
  );
});

describe("much of one thing", () => {
  const many = 100_000;
  const more = (file: string, count: number) =>
    `content/${file}: has ${count} more faults like those that are told`;
  it.each<[string, string, string, readonly [string, number] | undefined]>([
    ["nested tags", "x.html", `<h1>X</h1>${"<div>".repeat(many)}${"</div>".repeat(many)}`, undefined],
    [
      "nested tags that stay open",
      "x.html",
      `<h1>X</h1>${"<div>".repeat(many)}`,
      [more("x.html", many - 500), 501],
    ],
    [
      "ids given twice",
      "x.html",
      `<h1>X</h1>${"<b id=a></b>".repeat(many)}`,
      [more("x.html", many - 501), 501],
    ],
    [
      "links that lead nowhere",
      "x.html",
      `<h1>X</h1>${"<a href=/gone></a>\n".repeat(many)}`,
      [more("x.html", many - 500), 501],
    ],
    [
      "comments",
      "x.html",
      `<h1>X</h1>${"<!--".repeat(many)}`,
      ["content/x.html:1:11: the comment that begins here is never closed", 1],
    ],
    [
      "headings that stay open",
      "x.html",
      `<title>X</title>${"<h1>".repeat(many)}`,
      [more("x.html", many - 500), 502],
    ],
    [
      "headings cut off",
      "x.html",
      "<h1".repeat(many),
      ["content/x.html:1: no title: give the page a first <h1>, or a title: in its header", 2],
    ],
    ["open addresses", "x.css", "url(".repeat(many), ["content/x.css:1:1: Unexpected bad URL token", 2]],
    ["open strings", "x.css", '"\\'.repeat(many), ["content/x.css:1:1: Unexpected bad string token", 2]],
    [
      "open comments",
      "x.css",
      "/* ".repeat(many),
      [`content/x.css:1:${3 * many + 1}: Expected "*/" to terminate multi-line comment`, 1],
    ],
    ["nested rules", "x.css", `${"a{".repeat(many)}${"}".repeat(many)}`, undefined],
    [
      "nested lists",
      "x.md",
      `# X\n\n${Array.from({ length: 1500 }, (_, at) => `${"  ".repeat(at)}- a\n`).join("")}`,
      ["content/x.md: quotes or lists lie in each other too deeply", 1],
    ],
    [
      "nested quotes",
      "x.md",
      `# X\n\n${"> ".repeat(many / 10)}x`,
      ["content/x.md: quotes or lists lie in each other too deeply", 1],
    ],
    [
      "keys",
      "x.html",
      `---\n${"a: b\n".repeat(many)}---\n`,
      [
        "content/x.html:1: the header that begins here is larger than 64 KiB; put into the body what is no key",
        1,
      ],
    ],
  ])(
    "is answered soon: %s",
    async (_what, name, text, wanted) => {
      content(name, text);
      const faults = await faultsSoon();
      expect([faults[0], faults.length]).toEqual(wanted ?? [undefined, 0]);
    },
    60_000,
  );

  it.each(["", "- ", "# "])("in Markdown may stand in one line: %j", async (start) => {
    content("x.md", `# X\n\n${start}${"`a` ".repeat(many)}b`);
    await workshop.built();
    expect(workshop.read("www/x.html").split("<code>").length).toBe(many + 1);
  });

  it("in Markdown is right below the limit", async () => {
    content("x.md", `# X\n\n${Array.from({ length: 60 }, (_, at) => `${"  ".repeat(at)}- a\n`).join("")}`);
    await workshop.built();
    expect(workshop.read("www/x.html").split("<li>").length).toBe(61);
  });
});
