// Goal of this test: `site build` and `site init` say what they did or what is wrong, with the right exit code.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { initSite } from "../build/init.ts";
import { findPackage } from "../build/package.ts";
import { openWorkshop, readTree, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => {
  workshop.end();
  vi.restoreAllMocks();
});

/** Runs the command line in this process. */
async function runSite(...words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: "", err: "" };
  const note = (where: "out" | "err", end: string) => (text: unknown) => {
    said[where] += `${String(text)}${end}`;
    return true;
  };
  vi.spyOn(console, "log").mockImplementation(note("out", "\n"));
  vi.spyOn(console, "error").mockImplementation(note("err", "\n"));
  vi.spyOn(process.stdout, "write").mockImplementation(note("out", ""));
  vi.spyOn(process.stderr, "write").mockImplementation(note("err", ""));
  const [argv, exitCode] = [process.argv, process.exitCode];
  process.argv = [process.execPath, "site", ...words];
  process.exitCode = 0;
  try {
    vi.resetModules();
    await (await import("../cli/program.ts")).runCommand();
    return { code: Number(process.exitCode), ...said };
  } finally {
    process.argv = argv;
    process.exitCode = exitCode;
    vi.restoreAllMocks();
  }
}

describe("site", () => {
  it("lists its commands", async () => {
    const { code, out } = await runSite("--help");
    expect(code).toBe(0);
    for (const name of ["init", "new", "layout", "build", "check", "serve", "migrate", "job", "usage"])
      expect(out).toMatch(new RegExp(`^ {2}${name} `, "m"));
  });

  it("knows its version", async () => {
    const { version } = JSON.parse(readFileSync(join(findPackage().folder, "package.json"), "utf8")) as {
      version: string;
    };
    expect(await runSite("--version")).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });

  it.each([
    [["biuld"]],
    [["new", "news"]],
    [["layout", "cpy"]],
    [["build", "--ouch"]],
    [["build", "extra"]],
    [["init"]],
    [["build", "--out"]],
  ])("refuses %j as wrong usage", async (words) => {
    const { code, out, err } = await runSite(...words);
    expect([code, out]).toEqual([64, ""]);
    expect(err).toContain("error: ");
  });

  it("tells what a person must do without a stack trace", async () => {
    const { code, err } = await runSite("job", "warn", "--source", workshop.folder);
    expect(code).toBe(100);
    expect(err).toBe(`site: ${workshop.folder}/dist: no site is built here; run: site build\n`);
  });
});

