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
import { describePlan, type Entry, type Plan } from "./release.ts";
import { listShown, type Template } from "./template.ts";
import { toAscii } from "./text.ts";

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

/**
 * Where the index of the pages lies in the release of a site with a search; programs find it from where they lie. An index that
 * is read in another way has another name: programs that stay look into releases that came after them, too.
 */
export const searchPath = "search/pages.sqlite";

/** Makes every program that the site has. `all`: the package's. */
export function buildPrograms(options: ProgramOptions, all: readonly Shelved[]): Programs {
  const isOnServer = options.settings.store !== "sqlite";
  const codesOf = (kind: Shelved["kind"]): readonly Script[] =>
    all.filter((bundle) => bundle.kind === kind).map(makeCode);
  const engine = isOnServer ? codesOf("engine") : [];
  assert(engine.length === (isOnServer ? 1 : 0), "the package has the engine of a server");
  const bake = makeOven(options);
  // All jobs have the same part of the site: it is one file.
  const mails = nameByContent(
    "mails",
    bake(options.templates.filter(({ name }) => name.startsWith("mail/"))),
  );
  const files = [...engine, ...codesOf("library"), mails].map(({ file }) => file);
  let count = 0;
  for (const bundle of all) {
    const { name, kind, paths, templates } = bundle;
    if (kind === "engine" || kind === "library" || (kind === "servers" && !options.isResident)) continue;
    const route = kind === "cgi" ? routeOf(bundle) : undefined;
    if (route !== undefined && !isOffered(route, options.settings)) continue;
    const code = makeCode(bundle);
    const site =
      kind === "jobs"
        ? mails
        : nameByContent(`${name}.site`, bake(listShown(options.templates, ["page", ...templates])));
    const ahead = route?.hasAccounts === false ? [] : engine;
    const scripts = [code, site, ...ahead].map(({ script }) => script);
    const switches = switchesOf({ isLight: route?.isLight === true && ahead.length === 0 });
    files.push(code.file);
    if (site !== mails) files.push(site.file);
    for (const path of paths)
      files.push(describe(path, [Buffer.from(writeLauncher(path, scripts, switches))]));
    count += paths.length;
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
  const file = describe("", parts);
  const script = nameScript(name, file.sha256);
  return { script, file: { ...file, path: scriptPath(script) } };
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
