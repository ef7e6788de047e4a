/**
 * Runs a long command whose output nobody wants to read unless it fails, and shows that it is alive: a line that
 * counts the seconds on a terminal, a line every 15 seconds elsewhere. Called by dev/setup.mjs.
 */
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";

const quietIntervalMs = 15_000;
const tailLines = 40;

/**
 * @param {{ command: readonly string[], folder: string, what: string, environment: NodeJS.ProcessEnv }} call
 * @returns {Promise<{ ok: boolean, tail: string, logFile: string }>} `logFile` is kept only after a failure
 */
export async function runAlive({ command, folder, what, environment }) {
  const logFile = join(mkdtempSync(join(tmpdir(), "picodollar-")), "output.log");
  const log = openSync(logFile, "wx", 0o600);
  const [program, ...words] = command;
  const child = spawn(program, words, { cwd: folder, env: environment, stdio: ["ignore", log, log] });
  closeSync(log);
  const stopShowing = showAlive(what);
  const stopPassing = passSignals(child);
  const ended = await new Promise((resolve) => {
    child.on("error", (cause) => resolve({ exitCode: undefined, why: cause.message }));
    child.on("close", (exitCode, signal) => resolve({ exitCode, why: signal ?? `exit code ${exitCode}` }));
  });
  stopShowing();
  stopPassing();
  if (ended.exitCode === 0) {
    rmSync(dirname(logFile), { recursive: true });
    return { ok: true, tail: "", logFile };
  }
  const lines = readFileSync(logFile, "utf8").trimEnd().split("\n");
  return { ok: false, tail: [...lines.slice(-tailLines), `(${ended.why})`].join("\n"), logFile };
}

function showAlive(what) {
  const startedAt = performance.now();
  const seconds = () => Math.round((performance.now() - startedAt) / 1000);
  if (!process.stdout.isTTY) {
    const timer = setInterval(() => console.log(`  ${what}: ${seconds()} s so far ...`), quietIntervalMs);
    return () => {
      clearInterval(timer);
      console.log(`  ${what}: ${seconds()} s`);
    };
  }
  const rewrite = (text) => process.stdout.write(`\r\u001b[K${text}`);
  const timer = setInterval(() => rewrite(`  ${what}: ${seconds()} s so far ...`), 1000);
  return () => {
    clearInterval(timer);
    rewrite(`  ${what}: ${seconds()} s\n`);
  };
}

/** Whoever ends us ends the command too; the exit code is the shell's for that signal. */
function passSignals(child) {
  const passers = [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ].map(([signal, exitCode]) => {
    const pass = () => {
      child.kill(signal);
      console.log("");
      process.exit(exitCode);
    };
    process.on(signal, pass);
    return [signal, pass];
  });
  return () => {
    for (const [signal, pass] of passers) process.off(signal, pass);
  };
}
