/**
 * The code of the programs, each bundled into one text that needs nothing but Node, the native addon, what is
 * baked in later (build/programs.ts), and the list beside it (build/libraries.ts). It depends on the package alone, so set-up bundles once and a site's
 * build takes what is there. esbuild is imported here, in engine.ts, and in libraries.ts. The bytes name no absolute path and no time.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type BuildFailure,
  type BuildOptions,
  build,
  type Message,
  type Metafile,
  type Plugin,
} from "esbuild";
import { assert } from "../lib/util/failure.ts";
import { type Bundle, keepBundles } from "./bundles.ts";
import { bundleEngine } from "./engine.ts";
import { type Home, type Plan, planPrograms, programOptions, writeEntry } from "./entry.ts";
import { compareText } from "./fault.ts";
import { engineName, writeCode } from "./launcher.ts";
import { bundleLibraries, loadAtStart, makeLate } from "./libraries.ts";
import { templateShapes } from "./shapes.ts";

/** Called by set-up when the sources are compiled. */
export async function writeBundles(codeFolder: string): Promise<void> {
  keepBundles(codeFolder, await bundlePrograms({ codeFolder, codeEnding: ".js" }));
}

/** What the command loads from where it is installed: native code, programs of their own, and the seldom used. */
const apart = ["better-sqlite3", "pg", "esbuild", "html-validate", "stripe", "nodemailer", "highlight.js"];

/**
 * The command as three files, cli/site.cjs, which starts it, cli/quick.cjs, which builds, and cli/command.cjs, which has all
 * commands; and beside them build/render.cjs, which threads run (crew.ts). Called by set-up. What a run does not use is not run.
 */
export async function writeCommand(codeFolder: string): Promise<void> {
  const cli = join(codeFolder, "cli");
  const options: BuildOptions = {
    outdir: codeFolder,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    absWorkingDir: codeFolder,
    platform: "node",
    target: "node20",
    format: "cjs",
    charset: "ascii",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    external: apart,
    // In code that V8 had kept there is no way to import; what is loaded late is required.
    supported: { "dynamic-import": false },
    define: { "import.meta.url": "__bundleUrl" },
    logLevel: "error",
    plugins: [apartFromStart, late],
  };
  const url = 'const __bundleUrl=require("node:url").pathToFileURL(__filename).href;';
  await build({
    ...options,
    entryPoints: [
      { in: join(cli, "site.js"), out: "cli/site" },
      { in: join(codeFolder, "build", "render.js"), out: "build/render" },
    ],
    banner: { js: url },
  });
  await build({
    ...options,
    entryPoints: [
      { in: join(cli, "program.js"), out: "cli/command" },
      { in: join(cli, "quick.js"), out: "cli/quick" },
    ],
    banner: { js: `(function (require, module, __filename) {${url}` },
    footer: { js: "})" },
  });
}

/** What cli/site.js starts is not part of it. */
const apartFromStart: Plugin = {
  name: "picodollar-start",
  setup(bundler) {
    bundler.onResolve({ filter: /^\.\/program\.js$/ }, ({ path }) => ({ path, external: true }));
  },
};

/** Loaded at its first use: it takes 10 ms, which most runs have no use for. */
const late: Plugin = {
  name: "picodollar-late",
  setup(bundler) {
    bundler.onResolve({ filter: /^node:child_process$/ }, ({ path, namespace }) =>
      namespace === "late" ? { path, external: true } : { path, namespace: "late" },
    );
    bundler.onLoad({ filter: /.*/, namespace: "late" }, ({ path }) => ({
      contents: ["exec", "execFile", "execFileSync", "fork", "spawn", "spawnSync"]
        .map((name) => `exports.${name} = (...words) => require(${JSON.stringify(path)}).${name}(...words);`)
        .join("\n"),
      loader: "js",
    }));
  },
};

/** Bundles every program, in the order of their paths. */
export async function bundlePrograms(home: Home): Promise<readonly Bundle[]> {
  const plans = planPrograms(home);
  const libraries = await bundleLibraries(home);
  const result = await build({
    entryPoints: plans.map(({ name }) => ({ in: `program:${name}`, out: name })),
    ...programOptions,
    absWorkingDir: home.codeFolder,
    plugins: [makeEntries(plans, home, loadAtStart(libraries)), makeLate(libraries)],
    metafile: true,
  });
  const named = listNamed(result.metafile, home.codeFolder);
  assert(result.warnings.length === 0, `esbuild has no warning: ${result.warnings[0]?.text}`);
  const bundles = result.outputFiles.map(({ path, text }): Bundle => {
    const plan = plans.find(({ name }) => path.endsWith(`/${name}.js`));
    assert(plan !== undefined, `${path} was planned`);
    return { ...plan, templates: named(path), code: Buffer.from(writeCode(text)) };
  });
  return [...bundles, ...libraries, ...(await bundleEngine(home))].sort((a, b) =>
    compareText(a.name, b.name),
  );
}

/**
 * For each output the package's templates that it may ask for: those whose names stand in the files it is made of, "login" or
 * "account/error", and are not there to name a program.
 */
