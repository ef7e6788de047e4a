// Goal of this test: a site that says `search: yes` is built with an index of its pages, as a part of the release
// like any other; and the program beside it finds them where there are no accounts at all.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildSite } from "../build/build.ts";
import { bundlePrograms } from "../build/bundle.ts";
import { keepBundles } from "../build/bundles.ts";
import { initSite } from "../build/init.ts";
import { searchPages } from "../lib/search/query.ts";
import { age } from "./sites/edits.ts";
import { openWorkshop, type Workshop } from "./sites/workshop.ts";
import { eventually, projectFolder } from "./support/served.ts";
import { makeClock } from "./support/store.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const settings = "name: A\nurl: https://a.example\nsearch: ";
const fileOf = ({ out }: Workshop) => join(out, "current", "search", "pages.sqlite");
const pathsOf = (typed: string) => {
  const found = searchPages({ file: fileOf(workshop) }, typed, 1);
  return found.ok ? found.pages.map(({ path }) => path) : found.why;
};

describe("a site with a search", () => {
  it("has an index of its pages, but not of its error pages", async () => {
    workshop.write("site/etc/site.yaml", `${settings}yes\n`);
    workshop.write("site/content/404.html", "<h1>Gone astray</h1>");
    workshop.write("site/content/docs/404.html", "<h1>What astray means</h1>");
    workshop.write(
      "site/content/astray.md",
      "---\ntitle: A & B\ndescription: Of *sheep*\n---\n# A & B\n\n**astray**\n",
    );
    await workshop.built();
    expect(pathsOf("astray")).toEqual(["/docs/404.html", "/astray.html"]);
    expect(pathsOf("sheep")).toEqual(["/astray.html"]);
    expect(pathsOf("über")).toContain("/%C3%BCber%20uns.html");
    expect(JSON.parse(workshop.read("manifest.json")).files).toContainEqual(
      expect.objectContaining({ path: "search/pages.sqlite" }),
    );
  });

  it("has the same index for the same pages, so that nothing changes", async () => {
    workshop.write("site/etc/site.yaml", `${settings}yes\n`);
    const other = openWorkshop();
    other.write("site/etc/site.yaml", `${settings}yes\n`);
    await workshop.built();
    const bytes = readFileSync(fileOf(workshop));
    other.clock.ms += 86_400_000;
    await other.built();
    expect(readFileSync(fileOf(other)).equals(bytes)).toBe(true);
    expect(await workshop.built()).toMatchObject({ changed: false });
    workshop.write("site/content/new.html", "<h1>New</h1>");
    expect(await workshop.built()).toMatchObject({ changed: true });
    expect(pathsOf("new")).toEqual(["/new.html"]);
    other.end();
  });

  it("finds what the body of one page says by now, also where no other is read again", async () => {
    keepBundles(workshop.home.codeFolder, await bundlePrograms(workshop.home));
    workshop.write("site/etc/site.yaml", `${settings}yes\n`);
    workshop.write("site/content/new.html", "<h1>New</h1><p>quagga</p>");
    age(workshop);
    // Changing a file's time is a change as well.
    await new Promise((done) => setTimeout(done, 60));
    await workshop.built();
    expect(await workshop.built()).toMatchObject({ changed: false, sourcesRead: 0 });
    workshop.write("site/content/new.html", "<h1>New</h1><p>zebra</p>");
    await workshop.built();
    expect([pathsOf("quagga"), pathsOf("zebra")]).toEqual([[], ["/new.html"]]);
  });

  it("tells its layouts so", async () => {
    workshop.write("site/layouts/footer.html", "[{{#if site.search}}search{{else}}none{{/if}}]");
    workshop.write("site/etc/site.yaml", `${settings}yes\n`);
    await workshop.built();
    expect(workshop.read("www/faq.html")).toContain("[search]");
    workshop.write("site/etc/site.yaml", `${settings}no\n`);
    await workshop.built();
    expect(workshop.read("www/faq.html")).toContain("[none]");
    expect(existsSync(fileOf(workshop))).toBe(false);
  });
});

describe("a site without a search", () => {
  const footer = readFileSync(join(projectFolder, "layouts", "footer.html"), "utf8");
  const link = '<h1>A</h1><p><a href="/search.cgi?q=a">Search</a></p>';

  it.each(["no\n", undefined])("(%j) has no index, no program, and no form", async (said) => {
    if (said !== undefined) workshop.write("site/etc/site.yaml", settings + said);
    workshop.write("site/layouts/footer.html", footer);
    await workshop.built();
    const release = join(workshop.out, "current");
    expect(readdirSync(release)).not.toContain("search");
    expect(readdirSync(join(release, "cgi"))).toEqual(["account"]);
    expect(workshop.read("www/faq.html")).not.toContain("<form");
  });

  it("may not link to it, nor ask it", async () => {
    workshop.write("site/content/a.html", link);
    workshop.write("site/layouts/footer.html", '<form action="/search.cgi"></form>');
    const wrong =
      'only sites with "search: yes" in etc/site.yaml have this; write that, or take the link out';
    expect(await workshop.faults()).toEqual([
      `content/a.html:1:23: link "/search.cgi?q=a": ${wrong}`,
      `layouts/footer.html:1:15: link "/search.cgi": ${wrong}`,
    ]);
    workshop.write("site/etc/site.yaml", `${settings}yes\n`);
    workshop.write("site/layouts/footer.html", footer);
    await workshop.built();
    expect(workshop.read("www/a.html")).toContain('<form class="search" action="/search.cgi"');
  });
});

