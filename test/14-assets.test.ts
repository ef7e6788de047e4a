// Goal of this test: what pages load has a name of its content wherever it is referred to, with its hash and size beside
// it; links that people follow keep the plain name; and faults are told of what the owner wrote.
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWorkshop, readTree, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
  workshop.write(
    "site/content/pictures/a.svg",
    '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"/>',
  );
  workshop.write("site/content/code.js", "document.title = 'x';\n");
  workshop.write("site/content/base.css", "p { background: url(pictures/a.svg#dot) }\n");
  workshop.write(
    "site/content/docs/deep.css",
    '@import "../base.css";\nmain { margin: 0px; colour: red }\n'.replace("colour: red", "color: red"),
  );
});
afterEach(() => workshop.end());

/** The hashed name of a file of the release, as it is found by the plain one. */
function hashedOf(plain: string): string {
  const [stem, ending] = [plain.slice(0, plain.lastIndexOf(".")), plain.slice(plain.lastIndexOf("."))];
  const names = Object.keys(readTree(`${workshop.out}/current`));
  const found = names.filter(
    (name) => name.startsWith(`www/${stem}.`) && /\.[0-9a-f]{10}\./.test(name) && name.endsWith(ending),
  );
  expect(found).toHaveLength(1);
  return `/${found[0]?.slice("www/".length)}`;
}

function page(body: string): void {
  workshop.write("site/content/docs/hidden.html", `<h1>Hidden</h1>\n${body}\n`);
}
const shown = (): string => workshop.read("www/docs/hidden.html");

describe("an asset", () => {
  it("is called by its content wherever a page loads it, and by its own name where it is a link", async () => {
    page(`<p>Ünï</p><a href="/pictures/a.svg">a</a>
<img src="../pictures/a.svg" alt=""><img alt="" src='/pictures/a.svg' width=5><img src=/pictures/a.svg alt="">
<img alt="" srcset="../pictures/a.svg 1x, /pictures/my%20dot.svg 2x" src="/pictures/a.svg?v=1">
<video poster="/pictures/a.svg"></video><script src="/code.js"></script>
<link rel="stylesheet" href="deep.css"><link rel="canonical" href="/docs/hidden.html">`);
    await workshop.built();
    const [a, code, css, dot] = ["pictures/a.svg", "code.js", "docs/deep.css", "pictures/my dot.svg"].map(
      hashedOf,
    );
    const sri = (name = ""): string =>
      `sha384-${createHash("sha384")
        .update(workshop.read(`www${name}`))
        .digest("base64")}`;
    expect(shown()).toContain(`<p>Ünï</p><a href="/pictures/a.svg">a</a>
<img src="${a}" alt="" width="30" height="20"><img alt="" src='${a}' width=5><img src=${a} alt="" width="30" height="20">
<img alt="" srcset="${a} 1x, ${encodeURI(dot ?? "")} 2x" src="/pictures/a.svg?v=1">
<video poster="${a}"></video><script src="${code}" integrity="${sri(code)}"></script>
<link rel="stylesheet" href="${css}" integrity="${sri(css)}"><link rel="canonical" href="/docs/hidden.html">`);
  });

  it("that is a style sheet has in it what it imports, and hashed names", async () => {
    await workshop.built();
    expect(workshop.read(`www${hashedOf("docs/deep.css")}`)).toBe(
      `p{background:url(${hashedOf("pictures/a.svg")}#dot)}main{margin:0;color:red}\n`,
    );
    expect(workshop.read("www/docs/deep.css")).toContain("@import");
  });

  it("is renamed in layouts, for programs as well, and the text of a layout stays its own", async () => {
    workshop.write(
      "site/layouts/footer.html",
      '<footer><img src="/pictures/a.svg" alt=""><a href="/pictures/a.svg">{{site.name}}</a></footer>',
    );
    await workshop.built();
    const footer = `<footer><img src="${hashedOf("pictures/a.svg")}" width="30" height="20" alt=""><a href="/pictures/a.svg">Good Service</a></footer>`;
    expect(workshop.read("www/faq.html")).toContain(footer);
    expect(workshop.readScript("login")).toContain(hashedOf("pictures/a.svg"));
    workshop.write(
      "site/layouts/footer.html",
      '<footer><img src="/pictures/a.svg" alt=""> {{site.nam}}</footer>',
    );
    expect((await workshop.faults())[0]).toMatch(/^layouts\/footer\.html:1:\d+: "nam" is not among/);
  });

  it("has its plain name alone where the settings, or others, want that", async () => {
    workshop.write("site/content/favicon.ico", "icon");
    workshop.write("site/content/.well-known/a.svg", "<svg/>");
    page('<link rel="icon" href="/favicon.ico"><img src="/.well-known/a.svg" alt="">');
    await workshop.built();
    expect(shown()).toContain('<link rel="icon" href="/favicon.ico"><img src="/.well-known/a.svg" alt="">');
    workshop.write("site/etc/site.yaml", "name: A\nurl: https://good.example\nassets: plain\n");
    page('<img src="/pictures/a.svg" alt="">');
    await workshop.built();
    expect(shown()).toContain('<img src="/pictures/a.svg" alt="">');
    expect(
      Object.keys(readTree(`${workshop.out}/current/www`)).filter((name) => /\.[0-9a-f]{10}\./.test(name)),
    ).toEqual([]);
  });

  it("has faults that are told once, where the owner wrote them", async () => {
    page('<img src="/pictures/a.svg" alt=""><img src="/pictures/none.svg" alt="">');
    workshop.write("site/content/docs/deep.css", '@import "none.css";\nmain { background: url(none.png) }\n');
    workshop.write("site/content/code.0123456789.js", "");
    expect(await workshop.faults()).toEqual([
      'content/docs/deep.css:1:10: link "none.css": there is no page and no file /docs/none.css',
      'content/docs/deep.css:2:24: link "none.png": there is no page and no file /docs/none.png',
      expect.stringMatching(/^content\/docs\/hidden\.html:2:45: link "\/pictures\/none\.svg"/),
    ]);
    workshop.write("site/content/docs/deep.css", "main { colr: red }\n");
    expect((await workshop.faults())[0]).toMatch(
      /^content\/docs\/deep\.css:1:8: "colr" is not a known CSS property/,
    );
  });
});