function listNamed(metafile: Metafile, codeFolder: string): (output: string) => readonly string[] {
  const words = new Map<string, ReadonlySet<string>>();
  const read = (file: string): ReadonlySet<string> => {
    const known = words.get(file);
    if (known !== undefined) return known;
    // What is not ours, or exists in memory only, names none; the store has tables, and the route table programs, of these names.
    const isOurs = /^(?:cgi|jobs|lib)\//.test(file) && !/^lib\/(?:store\/|util\/routes\.)/.test(file);
    const text = isOurs ? readFileSync(join(codeFolder, file), "utf8") : "";
    const found = new Set([...text.matchAll(/(?<!pathOf\()"([a-z/-]+)"/g)].map(([, word = ""]) => word));
    words.set(file, found);
    return found;
  };
  return (output) => {
    const made = Object.entries(metafile.outputs).find(([file]) =>
      output.endsWith(file.replace(/^(?:\.\.\/)*/, "/")),
    );
    assert(made !== undefined, `the bundler says what ${output} is made of`);
    const files = Object.keys(made[1].inputs).map(read);
    const isNamed = (word: string): boolean => files.some((file) => file.has(word));
    return Object.keys(templateShapes).filter((name) => isNamed(name) || isNamed(name.split("/")[1] ?? ""));
  };
}

/** What the bundler asks while it reads style sheets, which are known by their files' names. */
export interface SheetReader {
  readonly entry: string;
  /** The name of the sheet that an @import means, or what is wrong. */
  readonly findSheet: (
    target: string,
    from: string,
  ) => { readonly file: string } | { readonly wrong: string };
  readonly readSheet: (file: string) => string;
  /** What is written in place of an address, or what is wrong. */
  readonly placeUrl: (target: string, from: string) => { readonly url: string } | { readonly wrong: string };
}

export interface SheetMessage {
  readonly text: string;
  readonly place: { readonly file: string; readonly line: number; readonly column: number } | undefined;
}

/** One style sheet of several, small; its text, or all that is said of it. Addresses elsewhere stay as they are. */
export async function bundleSheets(
  reader: SheetReader,
): Promise<{ readonly text: string; readonly messages: readonly SheetMessage[] }> {
  try {
    const { outputFiles, warnings } = await build({
      entryPoints: [reader.entry],
      bundle: true,
      write: false,
      outdir: "/release",
      absWorkingDir: "/",
      minify: true,
      charset: "utf8",
      legalComments: "none",
      logLevel: "silent",
      // Every message is told, not only the first ten of a kind.
      logLimit: 0,
      plugins: [makeSheets(reader)],
    });
    return { text: outputFiles[0]?.text ?? "", messages: warnings.map(placeMessage) };
  } catch (error) {
    const { errors, warnings = [] } = error as Partial<BuildFailure>;
    if (errors === undefined) throw error;
    return { text: "", messages: [...errors, ...warnings].map(placeMessage) };
  }
}

function placeMessage({ text, location }: Message): SheetMessage {
  if (location === null) return { text, place: undefined };
  const { file, line, column, lineText } = location;
  // The bundler counts bytes.
  const before = Buffer.from(lineText).subarray(0, column).toString("utf8").length;
  return { text, place: { file: file.replace(/^sheet:/, ""), line, column: before + 1 } };
}

function makeSheets(reader: SheetReader): Plugin {
  return {
    name: "picodollar-sheets",
    setup(bundler) {
      bundler.onResolve({ filter: /.*/ }, ({ kind, path, importer }) => {
        if (kind === "entry-point") return { path: reader.entry, namespace: "sheet" };
        if (/^(?:[a-z][a-z0-9+.-]*:|\/\/|#|$)/i.test(path)) return { path, external: true };
        const found =
          kind === "import-rule" ? reader.findSheet(path, importer) : reader.placeUrl(path, importer);
        if ("wrong" in found) return { errors: [{ text: found.wrong }] };
        if ("url" in found) return { path: found.url, external: true };
        return { path: found.file, namespace: "sheet" };
      });
      bundler.onLoad({ filter: /.*/, namespace: "sheet" }, ({ path }) => ({
        contents: reader.readSheet(path),
        loader: "css",
      }));
    },
  };
}

/** Serves what exists in memory only: the entry of each program. `start`: what one that stays begins with. */
function makeEntries(plans: readonly Plan[], home: Home, start: string): Plugin {
  const entries = new Map(plans.map((plan) => [`program:${plan.name}`, plan]));
  return {
    name: "picodollar",
    setup(bundler) {
      bundler.onResolve({ filter: /^program:/ }, ({ path }) => ({ path, namespace: "program" }));
      bundler.onLoad({ filter: /.*/, namespace: "program" }, ({ path }) => {
        const plan = entries.get(path);
        assert(plan !== undefined, `${path} was planned`);
        const before = plan.kind === "servers" ? start : "";
        return { contents: before + writeEntry(plan, home), loader: "js", resolveDir: home.codeFolder };
      });
      // What a launcher gives the program, or does not; it loads what the program may load.
      bundler.onResolve({ filter: /\/postgres\/door\.[jt]s$/ }, () => ({
        path: "engine",
        namespace: "engine",
      }));
      bundler.onLoad({ filter: /.*/, namespace: "engine" }, () => ({
        contents: `module.exports = ${engineName}(require(${JSON.stringify(join(home.codeFolder, "lib", "util", "failure") + home.codeEnding)}), require);`,
        loader: "js",
        resolveDir: home.codeFolder,
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
