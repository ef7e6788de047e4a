/**
 * All that a build depends on besides content/, as one value: while it is the same, what was kept of the last build
 * holds (state.ts). Small files are read, the package's own are known by their stamps.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../lib/util/digest.ts";
import { hasCode } from "../lib/util/failure.ts";
import type { Choice } from "./choice.ts";
import { compareText } from "./fault.ts";
import type { Package } from "./package.ts";
import { bundlesName } from "./programs.ts";

/** Undefined where the package's programs are not bundled: then they may change with any file of theirs. */
export function readInputs(
  sourceFolder: string,
  home: Package,
  { drafts, future }: Choice,
): string | undefined {
  const made = statSync(join(home.codeFolder, bundlesName), { throwIfNoEntry: false });
  const addon = statSync(home.addonFile, { throwIfNoEntry: false });
  if (made === undefined || addon === undefined) return undefined;
  const stamps = [made, addon].map(({ mtimeMs, ctimeMs, size, ino }) => [mtimeMs, ctimeMs, size, ino]);
  const files = [join(sourceFolder, "etc"), join(sourceFolder, "layouts"), join(home.folder, "layouts")].map(
    readFolder,
  );
  return sha256Hex(
    JSON.stringify([home.version, process.version, home.codeFolder, drafts, future, stamps, files]),
  );
}

/** Names and texts. Secrets are no input, and perhaps not for whoever builds to read. */
function readFolder(folder: string): readonly (readonly [string, string])[] {
  let entries: ReturnType<typeof listFolder>;
  try {
    entries = listFolder(folder);
  } catch (error) {
    if (hasCode(error, ["ENOENT", "ENOTDIR", "EACCES"])) return [];
    throw error;
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return readFolder(path).map(([name, text]) => [`${entry.name}/${name}`, text] as const);
    return /^secrets/.test(entry.name) ? [] : [[entry.name, readAny(path)] as const];
  });
}

function listFolder(folder: string) {
  return readdirSync(folder, { withFileTypes: true }).sort((a, b) => compareText(a.name, b.name));
}

function readAny(file: string): string {
  try {
    // A named pipe would be waited for.
    return statSync(file).isFile() ? readFileSync(file, "latin1") : "no file";
  } catch (error) {
    // Whatever is wrong with it is told when it is read as what it should be.
    return error instanceof Error && "code" in error ? String(error.code) : "";
  }
}
