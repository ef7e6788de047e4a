/**
 * The programs of a release: each file of cgi/ and each job becomes one file that needs nothing but Node and the
 * native addon, with settings, navigation, and compiled templates inside. esbuild is imported here only. The
 * bytes depend on the sources alone: no absolute path, no time.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { assert } from "../lib/util/failure.ts";
import type { NavSection } from "../lib/util/navigation.ts";
import { routes } from "../lib/util/routes.ts";
import type { Settings } from "../lib/util/settings.ts";
import { compareText } from "./fault.ts";
import type { Package } from "./package.ts";
import { addonPath } from "./release.ts";
import type { Template } from "./template.ts";

export interface Program {
  /** Path in the release, "cgi/account/login.cgi" or "jobs/bill". */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface ProgramOptions {
  readonly home: Pick<Package, "codeFolder" | "codeEnding">;
  readonly settings: Settings;
  readonly navigation: readonly NavSection[];
  readonly templates: readonly Template[];
}

interface Plan {
  readonly path: string;
  readonly kind: "cgi" | "jobs";
  readonly name: string;
}

/** Bundles every program, in the order of their paths. */
export async function buildPrograms(options: ProgramOptions): Promise<readonly Program[]> {
  const plans = planPrograms(options.home);
  const result = await build({
    entryPoints: plans.map(({ path }) => ({ in: `program:${path}`, out: path })),
    bundle: true,
    write: false,
    // Never used as a folder: outputs stay in memory, and their names begin with it.
    outdir: "/release",
    absWorkingDir: options.home.codeFolder,
    platform: "node",
    target: "node20",
    format: "cjs",
    minify: true,
    charset: "ascii",
    legalComments: "none",
    banner: { js: "#!/usr/bin/env node" },
    // A tsconfig.json of the folder must not change what is built from the same sources.
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, target: "es2023" } },
    logLevel: "silent",
    plugins: [makeEntries(plans, options)],
  });
  assert(result.warnings.length === 0, `esbuild has no warning: ${result.warnings[0]?.text}`);
  const programs = result.outputFiles.map(
    ({ path, contents }): Program => ({
      path: path.replace(/^.*?\/release\//, "").replace(/\.js$/, ""),
      bytes: contents,
    }),
  );
  return programs.sort((a, b) => compareText(a.path, b.path));
}

function planPrograms(home: ProgramOptions["home"]): readonly Plan[] {
  const names = listCode(home, "cgi");
  for (const name of names)
    assert(
      routes.some((route) => route.name === name),
      `cgi/${name} has a route`,
    );
  const pages = routes.map(({ name, path }): Plan => {
    assert(names.includes(name), `the route ${path} has a program cgi/${name}`);
    return { path: `cgi${path}`, kind: "cgi", name };
  });
  const jobs = listCode(home, "jobs").filter((name) => name !== "run");
  return [...pages, ...jobs.map((name): Plan => ({ path: `jobs/${name}`, kind: "jobs", name }))];
}

function listCode(home: ProgramOptions["home"], folder: string): readonly string[] {
  const files = readdirSync(join(home.codeFolder, folder), { withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  // "login.d.ts" and "login.test.ts" are no programs.
  const names = files.map(({ name }) => name).filter((name) => name.endsWith(home.codeEnding));
  return names
    .map((name) => name.slice(0, -home.codeEnding.length))
    .filter((name) => !name.includes("."))
    .sort(compareText);
}

/** Serves the two kinds of file that exist in memory only: a program's entry, and what is baked into it. */
function makeEntries(plans: readonly Plan[], options: ProgramOptions): Plugin {
  const entries = new Map(plans.map((plan) => [`program:${plan.path}`, plan]));
  return {
    name: "picodollar",
    setup(bundler) {
      bundler.onResolve({ filter: /^program:/ }, ({ path }) => ({ path, namespace: "program" }));
      bundler.onLoad({ filter: /.*/, namespace: "program" }, ({ path }) => {
        const plan = entries.get(path);
        assert(plan !== undefined, `${path} was planned`);
        return {
          contents: writeEntry(plan, options.home),
          loader: "js",
          resolveDir: options.home.codeFolder,
        };
      });
      bundler.onResolve({ filter: /^picodollar:baked$/ }, ({ importer }) => ({
        path: entries.get(importer)?.kind ?? "cgi",
        namespace: "baked",
      }));
      bundler.onLoad({ filter: /.*/, namespace: "baked" }, ({ path }) => ({
        contents: writeBaked(options, path === "jobs" ? /^mail\// : /^/),
        loader: "js",
      }));
      // Finds the addon by guessing folders; ours is given by its path, so this half of the driver is dead.
      bundler.onResolve({ filter: /^bindings$/ }, () => ({ path: "bindings", namespace: "unused" }));
      bundler.onLoad({ filter: /.*/, namespace: "unused" }, () => ({
        contents:
          'module.exports = () => { throw new Error("assertion failed: the addon is given by its path"); };',
        loader: "js",
      }));
    },
  };
}

function writeEntry({ path, kind, name }: Plan, { codeFolder, codeEnding }: ProgramOptions["home"]): string {
  const code = (...parts: readonly string[]): string =>
    JSON.stringify(join(codeFolder, ...parts) + codeEnding);
  const up = "../".repeat(path.split("/").length - 1);
  const addon = `__dirname + ${JSON.stringify(`/${up}${addonPath}`)}`;
  const [member, run, runner] =
    kind === "cgi"
      ? ["handle", "runProgram", code("cgi", "support", "run")]
      : ["job", "runJob", code("jobs", "run")];
  return [
    `import { ${member} } from ${code(kind, name)};`,
    `import { ${run} } from ${runner};`,
    'import { baked } from "picodollar:baked";',
    `${run}(${JSON.stringify(name)}, ${member}, baked, ${addon});`,
  ].join("\n");
}

/** The module "picodollar:baked": templates are code, everything else is data. */
function writeBaked(options: ProgramOptions, wanted: RegExp): string {
  const templates = options.templates
    .filter(({ name }) => wanted.test(name))
    .map(({ name, code }) => `${JSON.stringify(name)}: ${code}`);
  return `export const baked = {
    settings: ${JSON.stringify(options.settings)},
    navigation: ${JSON.stringify(options.navigation)},
    templates: {${templates.join(",\n")}},
  };`;
}
