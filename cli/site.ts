#!/usr/bin/env node
/**
 * Starts the `site` command. Set-up leaves the whole of it as one file beside this one (build/bundle.ts), which is run
 * with the machine code that V8 made of it the last time: many small files would take most of a build's time to
 * load. Where there is no such file (in a clone's tests), or no such code yet, it runs all the same.
 */
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

type Command = typeof import("./program.ts");

const folder = dirname(fileURLToPath(import.meta.url));
const bundle = join(folder, "site.cjs");
if (existsSync(bundle)) await runBundle();
else await (await import("./program.ts")).runCommand();

async function runBundle(): Promise<void> {
  const { mtimeMs, size } = statSync(bundle);
  // V8 itself looks at the version and the flags, but of the source at its length alone.
  const { version, arch } = process;
  const cache = join(folder, `site-${version}-${arch}-${size}-${Math.round(mtimeMs)}.cache`);
  const cachedData = existsSync(cache) ? readFileSync(cache) : undefined;
  const source = `(function (require, module, __filename) {${readFileSync(bundle, "utf8")}\n})`;
  const script = new vm.Script(source, {
    filename: bundle,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const module = { exports: {} as Command };
  script.runInThisContext()(createRequire(bundle), module, bundle);
  await module.exports.runCommand();
  if (cachedData === undefined || script.cachedDataRejected === true) keepCode(cache, script);
}

/** After the run, so that the functions it used are in it. Where the folder cannot be written, it is made without. */
function keepCode(cache: string, script: vm.Script): void {
  const aside = `${cache}-${process.pid}`;
  try {
    writeFileSync(aside, script.createCachedData(), { flag: "wx" });
    renameSync(aside, cache);
  } catch {
    // Installed by another user, or a full disk: only some milliseconds are lost.
    rmSync(aside, { force: true });
  }
}
