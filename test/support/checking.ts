/** A new site in a folder of its own, and `site check` on it as people and scripts run it: compiled, in a process of its own. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { initSite } from "../../build/init.ts";
import { projectFolder, type Ran } from "./served.ts";

export interface Checking {
  /** In it the command runs. */
  readonly folder: string;
  /** The site's, "site" in it. */
  readonly site: string;
  /** Writes a file, by its path from the site's folder. */
  readonly write: (path: string, text: string) => void;
  readonly check: (words?: readonly string[], environment?: NodeJS.ProcessEnv) => Promise<Ran>;
  /** On a terminal of its own; both outputs are one there. */
  readonly checkOnTerminal: (environment?: NodeJS.ProcessEnv) => Promise<Ran>;
  readonly remove: () => void;
}

export interface Told {
  readonly ok: boolean;
  readonly pages: number;
  readonly validated: number;
  readonly faults: readonly { readonly rule: string; readonly level: string }[];
}

export const readTold = ({ out }: Ran) => JSON.parse(out) as Told;

/** The beginning of a page that the navigation leads to, and of one with a second h1. */
export const linked = "---\ntitle: X\nnav: X\n---\n<h1>X</h1>\n";
export const warned = `${linked}<h1>Y</h1>\n`;

const command = join(projectFolder, "out", "cli", "site.cjs");

export function openChecking(): Checking {
  const folder = mkdtempSync(join(tmpdir(), "picodollar-check-"));
  const site = join(folder, "site");
  initSite(site);
  const run = (file: string, words: readonly string[], environment: NodeJS.ProcessEnv): Promise<Ran> => {
    const { PATH } = process.env;
    const child = spawn(file, words, { cwd: folder, env: { PATH, ...environment } });
    const said = { out: "", err: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      said.out += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      said.err += chunk.toString();
    });
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, ...said }));
    });
  };
  return {
    folder,
    site,
    write: (path, text) => {
      mkdirSync(dirname(join(site, path)), { recursive: true });
      writeFileSync(join(site, path), text);
    },
    check: (words = [], environment = {}) =>
      run(process.execPath, [command, "check", "--source", "site", ...words], environment),
    checkOnTerminal: (environment = {}) =>
      run("script", ["-qec", `'${process.execPath}' '${command}' check --source site`, "/dev/null"], {
        TERM: "xterm-256color",
        ...environment,
      }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
