// Goal of this test: a mistake in a layout is told with the layout's own file and line, once, whatever number of
// pages wear it, and also where only a customer would have met it.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWorkshop, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const faultsOf = async (file: string, text: string | Uint8Array) => {
  workshop.write(`site/layouts/${file}`, text);
  return workshop.faults();
};

const missing = (name: string, meant: string) =>
  `"${name}" is not among what is given here; did you mean "${meant}"?`;

describe("a layout", () => {
  it.each([
    ["footer.html", "<p>\n  {{site.nmae}}\n</p>", [`layouts/footer.html:2:5: ${missing("nmae", "name")}`]],
    [
      "page.html",
      "{{> header}}\n{{titel}}{{{content}}}",
      [`layouts/page.html:2:3: ${missing("titel", "site")}`],
    ],
    [
      "nav.html",
      "{{#each navigation}}\n{{lable}}{{/each}}",
      [`layouts/nav.html:2:3: ${missing("lable", "label")}`],
    ],
    [
      "page.html",
      "{{{content}}}{{#if x}}\n\n",
      ["layouts/page.html:3: a block or a {{ that was opened before is never closed"],
    ],
    [
      "page.html",
      "{{{content}}}\n{{#if x}}{{/each}}",
      ["layouts/page.html:2:4: {{#if}} is closed by {{/each}}; write {{/if}}"],
    ],
    [
      "page.html",
      "{{{content}}}\n{{site.name",
      ['layouts/page.html:2: this is not valid Handlebars, near "...{{content}}}{{site.name"'],
    ],
    [
      "page.html",
      "{{{content}}}\n{{site.name}",
      ['layouts/page.html:2: this is not valid Handlebars, near "...ntent}}}{{site.name}"'],
    ],
    [
      "page.html",
      "{{{content}}}\n {{shout site.name}}",
      ['layouts/page.html:2:2: there is no helper "shout"; there are: if, unless, each, with, lookup, log'],
    ],
    [
      "page.html",
      "{{> haeder}}\n{{{content}}}",
      ['layouts/page.html:1:5: there is no partial "haeder"; did you mean "header"?'],
    ],
    [
      "page.html",
      "<main>\n{{content}}</main>",
      ["layouts/page.html:2:1: {{content}} would show the page's tags as text; write {{{content}}}"],
    ],
    [
      "wide.htm",
      "x",
      [
        'layouts/wide.htm: this is no template; here they are named NAME.html, of letters, digits, "-", and "_"',
      ],
    ],
    [
      "accounts/login.html",
      "x",
      [
        'layouts/accounts: this is no template; here they are named NAME.html, of letters, digits, "-", and "_"',
      ],
    ],
    [
      "mail/confirm.html",
      "x",
      [
        'layouts/mail/confirm.html: this is no template; here they are named NAME.txt, of letters, digits, "-", and "_"',
      ],
    ],
    [
      "__proto__.html",
      "x",
      [
        'layouts/__proto__.html: this is no template; here they are named NAME.html, of letters, digits, "-", and "_"',
      ],
    ],
    [
      "account/lgoin.html",
      "x",
      ['layouts/account/lgoin.html: no program shows "account/lgoin"; did you mean "account/login"?'],
    ],
    [
      "mail/goodbye.txt",
      "x",
      ['layouts/mail/goodbye.txt: no program shows "mail/goodbye"; there are: mail/confirm'],
    ],
    [
      "account/login.html",
      "<h1>\n{{> fom}}</h1>",
      [
        'layouts/account/login.html:2:5: there is no partial "fom"; there are: account/login, footer, header, mail/confirm, nav, page',
      ],
    ],
    [
      "account/login.html",
      '<a href="/docs/accuonts.html">x</a>',
      [
        'layouts/account/login.html:1:10: link "/docs/accuonts.html": there is no page and no file /docs/accuonts.html; did you mean "/docs/accounts.html"?',
      ],
    ],
    [
      "mail/confirm.txt",
      "Subject: x\n\n{{greet name}}",
      [
        'layouts/mail/confirm.txt:3:1: there is no helper "greet"; there are: if, unless, each, with, lookup, log',
      ],
    ],
    [
      "footer.html",
      Buffer.from("<p>\ncaf\xe9</p>", "latin1"),
      ["layouts/footer.html:2: this line is not UTF-8 text; save the file as UTF-8"],
    ],
    [
      "footer.html",
      "{{> footer}}",
      ["(package) layouts/page.html: cannot be rendered: one of its partials contains itself"],
    ],
  ] as const)("%s with %j is refused", async (file, text, faults) => {
    expect(await faultsOf(file, text)).toEqual(faults);
  });

  it("without a place for the page's content is no layout", async () => {
    workshop.remove("site/content");
    workshop.write("site/content/index.html", "<h1>A</h1>");
    expect(await faultsOf("page.html", "<main></main>")).toEqual([
      "layouts/page.html: a layout of pages must place the page's body: write {{{content}}} where it belongs",
    ]);
  });

  it("of the package is named as such", async () => {
    workshop.write("package/layouts/nav.html", "\n{{site.nmae}}");
    expect(await workshop.faults()).toEqual([`(package) layouts/nav.html:2:3: ${missing("nmae", "name")}`]);
  });

  it("of the owner's own can be asked for by a page, and may use partials of its own", async () => {
    workshop.write(
      "site/layouts/wide.html",
      '{{#*inline "note"}}<p>{{page.title}}!</p>{{/inline}}{{> note}}{{> body}}',
    );
    workshop.write("site/layouts/body.html", "<main>{{{content}}}</main>");
    workshop.write("site/content/x.html", "---\nlayout: wide\n---\n<h1>X</h1>");
    await workshop.built();
    expect(workshop.read("www/x.html")).toBe("<p>X!</p><main><h1>X</h1></main>");
  });

  it("may use the content twice, or look at it", async () => {
    workshop.write("site/layouts/wide.html", "{{#if content}}yes{{/if}}{{{content}}}|{{{content}}}");
    workshop.write("site/content/x.html", "---\nlayout: wide\n---\n<h1>X</h1>");
    // In Markdown a second link to the same place is looked for behind the first; here there is only one.
    workshop.write("site/content/z.md", "---\nlayout: wide\ntitle: Z\n---\n\n[g](/gone)\n");
    const gone = 'content/z.md:6:5: link "/gone": there is no page and no file /gone';
    expect(await workshop.faults()).toEqual([gone]);
    workshop.remove("site/content/z.md");
    workshop.write("site/content/y.html", "---\nlayout: wide\ntitle: Y\n---\n");
    await workshop.built();
    expect(workshop.read("www/x.html")).toBe("yes<h1>X</h1>|<h1>X</h1>");
    expect(workshop.read("www/y.html")).toBe("|");
  });

  it("sees the page's description, address, and whether it is the home page", async () => {
    workshop.write(
      "site/layouts/wide.html",
      "{{page.description}} {{page.path}} {{page.home}} {{site.url}}{{{content}}}",
    );
    for (const page of ["index", "docs/x y"])
      workshop.write(
        `site/content/${page}.html`,
        "---\nlayout: wide\ntitle: X\ndescription: a & b\n---\n<i id='end'></i>",
      );
    await workshop.built();
    expect(workshop.read("www/index.html")).toContain("a &amp; b / true https://good.example<i");
    expect(workshop.read("www/docs/x y.html")).toContain(
      "a &amp; b /docs/x%20y.html false https://good.example<i",
    );
  });
});