describe("the program of a release", () => {
  let folder: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "picodollar-search-"));
    initSite(join(folder, "site"));
    const built = await buildSite({
      sourceFolder: join(folder, "site"),
      outFolder: join(folder, "dist"),
      clock: makeClock(),
    });
    expect(built).toMatchObject({ ok: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const run = (name: string, query: string) => {
    const program = join(folder, "dist", "current", "cgi", name);
    const env = {
      REQUEST_METHOD: "GET",
      SCRIPT_NAME: `/${name}`,
      QUERY_STRING: query,
      HTTP_HOST: "storage.example.com",
      SITE_DATA: "/no/such/folder",
      SITE_SECRETS: "/no/such/secrets",
    };
    const { stdout, stderr } = spawnSync(process.execPath, [program], { env, encoding: "utf8" });
    return { stdout, stderr };
  };

  it("finds pages where there are neither accounts nor secrets, and sets no cookie", () => {
    const { stdout, stderr } = run("search.cgi", "q=pay");
    expect(stdout).toMatch(/^Status: 200\r\n/);
    expect(stdout).toContain('<a href="/docs/paying.html"><mark>Paying</mark></a>');
    expect(stdout).not.toMatch(/set-cookie/i);
    expect(stderr).toBe("");
    expect(run("account/login.cgi", "").stdout).toMatch(/^Status: 503\r\n/);
  });

  it("says in the log what to do where the index is gone", () => {
    rmSync(join(folder, "dist", "current", "search"), { recursive: true });
    const { stdout, stderr } = run("search.cgi", "q=pay");
    expect(stdout).toMatch(/^Status: 503\r\n/);
    expect(stderr).toContain("the search index cannot be read; build the site again");
  });

  it.each([
    "q=%ff",
    "q=%c3%28",
    "q=%00",
    "q=a%00b",
    "q=%ed%a0%80",
    "q=%",
    "q=a&q=b",
    `q=${"a".repeat(5000)}`,
  ])("refuses %j, which no browser sends", (query) => {
    const { stdout, stderr } = run("search.cgi", query);
    expect([stdout.slice(0, 13), stderr]).toEqual(["Status: 400\r\n", ""]);
  });
});

describe("a program that stays", () => {
  let folder: string;
  let program: ChildProcess | undefined;
  const at = (path: string) => join(folder, path);
  const build = async (): Promise<void> => {
    const options = { sourceFolder: at("site"), outFolder: at("dist"), clock: makeClock() };
    expect(await buildSite(options)).toMatchObject({ ok: true });
  };
  /** The page that answers. */
  const search = (query: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = { host: "storage.example.com", "x-forwarded-for": "127.0.0.1" };
      const asked = { socketPath: at("socket"), path: `/search.cgi?q=${query}`, headers, agent: false };
      get(asked, (answer) => {
        let page = `${answer.statusCode} `;
        answer.setEncoding("utf8").on("data", (text: string) => {
          page += text;
        });
        answer.once("end", () => resolve(page));
      }).once("error", reject);
    });

  beforeEach(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-search-")));
    initSite(at("site"));
    writeFileSync(at("site/etc/cluster.yaml"), "programs: resident\n");
    await build();
    program = spawn(process.execPath, [at("dist/current/servers/programs"), at("socket")], {
      stdio: "ignore",
      env: { SITE_DATA: at("data") },
    });
    await eventually("the socket", () => existsSync(at("socket")) || undefined);
  }, 30_000);
  afterEach(() => {
    program?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  it("finds what the release has that is served by now, also when its own is gone", async () => {
    const own = realpathSync(at("dist/current"));
    expect(await search("pay")).toMatch(/^200 [\s\S]*<a href="\/docs\/paying\.html">/);
    expect(await search("quagga")).not.toContain("quagga.html");
    writeFileSync(at("site/content/quagga.html"), "<h1>The quagga</h1>\n");
    await build();
    const found = /^200 [\s\S]*<a href="\/quagga\.html">/;
    expect(await search("quagga")).toMatch(found);
    rmSync(own, { recursive: true });
    expect(await search("quagga")).toMatch(found);
  });

  it("asks its own where the one that is served has none", async () => {
    const settings = readFileSync(at("site/etc/site.yaml"), "utf8");
    writeFileSync(at("site/etc/site.yaml"), settings.replace("search: yes", "search: no"));
    await build();
    expect(existsSync(at("dist/current/search"))).toBe(false);
    expect(await search("pay")).toMatch(/^200 [\s\S]*<a href="\/docs\/paying\.html">/);
  });
});
