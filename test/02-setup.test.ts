// Goal of this test: `npm start` and `npm test` set up what is missing and no more, say what stands in their way,
// end when they are told to, and count honestly.
import { existsSync, readlinkSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Clone, collect, makeClone } from "./support/clone.ts";

let clone: Clone;

beforeEach(() => {
  clone = makeClone();
});

afterEach(() => clone.remove());

function setUp(environment: NodeJS.ProcessEnv = {}) {
  return clone.run("dev/setup.mjs", [], environment);
}

describe("set-up", () => {
  it("installs, compiles, and links the commands; a second time it does nothing, and soon", async () => {
    const first = await setUp();
    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.lines[0]).toBe("set-up: installing what package-lock.json names (npm ci).");
    expect(first.lines[1]).toContain("The SQLite driver may have to be compiled, which takes some minutes");
    expect(first.output).toMatch(/^ {2}npm ci: \d+ s$/m);
    expect(first.lines.at(-1)).toBe("set-up: compiling the sources to out/");
    expect(statSync(join(clone.folder, "out/cli/site.cjs")).mode & 0o777).toBe(0o755);
    expect(readlinkSync(join(clone.folder, "node_modules/.bin/site"))).toBe("../../out/cli/site.cjs");
    const startedAt = performance.now();
    const second = await setUp();
    expect(second).toMatchObject({ exitCode: 0, lines: ["set-up: everything is up to date"] });
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect([clone.read("npm.log"), clone.read("tsc.log")]).toEqual(["ci\n", "compile -\n"]);
  });

  it("compiles again when a source's contents changed, not when only its time did", async () => {
    await setUp();
    utimesSync(join(clone.folder, "cli/site.ts"), 1, 1);
    clone.write("content/page.md", "no source");
    await setUp();
    expect(clone.read("tsc.log")).toBe("compile -\n");
    clone.write("lib/util/new.ts", "export {};");
    await setUp({ NODE_EXTRA_CA_CERTS: "/some/where" });
    expect([clone.read("npm.log"), clone.read("tsc.log")]).toEqual(["ci\n", "compile -\ncompile -\n"]);
  });

  it("installs again when the lock file changed", async () => {
    await setUp();
    clone.write("package-lock.json", '{"changed":true}');
    await setUp();
    expect(clone.read("npm.log")).toBe("ci\nci\n");
  });

  it("leaves the compiled code as it was when the sources do not compile", async () => {
    await setUp();
    const before = clone.read("out/cli/site.cjs");
    clone.write("cli/site.ts", "a type error");
    const failed = await setUp();
    expect(failed.exitCode).toBe(1);
    expect(failed.output).toContain("cli/site.ts(1,1): error TS1: a type error");
    expect(failed.lines.at(-1)).toBe("the sources do not compile; mend the lines above, and run this again");
    expect(clone.read("out/cli/site.cjs")).toBe(before);
    expect((await setUp()).exitCode).toBe(1);
    clone.write("cli/site.ts", "mended");
    expect((await setUp()).exitCode).toBe(0);
    expect(clone.read("out/cli/site.cjs")).toBe("mended");
  });

  it("shows the end of what npm said when it fails, and keeps the rest", async () => {
    clone.write("package-lock.json", "broken");
    const failed = await setUp();
    expect(failed.exitCode).toBe(1);
    expect(failed.output).toContain("npm error the registry is on fire\n(exit code 3)");
    const logFile = /all that it said is in (\S+)/.exec(failed.output)?.[1] ?? "";
    expect(existsSync(logFile)).toBe(true);
    expect(clone.has("out")).toBe(false);
  });

  it("names each missing tool and how to install it, and again if npm fails", async () => {
    for (const name of ["c++", "make"]) rmSync(join(clone.bin, name));
    clone.write("package-lock.json", "broken");
    const failed = await setUp();
    expect(failed.exitCode).toBe(1);
    expect(failed.output.match(/These are missing: a C\+\+ compiler, make\. To install:/g)).toHaveLength(2);
    expect(failed.output).toContain("sudo apt-get install -y g++ make\n");
    expect(failed.output).toContain("sudo dnf install -y gcc-c++ make\n");
    expect(failed.output).toContain("xcode-select --install");
  });

  it("says so when npm itself is missing", async () => {
    rmSync(join(clone.bin, "npm"));
    const failed = await setUp();
    expect(failed.exitCode).toBe(1);
    expect(failed.lines.at(-1)).toContain("npm is missing. It comes with Node from https://nodejs.org/");
  });

  it.each([
    ["18.20.4", true],
    ["20.18.3", true],
    ["20.19.0", false],
    ["22.0.0", false],
    ["24.1.0", false],
  ])("judges Node %s", async (version, isOld) => {
    const script = `import("./dev/needs.mjs").then(({ findOldNode }) => console.log(findOldNode("${version}")))`;
    const { output } = await collect(clone.spawn(["-e", script]));
    const sentence = `Node ${version} is too old: 20.19 or later is needed. Install a current one from`;
    expect(output.startsWith(isOld ? sentence : "undefined")).toBe(true);
  });

  it("runs once where two are started at the same time, and is not stopped by one that was killed", async () => {
    const both = await Promise.all([setUp(), setUp()]);
    expect(both.map((run) => run.exitCode)).toEqual([0, 0]);
    expect([clone.read("npm.log"), clone.read("tsc.log")]).toEqual(["ci\n", "compile -\n"]);
    expect(both.filter((run) => run.output.includes("waiting for another set-up"))).toHaveLength(1);
  });
});

