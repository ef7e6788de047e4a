/**
 * Where the package's own parts lie: its layouts and starter site, the sources of the programs, and the native
 * addon. The same code runs from a clone (build/package.ts) and compiled (out/build/package.js).
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, NeedsHuman } from "../lib/util/failure.ts";

export interface Package {
  /** Holds layouts/, starter/, and content/style.css. */
  readonly folder: string;
  /** Holds cgi/ and jobs/ in the same form as this file: TypeScript in a clone, else JavaScript. */
  readonly codeFolder: string;
  readonly codeEnding: string;
  readonly version: string;
  /** The database driver's compiled half. */
  readonly addonFile: string;
}

/** @throws NeedsHuman if the database driver is not compiled */
export function findPackage(): Package {
  const self = fileURLToPath(import.meta.url);
  const codeFolder = dirname(dirname(self));
  const folder = findFolder(codeFolder);
  const addonFile = findAddon(folder, self);
  if (!existsSync(addonFile))
    throw new NeedsHuman(
      `${addonFile}: the database driver is not compiled; run: npm rebuild better-sqlite3`,
    );
  // As one file (out/cli/site.cjs) the command still finds the compiled code around it.
  const codeEnding = extname(self) === ".ts" ? ".ts" : ".js";
  return { folder, codeFolder, codeEnding, version: packageVersion(), addonFile };
}

/** Most often it lies in the package's own folder, where it is found without Node's search. */
function findAddon(folder: string, self: string): string {
  const built = ["build", "Release", "better_sqlite3.node"];
  const own = join(folder, "node_modules", "better-sqlite3", ...built);
  if (existsSync(own)) return own;
  return join(dirname(createRequire(self).resolve("better-sqlite3/package.json")), ...built);
}

export function packageVersion(): string {
  const folder = findFolder(dirname(dirname(fileURLToPath(import.meta.url))));
  const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  assert(
    typeof manifest === "object" && manifest !== null && "version" in manifest,
    "the package has a version",
  );
  return String(manifest.version);
}

function findFolder(codeFolder: string): string {
  return existsSync(join(codeFolder, "package.json")) ? codeFolder : dirname(codeFolder);
}
