/**
 * The package's layouts as set-up compiled them, known by their texts: a site that leaves them as they are, or has
 * copies of them, needs no compiler. What lies there is what compile.ts makes of the same text. Called by template.ts.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../lib/util/digest.ts";
import { hasCode, NeedsHuman } from "../lib/util/failure.ts";
import type { FoundLink } from "./scan.ts";
import type { TemplateUses } from "./syntax.ts";

export interface Compiled {
  /** Asked for where names are looked at; of what set-up compiled, it is read only then. */
  readonly tree: () => hbs.AST.Program;
  /** JavaScript of Handlebars' specification object, in ASCII, as programs have it. */
  readonly code: Buffer;
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

/**
 * Beside the package's code. The trees are twice as long as all else, and most builds need none of them; the layouts' code lies in a
 * file that is named by its content, so that a list is never taken for that of another.
 */
const [fileName, treesName] = ["layouts.json", "layouts-trees.json"];
const codeForm = /^layouts\.\w+\.bin$/;

interface Listed {
  readonly file: string;
  readonly layouts: Readonly<
    Record<string, Omit<Found, "tree" | "code"> & { readonly at: number; readonly bytes: number }>
  >;
}
type Trees = Readonly<Record<string, hbs.AST.Program>>;

/** None where set-up left none, as in a clone's tests. */
export function readReady(codeFolder: string): Ready {
  const file = join(codeFolder, fileName);
  if (!existsSync(file)) return () => undefined;
  const { file: codeFile, layouts } = JSON.parse(readFileSync(file, "utf8")) as Listed;
  const all = readBeside(codeFolder, codeFile);
  let trees: Trees | undefined;
  return (name, text) => {
    const key = keyOf(name, text);
    const found = layouts[key];
    if (found === undefined) return undefined;
    const { at, bytes, ...rest } = found;
    const tree = (): hbs.AST.Program => {
      trees ??= JSON.parse(readBeside(codeFolder, treesName).toString("utf8")) as Trees;
      const own = trees[key];
      if (own === undefined) throw explainReplaced(codeFolder);
      return own;
    };
    return { ...rest, code: all.subarray(at, at + bytes), tree };
  };
}

/** @throws NeedsHuman where the package was replaced since its list was read */
function readBeside(codeFolder: string, name: string): Buffer {
  try {
    return readFileSync(join(codeFolder, name));
  } catch (error) {
    throw hasCode(error, ["ENOENT"]) ? explainReplaced(codeFolder) : error;
  }
}

function explainReplaced(codeFolder: string): NeedsHuman {
  return new NeedsHuman(`${codeFolder}: the package was replaced while this ran; start it again`);
}

/** Nothing is looked at by what was left before. */
export function forgetReady(codeFolder: string): void {
  for (const name of readdirSync(codeFolder))
    if ([fileName, treesName].includes(name) || codeForm.test(name)) rmSync(join(codeFolder, name));
}

export function writeReady(
  codeFolder: string,
  templates: readonly (Compiled & { readonly name: string; readonly text: string })[],
): void {
  const layouts: Record<string, Listed["layouts"][string]> = {};
  const trees: Record<string, hbs.AST.Program> = {};
  const parts: Buffer[] = [];
  let at = 0;
  for (const { name, text, tree, code, uses, links } of templates) {
    const key = keyOf(name, text);
    const names = [...(layouts[key]?.names ?? []), name];
    layouts[key] = { names, uses, links, at, bytes: code.length };
    trees[key] = tree();
    parts.push(code);
    at += code.length;
  }
  const code = Buffer.concat(parts);
  const file = `layouts.${sha256Hex(code).slice(0, 16)}.bin`;
  writeFileSync(join(codeFolder, file), code);
  writeFileSync(join(codeFolder, treesName), JSON.stringify(trees));
  writeFileSync(join(codeFolder, fileName), JSON.stringify({ file, layouts } satisfies Listed));
}

/** Mails are compiled otherwise than pages (compile.ts). */
function keyOf(name: string, text: string): string {
  return sha256Hex(`${name.startsWith("mail/") ? "mail" : "page"}\n${text}`);
}
