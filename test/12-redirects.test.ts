// Goal of this test: old addresses lead to where things are now, on any web server, and an entry that would not, or
// would not always, is refused; search engines are told every page once, with no date that was made up.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Page } from "../build/page.ts";
import { writeSitemap } from "../build/sitemap.ts";
import { openWorkshop, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const write = (text: string): void => workshop.write("site/etc/redirects.yaml", text);

describe("redirects", () => {
  it("are pages that lead on", async () => {
    write(
      '# moved\n/old.html: /faq.html\n/alt/: /docs/start.html\n/alt/x: "https://other.example/a?b=1&c=2"\n"/m%C3%BCll.htm": /\n',
    );
    await workshop.built();
    const old = workshop.read("www/old.html");
    expect(old).toContain('<meta http-equiv="refresh" content="0; url=/faq.html">');
    expect(old).toContain('<link rel="canonical" href="https://good.example/faq.html">');
    expect(workshop.read("www/alt/index.html")).toContain('href="/docs/start.html"');
    expect(workshop.read("www/alt/x/index.html")).toContain(
      `url=https://other.example/a?b&#x3D;1&amp;c&#x3D;2"`,
    );
    expect(workshop.read("www/müll.htm")).toContain('url=/"');
    expect(workshop.read("www/sitemap.xml")).not.toContain("old");
  });

  it.each([
    ["/a.html: /nowhere.html", '1:1: link "/nowhere.html": there is no page and no file /nowhere.html'],
    ["/a.html: /faq.html#none", '1:1: link "/faq.html#none": /faq.html has nothing with the id "none"'],
    ["a.html: /", '1:1: "a.html" must be an old address of this site, "/old/page.html"'],
    ["/a?b: /", '1:1: "/a?b" must be an old address of this site, "/old/page.html"'],
    ["//host/a: /", '1:1: "//host/a" must be an old address of this site, "/old/page.html"'],
    ["/../a.html: /", '1:1: "/../a.html" is not as browsers ask for it; write it without "." and "//"'],
    [
      "/%2e%2e/a.html: /",
      '1:1: "/%2e%2e/a.html" is not as browsers ask for it; write it without "." and "//"',
    ],
    ["/%zz: /", '1:1: "/%zz": its percent signs are not right; write %25 for %'],
    [
      "/a: faq.html",
      '1:1: "faq.html" must be an address of this site, "/new.html", or a whole one, "https://..."',
    ],
    [
      "/a: javascript:alert(1)",
      '1:1: "javascript:alert(1)" must be an address of this site, "/new.html", or a whole one, "https://..."',
    ],
    [
      "/a: //other.example/",
      '1:1: "//other.example/" must be an address of this site, "/new.html", or a whole one, "https://..."',
    ],
    ["/faq.html: /", '1:1: "/faq.html" is there: content/faq.md makes it; take one of them away'],
    ["/docs/: /", '1:1: "/docs/" is there: content/docs/index.html makes it; take one of them away'],
    ["/account/x.cgi: /", '1:1: "/account/x.cgi" belongs to the account programs'],
    ["/a: /b\n/b: /faq.html", '1:1: "/a" leads to "/b", which is moved too; write where that leads'],
    ["/a: /a", '1:1: "/a" leads to itself'],
    ["/a: /\n/a/: /faq.html", '2:1: "/a/" and "/a" are one address here; keep one'],
    ["/a: /\n/a: /faq.html", '2:1: the key "/a" is given twice; keep one'],
    ["- /a", "1:1: lines of NAME: TEXT are wanted here"],
    ["/a:", "1:1: lines of NAME: TEXT are wanted here"],
    ["/faq.html/: /", " makes /faq.html/index.html"],
  ])("are refused as %j", async (text, fault) => {
    write(`${text}\n`);
    const [first = ""] = await workshop.faults();
    if (fault.startsWith(" "))
      expect(first).toContain(
        "etc/redirects.yaml: lies in a folder /faq.html, but content/faq.md makes a file of that name",
      );
    else expect(first).toBe(`etc/redirects.yaml:${fault}`);
  });
});

describe("what search engines ask for", () => {
  it("has every page once, and only dates that pages say", async () => {
    workshop.write("site/content/404.html", "<h1>Not found</h1>");
    workshop.write("site/content/faq.md", "---\nupdated: 2026-03-04\n---\n# FAQ\n");
    await workshop.built();
    const sitemap = workshop.read("www/sitemap.xml");
    const pages = [...sitemap.matchAll(/<loc>(.*?)<\/loc>(.*)<\/url>/g)].map(([, loc, rest]) => [loc, rest]);
    expect(pages).toContainEqual(["https://good.example/faq.html", "<lastmod>2026-03-04</lastmod>"]);
    expect(pages).toContainEqual(["https://good.example/%C3%BCber%20uns.html", ""]);
    // Another page of the fixture has a date.
    expect(pages.filter(([, rest]) => rest !== "")).toHaveLength(2);
    expect(new Set(pages.map(([loc]) => loc)).size).toBe(8);
    expect(sitemap).not.toContain("404");
    expect(workshop.read("www/robots.txt")).toBe(
      "User-agent: *\nDisallow: /account/\nDisallow: /search.cgi\n\nSitemap: https://good.example/sitemap.xml\n",
    );
  });

  it("leaves an owner's own alone", async () => {
    workshop.write("site/content/robots.txt", "User-agent: *\nDisallow: /\n");
    workshop.write("site/content/sitemap.xml", "<urlset/>");
    await workshop.built();
    expect(workshop.read("www/robots.txt")).toBe("User-agent: *\nDisallow: /\n");
    expect(workshop.read("www/sitemap.xml")).toBe("<urlset/>");
  });

  it("is cut where the protocol has its limit", () => {
    const pages = Array.from({ length: 5 }, (_, at) => {
      const path = `/${at}.html`;
      return { path, source: { output: path.slice(1) }, header: { date: "", updated: "" } } as Page;
    });
    const files = writeSitemap(pages, "https://x.example", 2);
    expect(files.map(({ output }) => output)).toEqual([
      "sitemap.xml",
      "sitemap-1.xml",
      "sitemap-2.xml",
      "sitemap-3.xml",
    ]);
    expect(files[0]?.text()).toContain("<sitemap><loc>https://x.example/sitemap-3.xml</loc></sitemap>");
    expect(files[3]?.text()).toContain("/4.html");
  });
});
