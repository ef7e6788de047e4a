/**
 * Launchers: what the web server or cron starts, a few lines that put a program together of scripts and run it. The first
 * script is the package's code, a function of what is baked in for the site, which is the second one; where the site's books are
 * on a server, the third is its driver. All are named by their content, and so is what the machine may have kept of V8's work
 * on them (build/warm.ts).
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hasCode } from "../lib/util/failure.ts";
import { type Route, routes } from "../lib/util/routes.ts";

/** In the code of a program, what is baked in: undeclared in a bundle. */
export const bakedName = "__picodollar_baked__";
/** PostgreSQL's half of the store (build/engine.ts): undefined in a program of a site that keeps its books in a file. */
export const engineName = "__picodollar_postgres__";
/** What a launcher is called, of which several have the same code. */
export const calledName = "__picodollar_called__";
/** Where the release lies. */
export const releaseName = "__picodollar_release__";

/** The name of a script that is the engine begins with it. */
export const engineScript = "postgres";

const shebang = "#!/usr/bin/env node\n";

/**
 * An expression: a function of what is baked in, whose result is one of what CommonJS gives to a file. Functions in parentheses V8
 * takes for such as are called at once: it would read others twice.
 */
export function writeCode(code: string): string {
  return `"use strict";(function(${bakedName},${engineName}){return(function(require,__dirname,${calledName},${releaseName}){${code}})})`;
}

/** Named by its content. */
export function nameScript(name: string, sha256: string): string {
  return `${name}.${sha256.slice(0, 10)}`;
}

/** A script's file in a release. */
export function scriptPath(script: string): string {
  return `programs/${script}.js`;
}

/**
 * It runs the same without a cache, or with one of another Node, only slower. Compared with CommonJS's own loader it spares the
 * search for a package.json. `path`: its own in the release.
 */
export function writeLauncher(
  path: string,
  scripts: readonly string[],
  switches: readonly string[] = [],
): string {
  const up = "/..".repeat(path.split("/").length - 1);
  const called = path.slice(path.lastIndexOf("/") + 1);
  const start = switches.length === 0 ? shebang : `${["#!/usr/bin/env -S node", ...switches].join(" ")}\n`;
  return `${start}"use strict";
const scripts = ${JSON.stringify(scripts)};
const { readFileSync } = require('fs'), { Script } = require('vm'), release = __dirname + '${up}';
const [filename, ...given] = scripts.map((script) => release + '/${scriptPath("' + script + '")}');
const read = (file) => readFileSync(file, 'utf8');
let cachedData;
try { cachedData = readFileSync(release + '/../../${warmFolder}/${cacheName({ scripts }, "' + process.version + '")}'); } catch {}
new Script(read(filename) + '(' + given.map(read) + ')', { filename, cachedData }).runInThisContext()(require, __dirname, ${JSON.stringify(called)}, release);
`;
}

/** What a launcher says. */
export interface Launched {
  /** V8's switches that it starts with. */
  readonly switches: readonly string[];
  readonly scripts: readonly string[];
}

/** @param file a launcher of this version; of another one no scripts are told */
export function readLauncher(file: string): Launched {
  const [first = "", , scripts = ""] = readFileSync(file, "utf8").split("\n");
  const listed = /^const scripts = (\[.*\]);$/.exec(scripts)?.[1];
  return {
    switches: first.split(" ").filter((word) => word.startsWith("--")),
    scripts: listed === undefined ? [] : (JSON.parse(listed) as string[]),
  };
}

/** Undefined where there is none, since the site does not have it, or another build has just cleared the release away. */
function readIfThere(file: string): Launched | undefined {
  try {
    return readLauncher(file);
  } catch (error) {
    if (hasCode(error, ["ENOENT", "ENOTDIR"])) return undefined;
    throw error;
  }
}

/** The text that a launcher runs. */
export function readProgram(release: string, { scripts }: Pick<Launched, "scripts">): string {
  const [code = "", ...given] = scripts.map((script) =>
    readFileSync(join(release, scriptPath(script)), "utf8"),
  );
  return `${code}(${given.join(",")})`;
}

export interface LaunchedRoute extends Launched {
  readonly route: Route;
}

/** The launchers of a release that the web server starts. */
export function listLaunched(release: string): readonly LaunchedRoute[] {
  return routes.flatMap((route) => {
    const launched = readIfThere(join(release, "cgi", route.path));
    return launched === undefined || launched.scripts.length === 0 ? [] : [{ ...launched, route }];
  });
}

/** Whether a program may ask a PostgreSQL server. */
export function hasEngine({ scripts }: Pick<Launched, "scripts">): boolean {
  return scripts.some((script) => script.startsWith(`${engineScript}.`));
}

/**
 * Where the machine keeps what V8 made of programs, beside the releases, under their scripts' names and Node's version: it belongs
 * to the machine, and to every release that has the scripts.
 */
export const warmFolder = "warm";

/** The name of what a version of Node, "v20.19.0", made of a program. */
export function cacheName({ scripts }: Pick<Launched, "scripts">, version: string): string {
  return `${scripts.join("+")}.${version}.cache`;
}

/** V8's switches for a program: without hashing its built-in strings anew each start, by which a seventh of an empty start is saved. */
export function switchesOf({ isLight }: Pick<Route, "isLight">): readonly string[] {
  // Under any switch Node compiles anew what it loads of its own after the start: not for what loads something. And the hashes
  // of strings can be foreseen then, so that it is for programs that take no form. Whoever asks a server loads Node's sockets.
  return isLight ? ["--no-rehash-snapshot"] : [];
}
