/**
 * The sources of a site: one walk over content/, in a fixed order. A source's address is its path; Markdown
 * becomes .html. Two sources for one output, and links that lead out of content/, are faults: what lies
 * elsewhere (etc/secrets, data/) must never be published.
 */
import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { join, sep } from "node:path";
import { hasCode } from "../lib/util/failure.ts";
import { routes } from "../lib/util/routes.ts";
import { compareText, type Fault } from "./fault.ts";
import { explainUnreadable, noFile } from "./text.ts";

export interface Source {
  /** Path from the site's folder, "content/docs/index.html". */
  readonly file: string;
  readonly absolute: string;
  /** Path below www/, "docs/index.html". */
  readonly output: string;
  readonly kind: "html" | "markdown" | "file";
}

export function readSources(sourceFolder: string): { sources: readonly Source[]; faults: readonly Fault[] } {
  const content = join(sourceFolder, "content");
  if (statSync(content, { throwIfNoEntry: false })?.isDirectory() !== true) {
    const message = "not found; the pages of a site lie in this folder, and `site init` makes one";
    return { sources: [], faults: [{ file: "content", line: 0, message }] };
  }
  const root = realpathSync(content);
  const walked: Walk = { root, sources: [], faults: [] };
  walk(walked, root, "", [root]);
  if (walked.sources.length === 0)
    walked.faults.push({ file: "content", line: 0, message: "there is no page; write content/index.html" });
  return { sources: walked.sources, faults: walked.faults };
}

/** Addresses that are not the site's to give. */
const takenFolders: ReadonlyMap<string, string> = new Map([
  ["account", "addresses below /account/ belong to the account programs; name this otherwise"],
  ["_picodollar", "at /_picodollar/ the development server speaks to open pages; name this otherwise"],
  ["mailbox", "at /mailbox/ the development server shows its mails; name this otherwise"],
]);

/** In bytes. A file system has 255 for a name; hashes and endings are put behind it, and folders before the path. */
const [longestName, longestPath] = [200, 1000];

function judgeLength(path: string, name: string): string | undefined {
  // A character has three bytes at most; almost every path is short.
  if (path.length * 3 <= longestName) return undefined;
  if (Buffer.byteLength(name) > longestName)
    return `its name is longer than ${longestName} bytes; shorten it`;
  return Buffer.byteLength(path) > longestPath
    ? `its path is longer than ${longestPath} bytes; let it lie in fewer folders, or shorten their names`
    : undefined;
}

// Copied as they are, they would show their header block and have no layout.
const strangeEnding = "the names of pages end in .html or .md, in small letters; rename this";

interface Walk {
  readonly root: string;
  readonly sources: Source[];
  readonly faults: Fault[];
}

/** `above`: the real folders that led here. */
function walk(walked: Walk, folder: string, below: string, above: readonly string[]): void {
  const entries = listFolder(folder);
  if (typeof entries === "string") {
    walked.faults.push({ file: `content/${below}`.replace(/\/$/, ""), line: 0, message: entries });
    return;
  }
  for (const entry of [...entries].sort((a, b) => compareText(a.name, b.name))) {
    // Hidden files and editors' leftovers are no part of a site; .well-known is (RFC 8615).
    if ((entry.name.startsWith(".") && entry.name !== ".well-known") || entry.name.endsWith("~")) continue;
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    const taken = takenFolders.get(path) ?? judgeLength(path, entry.name);
    if (taken !== undefined) {
      walked.faults.push({ file: `content/${printable(path)}`, line: 0, message: taken });
      continue;
    }
    const found = resolveEntry(walked.root, folder, entry, above);
    if (typeof found === "string")
      walked.faults.push({ file: `content/${printable(path)}`, line: 0, message: found });
    else if (found.isFolder) walk(walked, found.absolute, path, [...above, found.absolute]);
    else if (/\.(?:html?|md|markdown)$/i.test(path) && !/\.(?:html|md)$/.test(path))
      walked.faults.push({ file: `content/${path}`, line: 0, message: strangeEnding });
    else walked.sources.push(makeSource(found.absolute, path));
  }
}

