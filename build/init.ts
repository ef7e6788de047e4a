/**
 * A new site's folder: the package's starter (content/ and etc/), the layouts that an owner changes first, and
 * the style sheet. It appears whole or not at all. Called by cli/init.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type Refusal, refuse } from "../lib/util/failure.ts";
import { findPackage } from "./package.ts";

export { packageVersion } from "./package.ts";

const layouts = ["page.html", "header.html", "nav.html", "footer.html"];

export type InitResult =
  | { readonly ok: true; readonly folder: string; readonly files: number }
  | Refusal<"not-empty" | "not-a-folder">;

/** Lays the site down in a folder that does not exist yet, or is empty. Writes no package.json. */
export function initSite(target: string, home: { readonly folder: string } = findPackage()): InitResult {
  const folder = resolve(target);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found !== undefined && !found.isDirectory())
    return refuse("not-a-folder", `${target}: this is a file; name a folder that is not there yet`);
  if (found !== undefined && readdirSync(folder).length > 0)
    return refuse("not-empty", `${target}: the folder is not empty; name a new one`);
  // In an empty folder the site is made inside it: replacing it would pull it away under the caller's shell.
  const parent = found === undefined ? dirname(folder) : folder;
  mkdirSync(parent, { recursive: true });
  const stage = mkdtempSync(join(parent, `.${basename(folder)}-`));
  try {
    const made = join(stage, "site");
    layDown(home.folder, made);
    const files = countFiles(made);
    if (found === undefined) renameSync(made, folder);
    else moveAll(made, folder);
    return { ok: true, folder, files };
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function layDown(packageFolder: string, made: string): void {
  cpSync(join(packageFolder, "starter"), made, { recursive: true });
  mkdirSync(join(made, "layouts"), { recursive: true });
  for (const name of layouts) cpSync(join(packageFolder, "layouts", name), join(made, "layouts", name));
  cpSync(join(packageFolder, "content", "style.css"), join(made, "content", "style.css"));
  // Written here, since npm leaves files of this name out of packages.
  writeFileSync(join(made, ".gitignore"), "/data/\n/dist/\netc/secrets\n");
}

/** Moves the parts in; if one cannot be moved, those before it are taken out again. */
function moveAll(made: string, folder: string): void {
  const moved: string[] = [];
  try {
    for (const name of readdirSync(made)) {
      renameSync(join(made, name), join(folder, name));
      moved.push(name);
    }
  } catch (error) {
    for (const name of moved) rmSync(join(folder, name), { recursive: true, force: true });
    throw error;
  }
}

function countFiles(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}
