/**
 * Runs a program as its launcher does, and leaves what V8 made of it: `node SWITCHES warming RELEASE CACHE PROGRAM [server]`, with the
 * environment and standard input of a request. On its standard error it says, last of all, which of Node's modules the program
 * loaded. Started by warm.ts, under the very switches that the launcher has: a cache of other ones is refused.
 *
 * The script of a site with a PostgreSQL server is run twice: on a file with an account, for its own code, and then by way of the driver on a server
 * that is not there (pretence.ts). The second answer stands behind the first one on standard output, and the second body behind the first.
 */
import { renameSync, writeFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { Script } from "node:vm";
import { forgetStore } from "../lib/util/settings.ts";
import { readLauncher, readProgram, scriptPath } from "./launcher.ts";
import { pretend } from "./pretence.ts";

const [release = "", cache = "", program = "", engine = ""] = process.argv.slice(2);
const launched = readLauncher(program);
const filename = join(release, scriptPath(launched.scripts[0] ?? ""));
const script = new Script(readProgram(release, launched), { filename });
const before = new Set(listLoaded());
const pretended = new Set<string>();
process.on("exit", () => {
  const loaded = [...pretended, ...listLoaded().filter((name) => !before.has(name))];
  const fresh = `${cache}.${process.pid}`;
  writeFileSync(fresh, script.createCachedData());
  renameSync(fresh, cache);
  writeSync(2, `\n${JSON.stringify({ loaded })}`);
});
const load = createRequire(program);
const made = script.runInThisContext() as (
  load: NodeJS.Require,
  folder: string,
  called: string,
  release: string,
) => void;
const run = (require: NodeJS.Require): void => made(require, dirname(program), basename(program), release);
if (engine === "server") {
  const exit = process.exit;
  process.exit = (() => {
    process.exit = exit;
    setImmediate(runOnServer);
  }) as typeof exit;
}
run(load);

function runOnServer(): void {
  forgetStore();
  const loadPretended = (name: string): unknown => {
    const other = pretend(name, load);
    if (other !== undefined) pretended.add(name.replace(/^node:/, ""));
    return other ?? load(name);
  };
  run(Object.assign(loadPretended, load) as NodeJS.Require);
}

/** Node's own modules, "crypto" or "internal/crypto/hash". */
function listLoaded(): readonly string[] {
  const { moduleLoadList } = process as unknown as { readonly moduleLoadList: readonly string[] };
  return moduleLoadList
    .filter((entry) => entry.startsWith("NativeModule "))
    .map((entry) => entry.slice("NativeModule ".length));
}
