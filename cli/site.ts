#!/usr/bin/env node
/**
 * Starts the `site` command. Set-up makes three files of it (build/bundle.ts): this one as site.cjs, builds as quick.cjs, and
 * all commands as command.cjs, since many small files would take most of a build's time to load. Those are run with the machine
 * code which V8 made of them in earlier runs, kept beside them. Commands use different parts of the code; the name of what is
 * kept tells which parts it has, and a run that used another part makes it anew, with those there were. Where the rest
 * is not one file (in a clone's tests), or no code can be kept, all runs the same.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import vm from "node:vm";

type Command = typeof import("./program.ts");

const folder = dirname(fileURLToPath(import.meta.url));
const ending = ".cache";

const isQuick = process.argv[2] === "build" && existsSync(join(folder, "quick.cjs"));
const name = isQuick ? "quick" : "command";
const bundle = join(folder, `${name}.cjs`);

// `site ... | head`: whoever reads may go, and what the command is doing goes on. A build loads no stream.
if (!isQuick)
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });

void (isQuick || existsSync(bundle) ? runBundle() : runFiles());

async function runFiles(): Promise<void> {
  const { runCommand } = await import("./program.ts");
  await runCommand();
}

async function runBundle(): Promise<void> {
  // Every build hashes; and once V8 was told anything, Node compiles anew what it loads of its own, which takes three times as long.
  if (isQuick) process.getBuiltinModule("node:crypto");
  // Else V8 forgets, in a long run, code that was used at its beginning only.
  setFlagsFromString("--no-flush-bytecode");
  // On one processor V8's compiler takes its time from the build, and most builds end before that is made up for. Only the V8 of
  // Node 20 has this switch, and others complain of it.
  const isAlone = availableParallelism() === 1 && process.versions.v8.startsWith("11.");
  if (isAlone) setFlagsFromString("--interrupt-budget=1000000");
  const { mtimeMs, size } = statSync(bundle);
  // V8 itself looks at the version and the flags, but of the source at its length alone.
  const beginning = `${name}-${isAlone ? "one" : "all"}-${process.version}-${process.arch}-${size}-${Math.round(mtimeMs)}-`;
  const kept = findKept(beginning);
  let cachedData = kept === undefined ? undefined : readKept(join(folder, kept));
  // A function, in ASCII.
  const script = new vm.Script(readFileSync(bundle, "latin1"), {
    filename: bundle,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const isGood = cachedData !== undefined && script.cachedDataRejected !== true;
  // It is read, and a megabyte.
  cachedData = undefined;
  const module = { exports: {} as Command };
  script.runInThisContext()(createRequire(bundle), module, bundle);
  const used = await module.exports.runCommand();
  const had = kept !== undefined && isGood ? kept.slice(beginning.length, -ending.length).split("+") : [];
  if (used.some((part) => !had.includes(part)))
    keepCode(`${beginning}${[...new Set([...had, ...used])].sort().join("+")}${ending}`, script, kept);
  // A build is over: taking all its memory apart, piece by piece, would be waited for.
  if (isQuick && used.length > 0) process.exit();
}

/** Of several, which two runs at once may have left, the one of the most parts. */
function findKept(beginning: string): string | undefined {
  const names = readdirSync(folder).filter((name) => name.startsWith(beginning) && name.endsWith(ending));
  return names.sort((a, b) => b.length - a.length)[0];
}

/** Undefined where it is not ours to read, or gone by now. */
function readKept(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** After the run, so that the functions it used are in it. Where the folder cannot be written, it is made without. */
function keepCode(name: string, script: vm.Script, before: string | undefined): void {
  const aside = join(folder, `${name}-${process.pid}`);
  try {
    writeFileSync(aside, script.createCachedData(), { flag: "wx" });
    renameSync(aside, join(folder, name));
    if (before !== undefined && before !== name) rmSync(join(folder, before), { force: true });
  } catch {
    // Installed by another user, or a full disk: only some milliseconds are lost.
    rmSync(aside, { force: true });
  }
}
