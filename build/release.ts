/**
 * The files of a release and its manifest, the sorted list of what it holds. The native addon stands outside the
 * manifest: it belongs to the machine, the rest to the sources. Called by publish.ts and change.ts.
 */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  futimesSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
  writevSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { sha256Hex, sha256Of } from "../lib/util/digest.ts";
import { hasCode } from "../lib/util/failure.ts";
import { readSeal, type Seal } from "./stamps.ts";

/** A file as the manifest has it. */
export interface Entry {
  /** Path in the release, "www/docs/index.html". */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** A file of a release that is to be. What the manifest will say of it is worked out where it is not known. */
export interface Plan {
  readonly path: string;
  readonly sha256?: string;
  readonly bytes?: number;
  /** Its bytes, part by part; good until those of another are asked for. */
  readonly parts: () => readonly Uint8Array[];
}

/** `made`: its bytes, where they are made already. */
export function describePlan(plan: Plan, made?: readonly Uint8Array[]): Entry {
  const { path, sha256, bytes } = plan;
  if (sha256 !== undefined && bytes !== undefined) return { path, sha256, bytes };
  const parts = made ?? plan.parts();
  const [first, ...others] = parts;
  if (first !== undefined && others.length === 0)
    return { path, sha256: sha256Hex(first), bytes: first.length };
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return { path, sha256: sha256Of(...parts).toString("hex"), bytes: length };
}

export const manifestName = "manifest.json";

/** Where the native addon lies in a release; programs find it from where they lie. */
export const addonPath = "native/better_sqlite3.node";

/**
 * A line for each file, so that one of them can be changed without making the others anew. Compressed files beside
 * them are not listed, but that there are any: a release with them is another one than without.
 */
export function writeManifest(entries: readonly Entry[], tool: string, isCompressed: boolean): Buffer {
  const lines = entries.map(writeEntry);
  const compressed = isCompressed ? '"compressed":true,' : "";
  return Buffer.from(
    `{"tool":${JSON.stringify(`picodollar ${tool}`)},${compressed}"files":[\n${lines.join(",\n")}\n]}\n`,
  );
}

/** As JSON.stringify does, which would look at each of three texts for what has to be escaped. */
export function writeEntry({ path, sha256, bytes }: Entry): string {
  const name = /^[\w./~-]*$/.test(path) ? `"${path}"` : JSON.stringify(path);
  return `{"path":${name},"sha256":"${sha256}","bytes":${bytes}}`;
}

/** The manifest's text, in UTF-8; undefined where there is none, or something else of its name. */
export function readManifest(release: string): Buffer | undefined {
  const file = join(release, manifestName);
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(file) : undefined;
}

/** What it lists; undefined where it is no manifest, whatever became of it. */
export function parseManifest(text: Buffer | undefined): readonly Entry[] | undefined {
  try {
    return text === undefined
      ? undefined
      : (JSON.parse(text.toString("utf8")) as { readonly files: readonly Entry[] }).files;
  } catch {
    return undefined;
  }
}

/** Programs can be run; everybody may read everything: there are no secrets in a release. */
export function modeOf(path: string): number {
  return /^(?:cgi|jobs|native)\//.test(path) ? 0o755 : 0o644;
}

/**
 * The seal of a release's file if it is, byte for byte, what it should be. It is read, not believed: a file that was
 * edited in dist/ by hand, or was cut by a power failure, must not live on as a link.
 */
export function sealIfSame(release: string, { path, sha256, bytes }: Entry): Seal | undefined {
  const file = join(release, path);
  const seal = readSeal(file);
  // Its mode too: what nobody may read, or run, is not served, whatever its bytes.
  if (seal?.size !== bytes || (seal.mode & 0o777) !== modeOf(path)) return undefined;
  return sha256Hex(readFileSync(file)) === sha256 ? seal : undefined;
}

/** The addon's seal if the release's is the same file. */
export function sealIfAddon(release: string, addonFile: string): Seal | undefined {
  const file = join(release, addonPath);
  const seal = readSeal(file);
  if (seal?.size !== statSync(addonFile).size || (seal.mode & 0o777) !== modeOf(addonPath)) return undefined;
  return readFileSync(file).equals(readFileSync(addonFile)) ? seal : undefined;
}

export interface TreeWriter {
  /** Writes a new file. */
  readonly write: (path: string, parts: readonly Uint8Array[]) => void;
  /** Writes a new file with the time of another one of the tree, whose content it holds in another form. */
  readonly writeBeside: (path: string, of: string, parts: readonly Uint8Array[]) => void;
  /** Copies a file without reading it here. */
  readonly copy: (path: string, from: string) => void;
  /** Takes the file of the same path from another release; false where it cannot be linked. */
  readonly link: (path: string, release: string) => boolean;
}

/** Makes folders as they are needed. The caller sees to the umask: the web server is another user and must read. */
export function makeTreeWriter(stage: string): TreeWriter {
  const folders = new Set<string>();
  let last = "";
  const place = (path: string): string => {
    const length = path.lastIndexOf("/");
    // Most files lie beside the one before.
    if (length !== last.length || !path.startsWith(last)) {
      last = path.slice(0, Math.max(0, length));
      if (!folders.has(last)) makeFolder(join(stage, last));
      folders.add(last);
    }
    return `${stage}/${path}`;
  };
  const write = (path: string, parts: readonly Uint8Array[], time?: Date): void => {
    const handle = openSync(place(path), "wx", modeOf(path));
    try {
      writeParts(handle, parts);
      if (time !== undefined) futimesSync(handle, time, time);
    } finally {
      closeSync(handle);
    }
  };
  return {
    write,
    writeBeside: (path, of, parts) => write(path, parts, statSync(`${stage}/${of}`).mtime),
    copy: (path, from) => {
      const file = place(path);
      copyFileSync(from, file, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      chmodSync(file, modeOf(path));
    },
    link: (path, release) => {
      try {
        linkSync(`${release}/${path}`, place(path));
        return true;
      } catch (error) {
        // Too many links, a file system without them, or a release that another build has just cleared away.
        if (hasCode(error, ["EMLINK", "EPERM", "ENOTSUP", "ENOENT"])) return false;
        throw error;
      }
    },
  };
}

function writeParts(handle: number, parts: readonly Uint8Array[]): void {
  let written = parts.length > 1 ? writevSync(handle, parts) : 0;
  for (const bytes of parts) {
    for (let done = Math.min(written, bytes.length); done < bytes.length; )
      done += writeSync(handle, bytes, done, bytes.length - done);
    written -= Math.min(written, bytes.length);
  }
}

/** Makes a folder, and those above it, that every user may read. */
export function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  makeFolder(dirname(folder));
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
}

/** With every file it makes readable by all, whatever the umask of whoever calls the build. */
export function withUmask<Result>(work: () => Result): Result {
  const before = process.umask(0o022);
  try {
    return work();
  } finally {
    process.umask(before);
  }
}
