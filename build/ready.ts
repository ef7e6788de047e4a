/**
 * The package's layouts as set-up compiled them, known by their texts: a site that leaves them as they are, or has
 * copies of them, needs no compiler. What lies there is what compile.ts makes of the same text. Called by template.ts.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../lib/util/digest.ts";
import type { TemplateUses } from "./syntax.ts";

export interface Compiled {
  readonly tree: hbs.AST.Program;
  /** JavaScript of Handlebars' specification object. */
  readonly code: string;
  readonly uses: TemplateUses;
}

type Ready = Readonly<Record<string, Compiled>>;

/** Beside the compiled code. */
const fileName = "layouts.json";

/** None where set-up left none, as in a clone's tests. */
export function readReady(codeFolder: string): Ready {
  const file = join(codeFolder, fileName);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Ready) : {};
}

export function findReady(ready: Ready, name: string, text: string): Compiled | undefined {
  return ready[keyOf(name, text)];
}

export function writeReady(
  codeFolder: string,
  templates: readonly (Compiled & { readonly name: string; readonly text: string })[],
): void {
  const all = templates.map(({ name, text, tree, code, uses }) => [keyOf(name, text), { tree, code, uses }]);
  writeFileSync(join(codeFolder, fileName), JSON.stringify(Object.fromEntries(all)));
}

/** Mails are compiled otherwise than pages (compile.ts). */
function keyOf(name: string, text: string): string {
  return sha256Hex(`${name.startsWith("mail/") ? "mail" : "page"}\n${text}`);
}
