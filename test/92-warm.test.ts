// Goal of this test: what a machine keeps of the programs' compiled code is used, changes no answer, and is of no harm where it is
// another machine's, damaged, or of another script; and the programs that many ask for load nothing of Node's besides the start.
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listLaunched, readProgram, switchesOf } from "../build/launcher.ts";
import type { Warmed } from "../build/warm.ts";
import { routes } from "../lib/util/routes.ts";
import { projectFolder } from "./support/served.ts";

let folder: string;
let warmed: readonly Warmed[];
const environment = { ...process.env, NODE_EXTRA_CA_CERTS: undefined };
const site = (...words: readonly string[]): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [join(projectFolder, "out/cli/site.cjs"), ...words], {
    cwd: folder,
    encoding: "utf8",
    env: environment,
  });
const caches = () => readdirSync(join(folder, "dist/warm")).sort();

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-warm-")));
  for (const name of ["content", "etc"])
    cpSync(join(projectFolder, name), join(folder, name), { recursive: true });
  expect(site("build").stderr).toBe("");
  const { stdout, stderr } = site("warm", "--json");
  expect(stderr).toBe("");
  warmed = JSON.parse(stdout) as readonly Warmed[];
  mkdirSync(join(folder, "data"));
  spawnSync(process.execPath, [join(folder, "dist/current/jobs/migrate")], {
    env: { SITE_DATA: join(folder, "data") },
  });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a program answers, started as its first line says. */
function ask(name: string, query = ""): string {
  const route = routes.find((candidate) => candidate.name === name);
  const program = join(folder, "dist/current/cgi", route?.path ?? "");
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...switchesOf(route ?? { isLight: false }), program],
    {
      encoding: "utf8",
      env: {
        SITE_DATA: join(folder, "data"),
        REQUEST_METHOD: "GET",
        SCRIPT_NAME: route?.path,
        QUERY_STRING: query,
        HTTP_HOST: "127.0.0.1:8080",
        HTTP_COOKIE: `session=${"T".repeat(43)}`,
        REMOTE_ADDR: "127.0.0.1",
      },
    },
  );
  expect(stderr).toBe("");
  return stdout;
}

/** Whether V8 takes what was kept, under some switches. */
function isTaken(name: string, switches: readonly string[]): boolean {
  const cache = caches().find((file) => file.startsWith(`${name}.`)) ?? "";
  const release = join(folder, "dist/current");
  const launched = listLaunched(release).find(({ route }) => route.name === name);
  const text = join(folder, "program.js");
  writeFileSync(text, readProgram(release, launched ?? { scripts: [] }));
  const code = `const [s, c] = process.argv.slice(1).map((f) => require("fs").readFileSync(f));
    console.log(new (require("vm").Script)(s.toString(), { cachedData: c }).cachedDataRejected === false);`;
  const files = [text, join(folder, "dist/warm", cache)];
  const { stdout } = spawnSync(process.execPath, [...switches, "-e", code, ...files], { encoding: "utf8" });
  return stdout === "true\n";
}

