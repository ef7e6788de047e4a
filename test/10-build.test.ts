// Goal of this test: a whole small site becomes a release, and each kind of source becomes what it should.
import { realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadBaked } from "../build/build.ts";
import { isOffered, routes } from "../lib/util/routes.ts";
import { makeRenderer } from "../lib/util/templates.ts";
import { type Built, openWorkshop, readTree, runProgram, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
let built: Built;
const told: string[] = [];
beforeAll(async () => {
  workshop = openWorkshop();
  built = await workshop.built({ onStage: (name) => told.push(name) });
});
afterAll(() => workshop.end());

describe("a release", () => {
  it("says what it holds, and is the current one", () => {
    const programs = routes.filter((route) => isOffered(route, { search: true })).length;
    expect(built).toMatchObject({ pages: 8, files: 3, programs, changed: true });
    expect(built.releaseId).toMatch(/^20261123-080500-[0-9a-f]{8}$/);
    expect(realpathSync(join(workshop.out, "current"))).toBe(realpathSync(built.releaseFolder));
    expect([...new Set(told)]).toEqual(built.stages.map(({ name }) => name));
    expect(told).toContain("reading pages");
  });

  it("holds every page and file once, and nothing hidden", () => {
    const names = Object.keys(readTree(built.releaseFolder)).filter((name) => name.startsWith("www/"));
    expect(names).toEqual([
      "www/.well-known/security.txt",
      "www/docs/accounts.html",
      "www/docs/hidden.html",
      "www/docs/index.html",
      "www/docs/pages.html",
      "www/docs/start.html",
      "www/faq.html",
      "www/index.html",
      "www/pictures/my dot.fb91f9a03c.svg",
      "www/pictures/my dot.svg",
      "www/robots.txt",
      "www/sitemap.xml",
      "www/style.1f7e1eebd4.css",
      "www/style.css",
      "www/über uns.html",
    ]);
  });

  it("can be read by the web server whatever the umask, and its programs can be run", async () => {
    const other = openWorkshop();
    const umask = process.umask(0o077);
    const { releaseFolder } = await other.built().finally(() => process.umask(umask));
    const modeOf = (path: string) => (statSync(join(releaseFolder, path)).mode & 0o777).toString(8);
    const modes = [
      "",
      "www",
      "www/docs",
      "www/index.html",
      "www/style.css",
      "jobs/tick",
      "cgi/account/pay.cgi",
    ].map(modeOf);
    expect(modes).toEqual(["755", "755", "755", "644", "644", "755", "755"]);
    other.end();
  });
});

describe("a page", () => {
  it("in HTML is taken as it is: braces are text", () => {
    const html = workshop.read("www/index.html");
    expect(html).toContain("<p>Literal braces: {{page.title}} and {{{content}}}.</p>\n<ul>\n  <li>");
    expect(html).not.toContain("---");
    expect(html).not.toContain("\u0001");
  });

  it("in Markdown becomes HTML, GitHub's way, with ids to link to", () => {
    const html = workshop.read("www/faq.html");
    expect(html).toContain('<h2 id="is-it-good"><a class="anchor" href="#is-it-good">Is it good?</a></h2>');
    expect(html).toContain("<td><del>1</del></td>\n<td>{{2}}</td>");
  });

  it("takes its title from its header, or else from its first heading, and escapes it once", () => {
    expect(workshop.read("www/index.html")).toContain("<title>Home &amp; hearth - Good Service</title>");
    expect(workshop.read("www/faq.html")).toContain("<title>Questions &amp; answers - Good Service</title>");
    expect(workshop.read("www/über uns.html")).toContain("<title>Über uns - Good Service</title>");
  });

  it("stands in the package's layout, with the owner's file in place of the package's", () => {
    const html = workshop.read("www/docs/hidden.html");
    expect(html).toContain(
      '<main id="main">\n<h1>Hidden page</h1>\n\n</main>\n<footer>own footer: Small &amp; plain</footer>',
    );
    expect(html).not.toContain("package footer");
  });
});

describe("the navigation", () => {
  const linksOf = (page: string) =>
    [
      ...(/<nav>([\s\S]*)<\/nav>/.exec(workshop.read(page))?.[1] ?? "").matchAll(
        /(- )?<a href="([^"]*)"( aria-current="page")?>/g,
      ),
    ].map(([, below = "", href = "", current]) => `${below}${href}${current === undefined ? "" : " (here)"}`);

  it("has the pages of the top level and the folders, by order and then by label", () => {
    expect(linksOf("www/faq.html")).toEqual(["/", "/docs/", "/faq.html (here)"]);
  });

  it("opens the section that the page lies in, and marks the page", () => {
    expect(linksOf("www/docs/index.html")).toEqual([
      "/",
      "/docs/ (here)",
      "- /docs/start.html",
      "- /docs/accounts.html",
      "- /docs/pages.html",
      "/faq.html",
    ]);
    expect(linksOf("www/docs/pages.html")).toContain("- /docs/pages.html (here)");
  });
});

describe("what programs are given", () => {
  it("is the same as what pages are framed with", async () => {
    const loaded = await loadBaked(workshop.source, workshop.home);
    if (!loaded.ok) throw new Error("no fault was expected");
    const { baked } = loaded;
    expect(baked.settings).toMatchObject({
      name: "Good Service",
      url: "https://good.example",
      warnDays: 9,
      countdownDays: 7,
    });
    expect(baked.navigation.map(({ href }) => href)).toEqual(["/", "/docs/", "/faq.html"]);
    const renderer = makeRenderer(baked);
    const frame = {
      layout: "page",
      title: "Log in",
      description: "",
      path: "/account/login.cgi",
      content: "<p>x</p>",
    };
    expect(renderer.frame(frame)).toContain('<a href="/account/login.cgi" aria-current="page">Log in</a>');
    expect(renderer.render("mail/confirm", { site: "A & B" })).toBe(
      "Subject: A & B: confirm\n\nHello & welcome to A & B.\n",
    );
    expect(runProgram(join(built.releaseFolder, "cgi/account/login.cgi")).baked.navigation).toEqual(
      baked.navigation,
    );
  });

  it("is refused where the site is faulty", async () => {
    const other = openWorkshop();
    other.write("site/layouts/footer.html", "{{#if x}}");
    expect(await loadBaked(other.source, other.home)).toEqual({
      ok: false,
      faults: [
        {
          file: "layouts/footer.html",
          line: 1,
          message: "a block or a {{ that was opened before is never closed",
        },
      ],
    });
    other.end();
  });
});
