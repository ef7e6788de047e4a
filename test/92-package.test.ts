// Goal of this test: what `npm pack` makes works by itself. Its tarball is unpacked into an empty folder with the
// dependencies that it names and nothing else, and a site made there by `site init` is built and served.
import { execFileSync, spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectFolder, type Served, serveSite } from "./support/served.ts";

let folder: string;
let packageFolder: string;
let command: string;

/** The packages that an installation without development brings along, by the lock file. */
function listDependencies(): readonly string[] {
  const lock = JSON.parse(readFileSync(join(projectFolder, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: boolean; optional?: boolean }>;
  };
  return (
    Object.entries(lock.packages)
      .filter(([path, { dev, optional }]) => path !== "" && dev !== true && optional !== true)
      .map(([path]) => path)
      // A package's own packages come along with it.
      .filter((path) => path.lastIndexOf("node_modules/") === 0)
  );
}

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-package-")));
  // prepack would compile out/ under the feet of the other tests; `npm test` has compiled it.
  const words = ["pack", "--ignore-scripts", "--pack-destination", folder];
  execFileSync("npm", words, { cwd: projectFolder, stdio: "ignore" });
  const [tarball = ""] = readdirSync(folder);
  const modules = join(folder, "home", "node_modules");
  packageFolder = join(modules, "picodollar");
  mkdirSync(packageFolder, { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, tarball), "-C", packageFolder, "--strip-components=1"]);
  for (const path of listDependencies()) {
    const link = join(folder, "home", path);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(projectFolder, path), link);
  }
  command = join(packageFolder, "out", "cli", "site.cjs");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the package", () => {
  it("holds what it needs, and none of the project's own words, tests, or sources", () => {
    const names = readdirSync(packageFolder, { recursive: true, encoding: "utf8" });
    for (const name of [
      "LICENSE",
      "README.md",
      "INTERFACES.md",
      "layouts/page.html",
      "starter/etc/site.yaml",
    ])
      expect(names).toContain(name);
    const strange = /^(test|dist|data|node_modules|content\/docs|etc\/secrets|\.)|(?<!\.d)\.ts$/;
    expect(names.filter((name) => strange.test(name))).toEqual([]);
  });

  it("makes a site of at most 20 files that holds words and settings and no code", () => {
    const home = join(folder, "home");
    const made = spawnSync(process.execPath, [command, "init", "demo"], { cwd: home, encoding: "utf8" });
    expect([made.status, made.stderr]).toEqual([0, ""]);
    const names = readdirSync(join(home, "demo"), { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => entry.name);
    expect(files.length).toBeLessThanOrEqual(20);
    expect(files.filter((name) => !/\.(html|md|css|svg|yaml)$/.test(name))).toEqual([".gitignore"]);
    expect(readdirSync(join(home, "demo")).sort()).toEqual([".gitignore", "content", "etc", "layouts"]);
  });

  it("builds and serves that site, account pages included, in the site's own layout", async () => {
    const demo = join(folder, "home", "demo");
    const served: Served = await serveSite(demo, command);
    try {
      const front = await (await fetch(`${served.url}/`)).text();
      expect(front).toContain("A quiet place for your files");
      const signup = await (await fetch(`${served.url}/account/signup.cgi`)).text();
      expect(signup).toContain("Example Storage");
      expect(signup).toContain('<input id="email" name="email"');
      const found = await (await fetch(`${served.url}/search.cgi?q=paying`)).text();
      expect(found).toContain('<a href="/docs/paying.html"><mark>Paying</mark></a>');
      expect(readdirSync(demo).sort()).toEqual([".gitignore", "content", "etc", "layouts"]);
    } finally {
      await served.end();
    }
  });
});