describe("site new and site layout", () => {
  it("print the path of what they made, and refuse the second time with exit code 1", async () => {
    const path = join(workshop.source, "content/docs/a-page.md");
    const words = ["new", "docs", "A page", "--source", workshop.source];
    expect(await runSite(...words)).toEqual({ code: 0, out: `${path}\n`, err: "" });
    const again = "content/docs/a-page.md: is there already; choose another title\n";
    expect(await runSite(...words)).toEqual({ code: 1, out: "", err: again });
    const layout = ["--source", workshop.source];
    const list = await runSite("layout", "list", ...layout);
    expect(list.out).toMatch(/^footer +yours, in place of the package's$/m);
    expect(list.out).toMatch(/^mail\/low$/m);
    const copied = join(workshop.source, "layouts/mail/low.txt");
    expect(await runSite("layout", "copy", "mail/low", ...layout)).toMatchObject({ out: `${copied}\n` });
    expect(await runSite("layout", "copy", "mail/low", ...layout)).toMatchObject({ code: 1, out: "" });
  });
});

describe("site build", () => {
  // The site brings all layouts that the package may not have yet.
  const bringLayouts = () => {
    for (const name of ["page", "header", "nav"])
      cpSync(
        join(workshop.folder, `package/layouts/${name}.html`),
        join(workshop.source, `layouts/${name}.html`),
      );
  };

  it("says what it did, and the second time that nothing changed", async () => {
    bringLayouts();
    const first = await runSite("build", "--source", workshop.source);
    expect(first).toMatchObject({ code: 0, err: "" });
    expect(first.out).toMatch(
      /^built .*dist\/releases\/\S+: 8 pages, 3 other files, \d+ programs, in \d+ ms\nread 11 of 11 sources, wrote \d+ files\n$/,
    );
    expect(existsSync(join(workshop.source, "dist/current/www/faq.html"))).toBe(true);
    const second = await runSite("build", "--source", workshop.source);
    expect(second.out).toMatch(
      /^nothing changed since .*: 8 pages, 3 other files, \d+ programs, in \d+ ms\nread \d+ of 11 sources\n$/,
    );
  });

  it("prints its result as JSON, and nothing else", async () => {
    bringLayouts();
    const { code, out } = await runSite(
      "build",
      "--source",
      workshop.source,
      "--out",
      workshop.out,
      "--json",
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ok: true, pages: 8, changed: true });
    expect(existsSync(join(workshop.out, "current/www/faq.html"))).toBe(true);
  });

  it("lists every fault with its line and a mark below the place, and counts them", async () => {
    bringLayouts();
    workshop.write("site/content/x.html", "---\ntitel: X\n---\n<h1>X</h1>");
    workshop.write("site/content/y.html", '<h1>Y</h1>\n<a href="/gone">g</a>');
    const { code, out, err } = await runSite("build", "--source", workshop.source, "--out", workshop.out);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toBe(
      [
        'content/x.html:2:1: unknown key "titel"; did you mean "title"?',
        "  2 | titel: X",
        "    | ^",
        'content/y.html:2:10: link "/gone": there is no page and no file /gone',
        '  2 | <a href="/gone">g</a>',
        "    |          ^",
        "2 faults; nothing was built",
        "",
      ].join("\n"),
    );
    expect(existsSync(workshop.out)).toBe(false);
    const json = await runSite("build", "--source", workshop.source, "--json");
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out).faults[0]).toEqual({
      file: "content/x.html",
      line: 2,
      column: 1,
      message: 'unknown key "titel"; did you mean "title"?',
    });
  });
});

describe("site init", () => {
  const files = [
    ".gitignore",
    "content/about.md",
    "content/index.html",
    "content/style.css",
    "etc/prices.yaml",
    "etc/site.yaml",
    "layouts/footer.html",
    "layouts/header.html",
    "layouts/nav.html",
    "layouts/page.html",
  ];

  it.each(["demo", "a/b c", "there"])(
    "lays a whole site down in %j, which can be built at once",
    async (name) => {
      mkdirSync(join(workshop.folder, "there"));
      const folder = join(workshop.folder, name);
      expect(initSite(folder, workshop.home)).toEqual({ ok: true, folder, files: 10 });
      expect(Object.keys(readTree(folder))).toEqual(files);
      expect(
        readdirSync(join(folder, "..")).filter((entry) => entry.startsWith(`.${basename(folder)}`)),
      ).toEqual([]);
      await workshop.built({ sourceFolder: folder });
      expect(workshop.read("www/about.html")).toContain("<title>About - My service</title>");
    },
  );

  it("refuses a folder that is not empty, or no folder, and leaves it as it is", () => {
    const before = readTree(workshop.source);
    expect(initSite(workshop.source, workshop.home)).toEqual({
      ok: false,
      why: "not-empty",
      detail: `${workshop.source}: the folder is not empty; name a new one`,
    });
    expect(readTree(workshop.source)).toEqual(before);
    const file = join(workshop.folder, "file");
    writeFileSync(file, "");
    expect(initSite(file, workshop.home)).toMatchObject({ ok: false, why: "not-a-folder" });
  });

  it("lays nothing down if a part of it is missing", () => {
    workshop.remove("package/layouts/nav.html");
    const before = readdirSync(workshop.folder);
    for (const name of ["demo", "site/dist"]) {
      expect(() => initSite(join(workshop.folder, name), workshop.home)).toThrow("nav.html");
      expect(existsSync(join(workshop.folder, name))).toBe(false);
    }
    expect(readdirSync(workshop.folder)).toEqual(before);
  });

  it("answers the command with exit code 1", async () => {
    const { code, err } = await runSite("init", workshop.source);
    expect([code, err]).toEqual([1, `${workshop.source}: the folder is not empty; name a new one\n`]);
  });
});
