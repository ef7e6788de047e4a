/**
 * The programs of a release: the code of each file of cgi/ and of each job, with the site's settings, navigation,
 * and compiled templates put before it. A job is one file. A program for the web server is two: a launcher of a few lines, and the
 * rest, named by its content, for which the machine may have kept what V8 made of it (build/warm.ts). They need nothing but Node
 * and the native addon.
 */
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../lib/util/failure.ts";
import type { NavSection } from "../lib/util/navigation.ts";
import { findRoute, isOffered, type Route, routes } from "../lib/util/routes.ts";
import type { Settings } from "../lib/util/settings.ts";
import type { Package } from "./package.ts";
import { readExactly } from "./reader.ts";
import { describePlan, type Entry, type Plan } from "./release.ts";
import { listShown, type Template } from "./template.ts";

/** By its path in the release: "cgi/account/login.cgi", "programs/login.0123456789.js", or "jobs/bill". */
export type Program = Plan & Entry;

export interface ProgramOptions {
  readonly settings: Settings;
  readonly navigation: readonly NavSection[];
  readonly templates: readonly Template[];
  /** Whether programs stay (cgi/support/resident.ts). */
  readonly isResident: boolean;
}

/** The code of one program, which refers to the name `bakedName`. */
export interface Bundle {
  /** Path in the release. */
  readonly path: string;
  readonly kind: "cgi" | "jobs" | "servers" | "engine";
  /** The package's templates that it may ask for, without those that they show. */
  readonly templates: readonly string[];
  /** Its text, in ASCII. */
  readonly code: Uint8Array;
}

/** A bundle whose code is read when it is asked for, and good until that of another one is: there are 9 MB of it. */
export interface Shelved extends Omit<Bundle, "code"> {
  readonly code: () => Uint8Array;
}

/** Undeclared in a bundle: its value is put before it here. */
export const bakedName = "__picodollar_baked__";

/** PostgreSQL's half of the store (build/bundle.ts): undeclared in a program of a site that keeps its books in a file. */
export const engineName = "__picodollar_postgres__";
/** What its bundle is called; no program of a release has this path. */
export const enginePath = "engine/postgres";

/** Where the index of the pages lies in the release of a site with a search; programs find it from where they lie. */
export const searchPath = "search/pages.sqlite";

/** The programs in one that stays, where a site wants that. */
export const residentPath = "servers/programs";

/** Where set-up leaves the bundles, beside the compiled code: a list of them, and their code, one behind the other. */
export const bundlesName = "programs.json";
const codeName = "programs.bin";

type Listed = Omit<Bundle, "code"> & { readonly bytes: number };

/** Makes every program that the site has, in the order of their paths. `all`: the package's. */
export function buildPrograms(options: ProgramOptions, all: readonly Shelved[]): readonly Program[] {
  const engine = options.settings.store === "sqlite" ? [] : all.filter(({ kind }) => kind === "engine");
  assert(
    options.settings.store === "sqlite" || engine.length === 1,
    "the package has the engine of a server",
  );
  const before = engine.map(({ code }) => Buffer.from(code()));
  const bundles = all.filter(({ path, kind }) => {
    if (kind === "engine") return false;
    if (kind === "servers") return options.isResident;
    const route = findRoute(path.replace(/^cgi/, ""));
    return route === undefined || isOffered(route, options.settings);
  });
  const bake = makeOven(options);
  const mails = options.templates.filter(({ name }) => name.startsWith("mail/"));
  const jobStart = [Buffer.from(`${shebang}"use strict";`), ...bake(mails), ...before];
  return bundles.flatMap(({ path, kind, templates, code }) => {
    if (kind === "jobs") return [makeProgram(path, () => [...jobStart, code()])];
    const baked = bake(listShown(options.templates, ["page", ...templates]));
    const route = kind === "servers" ? undefined : findRoute(path.replace(/^cgi/, ""));
    assert(kind === "servers" || route !== undefined, `${path} has a route`);
    const ahead = route?.hasAccounts === false ? [] : before;
    const whole = makeProgram(path, () => [scriptStart, ...baked, ...ahead, code(), scriptEnd]);
    const script = `${route?.name ?? "resident"}.${whole.sha256.slice(0, 10)}`;
    const isLight = route?.isLight === true && ahead.length === 0;
    const launcher = Buffer.from(writeLauncher(path, switchesOf({ isLight }), script));
    return [makeProgram(path, () => [launcher]), { ...whole, path: `programs/${script}.js` }];
  });
}

function makeProgram(path: string, parts: Program["parts"]): Program {
  return { ...describePlan({ path, parts }), parts };
}

const shebang = "#!/usr/bin/env node\n";
/** A script is a function of what CommonJS gives: so V8 keeps its code apart from where it lies. */
const scriptStart = Buffer.from('(function(require,__dirname){"use strict";');
const scriptEnd = Buffer.from("})");

/**
 * What the web server starts. It runs the same without a cache, or with one of another Node, only slower. Compared with
 * CommonJS's own loader it spares the search for a package.json.
 */
