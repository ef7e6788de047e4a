/**
 * A clone of the project in miniature: the real bootstrap scripts of dev/, with an npm, a compiler, and checks of a
 * few lines, so that what they do can be counted and made to fail.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Installs what `node_modules` needs here; the lock file may tell it to fail. */
const fakeNpm = `#!${process.execPath}
const fs = require("node:fs");
if (process.argv[2] !== "ci") process.exit(0);
fs.appendFileSync("npm.log", "ci\\n");
if (fs.readFileSync("package-lock.json", "utf8").includes("broken")) {
  console.log("a line on the way");
  console.error("npm error the registry is on fire");
  process.exit(3);
}
fs.rmSync("node_modules", { recursive: true, force: true });
fs.cpSync("fakes", "node_modules", { recursive: true });
`;

/** Compiles cli/site.ts by copying it, unless a source has a type error. */
const fakeCompiler = `
const fs = require("node:fs"), path = require("node:path");
const source = fs.readFileSync("cli/site.ts", "utf8");
const outFolder = process.argv[process.argv.indexOf("--outDir") + 1];
const isCheck = process.argv.includes("--noEmit");
fs.appendFileSync("tsc.log", (isCheck ? "check" : "compile") + " " + (process.env.NODE_EXTRA_CA_CERTS ?? "-") + "\\n");
if (!isCheck) {
  fs.mkdirSync(path.join(outFolder, "cli"), { recursive: true });
  fs.writeFileSync(path.join(outFolder, "cli", "site.cjs"), source);
}
if (source.includes("type error")) { console.log("cli/site.ts(1,1): error TS1: a type error"); process.exit(2); }
`;

const fakeBiome = `
if (!process.argv.includes("--error-on-warnings")) process.exit(2);
process.exit(require("node:fs").existsSync("untidy") ? 1 : 0);
`;

/** Reports what vitest.json says, or crashes where there is none. */
const fakeVitest = `
import { copyFileSync, writeFileSync } from "node:fs";
const option = process.argv.find((word) => word.startsWith("--outputFile.json="));
const words = process.argv.slice(2).filter((word) => !word.startsWith("--outputFile.json="));
writeFileSync("vitest.log", JSON.stringify({ words, env: process.env }));
copyFileSync("vitest.json", option.slice("--outputFile.json=".length));
process.exit(Number(process.env.FAKE_STATUS ?? "0"));
`;

export interface Run {
  readonly exitCode: number | null;
  readonly output: string;
  readonly lines: readonly string[];
}

export interface Clone {
  readonly folder: string;
  /** A folder for PATH that holds node, npm, and the given programs only. */
  readonly bin: string;
  readonly write: (path: string, text: string) => void;
  readonly read: (path: string) => string;
  readonly has: (path: string) => boolean;
  readonly addProgram: (name: string, text?: string) => void;
  readonly run: (script: string, words?: readonly string[], environment?: NodeJS.ProcessEnv) => Promise<Run>;
  readonly spawn: (words: readonly string[], environment?: NodeJS.ProcessEnv) => ChildProcess;
  readonly remove: () => void;
}

export function makeClone(): Clone {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-clone-")));
  const at = (path: string): string => join(folder, path);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  };
  const addProgram = (name: string, text = "#!/bin/sh\n"): void => {
    write(`bin/${name}`, text);
    chmodSync(at(`bin/${name}`), 0o755);
  };
  copyScripts(at("dev"));
  write("package-lock.json", "{}");
  write("tsconfig.out.json", "{}");
  write("cli/site.ts", "console.log(JSON.stringify(process.argv.slice(2)));\n");
  write("fakes/typescript/bin/tsc", fakeCompiler);
  write("fakes/@biomejs/biome/bin/biome", fakeBiome);
  write("fakes/vitest/vitest.mjs", fakeVitest);
  addProgram("npm", fakeNpm);
  for (const name of ["c++", "make", "python3"]) addProgram(name);
  // The tests' packages count as installed: a test must not call apt-get.
  addProgram("dpkg", "#!/bin/sh\necho 'Status: install ok installed'\n");
  symlinkSync(process.execPath, at("bin/node"));
  const spawnNode: Clone["spawn"] = (words, environment = {}) =>
    spawn(process.execPath, words, { cwd: folder, env: { PATH: at("bin"), ...environment } });
  return {
    folder,
    bin: at("bin"),
    write,
    read: (path) => readFileSync(at(path), "utf8"),
    has: (path) => existsSync(at(path)),
    addProgram,
    run: (script, words = [], environment = {}) => collect(spawnNode([at(script), ...words], environment)),
    spawn: spawnNode,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function copyScripts(to: string): void {
  const from = join(import.meta.dirname, "..", "..", "dev");
  mkdirSync(to);
  const scripts = readdirSync(from).filter((name) => name.endsWith(".mjs"));
  if (scripts.length === 0) throw new Error(`${from} has no scripts`);
  for (const name of scripts) copyFileSync(join(from, name), join(to, name));
}

/** Waits for the end; both outputs together, as a terminal shows them. */
export function collect(child: ChildProcess): Promise<Run> {
  return new Promise((resolve, reject) => {
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, output, lines: output.trimEnd().split("\n") }));
  });
}
