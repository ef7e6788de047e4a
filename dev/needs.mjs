/**
 * What a machine needs before anything of this project can run, and what to install where it is missing. Plain
 * JavaScript without dependencies that an old Node can read, so that it can say that it is too old. Called by
 * dev/setup.mjs.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const leastNode = [20, 19];

/** The programs that compile the SQLite driver, each with the names it may have. */
const tools = [
  { what: "a C++ compiler", names: ["c++", "g++", "clang++"], debian: "g++", fedora: "gcc-c++" },
  { what: "make", names: ["make", "gmake"], debian: "make", fedora: "make" },
  { what: "python3", names: ["python3"], debian: "python3", fedora: "python3" },
];

/**
 * The sentence for a Node that is too old, or undefined.
 * @param {string} version as process.versions.node has it
 */
export function findOldNode(version) {
  const [major, minor] = version.split(".").map(Number);
  const [leastMajor, leastMinor] = leastNode;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return undefined;
  return `Node ${version} is too old: ${leastNode.join(".")} or later is needed. Install a current one from https://nodejs.org/ (or by your version manager, such as: nvm install 22), and run this again.`;
}

/** How npm is started: the one that started us, or the one on PATH. */
export function findNpm(environment) {
  const own = environment.npm_execpath;
  if (own !== undefined && /npm-cli\.c?js$/.test(own) && existsSync(own)) return [process.execPath, own];
  return isOnPath("npm") ? ["npm"] : undefined;
}

export const noNpm =
  "npm is missing. It comes with Node from https://nodejs.org/; on Debian and Fedora its package is called npm.";

/** The sentence that names each missing tool and how to install them, or undefined. */
export function findMissingTools() {
  const missing = tools.filter((tool) => !tool.names.some((name) => isOnPath(name)));
  if (missing.length === 0) return undefined;
  const what = missing.map((tool) => tool.what).join(", ");
  const list = (system) => missing.map((tool) => tool[system]).join(" ");
  return `${missing.length === 1 ? "This is" : "These are"} missing: ${what}. To install:
  Debian, Ubuntu:  sudo apt-get install -y ${list("debian")}
  Fedora:          sudo dnf install -y ${list("fedora")}
  macOS:           xcode-select --install`;
}

function isOnPath(name) {
  const found = spawnSync("/bin/sh", ["-c", 'command -v "$1"', "sh", name], { stdio: "ignore" });
  return found.status === 0;
}