describe("warmed programs", () => {
  it("are all of them, each answers, and what is kept is taken under the switches of its first line", () => {
    expect(warmed.map(({ name }) => name).sort()).toEqual(routes.map(({ name }) => name).sort());
    expect(warmed.filter(({ status }) => status >= 500)).toEqual([]);
    for (const route of routes) {
      expect([route.name, isTaken(route.name, switchesOf(route))]).toEqual([route.name, true]);
      const line = readFileSync(join(folder, "dist/current/cgi", route.path), "utf8").split("\n")[0];
      expect(line).toBe(
        ["#!/usr/bin/env", ...(route.isLight ? ["-S"] : []), "node", ...switchesOf(route)].join(" "),
      );
    }
    expect(isTaken("account", [])).toBe(false);
  });

  it("that many ask for load nothing of Node's besides the start, and take no form", () => {
    const light = routes.filter(({ isLight }) => isLight);
    expect(light.map(({ name }) => name).sort()).toEqual(
      "account data history payments search settings standing".split(" "),
    );
    for (const { name, methods, body } of light) {
      expect([name, methods, body]).toEqual([name, ["GET"], "none"]);
      expect([name, warmed.find((one) => one.name === name)?.loaded]).toEqual([name, []]);
    }
    // What the others load: cryptography, and a client for https where Stripe is asked.
    const loads = (module: string) =>
      warmed.filter(({ loaded }) => loaded.includes(module)).map(({ name }) => name);
    expect(loads("https").sort()).toEqual(["pay", "recharge", "stripe-webhook"]);
    expect(loads("crypto")).not.toContain("receipt");
  });

  it("answer the same as without, and with what is damaged, or of other switches", () => {
    const pages = ["account", "login", "history", "search"] as const;
    const asked = () => pages.map((name) => ask(name, name === "search" ? "q=help" : ""));
    const warm = asked();
    expect(warm.map((answer) => answer.slice(8, 11))).toEqual(["303", "200", "303", "200"]);
    const [kept, away] = [join(folder, "dist/warm"), join(folder, "dist/away")];
    cpSync(kept, away, { recursive: true });
    for (const file of caches()) truncateSync(join(kept, file), 5000);
    expect(asked()).toEqual(warm);
    for (const file of caches()) writeFileSync(join(kept, file), "");
    expect(asked()).toEqual(warm);
    rmSync(kept, { recursive: true });
    expect(asked()).toEqual(warm);
    cpSync(away, kept, { recursive: true });
    rmSync(away, { recursive: true });
    expect(asked()).toEqual(warm);
  });

  it("belong to scripts by their content: another script is run as it is, and what no release has is cleared away", () => {
    const before = caches();
    writeFileSync(
      join(folder, "etc/site.yaml"),
      `${readFileSync(join(folder, "etc/site.yaml"), "utf8")}\n`.replace(/^name: .*/m, "name: Picodolls"),
    );
    expect(site("build").status).toBe(0);
    expect(ask("login")).toContain("Picodolls");
    expect(site("build", "--verify").status).toBe(0);
    expect(site("warm").stdout).toMatch(/^account +\d+ KB, kept +\d+ KB, starts like an empty program$/m);
    expect(caches()).toHaveLength(2 * before.length);
    writeFileSync(join(folder, "dist/warm/login.0123456789.v1.0.0.cache"), "x");
    const releases = readdirSync(join(folder, "dist/releases")).sort();
    rmSync(join(folder, "dist/releases", releases[0] ?? ""), { recursive: true });
    expect(site("warm").status).toBe(0);
    expect(caches().filter((name) => before.includes(name) || name.includes("v1.0.0"))).toEqual([]);
    expect(caches()).toHaveLength(before.length);
  }, 60_000);

  it("of a site with a server are run by way of its driver too, which loads sockets, and no client for HTTP", () => {
    const [yaml, away] = [join(folder, "etc/site.yaml"), join(folder, "dist-server")];
    const before = readFileSync(yaml, "utf8");
    writeFileSync(yaml, `${before}store: postgres://site@/books?host=/nowhere\n`);
    expect(site("build", "--out", away).stderr).toBe("");
    const all = JSON.parse(site("warm", "--json", "--out", away).stdout) as readonly Warmed[];
    writeFileSync(yaml, before);
    for (const { name, status, statusOnServer, loaded } of all) {
      const route = routes.find((one) => one.name === name);
      // The session that it shows is not known there.
      const isAsking = route?.hasAccounts === true;
      expect([name, status < 500, statusOnServer > 0]).toEqual([name, true, isAsking]);
      if (!loaded.includes("net")) continue;
      expect([name, loaded.includes("crypto"), loaded.some((one) => one.includes("undici"))]).toEqual([
        name,
        true,
        false,
      ]);
      const line = readFileSync(join(away, "current/cgi", route?.path ?? ""), "utf8").split("\n")[0];
      expect(line).toBe("#!/usr/bin/env node");
    }
    expect(all.find(({ name }) => name === "account")).toMatchObject({ status: 200, statusOnServer: 303 });
    expect(all.filter(({ loaded }) => loaded.includes("net")).length).toBeGreaterThan(20);
  }, 60_000);

  it("are of a release: without one nothing is made", () => {
    expect(site("warm", "--out", "nowhere")).toMatchObject({
      status: 100,
      stderr: expect.stringContaining("there is no release yet; run: site build"),
    });
  });
});
