/**
 * The layouts, compiled: the package's, each replaced by a file of the same name in the site's own layouts/.
 * Templates are strict: a misspelt variable, helper, or partial is an error, not an empty place. Set-up compiles the
 * package's (precompile.ts); the compiler is loaded for what is not among them.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { hasCode } from "../lib/util/failure.ts";
import type { CompiledTemplates } from "../lib/util/templates.ts";
import { compareText, didYouMean, type Fault } from "./fault.ts";
import type { Package } from "./package.ts";
import { type Compiled, readReady } from "./ready.ts";
import { decodeUtf8, explainUnreadable, readUtf8 } from "./text.ts";

export interface Template extends Compiled {
  /** "page", "account/login", "mail/confirm". */
  readonly name: string;
  /** Path for messages: from the site's folder, or "(package) layouts/page.html". */
  readonly file: string;
  readonly text: string;
  /** Whether it is the package's own of this name, as set-up compiled it and looked at its names. */
  readonly isGiven: boolean;
}

const folders = [
  { folder: "", ending: ".html" },
  { folder: "account", ending: ".html" },
  { folder: "mail", ending: ".txt" },
] as const;

interface Found {
  readonly name: string;
  readonly file: string;
  readonly absolute: string;
}

/** Reads and compiles all of them, in the order of their names. `read`: files that were read already. */
export async function readTemplates(
  sourceFolder: string,
  home: Pick<Package, "folder" | "codeFolder">,
  read: ReadonlyMap<string, Buffer> = new Map(),
): Promise<{ templates: readonly Template[]; faults: readonly Fault[] }> {
  const faults: Fault[] = [];
  const own = listTemplates(join(sourceFolder, "layouts"), "layouts", faults);
  const given = listTemplates(join(home.folder, "layouts"), "(package) layouts", []);
  const all = new Map([...given, ...own].map((found) => [found.name, found]));
  const ready = readReady(home.codeFolder);
  const templates: Template[] = [];
  for (const { name, file, absolute } of [...all.values()].sort((a, b) => compareText(a.name, b.name))) {
    const bytes = read.get(absolute);
    const text = bytes === undefined ? readUtf8(absolute) : decodeUtf8(bytes);
    if (typeof text !== "string") {
      faults.push({ file, ...text });
      continue;
    }
    const found = ready(name, text);
    const compiled = found ?? (await import("./compile.ts")).compile(name, text);
    if (!("code" in compiled)) {
      faults.push({ file, ...compiled });
      continue;
    }
    const { code, tree, uses, links } = compiled;
    templates.push({
      name,
      file,
      text,
      code,
      tree,
      uses,
      links,
      isGiven: found?.names.includes(name) === true,
    });
  }
  if (faults.length === 0) faults.push(...checkPartials(templates), ...checkNames(own, given, templates));
  return { templates, faults };
}

/** The specifications themselves, for rendering in this process. */
export function loadTemplates(templates: readonly Template[]): CompiledTemplates {
  const load = ({ code }: Template): TemplateSpecification =>
    new Function(`return (${code.toString("latin1")});`)() as TemplateSpecification;
  return Object.fromEntries(templates.map((template) => [template.name, load(template)]));
}

/** Those of `names` and all that they show; the whole of them where one chooses its partials while it is rendered. */
export function listShown(templates: readonly Template[], names: readonly string[]): readonly Template[] {
  const shown = findShown(templates, names);
  return shown === undefined ? templates : templates.filter(({ name }) => shown.has(name));
}

/** Whether a template, and each that it shows, is the package's own. */
export function isAllGiven(templates: readonly Template[], name: string): boolean {
  const [shown, byName] = [findShown(templates, [name]), indexOf(templates)];
  return shown !== undefined && [...shown].every((one) => byName.get(one)?.isGiven !== false);
}

/** Their names; undefined where one chooses its partials while it is rendered. */
function findShown(templates: readonly Template[], names: readonly string[]): Set<string> | undefined {
  const byName = indexOf(templates);
  const shown = new Set(names);
  for (const name of shown) {
    const uses = byName.get(name)?.uses;
    if (uses?.choosesPartials) return undefined;
    for (const partial of uses?.partials ?? []) shown.add(partial.name);
  }
  return shown;
}

const indexes = new WeakMap<readonly Template[], ReadonlyMap<string, Template>>();

/** By their names; a list of templates is never changed, and asked for many times. */
function indexOf(templates: readonly Template[]): ReadonlyMap<string, Template> {
  let index = indexes.get(templates);
  if (index === undefined) {
    index = new Map(templates.map((template) => [template.name, template]));
    indexes.set(templates, index);
  }
  return index;
}

