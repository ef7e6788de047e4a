/**
 * The files of a release and its manifest, the sorted list of what it holds. The native addon stands outside the
 * manifest: it belongs to the machine, the rest to the sources.
 */
import { chmodSync, linkSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256Hex } from "../lib/util/digest.ts";
import { hasCode, TryLater } from "../lib/util/failure.ts";
import { compareText } from "./fault.ts";

/** A file given by its content, or as the copy of another one. */
export interface ReleaseFile {
  /** Path in the release, "www/docs/index.html". */
  readonly path: string;
  readonly content?: string | Uint8Array;
  readonly copyOf?: string;
  readonly isProgram?: boolean;
}

export interface Entry extends ReleaseFile {
  readonly sha256: string;
  readonly bytes: number;
}

const manifestName = "manifest.json";

/** Where the native addon lies in a release; programs find it from where they lie. */
export const addonPath = "native/better_sqlite3.node";

/** Hashes every file, in the order of the paths. A copy is read again when it is written: it may be large. */
export function describeFiles(files: readonly ReleaseFile[]): readonly Entry[] {
  const entries = files.map((file): Entry => {
    const content = readContent(file);
    return { ...file, sha256: sha256Hex(content), bytes: Buffer.byteLength(content) };
  });
  return entries.sort((a, b) => compareText(a.path, b.path));
}

export function writeManifest(entries: readonly Entry[], tool: string): string {
  const files = entries.map(({ path, sha256, bytes }) => ({ path, sha256, bytes }));
  return `${JSON.stringify({ tool: `picodollar ${tool}`, files }, null, 1)}\n`;
}

/** The manifest's text; undefined where there is none. */
export function readManifest(release: string): string | undefined {
  const file = join(release, manifestName);
  return statSync(file, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(file, "utf8");
}

/**
 * The paths of a release whose files are, byte for byte, what they should be now. They are read, not believed:
 * a file that was edited in dist/ by hand, or was cut by a power failure, must not live on as a link.
 */
export function findSame(
  release: string | undefined,
  entries: readonly Entry[],
  addonFile: string,
): ReadonlySet<string> {
  if (release === undefined) return new Set();
  const same = entries.filter((entry) => {
    const file = join(release, entry.path);
    const found = statSync(file, { throwIfNoEntry: false });
    // Its mode too: what nobody may read, or run, is not served, whatever its bytes.
    if (found?.isFile() !== true || (found.mode & 0o777) !== modeOf(entry)) return false;
    return found.size === entry.bytes && sha256Hex(readFileSync(file)) === entry.sha256;
  });
  const addon = join(release, addonPath);
  const addonStays =
    statSync(addon, { throwIfNoEntry: false }) !== undefined &&
    readFileSync(addon).equals(readFileSync(addonFile));
  return new Set([...same.map(({ path }) => path), ...(addonStays ? [addonPath] : [])]);
}

function modeOf(file: Pick<ReleaseFile, "isProgram">): number {
  return file.isProgram === true ? 0o755 : 0o644;
}

export interface Tree {
  readonly stage: string;
  /** The release that unchanged files are linked to. */
  readonly before: string | undefined;
  readonly same: ReadonlySet<string>;
  readonly entries: readonly Entry[];
  readonly manifest: string;
  readonly addonFile: string;
}

/** @throws TryLater if a copied file is no longer what it was when the manifest was made */
export function writeTree(tree: Tree): void {
  const { stage, entries, manifest, addonFile } = tree;
  const folders = new Set<string>();
  const write = (path: string, mode: number, read: () => string | Uint8Array): void => {
    const file = join(stage, path);
    const folder = dirname(file);
    if (!folders.has(folder)) makeFolder(folder);
    folders.add(folder);
    if (linkSame(tree, path, file)) return;
    writeFileSync(file, read(), { flag: "wx" });
    // Whatever the umask: the web server is another user and must read it. There are no secrets in a release.
    chmodSync(file, mode);
  };
  for (const entry of entries) write(entry.path, modeOf(entry), () => readUnchanged(entry));
  write(addonPath, 0o755, () => readFileSync(addonFile));
  write(manifestName, 0o644, () => manifest);
}

/** Makes a folder, and those above it, that every user may read. */
export function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  makeFolder(dirname(folder));
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
}

function linkSame({ before, same }: Tree, path: string, file: string): boolean {
  if (before === undefined || !same.has(path)) return false;
  try {
    linkSync(join(before, path), file);
    return true;
  } catch (error) {
    // Too many links, a file system without them, or a release that another build has just cleared away.
    if (hasCode(error, ["EMLINK", "EPERM", "ENOTSUP", "ENOENT"])) return false;
    throw error;
  }
}

function readUnchanged(entry: Entry): string | Uint8Array {
  const content = readContent(entry);
  if (entry.copyOf !== undefined && sha256Hex(content) !== entry.sha256)
    throw new TryLater(`${entry.copyOf}: changed while the site was built; build again`);
  return content;
}

function readContent({ content, copyOf, path }: ReleaseFile): string | Uint8Array {
  if (content !== undefined) return content;
  if (copyOf === undefined) throw new Error(`assertion failed: ${path} has a content or is a copy`);
  return readFileSync(copyOf);
}
