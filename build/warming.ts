/**
 * Runs a program's script as its launcher does, and leaves what V8 made of it: `node SWITCHES warming SCRIPT CACHE`, with the
 * environment and standard input of a request. On its standard error it says, last of all, which of Node's modules the program
 * loaded. Started by warm.ts, under the very switches that the launcher has: a cache of other ones is refused.
 */
import { readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Script } from "node:vm";

const [filename = "", cache = "", program = ""] = process.argv.slice(2);
const script = new Script(readFileSync(filename, "utf8"), { filename });
const before = new Set(listLoaded());
process.on("exit", () => {
  const loaded = listLoaded().filter((name) => !before.has(name));
  const fresh = `${cache}.${process.pid}`;
  writeFileSync(fresh, script.createCachedData());
  renameSync(fresh, cache);
  writeSync(2, `\n${JSON.stringify({ loaded })}`);
});
const run = script.runInThisContext() as (load: NodeJS.Require, folder: string) => void;
run(createRequire(program), dirname(join(program)));

/** Node's own modules, "crypto" or "internal/crypto/hash". */
function listLoaded(): readonly string[] {
  const { moduleLoadList } = process as unknown as { readonly moduleLoadList: readonly string[] };
  return moduleLoadList
    .filter((entry) => entry.startsWith("NativeModule "))
    .map((entry) => entry.slice("NativeModule ".length));
}
