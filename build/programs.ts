/**
 * The programs of a release, one for each file of cgi/ and of jobs/: launchers of a few lines, and the scripts that they run, the
 * package's code and what is baked in for the site: its settings, navigation, and compiled templates. They need nothing but Node and
 * the native addon.
 */
import { assert } from "../lib/util/failure.ts";
import type { NavSection } from "../lib/util/navigation.ts";
import { findRoute, isOffered, type Route } from "../lib/util/routes.ts";
import type { Settings } from "../lib/util/settings.ts";
import type { Shelved } from "./bundles.ts";
import { nameScript, scriptPath, switchesOf, writeLauncher } from "./launcher.ts";
import { toAscii } from "./ready.ts";
import { describePlan, type Entry, type Plan } from "./release.ts";
import { listShown, type Template } from "./template.ts";

/** By its path in the release: "cgi/account/login.cgi", "jobs/bill", or "programs/login.0123456789.js". */
export type Program = Plan & Entry;

export interface ProgramOptions {
  readonly settings: Settings;
  readonly navigation: readonly NavSection[];
  readonly templates: readonly Template[];
  /** Whether programs stay (cgi/support/resident.ts). */
  readonly isResident: boolean;
}

export interface Programs {
  /** Launchers and scripts, in no order. */
  readonly files: readonly Program[];
  /** How many of them are launchers. */
  readonly count: number;
}

/** Where the index of the pages lies in the release of a site with a search; programs find it from where they lie. */
export const searchPath = "search/pages.sqlite";

/** Makes every program that the site has. `all`: the package's. */
export function buildPrograms(options: ProgramOptions, all: readonly Shelved[]): Programs {
  const isOnServer = options.settings.store !== "sqlite";
  const engine = isOnServer ? all.find(({ kind }) => kind === "engine") : undefined;
  assert(!isOnServer || engine !== undefined, "the package has the engine of a server");
  const engineFile = engine === undefined ? undefined : makeCode(engine);
  const bake = makeOven(options);
  const files: Program[] = engineFile === undefined ? [] : [engineFile.file];
  let count = 0;
  for (const bundle of all) {
    const { name, kind, paths, templates } = bundle;
    if (kind === "library") files.push(makeCode(bundle).file);
    const route = kind === "cgi" ? routeOf(bundle) : undefined;
    if (kind === "engine" || kind === "library" || (kind === "servers" && !options.isResident)) continue;
    if (route !== undefined && !isOffered(route, options.settings)) continue;
    const shown =
      kind === "jobs"
        ? options.templates.filter((template) => template.name.startsWith("mail/"))
        : listShown(options.templates, ["page", ...templates]);
    // All jobs have the same part of the site: it is one file.
    const part = kind === "jobs" ? "mails" : `${name}.site`;
    const [code, site] = [makeCode(bundle), nameByContent(part, bake(shown))];
    const ahead = engineFile !== undefined && route?.hasAccounts !== false ? [engineFile.script] : [];
    const switches = switchesOf({ isLight: route?.isLight === true && ahead.length === 0 });
    const launchers = paths.map((path) =>
      describe(path, [Buffer.from(writeLauncher(path, [code.script, site.script, ...ahead], switches))]),
    );
    files.push(code.file, ...launchers);
    if (!files.some(({ path }) => path === site.file.path)) files.push(site.file);
    count += launchers.length;
  }
  return { files, count };
}

function routeOf({ name, paths: [path = ""] }: Shelved): Route {
  const route = findRoute(path.replace(/^cgi/, ""));
  assert(route !== undefined, `${name} has a route`);
  return route;
}

interface Script {
  readonly script: string;
  readonly file: Program;
}

/** The package's: its hash is known. */
function makeCode({ name, sha256, bytes, code }: Shelved): Script {
  const script = nameScript(name, sha256);
  return { script, file: { path: scriptPath(script), sha256, bytes, parts: () => [code()] } };
}

function nameByContent(name: string, parts: readonly Uint8Array[]): Script {
  const { sha256, bytes } = describePlan({ path: "", parts: () => parts });
  const script = nameScript(name, sha256);
  return { script, file: { path: scriptPath(script), sha256, bytes, parts: () => parts } };
}

function describe(path: string, parts: readonly Uint8Array[]): Program {
  return { ...describePlan({ path, parts: () => parts }), parts: () => parts };
}

const comma = Buffer.from(",\n");

/** Writes what a program is given, of the templates that it shows; each is written once for all programs. */
function makeOven({
  settings,
  navigation,
  templates,
}: ProgramOptions): (shown: readonly Template[]) => Buffer[] {
  const data = `{settings:${JSON.stringify(settings)},\nnavigation:${JSON.stringify(navigation)}`;
  const [start, end] = [toAscii(`${data},\ntemplates:{`), toAscii("}}\n")];
  const written = new Map(
    templates.map(({ name, code }) => {
      const parts = [toAscii(`${JSON.stringify(name)}:`), code, comma];
      return [name, Buffer.concat(parts)] as const;
    }),
  );
  return (shown) => [start, ...shown.flatMap(({ name }) => written.get(name) ?? []), end];
}
