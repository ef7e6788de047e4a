/**
 * Makes a clone ready: installs the dependencies and compiles the sources to out/, each only if something changed
 * since the last time. Plain JavaScript without dependencies, since nothing is installed when it runs. Called by
 * dev/start.mjs, dev/test.mjs, and `npm pack`; run directly it does just that.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { findMissingTools, findNpm, findOldNode, noNpm } from "./needs.mjs";
import { runAlive } from "./progress.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, "out");
const modules = join(root, "node_modules");
const installStamp = join(modules, ".picodollar-stamp");
const sourceFolders = ["build", "cgi", "jobs", "lib", "cli", "dev"];

/**
 * Does what is missing, and ends the process with a message where that cannot be done.
 * @param {{ quiet?: boolean }} [options] `quiet`: says nothing where nothing was to be done
 */
export async function setUp({ quiet = false } = {}) {
  const old = findOldNode(process.versions.node);
  if (old !== undefined) giveUp(old);
  const release = needsWork() ? await takeLock() : () => undefined;
  try {
    if (needsInstall()) await install();
    if (needsCompile()) await compile();
    else if (!quiet) console.log("set-up: everything is up to date");
    linkCommands();
  } finally {
    release();
  }
}

/** Ends the process: what is wrong, and what to do. */
function giveUp(message) {
  console.error(`\n${message}`);
  process.exit(1);
}

function needsWork() {
  return needsInstall() || needsCompile();
}

/** The lock file decides what is installed; the driver fits one version of Node on one kind of machine. */
function installPrint() {
  const { platform, arch, versions } = process;
  return hashOf([readFileSync(join(root, "package-lock.json")), platform, arch, versions.modules]);
}

function needsInstall() {
  return readIfThere(installStamp) !== installPrint();
}

async function install() {
  const npm = findNpm(process.env);
  if (npm === undefined) giveUp(noNpm);
  const missing = findMissingTools();
  console.log("set-up: installing what package-lock.json names (npm ci).");
  console.log("  The SQLite driver may have to be compiled, which takes some minutes; this happens once.");
  if (missing !== undefined) {
    console.log(`${missing}\n  Going on: where a ready-made driver can be had, they are not needed.`);
  }
  const result = await runAlive({
    command: [...npm, "ci", "--no-audit", "--no-fund"],
    folder: root,
    what: "npm ci",
    environment: process.env,
  });
  if (!result.ok) {
    console.error(result.tail);
    const hint = missing === undefined ? "" : `\n${missing}`;
    giveUp(`npm ci failed; all that it said is in ${result.logFile}${hint}`);
  }
  writeFileSync(installStamp, installPrint());
}

/** Every file that the compiled code depends on, with its contents. */
function sourcePrint() {
  const files = sourceFolders.flatMap((folder) => listSources(folder));
  const settings = readdirSync(root).filter((name) => /^tsconfig.*\.json$/.test(name));
  const all = [...files, ...settings, "package-lock.json"].sort();
  return hashOf(all.flatMap((file) => [file, readFileSync(join(root, file))]));
}

function listSources(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return listSources(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

function needsCompile() {
  return !existsSync(join(out, "cli", "site.cjs")) || readIfThere(join(out, ".stamp")) !== sourcePrint();
}

/** Compiles beside out/ and changes places at the end, so that a failure leaves what was there. */
async function compile() {
  console.log("set-up: compiling the sources to out/");
  removeLeftovers();
  const print = sourcePrint();
  const fresh = `${out}.new-${process.pid}`;
  const compiler = join(modules, "typescript", "bin", "tsc");
  const words = [compiler, "-p", join(root, "tsconfig.out.json"), "--outDir", fresh];
  const { NODE_EXTRA_CA_CERTS: _slow, ...environment } = process.env;
  const result = spawnSync(process.execPath, words, { cwd: root, env: environment, encoding: "utf8" });
  if (result.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    console.error(`${result.stdout}${result.stderr}`.trimEnd());
    giveUp("the sources do not compile; mend the lines above, and run this again");
  }
  await bundlePrograms(fresh);
  chmodSync(join(fresh, "cli", "site.cjs"), 0o755);
  writeFileSync(join(fresh, ".stamp"), print);
  const before = `${out}.old-${process.pid}`;
  if (existsSync(out)) renameSync(out, before);
  renameSync(fresh, out);
  rmSync(before, { recursive: true, force: true });
}

/** The account programs and jobs, the command, and its layouts depend on the package alone: made here once. */
async function bundlePrograms(fresh) {
  if (!existsSync(join(fresh, "build", "bundle.js"))) return;
  const load = (name) => import(pathToFileURL(join(fresh, "build", name)).href);
  const { writeBundles, writeCommand } = await load("bundle.js");
  await writeBundles(fresh);
  await writeCommand(fresh);
  const { writeLayouts } = await load("precompile.js");
  await writeLayouts({ folder: root, codeFolder: fresh });
}

/** What a set-up that was killed left behind. The lock is ours, so no other one is at work. */
function removeLeftovers() {
  for (const name of readdirSync(root))
    if (/^out\.(new|old)-\d+$/.test(name)) rmSync(join(root, name), { recursive: true, force: true });
}

/** npm does not link a clone's own commands; with these links `npx --no site` finds them. */
function linkCommands() {
  const folder = join(modules, ".bin");
  mkdirSync(folder, { recursive: true });
  for (const name of ["site", "picodollar"])
    if (lstatSync(join(folder, name), { throwIfNoEntry: false }) === undefined)
      symlinkSync("../../out/cli/site.cjs", join(folder, name));
}

/**
 * Two set-ups at once (npm start and npm test in two windows) would undo each other: one waits. The holder touches
 * its lock every few seconds; one that was not touched for long belongs to nobody, whatever process has its number.
 */
async function takeLock() {
  const file = join(root, ".setup-lock");
  for (let tries = 0; ; tries += 1) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      break;
    } catch (cause) {
      if (cause.code !== "EEXIST") throw cause;
    }
    const holder = Number(readIfThere(file) ?? "0");
    if (isStale(file, holder)) {
      rmSync(file, { force: true });
      continue;
    }
    if (tries % 15 === 0)
      console.log(
        `set-up: waiting for another set-up (process ${holder}) to end; if there is none: rm ${file}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  const touching = setInterval(() => existsSync(file) && utimesSync(file, new Date(), new Date()), 5000);
  touching.unref();
  const release = () => {
    clearInterval(touching);
    rmSync(file, { force: true });
  };
  process.once("exit", release);
  return release;
}

// The compiler is waited for without touching; on a slow machine it takes half a minute.
const staleAfterMs = 120_000;

/** An empty lock is being written just now, unless it is old. */
function isStale(file, holder) {
  const touched = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (touched === undefined) return false;
  if (Date.now() - touched > staleAfterMs || holder === process.pid) return true;
  return holder > 0 && !isAlive(holder);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return cause.code === "EPERM";
  }
}

function hashOf(parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setUp();
