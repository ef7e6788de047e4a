// Goal of this test: an older release is served again, step by step; one that is damaged, that cannot run here, or that cannot read
// these books any more is not; and whoever asks meanwhile is answered by one release or the other.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildSite } from "../build/build.ts";
import { findPackage } from "../build/package.ts";
import { listReleases, rollBack } from "../build/rollback.ts";
import { programVersion } from "../lib/store/known.ts";
import { migrateStore } from "../lib/store/migrate.ts";
import { systemClock } from "../lib/util/clock.ts";
import { setMaintenance } from "../lib/util/maintenance.ts";
import { projectFolder } from "./support/served.ts";
import { readRows } from "./support/store.ts";

let folder: string;
const at = (path: string) => join(folder, path);
const current = () => basename(readlinkSync(at("dist/current")));
const back = (id?: string, isDry = false) =>
  rollBack({
    outFolder: at("dist"),
    dataFolder: at("data"),
    id,
    isDry,
    control: undefined,
    root: undefined,
    clock: systemClock,
  });
const rows = (sql: string) => readRows(at("data/books.sqlite"), sql);
const faults = async (id?: string): Promise<string> => {
  const result = await back(id);
  return result.ok ? "" : result.faults.join("\n");
};

/** Three releases, an hour apart, of sites that are called A, B, and C. */
let ids: readonly string[];
let build: (name: string) => Promise<string>;
let hour = 0;
beforeEach(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-rollback-")));
  for (const name of ["content", "etc"]) cpSync(join(projectFolder, name), at(name), { recursive: true });
  const settings = readFileSync(at("etc/site.yaml"), "utf8");
  const home = { ...findPackage(), codeFolder: join(projectFolder, "out"), codeEnding: ".js" };
  const made: string[] = [];
  build = async (name) => {
    writeFileSync(at("etc/site.yaml"), settings.replace(/^name: .*/m, `name: ${name}`));
    hour += 1;
    const clock = { now: () => Date.parse("2026-11-23T08:00:00Z") + hour * 3_600_000 };
    const built = await buildSite({ sourceFolder: folder, outFolder: at("dist"), clock, home });
    if (!built.ok) throw new Error(JSON.stringify(built.faults));
    return built.releaseId;
  };
  for (const name of ["A", "B", "C"]) made.push(await build(name));
  ids = made;
  mkdirSync(at("data"));
  migrateStore({ file: at("data/books.sqlite"), clock: systemClock });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a rollback", () => {
  it("serves the release before, then the one before that, and then says that there is none", async () => {
    const [a = "", b = "", c = ""] = ids;
    expect(listReleases(at("dist"))).toEqual({ ids: [a, b, c], current: c });
    expect(await back(undefined, true)).toMatchObject({ ok: true, from: c, to: b });
    expect(current()).toBe(c);
    expect(await back()).toMatchObject({ ok: true, from: c, to: b, changedConfiguration: [] });
    expect(current()).toBe(b);
    expect(readFileSync(at("dist/current/www/index.html"), "utf8")).toContain("B");
    expect(await back()).toMatchObject({ ok: true, from: b, to: a });
    expect(current()).toBe(a);
    expect(await faults()).toBe(`there is no release before ${a}; there are: ${ids.join(", ")}`);
    // And forward again, by name.
    expect(await back(c)).toMatchObject({ ok: true, from: a, to: c });
    expect(await faults("20200101-000000-00000000")).toContain(
      "there is no release 20200101-000000-00000000",
    );
    expect(current()).toBe(c);
  });

  it("leaves what was served until now, whose programs may still run, when a build follows", async () => {
    const [a = "", b = "", c = ""] = ids;
    await back();
    await back();
    const d = await build("D");
    expect(listReleases(at("dist"))).toEqual({ ids: [a, b, c, d], current: d });
    const e = await build("E");
    expect(listReleases(at("dist"))).toEqual({ ids: [c, d, e], current: e });
  });

  it("is one at a time", async () => {
    const both = await Promise.allSettled([back(), back()]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const [failed] = both.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
    expect(failed?.reason).toMatchObject({
      name: "TryLater",
      message: "all 1 slots for .take were taken for 0 s",
    });
    expect(current()).toBe(ids[1]);
  });

  it("is not to a release that is damaged, or whose programs end at their start", async () => {
    const page = at(`dist/releases/${ids[1]}/www/faq.html`);
    const before = readFileSync(page);
    writeFileSync(page, "another");
    expect(await faults()).toBe(`${ids[1]}: www/faq.html is damaged`);
    rmSync(page);
    expect(await faults()).toBe(`${ids[1]}: www/faq.html is missing`);
    writeFileSync(page, before);
    const addon = at(`dist/releases/${ids[1]}/native/better_sqlite3.node`);
    rmSync(addon);
    writeFileSync(addon, "of another machine");
    expect(await faults()).toMatch(/account\.cgi answers with 50\d, not 303: /);
    expect(current()).toBe(ids[2]);
  });

  it("goes over a migration that the older programs can read, and not over one that they cannot", async () => {
    const note = (oldest: number) =>
      rows(
        `INSERT INTO migration (version, name, oldest_reader, applied_at) VALUES (${oldest + 50}, 'x${oldest}', ${oldest}, 1)`,
      );
    rows(`PRAGMA user_version = ${programVersion + 1}`);
    note(programVersion);
    // During maintenance too, which is when it is called for: programs are tried behind it.
    setMaintenance(at("data"), "on");
    expect(await back()).toMatchObject({ ok: true });
    setMaintenance(at("data"), "off");
    expect(await back(ids[2])).toMatchObject({ ok: true });
    expect(await back()).toMatchObject({ ok: true });
    note(programVersion + 1);
    const newer = /account\.cgi answers with 503, not 303: .*made by a newer release/;
    expect(await faults()).toMatch(newer);
    setMaintenance(at("data"), "on");
    expect(await faults()).toMatch(newer);
    expect(readdirSync(at("data")).filter((name) => name.startsWith("."))).toEqual([]);
    expect(current()).toBe(ids[1]);
  });

  it("is told by the command, with what must be reloaded", async () => {
    const site = (...words: readonly string[]) =>
      spawnSync(process.execPath, [join(projectFolder, "out/cli/site.cjs"), "rollback", ...words], {
        cwd: folder,
        encoding: "utf8",
      });
    expect(site("--list").stdout).toBe(`${ids[0]}\n${ids[1]}\n${ids[2]}  is served\n`);
    expect(site("--dry-run").stdout).toBe(`${ids[1]} would be served instead of ${ids[2]}\n`);
    expect(site()).toMatchObject({ status: 0, stdout: `${ids[1]} is served; it was ${ids[2]}\n` });
    expect(site("none")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("there is no release none"),
    });
    expect(JSON.parse(site("--json", ids[2] ?? "").stdout)).toEqual({
      ok: true,
      from: ids[1],
      to: ids[2],
      changedConfiguration: [],
      told: [],
      installed: [],
      migrated: [],
    });
  });
});
