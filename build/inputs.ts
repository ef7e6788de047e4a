/**
 * All that a build depends on besides content/, as one value: while it is the same, what was kept of the last build
 * holds (state.ts). Small files are read, and layouts are taken from what was read; the package's own are known by their stamps.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../lib/util/digest.ts";
import { hasCode } from "../lib/util/failure.ts";
import { bundlesName } from "./bundles.ts";
import type { Choice } from "./choice.ts";
import { compareText } from "./fault.ts";
import type { Package } from "./package.ts";

export interface Inputs {
  /** Undefined where the package's programs are not bundled: then they may change with any file of theirs. */
  readonly digest: string | undefined;
  /** The layouts that were read, by absolute path. */
  readonly read: ReadonlyMap<string, Buffer>;
}

export function readInputs(sourceFolder: string, home: Package, { drafts, future }: Choice): Inputs {
  const made = statSync(join(home.codeFolder, bundlesName), { throwIfNoEntry: false });
  const addon = statSync(home.addonFile, { throwIfNoEntry: false });
  const read = new Map<string, Buffer>();
  if (made === undefined || addon === undefined) return { digest: undefined, read };
  const stamps = [made, addon].map(({ mtimeMs, ctimeMs, size, ino }) => [mtimeMs, ctimeMs, size, ino]);
  const parts: Buffer[] = [];
  const lengths = [
    // Nobody asks for what is in there again.
    readFolder(join(sourceFolder, "etc"), new Map(), parts),
    ...[sourceFolder, home.folder].map((folder) => readFolder(join(folder, "layouts"), read, parts)),
  ];
  const about = [home.version, process.version, home.codeFolder, drafts, future, stamps, lengths];
  return { digest: sha256Of(Buffer.from(JSON.stringify(about)), ...parts).toString("hex"), read };
}

/** Names and lengths, or what else is there. Secrets are no input, and perhaps not for whoever builds to read. */
type Listed = readonly (readonly [name: string, what: number | string | Listed])[];

function readFolder(folder: string, read: Map<string, Buffer>, parts: Buffer[]): Listed {
  let entries: ReturnType<typeof listFolder>;
  try {
    entries = listFolder(folder);
  } catch (error) {
    if (hasCode(error, ["ENOENT", "ENOTDIR", "EACCES"])) return [];
    throw error;
  }
  return entries.flatMap((entry): Listed => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return [[entry.name, readFolder(path, read, parts)]];
    if (/^secrets/.test(entry.name)) return [];
    const bytes = readAny(path);
    if (typeof bytes === "string") return [[entry.name, bytes]];
    read.set(path, bytes);
    parts.push(bytes);
    return [[entry.name, bytes.length]];
  });
}

function listFolder(folder: string) {
  return readdirSync(folder, { withFileTypes: true }).sort((a, b) => compareText(a.name, b.name));
}

function readAny(file: string): Buffer | string {
  try {
    // A named pipe would be waited for.
    return statSync(file).isFile() ? readFileSync(file) : "no file";
  } catch (error) {
    // Whatever is wrong with it is told when it is read as what it should be.
    return error instanceof Error && "code" in error ? String(error.code) : "";
  }
}
