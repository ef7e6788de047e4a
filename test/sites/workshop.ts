/**
 * A folder of its own for a test: a copy of a fixture site, a small package (layouts and programs) to build it
 * with, and a clock that the test sets.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, type BuildResult, buildSite, formatFault } from "../../build/build.ts";
import { listLaunched, readProgram } from "../../build/launcher.ts";
import { routes } from "../../lib/util/routes.ts";

const here = dirname(fileURLToPath(import.meta.url));

export type Built = Extract<BuildResult, { ok: true }>;

export interface Workshop {
  readonly folder: string;
  readonly source: string;
  readonly out: string;
  readonly home: NonNullable<BuildOptions["home"]>;
  readonly clock: { ms: number; readonly now: () => number };
  /** Writes a file, by its path from the workshop's folder: "site/content/faq.md". */
  readonly write: (path: string, content: string | Uint8Array) => void;
  readonly remove: (path: string) => void;
  readonly build: (change?: Partial<BuildOptions>) => Promise<BuildResult>;
  /** Builds what must be right. */
  readonly built: (change?: Partial<BuildOptions>) => Promise<Built>;
  /** Builds what must be wrong: its faults as they are printed. */
  readonly faults: (change?: Partial<BuildOptions>) => Promise<readonly string[]>;
  /** A file of the current release. */
  readonly read: (path: string) => string;
  /** What a program's launcher runs, by its name: "login". */
  readonly readScript: (name: string) => string;
  readonly end: () => void;
}

export function openWorkshop(site = "good"): Workshop {
  const folder = mkdtempSync(join(tmpdir(), "picodollar-build-"));
  const [source, out, packageFolder] = [join(folder, "site"), join(folder, "out"), join(folder, "package")];
  cpSync(join(here, site), source, { recursive: true });
  cpSync(join(here, "package"), packageFolder, { recursive: true });
  const write: Workshop["write"] = (path, content) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  writePrograms(write);
  write("package/addon.node", "an addon");
  const home = {
    folder: packageFolder,
    codeFolder: packageFolder,
    codeEnding: ".js",
    version: "0.0.1",
    addonFile: join(packageFolder, "addon.node"),
  };
  const clock = { ms: Date.parse("2026-11-23T08:05:00Z"), now: () => clock.ms };
  const build: Workshop["build"] = (change = {}) =>
    buildSite({ sourceFolder: source, outFolder: out, clock, home, ...change });
  return {
    folder,
    source,
    out,
    home,
    clock,
    write,
    remove: (path) => rmSync(join(folder, path), { recursive: true }),
    build,
    built: async (change) => {
      const result = await build(change);
      if (!result.ok) throw new Error(result.faults.map(formatFault).join("\n"));
      return result;
    },
    faults: async (change) => {
      const result = await build(change);
      return result.ok ? [] : result.faults.map(formatFault);
    },
    read: (path) => readFileSync(join(out, "current", path), "utf8"),
    readScript: (name) => readScript(join(out, "current"), name),
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Programs that print what they were given. */
function writePrograms(write: Workshop["write"]): void {
  const tell = (files: string): string => `(name, member, baked, ${files}) => {
    const templates = Object.keys(baked.templates);
    const search = typeof searchFiles === "undefined" ? [] : searchFiles;
    console.log(JSON.stringify({ name, member, baked: { ...baked, templates }, addon, search }));
  };`;
  const cgi = tell("{ addonFile: addon, searchFiles }");
  write("package/cgi/support/run.js", `export const runProgram = ${cgi}\n`);
  write("package/cgi/support/resident.js", "export const runResident = (handlers) => console.log(handlers);\n");
  write("package/jobs/run.js", `export const runJob = ${tell("addon")}\n`);
  for (const { name } of routes)
    write(`package/cgi/${name}.js`, `export const [handle] = ["handle ${name} \u00e9", "${name}"];\n`);
  write("package/jobs/tick.js", 'export const job = "job tick";\n');
  write("package/jobs/tick.d.ts", "export declare const job: string;\n");
}

/** What the launcher of a program runs; `release` is a built one. */
export function readScript(release: string, name: string): string {
  const launched = listLaunched(release).find(({ route }) => route.name === name);
  if (launched === undefined) throw new Error(`there is no ${name}`);
  return readProgram(release, launched);
}

export interface Told {
  readonly name: string;
  readonly member: string;
  readonly addon: string;
  /** Where a program looks for the index of the pages; nowhere, if it is a job. */
  readonly search: readonly string[];
  readonly baked: {
    readonly settings: { readonly name: string };
    readonly navigation: readonly { readonly href: string }[];
    /** Their names. */
    readonly templates: readonly string[];
  };
}

/** Runs one of the workshop's programs: what it was given. */
export function runProgram(file: string): Told {
  const { stdout, stderr, status } = spawnSync(process.execPath, [file], { encoding: "utf8", env: {} });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Every file below a folder with its content, time, and number on the disk. */
export function readTree(folder: string): Record<string, { content: string; mtimeMs: number; ino: number }> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    names.flatMap((name) => {
      const stats = lstatSync(join(folder, name));
      if (!stats.isFile()) return [];
      return [[name, { content: readFileSync(join(folder, name), "latin1"), mtimeMs: stats.mtimeMs, ino: stats.ino }]];
    }),
  );
}