/** The templates that a page can ask for: those that put the page's content somewhere, themselves or by a partial. */
export function listLayouts(templates: readonly Template[]): readonly string[] {
  const placing = new Set(templates.filter(({ uses }) => uses.placesContent).map(({ name }) => name));
  for (let before = -1; before < placing.size; ) {
    before = placing.size;
    for (const { name, uses } of templates)
      if (uses.partials.some((partial) => placing.has(partial.name))) placing.add(name);
  }
  return templates.map(({ name }) => name).filter((name) => placing.has(name) && !name.includes("/"));
}

/**
 * The fault behind an error that a template threw while it was rendered. Handlebars tells line and column, but
 * not in which of the templates: it is the one that names the missing thing at that very place.
 */
export function faultOfRender(error: unknown, layout: string, templates: readonly Template[]): Fault {
  const message = error instanceof Error ? error.message : String(error);
  const own = templates.find((template) => template.name === layout);
  const [, name, line, column] = /^"([^"]+)" not defined in .* - (\d+):(\d+)$/.exec(message) ?? [];
  if (error instanceof RangeError)
    return {
      file: own?.file ?? layout,
      line: 0,
      message: "cannot be rendered: one of its partials contains itself",
    };
  if (name === undefined)
    return { file: own?.file ?? layout, line: 0, message: `cannot be rendered: ${message}` };
  const place = { line: Number(line), column: Number(column) + 1 };
  const names = ({ uses }: Template): boolean =>
    uses.paths.some(
      (path) => path.line === place.line && path.column === place.column && path.parts.includes(name),
    );
  const culprit = own !== undefined && names(own) ? own : (templates.find(names) ?? own);
  const what = `"${name}" is not among what is given here`;
  return { file: culprit?.file ?? layout, ...place, message: what };
}

/** What lies in a folder of layouts, its `data/` left out; what is no template is a fault. */
export function listTemplates(home: string, label: string, faults: Fault[]): readonly Found[] {
  return folders.flatMap(({ folder, ending }) => {
    const absolute = join(home, folder);
    const names = listNames(absolute);
    if (typeof names === "string") {
      faults.push({ file: folder === "" ? label : `${label}/${folder}`, line: 0, message: names });
      return [];
    }
    return names.flatMap((name): Found[] => {
      const below = folder === "" ? name : `${folder}/${name}`;
      const found = { file: `${label}/${below}`, absolute: `${absolute}/${name}` };
      if (folder === "" && ["account", "mail", "data"].includes(name)) return [];
      // Names become keys of an object in each program, and words in `{{> name}}`.
      if (/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name.slice(0, -ending.length)) && name.endsWith(ending))
        return [{ ...found, name: below.slice(0, -ending.length) }];
      const message = `this is no template; here they are named NAME${ending}, of letters, digits, "-", and "_"`;
      faults.push({ file: found.file, line: 0, message });
      return [];
    });
  });
}

/** What lies in a folder of templates, which need not be there; what is wrong with it otherwise. */
function listNames(folder: string): readonly string[] | string {
  try {
    if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
    return readdirSync(folder).filter((name) => !name.startsWith(".") && !name.endsWith("~"));
  } catch (error) {
    // "layouts" is a file: then its folders are not there.
    if (hasCode(error, ["ENOTDIR"]) && !existsSync(folder)) return [];
    return explainUnreadable(error);
  }
}

/** A missing partial would stop an account page only when a customer opens it. */
function checkPartials(templates: readonly Template[]): readonly Fault[] {
  const names = templates.map(({ name }) => name);
  return templates.flatMap(({ file, uses }) =>
    uses.partials
      .filter(({ name }) => !names.includes(name) && !uses.inlines.includes(name))
      .map(({ name, line, column }): Fault => {
        const hint = didYouMean(name, names) || `; there are: ${names.join(", ")}`;
        return { file, line, column, message: `there is no partial "${name}"${hint}` };
      }),
  );
}

/** Programs ask for account pages and mails by the package's names: another name would never be shown. */
function checkNames(
  own: readonly Found[],
  given: readonly Found[],
  templates: readonly Template[],
): readonly Fault[] {
  const known = given.map(({ name }) => name);
  const used = templates.flatMap(({ uses }) => uses.partials.map(({ name }) => name));
  return own
    .filter(({ name }) => name.includes("/") && !known.includes(name) && !used.includes(name))
    .map(({ name, file }) => {
      const rooms = known.filter((candidate) => candidate.startsWith(`${name.split("/")[0]}/`));
      const hint = didYouMean(name, rooms) || `; there are: ${rooms.join(", ")}`;
      return { file, line: 0, message: `no program shows "${name}"${hint}` };
    });
}
