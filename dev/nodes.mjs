/**
 * `npm run nodes [-- 22 24]`: the whole of `npm test` under other versions of Node, each on a clean clone of what
 * is committed. The npm packages node-PLATFORM-ARCH carry Node's program and the headers for the driver.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const versions = process.argv.length > 2 ? process.argv.slice(2) : ["20", "22", "24"];
const { NODE_EXTRA_CA_CERTS: _slow, ...environment } = process.env;

const failed = versions.filter((version) => !passes(version));
console.log(
  failed.length === 0 ? `\npassed: Node ${versions.join(", ")}` : `\nFAILED: Node ${failed.join(", ")}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

function passes(version) {
  const folder = mkdtempSync(join(tmpdir(), `picodollar-node-${version}-`));
  try {
    console.log(`\n=== Node ${version}`);
    const name = `node-${process.platform}-${process.arch}`;
    const install = ["install", "--prefix", folder, "--no-save", "--ignore-scripts", `${name}@${version}`];
    if (!run("npm", install, root, environment)) return false;
    const clone = join(folder, "clone");
    if (!run("git", ["clone", "-q", root, clone], root, environment)) return false;
    const node = join(folder, "node_modules", name);
    const changed = { PATH: `${join(node, "bin")}:${environment.PATH}`, npm_config_nodedir: node };
    return run("npm", ["test"], clone, { ...environment, ...changed });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(program, words, cwd, env) {
  return spawnSync(program, words, { cwd, env, stdio: "inherit" }).status === 0;
}
