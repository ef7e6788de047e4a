// Goal of this test: the command starts with the machine code that earlier runs left, which has what those used
// whichever came first, is made anew when it does not fit, and is never needed.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const starter = new URL("../out/cli/site.cjs", import.meta.url).pathname;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "picodollar-start-"));
  copyFileSync(starter, join(folder, "site.cjs"));
  writeCommand("");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A command that uses the parts it is given, each of which is a function of some size. */
function writeCommand(more: string): void {
  const body = "x += [x].map((y) => y + 1).length;".repeat(100);
  const parts = ["look", "whole"].map((name) => `${name}: (x) => { ${body} return x; }`);
  writeFileSync(
    join(folder, "command.cjs"),
    `(function (require, module, __filename) { const parts = { ${parts.join(", ")} };${more}
     const used = process.argv.slice(2);
     module.exports.runCommand = async () => { for (const name of used) parts[name](1); console.log("ran"); return used; };})`,
  );
}

function run(...parts: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, "site.cjs"), ...parts], {
    encoding: "utf8",
  });
  expect([status, stdout, stderr]).toEqual([0, "ran\n", ""]);
}

/** What is kept: the parts that each file tells, and its size. */
function listKept(): readonly { readonly parts: string; readonly bytes: number }[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith("command-"))
    .map((name) => ({
      parts: name.replace(/^.*-/, "").replace(".cache", ""),
      bytes: readFileSync(join(folder, name)).length,
    }));
}

describe("machine code", () => {
  it("is kept of what builds use, however little the first run used", () => {
    run();
    expect(listKept()).toEqual([]);
    run("look");
    const [first, ...none] = listKept();
    expect([first?.parts, none]).toEqual(["look", []]);
    run("whole");
    const [both, ...others] = listKept();
    expect([both?.parts, others]).toEqual(["look+whole", []]);
    // The code of the part that this run did not use is in it still.
    expect(both?.bytes).toBeGreaterThan((first?.bytes ?? 0) * 1.5);
    run("look");
    run();
    expect(listKept()).toEqual([both]);
  });

  it("is kept apart where there is one processor, for which V8 is told otherwise; nobody hears of that", () => {
    const words = ["-c", "0", process.execPath, join(folder, "site.cjs"), "look"];
    for (let round = 0; round < 2; round += 1) {
      const { status, stdout, stderr } = spawnSync("taskset", words, { encoding: "utf8" });
      expect([status, stdout, stderr]).toEqual([0, "ran\n", ""]);
      expect(listKept().length).toBe(1);
    }
    const isTold = process.versions.v8.startsWith("11.") && availableParallelism() > 1;
    run("look");
    expect(listKept().length).toBe(isTold ? 2 : 1);
  });

  it("of another command is not used", () => {
    run("look", "whole");
    writeCommand("/* changed */");
    run("look");
    expect(
      listKept()
        .map(({ parts }) => parts)
        .sort(),
    ).toEqual(["look", "look+whole"]);
  });

  it("that is damaged, or cannot be read, is as good as none", () => {
    run("look");
    const [name = ""] = readdirSync(folder).filter((each) => each.endsWith(".cache"));
    const whole = readFileSync(join(folder, name)).length;
    writeFileSync(join(folder, name), "damaged");
    run("look");
    expect(readFileSync(join(folder, name)).length).toBeGreaterThan(whole / 2);
    rmSync(join(folder, name));
    mkdirSync(join(folder, name));
    run("look");
    expect(readdirSync(folder).sort()).toEqual([name, "command.cjs", "site.cjs"].sort());
    expect(existsSync(join(folder, name))).toBe(true);
  });
});

describe("the command", () => {
  it.each(["--help", "build --help"])("%s goes on when whoever reads what it says has gone", (words) => {
    const line = `${process.execPath} ${starter} ${words}; echo "code $?" >&2`;
    const { stderr } = spawnSync("sh", ["-c", `(sleep 0.3; ${line}) | true`], { encoding: "utf8" });
    expect(stderr).toBe("code 0\n");
  });

  it("says where what it did cannot be said", () => {
    const line = `${process.execPath} ${starter} build --help > /dev/full`;
    const { status, stderr } = spawnSync("sh", ["-c", line], { encoding: "utf8" });
    expect([status, stderr]).toEqual([
      100,
      expect.stringMatching(/^site: what was done cannot be said: standard output cannot be written\n/),
    ]);
  });

  it("keeps what each command used", () => {
    const out = join(folder, "out");
    cpSync(new URL("../out", import.meta.url).pathname, out, { recursive: true });
    for (const name of readdirSync(join(out, "cli")))
      if (name.endsWith(".cache")) rmSync(join(out, "cli", name));
    for (const name of ["package.json", "layouts", "node_modules"])
      symlinkSync(new URL(`../${name}`, import.meta.url).pathname, join(folder, name));
    const kept = () => readdirSync(join(out, "cli")).filter((name) => name.endsWith(".cache"));
    for (const [words, parts] of [
      [["--version"], []],
      [["layout", "list"], ["layout"]],
    ] as const) {
      const ran = spawnSync(process.execPath, [join(out, "cli/site.cjs"), ...words], { encoding: "utf8" });
      expect([ran.status, ran.stderr]).toEqual([0, ""]);
      expect(kept().map((name) => name.replace(/^.*-(\w+)\.cache$/, "$1"))).toEqual(parts);
    }
  });
});
