// Goal of this test: every link inside the site leads somewhere, or is told with the line in which it stands; links
// that lead elsewhere are let alone.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWorkshop, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const faultsOf = async (file: string, text: string) => {
  workshop.write(`site/content/${file}`, text);
  return workshop.faults();
};
const nowhere = (path: string) => `there is no page and no file ${path}`;

describe("a link in HTML", () => {
  it.each([
    ["/nothing.html", nowhere("/nothing.html")],
    ["nothing.html", nowhere("/docs/nothing.html")],
    ["../fap.html", `${nowhere("/fap.html")}; did you mean "/faq.html"?`],
    ["/docs", 'this is a folder; write "/docs/"'],
    ["/pictures/", nowhere("/pictures/")],
    ["/pictures", nowhere("/pictures")],
    ["/faq.html/", 'this is a file; write "/faq.html"'],
    ["/faq.md", 'Markdown becomes HTML; write "/faq.html"'],
    ["/.hidden", nowhere("/.hidden")],
    ["../../../../etc/passwd", nowhere("/etc/passwd")],
    ["/%2e%2e/site.yaml", nowhere("/site.yaml")],
    ["https://good.example/nothing", nowhere("/nothing")],
    ["https://good.example", ""],
    ["https://good.example?x", ""],
    ["//good.example/nothing", nowhere("/nothing")],
    ["/account/logn.cgi", nowhere("/account/logn.cgi")],
    ["/account/", nowhere("/account/")],
    ["pages.html#name", '/docs/pages.html has nothing with the id "name"; did you mean "names"?'],
    ["#nothing", '/docs/x.html has nothing with the id "nothing"'],
    ["/faq.html#is%2Dit-good", ""],
    ["pages.html#names", ""],
    ["pages.html#:~:text=Names", ""],
    ["#main", ""],
    ["#TOP", ""],
    ["#", ""],
    ["", ""],
    ["?x=1", ""],
    ["/style.css?v=2#anything", ""],
    ["/account/pay.cgi?order=1#statement", ""],
    ["/100%", "its percent signs are not right; write %25 for %"],
    ["/\u00fcber uns.html", ""],
    [" /faq.html\n", ""],
    ["http://[", "this is no address"],
    ["http://good.example/nothing", ""],
    ["https://good.example:444/nothing", ""],
    ["https://good.example.evil.example/", ""],
    ["mailto:ada@good.example", ""],
    ["tel:+1", ""],
    ["data:text/plain,x", ""],
  ])("to %j is judged", async (target, wrong) => {
    const found = await faultsOf("docs/x.html", `---\ntitle: X\n---\n<p>\n  <a href="${target}">x</a></p>\n`);
    const shown = JSON.stringify(target.trim());
    expect(found).toEqual(wrong === "" ? [] : [`content/docs/x.html:5:12: link ${shown}: ${wrong}`]);
  });

  it.each([
    ["<img src='n' alt=''>", "1:21", "n"],
    ["<a href=n></a>", "1:19", "n"],
    ["<a href=/n?a=b></a>", "1:19", "/n?a=b"],
    ["<A\n  HREF = 'n'></A>", "2:11", "n"],
    ["<script src=n></script>", "1:23", "n"],
    ["<form action=n></form>", "1:24", "n"],
    ["<button formaction=n></button>", "1:30", "n"],
    ["<video poster=n></video>", "1:25", "n"],
    ["<svg><use xlink:href='n#a'/></svg>", "1:33", "n#a"],
    ['<a title=\'href="m"\' href="n"></a>', "1:37", "n"],
    ['<a data-x href="n&amp;m"></a>', "1:27", "n&m"],
    ["<img srcset='/style.css 1x, n 2x' alt=''>", "1:39", "n"],
    ["<img srcset='n,/style.css' alt=''>", "1:24", "n,/style.css"],
    ["<base href='/'>", "1:23", "/"],
  ])("%j is found", async (html, place, target) => {
    const found = await faultsOf("x.html", `<h1>X</h1>${html}`);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`content/x.html:${place}: link ${JSON.stringify(target)}: `);
  });

  it.each([
    "<!-- <a href='n'> -->",
    "<script>'<a href=\"n\">'</script>",
    "<style>/* <a href='n'> */</style>",
    "<textarea><a href='n'></textarea>",
    "<code>&lt;a href='n'></code>",
    "1 < 2 href='n'",
    "<a></a href='n'>",
    "<a name='href=\"n\"'></a>",
  ])("%j is none", async (html) => {
    expect(await faultsOf("x.html", `<h1>X</h1>${html}`)).toEqual([]);
  });

  it("may lead to ids that the layout or a name gives", async () => {
    expect(
      await faultsOf("x.html", '<h1>X</h1><a name="a&amp;b"></a><a href="#a&amp;b"></a><a href="#main"></a>'),
    ).toEqual([]);
  });
});

