/**
 * A program of a really built site, killed or failed at one system call after another, as strace injects it: what a power cut,
 * an impatient person, or a full disk does, at each place where something of it could stay. For tests on Linux.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
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

/** A program of the built site, and how it is started. */
export interface Program {
  /** Below the release, "jobs/bill", "cgi/account/usage.cgi". */
  readonly path: string;
  readonly words?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export const job = (name: string, ...words: readonly string[]): Program => ({ path: `jobs/${name}`, words });

export interface Bench {
  /** The books that each run begins with; to be written before the first. */
  readonly books: string;
  /** Puts them in place, with nothing of the run before. */
  readonly reset: () => void;
  readonly run: (program: Program) => Promise<Ran>;
  /** How often it comes to each call, run on the books as they are. */
  readonly count: (program: Program) => Promise<ReadonlyMap<Call, number>>;
  /** Runs it on the books as they are, and does this harm at the call's time of that number, from 1. */
  readonly harm: (call: Call, time: number, harm: Harm, program: Program) => Promise<Ran>;
  /** Where the site is, and what of it is published. */
  readonly release: string;
  /** The books that the last run left, and the folder that they lie in. */
  readonly file: string;
  readonly data: string;
  readonly secretsFile: string;
  /** Writes the secrets file. */
  readonly keepSecrets: (secrets: Readonly<Record<string, string>>) => void;
  readonly end: () => void;
}

/** `settings` are more lines of etc/site.yaml, `cluster` those of etc/cluster.yaml. */
export function openBench(settings = "", cluster = ""): Bench {
  const folder = mkdtempSync(join(tmpdir(), "picodollar-killed-"));
  const [site, data] = [join(folder, "site"), join(folder, "data")];
  initSite(site);
  appendFileSync(join(site, "etc/site.yaml"), settings);
  if (cluster !== "") writeFileSync(join(site, "etc/cluster.yaml"), cluster);
  const built = spawnSync(process.execPath, [command, "build", "--source", site], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(built.stderr);
  const [books, file] = [join(folder, "books.sqlite"), join(data, "books.sqlite")];
  const secretsFile = join(folder, "secrets");
  const keepSecrets: Bench["keepSecrets"] = (secrets) => {
    const lines = Object.entries(secrets).map(([name, value]) => `${name} = ${value}\n`);
    writeFileSync(secretsFile, lines.join(""), { mode: 0o600 });
  };
  keepSecrets({});
  const place = {
    PATH: process.env.PATH ?? "",
    SITE_DATA: data,
    SITE_SECRETS: secretsFile,
    SITE_OPERATOR: "colin",
  };
  // Not spawnSync: a stand-in in this process may have to answer meanwhile.
  const start = (words: readonly string[], { environment = {}, input = "" }: Program): Promise<Ran> =>
    new Promise((resolve, reject) => {
      const [program = "", ...rest] = words;
      const child = spawn(program, rest, { env: { ...place, ...environment } });
      let out = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk: Buffer) => {
          out += chunk.toString();
        });
      // One that is killed leaves its input unread.
      child.stdin.on("error", () => undefined);
      child.stdin.end(input);
      child.on("error", reject);
      // strace ends as what it traced did.
      child.on("close", (code, signal) => resolve({ code: signal === null ? code : null, out }));
    });
  const own = ({ path, words = [] }: Program): string[] => [
    process.execPath,
    join(site, "dist/current", path),
    ...words,
  ];
  const reset = (): void => {
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data, { mode: 0o700 });
    // There are none where they are on a server.
    if (existsSync(books)) copyFileSync(books, file);
  };
  const log = join(folder, "strace.log");
  const trace = (program: Program, ...inject: readonly string[]): Promise<Ran> =>
    start(["strace", "-f", "-qq", "-o", log, ...inject, ...own(program)], program);
  return {
    books,
    release: join(site, "dist/current"),
    file,
    data,
    secretsFile,
    keepSecrets,
    reset,
    run: (program) => start(own(program), program),
    count: async (program) => {
      await trace(program, "-e", `trace=${calls.join(",")}`);
      const lines = readFileSync(log, "utf8").split("\n");
      return new Map(calls.map((call) => [call, lines.filter((line) => line.includes(` ${call}(`)).length]));
    },
    harm: (call, time, harm, program) =>
      trace(program, "-e", `trace=${call}`, "-e", `inject=${call}:${harm}:when=${time}`),
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
}
