// Goal of this test: a folder of dated pages becomes what readers expect of it: lists, tags, a feed, neighbours, in the
// right order and with right addresses; and what cannot be right is refused in words that say what to do.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWorkshop, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
  workshop.write(
    "site/layouts/list.html",
    `{{page.path}} {{page.title}}
crumbs:{{#each page.breadcrumbs}} {{href}}={{label}}{{/each}}
entries:{{#each page.entries}} {{href}}={{title}}={{date}}={{dateText}}={{description}}{{#each tags}}#{{label}}@{{href}}{{/each}}{{/each}}
{{#with page.previous}}previous: {{href}} {{label}}{{/with}}
{{#with page.next}}next: {{href}} {{label}}{{/with}}
{{#with page.feed}}feed: {{href}} {{label}}{{/with}}
{{#each page.contents}}[{{href}} {{label}}{{#each children}} ({{href}} {{label}}){{/each}}]{{/each}}
{{page.date}} {{page.updatedText}} {{page.canonical}} {{page.image}}
{{{content}}}`,
  );
});
afterEach(() => workshop.end());

function news(name: string, header: string, body = "<p>Text</p>"): void {
  workshop.write(`site/content/news/${name}`, `---\nlayout: list\n${header}\n---\n${body}\n`);
}

/** Five pages of news, two a list. */
function writeNews(): void {
  news("index.html", "title: News\nentries: 2\ndescription: What is new", "<h1>News</h1>");
  news("a.html", "title: A\ndate: 2026-01-01\ntags: Money, x & y\ndescription: First");
  news(
    "b.md",
    "title: B\ndate: 2026-01-02\ntags: Money",
    "# B\n\n[a](a.html#top) ![p](/pictures/my%20dot.svg)",
  );
  news("c.html", "title: C\ndate: 2026-01-03\nupdated: 2026-02-01");
  news("d.html", "title: D\ndate: 2026-01-03\norder: 1");
  news("deep/e.html", "title: <E>\ndate: 2025-12-31\ntags: [Money]");
}

const linesOf = (path: string): readonly string[] => workshop.read(`www/${path}`).split("\n");

describe("a collection", () => {
  it("lists its pages, newest first, on as many pages as that takes", async () => {
    writeNews();
    await workshop.built();
    expect(linesOf("news/index.html").slice(0, 7)).toEqual([
      "/news/ News",
      "crumbs: /=Home",
      "entries: /news/d.html=D=2026-01-03=3 January 2026= /news/c.html=C=2026-01-03=3 January 2026=",
      "",
      "next: /news/page-2.html Older",
      "feed: /news/feed.xml News",
      "",
    ]);
    const second = linesOf("news/page-2.html");
    expect(second.slice(0, 6)).toEqual([
      "/news/page-2.html News, page 2",
      "crumbs: /=Home /news/=News",
      "entries: /news/b.html=B=2026-01-02=2 January 2026=#Money@/news/tags/money/ /news/a.html=A=2026-01-01=1 January 2026=First#Money@/news/tags/money/#x &amp; y@/news/tags/x-y/",
      "previous: /news/ Newer",
      "next: /news/page-3.html Older",
      "",
    ]);
    expect(second.at(-2)).toBe("<h1>News, page 2</h1>");
    expect(linesOf("news/page-3.html")[2]).toContain("/news/deep/e.html=&lt;E&gt;=2025-12-31");
    expect(linesOf("news/page-3.html")[4]).toBe("");
  });

  it("links its entries by their dates, and lists them by tag", async () => {
    writeNews();
    await workshop.built();
    expect(linesOf("news/b.html").slice(3, 6)).toEqual([
      "previous: /news/a.html A",
      "next: /news/d.html D".replace("d.html D", "c.html C"),
      "feed: /news/feed.xml News",
    ]);
    expect(linesOf("news/deep/e.html").slice(1, 5)).toEqual([
      "crumbs: /=Home /news/=News",
      "entries:",
      "",
      "next: /news/a.html A",
    ]);
    expect(linesOf("news/tags/money/index.html")[0]).toBe("/news/tags/money/ News: Money");
    expect(linesOf("news/tags/money/page-2.html")[3]).toBe("previous: /news/tags/money/ Newer");
    expect(linesOf("news/tags/index.html").slice(-5)).toEqual([
      "<ul>",
      '<li><a href="/news/tags/money/">Money</a> (3)</li>',
      '<li><a href="/news/tags/x-y/">x &amp; y</a> (1)</li>',
      "</ul>",
      "",
    ]);
  });

  it("has a feed with whole texts and whole addresses", async () => {
    writeNews();
    await workshop.built();
    const feed = workshop.read("www/news/feed.xml");
    const site = "https://good.example";
    expect(feed).toContain(`<id>${site}/news/</id>`);
    expect(feed).toContain("<updated>2026-02-01T00:00:00Z</updated>\n<author>");
    expect([...feed.matchAll(/<entry>\n<title>(.*)<\/title>/g)].map(([, title]) => title)).toEqual([
      "D",
      "C",
      "B",
      "A",
      "&lt;E&gt;",
    ]);
    expect(feed).toContain(
      `<content type="html">&lt;p&gt;&lt;a href&#x3D;&quot;${site}/news/a.html#top&quot;&gt;a&lt;/a&gt; &lt;img src&#x3D;&quot;${site}/pictures/my%20dot.svg&quot; alt&#x3D;&quot;p&quot;&gt;&lt;/p&gt;`,
    );
    expect(feed).toContain('<category term="x &amp; y"/>');
    expect(feed).toContain(
      "<published>2026-01-03T00:00:00Z</published>\n<updated>2026-02-01T00:00:00Z</updated>",
    );
  });

  it("is refused where a page of it cannot be listed, or an address is taken", async () => {
    writeNews();
    news("undated.html", "title: U");
    news("f.html", "title: F\ndate: 2026-01-01\ntags: money");
    news("page-2.html", "title: P\ndate: 2026-01-01");
    workshop.write("site/content/news/feed.xml", "<feed/>");
    workshop.write("site/content/docs/hidden.html", "---\ntitle: H\ntags: a\n---\n<p>x</p>");
    workshop.write("site/content/faq.md", "---\nentries: 3\n---\n# FAQ\n");
    expect(await workshop.faults()).toEqual(
      [
        'content/docs/hidden.html:3: "tags" shows nothing; the index page of a folder above needs "entries: 10"',
        'content/faq.md:2: "entries" is for the index page of a folder; put it there',
        "content/news/index.html: makes /news/feed.xml, and so does content/news/feed.xml; rename or delete one",
        "content/news/index.html: makes /news/page-2.html, and so does content/news/page-2.html; rename or delete one",
        'content/news/f.html:5: the tags "Money" and "money" would have one address; write one of them',
        "content/news/undated.html:1: no date: pages in content/news/ are listed by their date; write date: 2026-11-23",
      ].sort(),
    );
  });
});