function listFolder(folder: string): readonly Dirent[] | string {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    return explainUnreadable(error);
  }
}

/** The real file or folder behind an entry; what is wrong with it otherwise. */
function resolveEntry(
  root: string,
  folder: string,
  entry: Dirent,
  above: readonly string[],
): { readonly absolute: string; readonly isFolder: boolean } | string {
  const absolute = `${folder}/${entry.name}`;
  // U+FFFD stands for bytes that are no UTF-8: by this name the file cannot be opened.
  if (!/^[ -[\]-~]*$/.test(entry.name) && /[\p{Cc}\ufffd\\]/u.test(entry.name))
    return "rename this: its name has a character that no address can have";
  if (!entry.isSymbolicLink()) return judgeKind(absolute, entry);
  const target = followLink(absolute);
  if (target === undefined) return "this link leads nowhere; delete it or put the file in its place";
  if (!target.absolute.startsWith(root + sep))
    return "this link leads out of content/; put a copy of the file in its place";
  if (above.includes(target.absolute)) return "this link leads to a folder that it lies in; delete it";
  return judgeKind(target.absolute, target.stats);
}

function followLink(absolute: string): { readonly absolute: string; readonly stats: Stats } | undefined {
  try {
    return { absolute: realpathSync(absolute), stats: statSync(absolute) };
  } catch (error) {
    if (hasCode(error, ["ENOENT", "ELOOP"])) return undefined;
    throw error;
  }
}

function judgeKind(
  absolute: string,
  kind: Pick<Stats, "isDirectory" | "isFile">,
): { readonly absolute: string; readonly isFolder: boolean } | string {
  if (kind.isDirectory()) return { absolute, isFolder: true };
  return kind.isFile() ? { absolute, isFolder: false } : noFile;
}

function printable(path: string): string {
  return path.replace(/\p{Cc}/gu, "?");
}

function makeSource(absolute: string, path: string): Source {
  const file = `content/${path}`;
  if (path.endsWith(".md")) return { file, absolute, output: `${path.slice(0, -3)}.html`, kind: "markdown" };
  return { file, absolute, output: path, kind: path.endsWith(".html") ? "html" : "file" };
}

/** What makes a file of www/. */
export type Maker = Pick<Source, "file" | "output">;

/** Two makers of one address, and addresses that programs have. Sources come first: what is made besides is at fault. */
export function findClashes(makers: readonly Maker[]): readonly Fault[] {
  const first = new Map<string, Maker>();
  const faults: Fault[] = [];
  const programs = new Set(routes.map(({ path }) => path.slice(1)));
  for (const maker of makers) {
    const { file, output } = maker;
    const other = first.get(output);
    if (other !== undefined)
      faults.push({
        file,
        line: 0,
        message: `makes /${output}, and so does ${other.file}; rename or delete one`,
      });
    else first.set(output, maker);
    if (other === undefined && programs.has(output))
      faults.push({ file, line: 0, message: `a program answers at /${output}; rename this` });
  }
  // Each folder is looked at once: a file of its name, or of the name of one above it, clashes with all that it holds.
  const known = new Map<string, Maker | undefined>([["", undefined]]);
  const fileAbove = (folder: string): Maker | undefined => {
    if (known.has(folder)) return known.get(folder);
    const found = fileAbove(folderOf(folder)) ?? first.get(folder);
    known.set(folder, found);
    return found;
  };
  let last = { folder: "", above: undefined as Maker | undefined };
  for (const { file, output } of makers) {
    const folder = folderOf(output);
    // Those of one folder mostly stand together.
    if (folder !== last.folder) last = { folder, above: fileAbove(folder) };
    if (last.above === undefined) continue;
    const message = `lies in a folder /${last.above.output}, but ${last.above.file} makes a file of that name; rename one`;
    faults.push({ file, line: 0, message });
  }
  return faults;
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
