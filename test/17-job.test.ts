// Goal of this test: `site job` and its like give a job the environment of this place, and pass its exit code on.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runReleaseJob } from "../cli/release.ts";
import { NeedsHuman } from "../lib/util/failure.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "picodollar-job-"));
  mkdirSync(join(folder, "dist", "current", "jobs"), { recursive: true });
  mkdirSync(join(folder, "data"));
  mkdirSync(join(folder, "etc"));
  writeJob("mail", `require("node:fs").writeFileSync(${JSON.stringify(join(folder, "told"))}, "")`);
  vi.stubEnv("SITE_DATA", undefined);
  vi.stubEnv("SITE_SECRETS", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function writeJob(name: string, text: string): void {
  writeFileSync(join(folder, "dist", "current", "jobs", name), text);
}

/** Runs a job that exits with 0 only if its environment holds what is expected. */
async function expectEnvironment(expected: Readonly<Record<string, string | undefined>>): Promise<void> {
  const text = JSON.stringify(Object.entries(expected).map(([name, value]) => [name, value ?? null]));
  writeJob(
    "mail",
    `for (const [name, value] of ${text}) if ((process.env[name] || null) !== value) { console.error(name, process.env[name]); process.exit(9); }`,
  );
  expect(await runReleaseJob("mail", [], { source: folder })).toBe(0);
}

describe("a job", () => {
  it.each([0, 1, 64, 100, 111])("that ends with %i makes the command end so", async (code) => {
    writeJob("mail", `process.exit(${code})`);
    expect(await runReleaseJob("mail", [], { source: folder })).toBe(code);
  });

  it("that was killed is to be tried later", async () => {
    writeJob("mail", 'process.kill(process.pid, "SIGKILL")');
    expect(await runReleaseJob("mail", [], { source: folder })).toBe(111);
  });

  it("finds data/ and etc/secrets of the site", async () => {
    await expectEnvironment({
      SITE_DATA: join(folder, "data"),
      SITE_SECRETS: undefined,
      SITE_URL: undefined,
    });
    writeFileSync(join(folder, "etc", "secrets"), "");
    chmodSync(join(folder, "etc", "secrets"), 0o600);
    await expectEnvironment({ SITE_SECRETS: join(folder, "etc", "secrets"), SITE_MAIL: undefined });
  });

  it("gets the data folder and the secrets file that the environment names", async () => {
    vi.stubEnv("SITE_DATA", "/srv/site/data");
    vi.stubEnv("SITE_SECRETS", "/srv/site/secrets");
    await expectEnvironment({ SITE_DATA: "/srv/site/data", SITE_SECRETS: "/srv/site/secrets" });
  });

  it("leads to the development server while one runs, and only then", async () => {
    const note = { pid: process.pid, url: "http://127.0.0.1:8099", secretsFile: "/data/development-secrets" };
    const file = join(folder, "data", "development.json");
    writeFileSync(file, JSON.stringify(note));
    await expectEnvironment({
      SITE_URL: note.url,
      SITE_MAIL: "folder",
      SITE_STORE: "sqlite",
      SITE_SECRETS: note.secretsFile,
    });
    writeFileSync(file, JSON.stringify({ ...note, pid: 99_999_999 }));
    await expectEnvironment({ SITE_URL: undefined, SITE_MAIL: undefined, SITE_SECRETS: undefined });
    writeFileSync(file, "{}");
    await expect(runReleaseJob("mail", [], { source: folder })).rejects.toThrow(NeedsHuman);
  });

  it("is named where it does not exist, and a site where it is not built", async () => {
    const said = vi.spyOn(console, "error").mockImplementation(() => undefined);
    expect(await runReleaseJob("bil", [], { source: folder })).toBe(64);
    expect(said).toHaveBeenCalledWith('site: there is no job "bil"; there are: mail');
    expect(await runReleaseJob("../../../etc/x", [], { source: folder })).toBe(64);
    said.mockRestore();
    await expect(runReleaseJob("mail", [], { source: join(folder, "none") })).rejects.toThrow(
      /run: site build/,
    );
  });
});
