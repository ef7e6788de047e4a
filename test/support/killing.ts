/**
 * A job of a really built site, killed or failed at one system call after another, as strace injects it: what a power cut,
 * an impatient person, or a full disk does, at each place where something of it could stay. For tests on Linux.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { initSite } from "../../build/init.ts";

const command = fileURLToPath(new URL("../../out/cli/site.cjs", import.meta.url));

export const canInject =
  spawnSync("strace", ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "true"]).status === 0;

/** SQLite in WAL mode writes by these, and Node's own start by neither. */
export const calls = ["pwrite64", "fsync"] as const;
export type Call = (typeof calls)[number];

export type Harm = "signal=SIGKILL" | "error=EIO" | "error=ENOSPC";

export interface Ran {
  /** Null where it was killed. */
  readonly code: number | null;
  readonly out: string;
}

export interface Bench {
  /** The books that each run begins with; to be written before the first. */
  readonly books: string;
  /** Puts them in place, with nothing of the run before. */
  readonly reset: () => void;
  readonly run: (...words: readonly string[]) => Ran;
  /** How often it comes to each call, run from the beginning. */
  readonly count: (...words: readonly string[]) => ReadonlyMap<Call, number>;
  /** Runs it, and does this harm at the call's time of that number, from 1. */
  readonly harm: (call: Call, time: number, harm: Harm, ...words: readonly string[]) => Ran;
  /** The books that the last run left. */
  readonly file: string;
  readonly end: () => void;
}

export function openBench(): Bench {
  const folder = mkdtempSync(join(tmpdir(), "picodollar-killed-"));
  const [site, data] = [join(folder, "site"), join(folder, "data")];
  initSite(site);
  const built = spawnSync(process.execPath, [command, "build", "--source", site], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(built.stderr);
  const [books, file] = [join(folder, "books.sqlite"), join(data, "books.sqlite")];
  const environment = { PATH: process.env.PATH, SITE_DATA: data, SITE_SECRETS: join(site, "etc/secrets") };
  const start = (program: string, words: readonly string[]): Ran => {
    const child = spawnSync(program, words, { env: environment, encoding: "utf8" });
    // strace ends as what it traced did.
    return { code: child.signal === null ? child.status : null, out: child.stdout + child.stderr };
  };
  const job = ([name = "", ...words]: readonly string[]): string[] => [
    process.execPath,
    join(site, "dist/current/jobs", name),
    ...words,
  ];
  const run: Bench["run"] = (...words) => {
    const [program = "", ...rest] = job(words);
    return start(program, rest);
  };
  const reset = (): void => {
    rmSync(data, { recursive: true, force: true });
    const made = spawnSync("mkdir", ["-m", "700", data]);
    if (made.status !== 0) throw new Error(String(made.stderr));
    copyFileSync(books, file);
  };
  const log = join(folder, "strace.log");
  return {
    books,
    file,
    reset,
    run,
    count: (...words) => {
      reset();
      start("strace", ["-f", "-qq", "-o", log, "-e", `trace=${calls.join(",")}`, ...job(words)]);
      const lines = readFileSync(log, "utf8").split("\n");
      return new Map(calls.map((call) => [call, lines.filter((line) => line.includes(` ${call}(`)).length]));
    },
    harm: (call, time, harm, ...words) => {
      reset();
      const inject = ["-e", `trace=${call}`, "-e", `inject=${call}:${harm}:when=${time}`];
      return start("strace", ["-f", "-qq", "-o", log, ...inject, ...job(words)]);
    },
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
}