describe("a link in Markdown", () => {
  it("is told with its own line: the second of two equal ones as well", async () => {
    const text = [
      "---",
      "title: X",
      "---",
      "See [a](/faq.html) and",
      "[b](/faq), [c](/faq 'title')",
      "",
      "[d][ref] ![e](</no thing.png>) <a href='/raw'>f</a>",
      "",
      "[ref]: /reference",
    ];
    expect(await faultsOf("x.md", text.join("\n"))).toEqual([
      `content/x.md:5:5: link "/faq": the page is named "/faq.html"`,
      `content/x.md:5:16: link "/faq": the page is named "/faq.html"`,
      'content/x.md:7:16: link "/no%20thing.png": there is no page and no file /no thing.png',
      `content/x.md:7:41: link "/raw": ${nowhere("/raw")}`,
      `content/x.md:9:8: link "/reference": ${nowhere("/reference")}`,
    ]);
  });

  it("may lead to headings", async () => {
    expect(
      await faultsOf(
        "x.md",
        "# X\n\n## A b\n\n## A b\n\n## \u00dcber *uns*!\n\n[1](#a-b) [2](#a-b-2) [3](#über-uns)\n",
      ),
    ).toEqual([]);
    expect(await faultsOf("x.md", "# X\n\n[1](#y)\n")).toEqual([
      'content/x.md:3:5: link "#y": /x.html has nothing with the id "y"',
    ]);
  });
});

describe("a link in a layout", () => {
  it("is a fault of the layout, told once and not for each page", async () => {
    workshop.write(
      "site/layouts/footer.html",
      '<p>\n<a href="/imprint.html">i</a> <a href="{{site.url}}/gone">g</a></p>',
    );
    expect(await workshop.faults()).toEqual([
      `(package) layouts/page.html: link "https://good.example/gone": ${nowhere("/gone")}`,
      `layouts/footer.html:2:10: link "/imprint.html": ${nowhere("/imprint.html")}`,
    ]);
  });

  it("is told even if a page has the same one", async () => {
    workshop.write("site/layouts/footer.html", '<a href="/gone">g</a>');
    expect(await faultsOf("x.html", '<h1>X</h1><a href="/gone">g</a>')).toEqual([
      `content/x.html:1:20: link "/gone": ${nowhere("/gone")}`,
      `layouts/footer.html:1:10: link "/gone": ${nowhere("/gone")}`,
    ]);
  });

  it("leads from each page to where it leads from there", async () => {
    workshop.write("site/layouts/footer.html", '<link rel="icon" href="style.css">');
    expect(await workshop.faults()).toEqual([
      `layouts/footer.html:1:24: link "style.css": ${nowhere("/docs/style.css")}`,
    ]);
  });
});

describe("404.html", () => {
  it("is shown at every address, so its links begin with a slash", async () => {
    expect(
      await faultsOf("404.html", '<h1>Not found</h1><a href="/">home</a> <a href="faq.html">faq</a>'),
    ).toEqual([
      'content/404.html:1:49: link "faq.html": this page is shown at every address that is not found; begin the link with "/"',
    ]);
  });
});

describe("an address in a style sheet", () => {
  it.each([
    [
      "body { background: url(/nope.png) }",
      'content/x.css:1:24: link "/nope.png": there is no page and no file /nope.png',
    ],
    [
      "a {}\nb { src: url( 'f.woff2' ) }",
      'content/x.css:2:16: link "f.woff2": there is no page and no file /f.woff2',
    ],
    ['@import "nope.css";', 'content/x.css:1:10: link "nope.css": there is no page and no file /nope.css'],
  ])("in %j that leads nowhere is told", async (text, fault) => {
    expect(await faultsOf("x.css", text)).toEqual([expect.stringContaining(fault)]);
  });

  it.each([
    "/* url(/nope.png) */ a { background: url(style.css) }",
    "a { background: url(data:image/png;base64,AA) url(https://other.example/x.png) url(#mark) }",
    'a::after { content: "url(/nope.png)" }',
    '@import url("/style.css");',
  ])("in %j is let alone", async (text) => {
    expect(await faultsOf("x.css", text)).toEqual([]);
  });

  it("is not looked for where the sheet is no text", async () => {
    workshop.write("site/content/x.css", new Uint8Array([0x61, 0xe4]));
    expect(await workshop.faults()).toEqual([
      "content/x.css:1: this line is not UTF-8 text; save the file as UTF-8",
    ]);
  });
});

describe("an entity", () => {
  it("is understood in titles and addresses, whatever letter it stands for", async () => {
    workshop.write(
      "site/content/\u00dc.html",
      "<h1>&Uuml;ber &auml;pfel &amp; &agrave; &hellip; &nosuch;</h1>",
    );
    workshop.write("site/content/z.html", '<h1>Z</h1><a href="/&Uuml;.html">x</a>');
    await workshop.built();
    expect(workshop.read("www/\u00dc.html")).toContain(
      "<title>\u00dcber \u00e4pfel &amp; \u00e0 \u2026 &amp;nosuch;",
    );
  });
});

it("to the terms is looked at where it is set: in etc/site.yaml", async () => {
  const terms = 'terms: {version: "1", page: /terms.html}';
  workshop.write("site/etc/site.yaml", `name: A\nurl: https://a.example\n${terms}\n`);
  expect(await workshop.faults()).toEqual([`etc/site.yaml: link "/terms.html": ${nowhere("/terms.html")}`]);
  expect(await faultsOf("terms.html", "---\ntitle: Terms\n---\n<h1>Terms</h1>\n")).toEqual([]);
});
