/**
 * `npm test`: sets up what is missing, then runs every check: types, lint and format, tests. Its last line is
 * `N passed, N failed, N skipped`, in which types and lint count as one test each. Words after `npm test --` go
 * to vitest.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { installCommand, installPackages } from "./packages.mjs";
import { setUp } from "./setup.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");

await setUp({ quiet: true });
installPackages();
const results = [
  runCheck("types", [join(modules, "typescript", "bin", "tsc"), "--noEmit"]),
  runCheck("lint and format", [
    join(modules, "@biomejs", "biome", "bin", "biome"),
    "check",
    "--error-on-warnings",
  ]),
  runTests(process.argv.slice(2)),
];
const add = (name) => results.reduce((sum, result) => sum + result[name], 0);
const skipped = results.flatMap((result) => result.skippedNames);
if (skipped.length > 0) {
  console.log(`\nskipped:\n${skipped.map((name) => `  ${name}`).join("\n")}`);
  console.log(`to run them too: ${installCommand()}`);
}
console.log("");
console.log(`${add("passed")} passed, ${add("failed")} failed, ${skipped.length} skipped`);
process.exitCode = add("failed") === 0 ? 0 : 1;

/** Tests choose their own place: nothing of ours may lead them to another one, or slow their children down. */
function testEnvironment() {
  const dropped = /^(NODE_EXTRA_CA_CERTS|PORT|PG[A-Z]+|SITE_.*|STORE_ENGINE)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !dropped.test(name)));
}

function runNode(words) {
  const options = { cwd: root, env: testEnvironment(), stdio: "inherit" };
  return spawnSync(process.execPath, words, options).status;
}

function runCheck(what, words) {
  const startedAt = performance.now();
  const ok = runNode(words) === 0;
  console.log(`${what}: ${ok ? "ok" : "FAILED"} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skippedNames: [] };
}

function runTests(words) {
  const folder = mkdtempSync(join(tmpdir(), "picodollar-test-"));
  const file = join(folder, "results.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  try {
    const status = runNode([join(modules, "vitest", "vitest.mjs"), "run", ...reporters, ...words]);
    return countTests(status, existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that could not be loaded, a crash, and a run without tests count as one failure each. */
function countTests(status, report) {
  if (report === undefined) {
    console.log("vitest: FAILED before it could report");
    return { passed: 0, failed: 1, skippedNames: [] };
  }
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === "passed").length;
  const failedTests = tests.filter((test) => test.status === "failed").length;
  const brokenFiles = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = failedTests + brokenFiles;
  const unexplained = failed === 0 && (status !== 0 || passed === 0) ? 1 : 0;
  if (unexplained > 0) console.log(`vitest: FAILED (exit code ${status}, ${passed} tests passed)`);
  const others = tests.filter((test) => test.status !== "passed" && test.status !== "failed");
  return { passed, failed: failed + unexplained, skippedNames: others.map((test) => test.fullName) };
}
