// Goal of this test: each program is a launcher with its scripts, runs by itself, knows the site it belongs to, and has the same
// bytes wherever it was built.
import { cpSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepBundles, openBundles } from "../build/bundles.ts";
import { findPackage } from "../build/package.ts";
import { isOffered, routes } from "../lib/util/routes.ts";
import { openWorkshop, readTree, runProgram, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const namesOf = (folder: string) => Object.keys(readTree(join(workshop.out, "current", folder)));

const sayYes = (setting: string) => {
  const file = "site/etc/site.yaml";
  workshop.write(file, `${readFileSync(join(workshop.folder, file), "utf8")}${setting}: yes\n`);
};

describe("the programs of a release", () => {
  it("are one for each route, at its path, and one for each job; those of a setting only where it says yes", async () => {
    await workshop.built();
    const pathsOf = (search: boolean) =>
      routes.filter((route) => isOffered(route, { search })).map(({ path }) => path.slice(1));
    expect(namesOf("cgi")).toEqual(pathsOf(false).sort());
    sayYes("search");
    await workshop.built();
    expect(namesOf("cgi")).toEqual(pathsOf(true).sort());
    expect(pathsOf(true).filter((path) => !pathsOf(false).includes(path))).toEqual(["search.cgi"]);
    expect(namesOf("jobs")).toEqual(["tick"]);
    expect(workshop.read("package.json")).toBe('{"type":"commonjs"}\n');
  });

  it("run by themselves, with the site baked in", async () => {
    sayYes("search");
    const { releaseFolder } = await workshop.built();
    workshop.remove("package");
    workshop.remove("site");
    const login = runProgram(join(workshop.out, "current/cgi/account/login.cgi"));
    expect(login).toMatchObject({
      name: "login",
      member: "handle login \u00e9",
      baked: { settings: { name: "Good Service" } },
    });
    // What it may ask for by its code, and what that shows.
    expect(login.baked.templates).toEqual(["account/login", "footer", "header", "nav", "page"]);
    const tick = runProgram(join(workshop.out, "current/jobs/tick"));
    expect(tick).toMatchObject({ name: "tick", member: "job tick" });
    expect(tick.baked.templates).toEqual(["mail/confirm"]);
    const search = runProgram(join(workshop.out, "current/cgi/search.cgi"));
    for (const { search: files } of [login, search])
      expect(files.map((file) => resolve(file))).toEqual([
        join(realpathSync(releaseFolder), "search/pages.sqlite"),
      ]);
    for (const { addon } of [login, search, tick])
      expect(realpathSync(addon)).toBe(join(realpathSync(releaseFolder), "native/better_sqlite3.node"));
  });

  it("can be started as they are, and are plain ASCII", async () => {
    await workshop.built();
    for (const [path, start] of [
      ["cgi/account/login.cgi", "#!/usr/bin/env node\n"],
      ["cgi/account/account.cgi", "#!/usr/bin/env -S node --no-rehash-snapshot\n"],
      ["jobs/tick", "#!/usr/bin/env node\n"],
    ] as const) {
      const text = workshop.read(path);
      expect(text.startsWith(start)).toBe(true);
      expect(/^[\x20-\x7e\n\t]*$/.test(text)).toBe(true);
      expect(/^[\x20-\x7e\n\t]*$/.test(workshop.readScript("login"))).toBe(true);
      expect(statSync(join(workshop.out, "current", path)).mode & 0o111).toBe(0o111);
    }
  });

  it("have the same bytes wherever they are built, and name no folder of that machine", async () => {
    const other = openWorkshop();
    await workshop.built();
    other.clock.ms += 86_400_000;
    await other.built();
    const [mine, theirs] = [workshop, other].map(({ out }) => readTree(join(out, "current")));
    expect(Object.keys(theirs ?? {})).toEqual(Object.keys(mine ?? {}));
    for (const [name, { content }] of Object.entries(mine ?? {})) {
      expect(theirs?.[name]?.content === content, name).toBe(true);
      expect(content.includes(workshop.folder), name).toBe(false);
    }
    other.end();
  });

  it("are those that were there when the build began, though the package be installed anew", async () => {
    const { codeFolder } = workshop.home;
    const bundle = (name: string, code: string) =>
      ({ name, kind: "jobs", paths: [], templates: [], code: Buffer.from(code) }) as const;
    keepBundles(codeFolder, [bundle("a", "first"), bundle("b", "one more")]);
    const { all, close } = await openBundles(workshop.home);
    const codeOf = (index: number) => Buffer.from(all[index]?.code() ?? "").toString();
    expect([codeOf(1), codeOf(0)]).toEqual(["one more", "first"]);
    keepBundles(codeFolder, [bundle("a", "other"), bundle("b", "and others")]);
    expect([codeOf(1), codeOf(0)]).toEqual(["one more", "first"]);
    close();
  });

  it("must be those of the route table, neither less nor more", async () => {
    workshop.write("package/cgi/extra.js", "export const handle = 1;");
    await expect(workshop.build()).rejects.toThrow("assertion failed: cgi/extra has a route");
    workshop.remove("package/cgi/extra.js");
    workshop.remove("package/cgi/login.js");
    await expect(workshop.build()).rejects.toThrow(
      "assertion failed: the route /account/login.cgi has a program cgi/login",
    );
  });

  it("that cannot be compiled stop the build, and dist/ stays as it was", async () => {
    await workshop.built();
    const before = readTree(workshop.out);
    workshop.write("package/cgi/login.js", "export const handle = ;");
    await expect(workshop.build()).rejects.toThrow("login.js");
    expect(readTree(workshop.out)).toEqual(before);
  });
});

describe("the package's own programs", () => {
  it("are bundled whole: the driver of the database, but of Stripe only where money comes in", async () => {
    // The real programs with the layouts of this fixture, so that the test is one of programs alone.
    const folder = join(workshop.folder, "package");
    for (const room of ["account", "mail"]) {
      workshop.remove(`package/layouts/${room}`);
      cpSync(join(findPackage().folder, "layouts", room), join(folder, "layouts", room), { recursive: true });
    }
    await workshop.built({ home: { ...findPackage(), folder } });
    const stripe = ["pay", "recharge", "stripe-webhook"];
    for (const { name } of routes.filter((route) => isOffered(route, { search: false }))) {
      const text = workshop.readScript(name);
      expect(text.includes("api.stripe.com"), name).toBe(stripe.includes(name));
      expect(text.includes(findPackage().folder), name).toBe(false);
      expect(text).toContain("BEGIN IMMEDIATE");
    }
    expect(namesOf("jobs")).toEqual(expect.arrayContaining(["bill", "mail", "migrate", "usage", "warn"]));
    expect(namesOf("jobs")).not.toContain("run");
  });
});