describe("what layouts are given of a page", () => {
  it("has its headings where it asks for them, and its addresses in full", async () => {
    workshop.write(
      "site/content/docs/hidden.html",
      `---
layout: list
contents: yes
image: /pictures/my dot.svg
updated: 2026-05-06
---
<h1 id="top-heading">H</h1><!-- <h2 id="no">no</h2> -->
<h2 id="a">A &amp; <em>a</em></h2><h3 id="b c">no</h3><h3 id="ü">B<sup><a href="#a">1</a></sup></h3><h2>none</h2><h2 id="d">D</h2>`.replace(
        ' id="b c"',
        "",
      ),
    );
    await workshop.built();
    const lines = linesOf("docs/hidden.html");
    expect(lines[6]).toBe("[#a A &amp; a (#%C3%BC B)][#d D]");
    expect(lines[7]).toBe(
      " 6 May 2026 https://good.example/docs/hidden.html https://good.example/pictures/my%20dot.svg",
    );
  });

  it("follows the navigation of its section", async () => {
    workshop.write(
      "site/content/docs/start.html",
      "---\nlayout: list\nnav: Start\norder: 5\n---\n<h1>Start</h1>",
    );
    await workshop.built();
    const lines = linesOf("docs/start.html");
    expect(lines[1]).toBe("crumbs: /=Home /docs/=Docs");
    expect(lines.slice(3, 5).join("\n")).toContain("previous: /docs/");
  });

  it("tells a picture that is not there", async () => {
    workshop.write("site/content/faq.md", "---\ndescription: x\nimage: /pictures/none.svg\n---\n# FAQ\n");
    workshop.write("site/content/docs/hidden.html", "---\nimage: none.svg\n---\n<h1>H</h1>\n");
    expect(await workshop.faults()).toEqual([
      'content/docs/hidden.html:2:1: "image" is "none.svg"; it must be an address of this site, "/picture.png", or a whole one, "https://..."',
      'content/faq.md:3: link "/pictures/none.svg": there is no page and no file /pictures/none.svg',
    ]);
  });
});

describe("drafts and days to come", () => {
  beforeEach(() => {
    news("index.html", "title: News\nentries: all", "<h1>News</h1>");
    news("draft.html", "title: D\ndate: 2026-01-01\ndraft: yes");
    news("later.html", "title: L\ndate: 2026-11-25");
    news("now.html", "title: N\ndate: 2026-11-23");
  });
  const listed = (): string => linesOf("news/index.html")[2]?.replaceAll(/=\S*/g, "") ?? "";

  it("are left out until they are asked for, or their day has come", async () => {
    expect(await workshop.built()).toMatchObject({ drafts: 1, future: 1 });
    expect(listed()).toContain("/news/now.html");
    expect(listed()).not.toMatch(/later|draft/);
    expect(workshop.read("www/sitemap.xml")).not.toMatch(/later|draft/);
    expect(() => workshop.read("www/news/draft.html")).toThrow();
    expect(await workshop.built({ drafts: true, future: true })).toMatchObject({ drafts: 0, future: 0 });
    expect(listed()).toMatch(/later.*now.*draft/);
    expect(await workshop.built()).toMatchObject({ drafts: 1, future: 1 });
    workshop.clock.ms += 2 * 86_400_000;
    expect(await workshop.built()).toMatchObject({ drafts: 1, future: 0 });
    expect(listed()).toContain("/news/later.html");
    // A clock that was set back.
    workshop.clock.ms -= 2 * 86_400_000;
    expect(await workshop.built()).toMatchObject({ drafts: 1, future: 1 });
  });

  it("are named where something links to them, and have their own faults told", async () => {
    workshop.write("site/content/faq.md", "# FAQ\n\n[d](/news/draft.html) [l](/news/later.html)\n");
    workshop.write("site/content/news/late.html", "---\ndate: 2030-01-01\ntitel: x\n---\n<h1>x</h1>");
    expect(await workshop.faults()).toEqual([
      'content/faq.md:3:5: link "/news/draft.html": this page is a draft, which is not published',
      'content/faq.md:3:27: link "/news/later.html": this page is published on 2026-11-25, and not before',
      'content/news/late.html:3:1: unknown key "titel"; did you mean "title"?',
    ]);
  });
});