describe("the lock of a set-up", () => {
  it.each([
    ["that has ended", "99999999", 0],
    ["whose number another one has now, but that was not heard of for long", "1", 300],
    ["that was killed before it wrote its number", "", 300],
  ])("of a process %s is taken over", async (_what, holder, agedSeconds) => {
    clone.write(".setup-lock", holder);
    const at = new Date(Date.now() - agedSeconds * 1000);
    utimesSync(join(clone.folder, ".setup-lock"), at, at);
    expect(await setUp()).toMatchObject({ exitCode: 0 });
    expect(clone.has(".setup-lock")).toBe(false);
  });

  it("of a process that is at work is waited for", async () => {
    clone.write(".setup-lock", "1");
    const child = clone.spawn([join(clone.folder, "dev/setup.mjs")]);
    const run = collect(child);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    expect(clone.has("npm.log")).toBe(false);
    rmSync(join(clone.folder, ".setup-lock"));
    expect((await run).output).toContain("waiting for another set-up (process 1) to end");
    expect(clone.read("npm.log")).toBe("ci\n");
  });
});

describe("npm start", () => {
  it("sets up in silence where nothing is to be done, and serves this folder on PORT", async () => {
    await setUp();
    const plain = await clone.run("dev/start.mjs");
    expect(plain).toMatchObject({
      exitCode: 0,
      lines: [JSON.stringify(["serve", "--source", clone.folder])],
    });
    const changed = await clone.run("dev/start.mjs", ["--out", "x"], { PORT: "9090" });
    const words = ["serve", "--source", clone.folder, "--port", "9090", "--out", "x"];
    expect(changed.lines).toEqual([JSON.stringify(words)]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("ends by %s with what the server makes of it", async (signal) => {
    clone.write(
      "cli/site.ts",
      `process.on("${signal}", () => { console.log("ended well"); process.exit(0); }); setInterval(() => {}, 1000); console.log("up");`,
    );
    await setUp();
    const child = clone.spawn([join(clone.folder, "dev/start.mjs")]);
    const run = collect(child);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    child.kill(signal);
    expect(await run).toMatchObject({ exitCode: 0, lines: ["up", "ended well"] });
  });
});

describe("npm test", () => {
  const file = (statuses: readonly string[], status = "passed") => ({
    status,
    assertionResults: statuses.map((each, index) => ({ status: each, fullName: `test ${each} ${index}` })),
  });
  const report = (...testResults: readonly object[]): void =>
    clone.write("vitest.json", JSON.stringify({ testResults }));

  it("counts types and lint as a test each, and its last line is the count", async () => {
    report(file(["passed", "passed"]), file(["passed"]));
    const run = await clone.run("dev/test.mjs");
    expect(run.exitCode).toBe(0);
    expect(run.lines.at(-1)).toBe("5 passed, 0 failed, 0 skipped");
    expect(clone.read("tsc.log")).toBe("compile -\ncheck -\n");
  });

  it("lists what was skipped, with the command that installs what it needs", async () => {
    report(file(["passed", "skipped", "pending", "todo"]));
    const run = await clone.run("dev/test.mjs");
    expect(run.exitCode).toBe(0);
    expect(run.lines.slice(-7)).toEqual([
      "skipped:",
      "  test skipped 1",
      "  test pending 2",
      "  test todo 3",
      "to run them too: sudo apt-get update && sudo apt-get install -y --no-install-recommends age certbot chromium cron hitch hledger iproute2 lighttpd logrotate nftables openssh-server pebble pgbouncer postgresql rsync spiped strace systemd lighttpd-modules-lua",
      "",
      "3 passed, 0 failed, 3 skipped",
    ]);
  });

  it.each<[string, () => void, NodeJS.ProcessEnv, string]>([
    [
      "a test",
      () => report(file(["passed", "failed"], "failed")),
      { FAKE_STATUS: "1" },
      "3 passed, 1 failed",
    ],
    [
      "a file that cannot be loaded",
      () => report(file(["passed"]), file([], "failed")),
      {},
      "3 passed, 1 failed",
    ],
    ["no test at all", () => report(), {}, "2 passed, 1 failed"],
    ["a crash after the tests", () => report(file(["passed"])), { FAKE_STATUS: "1" }, "3 passed, 1 failed"],
    ["a crash before the report", () => undefined, {}, "2 passed, 1 failed"],
    [
      "lint",
      () => {
        report(file(["passed"]));
        clone.write("untidy", "");
      },
      {},
      "2 passed, 1 failed",
    ],
  ])("fails by %s", async (_name, prepare, environment, line) => {
    prepare();
    const run = await clone.run("dev/test.mjs", [], environment);
    expect(run.exitCode).toBe(1);
    expect(run.lines.at(-1)).toBe(`${line}, 0 skipped`);
  });

  it("gives its words to vitest, and tests a clean environment", async () => {
    report(file(["passed"]));
    await clone.run("dev/test.mjs", ["test/one.test.ts"], {
      NODE_EXTRA_CA_CERTS: "/some/where",
      PORT: "9090",
      SITE_DATA: "/my/own/data",
      PGHOST: "/my/own/server",
      KEPT: "yes",
    });
    const { words, env } = JSON.parse(clone.read("vitest.log"));
    expect(words).toEqual(["run", "--reporter=default", "--reporter=json", "test/one.test.ts"]);
    expect(env).toEqual({ PATH: clone.bin, KEPT: "yes" });
  });
});