function writeLauncher(path: string, switches: readonly string[], script: string): string {
  const up = "/..".repeat(path.split("/").length - 1);
  const start = switches.length === 0 ? shebang : `${["#!/usr/bin/env -S node", ...switches].join(" ")}\n`;
  return `${start}"use strict";
const { readFileSync } = require('fs'), { Script } = require('vm'), release = __dirname + '${up}';
const filename = release + '/programs/${script}.js', source = readFileSync(filename, 'utf8');
let cachedData;
try { cachedData = readFileSync(release + '/../../${warmFolder}/${script}.' + process.version + '.cache'); } catch {}
new Script(source, { filename, cachedData }).runInThisContext()(require, __dirname);
`;
}

/**
 * Where the machine keeps what V8 made of the scripts, beside the releases, under the scripts' names and Node's version: it belongs
 * to the machine, and to every release that has the script.
 */
export const warmFolder = "warm";

/** The name of what a version of Node, "v20.19.0", made of a script, "login.0123456789.js". */
export function cacheName(script: string, version: string): string {
  return script.replace(/js$/, `${version}.cache`);
}

/** The route whose program a script is; undefined for the one that stays. */
export function routeOfScript(script: string): Route | undefined {
  return routes.find(({ name }) => name === script.split(".")[0]);
}

/** Whether a script may ask a PostgreSQL server. */
export function hasEngine(script: string): boolean {
  return script.includes(`var ${engineName}=`);
}

/** The switches that a program of a release is started with, as its launcher's first line has them. */
export function readSwitches(release: string, { path }: Pick<Route, "path">): readonly string[] {
  const [first = ""] = readFileSync(join(release, "cgi", path), "utf8").split("\n");
  return first.split(" ").filter((word) => word.startsWith("--"));
}

/** V8's switches for a program: without hashing its built-in strings anew each start, by which a seventh of an empty start is saved. */
export function switchesOf({ isLight }: Pick<Route, "isLight">): readonly string[] {
  // Under any switch Node compiles anew what it loads of its own after the start: not for what loads something. And the hashes
  // of strings can be foreseen then, so that it is for programs that take no form. Whoever asks a server loads Node's sockets.
  return isLight ? ["--no-rehash-snapshot"] : [];
}

/** Leaves the bundles for later builds; called by set-up. */
export function keepBundles(codeFolder: string, bundles: readonly Bundle[]): void {
  const listed = bundles.map(({ code, ...bundle }): Listed => ({ ...bundle, bytes: code.length }));
  writeFileSync(join(codeFolder, codeName), Buffer.concat(bundles.map(({ code }) => code)));
  writeFileSync(join(codeFolder, bundlesName), JSON.stringify(listed));
}

/** What set-up bundled, or is bundled now. The caller closes it. */
export interface Bundles {
  readonly all: readonly Shelved[];
  readonly close: () => void;
}

/** Stays the same until it is closed, though the package be installed anew meanwhile. */
export async function openBundles(home: Pick<Package, "codeFolder" | "codeEnding">): Promise<Bundles> {
  const list = join(home.codeFolder, bundlesName);
  if (existsSync(list)) {
    const listed = JSON.parse(readFileSync(list, "utf8")) as readonly Listed[];
    const room = Buffer.allocUnsafeSlow(Math.max(0, ...listed.map(({ bytes }) => bytes)));
    const file = openSync(join(home.codeFolder, codeName), "r");
    let at = 0;
    const all = listed.map(({ bytes, ...bundle }) => {
      const start = at;
      at += bytes;
      return { ...bundle, code: () => readCode(file, start, room.subarray(0, bytes)) };
    });
    return { all, close: () => closeSync(file) };
  }
  // Loaded only where nothing is bundled yet: it brings the bundler along.
  const { bundlePrograms } = await import("./bundle.ts");
  const all = (await bundlePrograms(home)).map((bundle) => ({ ...bundle, code: () => bundle.code }));
  return { all, close: () => undefined };
}

function readCode(file: number, start: number, into: Buffer): Buffer {
  assert(readExactly(file, into, start), "the programs' code is as long as its list says");
  return into;
}

/** Writes what a program is given, of the templates that it shows; each is written once for all programs. */
function makeOven({
  settings,
  navigation,
  templates,
}: ProgramOptions): (shown: readonly Template[]) => Buffer[] {
  const data = `var ${bakedName}={settings:${JSON.stringify(settings)},\nnavigation:${JSON.stringify(navigation)}`;
  const [start, end] = [toAscii(`${data},\ntemplates:{`), toAscii("}};\n")];
  const written = new Map(
    templates.map(({ name, code }) => [name, toAscii(`${JSON.stringify(name)}:${code},\n`)] as const),
  );
  return (shown) => [start, ...shown.flatMap(({ name }) => written.get(name) ?? []), end];
}

/** Templates are code, everything else is data: in both a character may stand by its number. */
function toAscii(code: string): Buffer {
  const plain = code.replace(
    /[^\x20-\x7e\n\t]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return Buffer.from(plain, "latin1");
}
