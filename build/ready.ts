/**
 * The package's layouts as set-up compiled them, known by their texts: a site that leaves them as they are, or has
 * copies of them, needs no compiler. What lies there is what compile.ts makes of the same text. Called by template.ts.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../lib/util/digest.ts";
import { NeedsHuman } from "../lib/util/failure.ts";
import type { FoundLink } from "./scan.ts";
import type { TemplateUses } from "./syntax.ts";

export interface Compiled {
  /** Asked for where names are looked at; of what set-up compiled, it is read only then. */
  readonly tree: () => hbs.AST.Program;
  /** JavaScript of Handlebars' specification object. */
  readonly code: string;
  readonly uses: TemplateUses;
  /** The addresses that are written out in it, and what programs fill in as `{{...}}`. */
  readonly links: readonly TemplateLink[];
}

/** The tag, "base", matters where it moves all others. */
export type TemplateLink = Pick<FoundLink, "target" | "tag" | "offset">;

export interface Found extends Compiled {
  /** The templates of the package that have this text. */
  readonly names: readonly string[];
}

/** Undefined where set-up compiled no such text. */
export type Ready = (name: string, text: string) => Found | undefined;

/** Beside the compiled code. The trees are twice as long as all else, and most builds need none of them. */
const [fileName, treesName] = ["layouts.json", "layouts-trees.json"];

type Listed = Readonly<Record<string, Omit<Found, "tree">>>;
type Trees = Readonly<Record<string, hbs.AST.Program>>;

/** None where set-up left none, as in a clone's tests. */
export function readReady(codeFolder: string): Ready {
  const file = join(codeFolder, fileName);
  if (!existsSync(file)) return () => undefined;
  const listed = JSON.parse(readFileSync(file, "utf8")) as Listed;
  let trees: Trees | undefined;
  return (name, text) => {
    const key = keyOf(name, text);
    const found = listed[key];
    if (found === undefined) return undefined;
    const tree = (): hbs.AST.Program => {
      trees ??= JSON.parse(readFileSync(join(codeFolder, treesName), "utf8")) as Trees;
      const own = trees[key];
      if (own === undefined)
        throw new NeedsHuman(`${codeFolder}: the package was replaced while this ran; start it again`);
      return own;
    };
    return { ...found, tree };
  };
}

/** Nothing is looked at by what was left before. */
export function forgetReady(codeFolder: string): void {
  for (const name of [fileName, treesName]) rmSync(join(codeFolder, name), { force: true });
}

export function writeReady(
  codeFolder: string,
  templates: readonly (Compiled & { readonly name: string; readonly text: string })[],
): void {
  const listed: Record<string, Omit<Found, "tree">> = {};
  const trees: Record<string, hbs.AST.Program> = {};
  for (const { name, text, tree, code, uses, links } of templates) {
    const key = keyOf(name, text);
    listed[key] = { names: [...(listed[key]?.names ?? []), name], code, uses, links };
    trees[key] = tree();
  }
  writeFileSync(join(codeFolder, treesName), JSON.stringify(trees));
  writeFileSync(join(codeFolder, fileName), JSON.stringify(listed));
}

/** Mails are compiled otherwise than pages (compile.ts). */
function keyOf(name: string, text: string): string {
  return sha256Hex(`${name.startsWith("mail/") ? "mail" : "page"}\n${text}`);
}
