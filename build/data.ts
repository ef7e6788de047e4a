/**
 * Data files: layouts/data/NAME.yaml, .json, or .csv is what layouts of pages find as data.NAME, one folder deeper as
 * data.FOLDER.NAME. They lie with the layouts that show them and are never published by themselves. All that is wrong
 * is told, and what lies elsewhere (etc/secrets) never gets into a page. Called by build/build.ts.
 */
import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { join, sep } from "node:path";
import { hasCode } from "../lib/util/failure.ts";
import { readCsv } from "./csv.ts";
import { compareText, type Fault } from "./fault.ts";
import { fillFields } from "./fields.ts";
import { readJson } from "./json.ts";
import { judgeName, type Plain, type PlainRecord, type PlainResult } from "./plain.ts";
import type { Shape, ShapeRecord } from "./shapes.ts";
import { explainUnreadable, readUtf8 } from "./text.ts";
import { readPlainYaml } from "./yamldata.ts";

export interface SiteData {
  readonly data: PlainRecord;
  /** What may be asked of the data; anything of what is at fault, so that templates are not blamed for it. */
  readonly shape: ShapeRecord;
  /** Absolute paths of what was read, in a fixed order. */
  readonly files: readonly string[];
  readonly faults: readonly Fault[];
}

const readers: Readonly<Record<string, (text: string) => PlainResult>> = {
  yaml: readPlainYaml,
  yml: readPlainYaml,
  json: readJson,
  csv: readCsv,
};

// A page that shows more takes seconds to load; and readers are to end soon, whatever a file holds.
const mostBytes = 1024 * 1024;
const mostFaults = 20;

interface Walk {
  /** The real path of layouts/. */
  readonly root: string;
  readonly files: string[];
  readonly faults: Fault[];
}

/** A file or a folder: its value and shape. */
interface Part<Value> {
  readonly value: Value;
  readonly shape: Shape;
}

/** @param sourceFolder the site's, in which there need not be a layouts/data/ */
export function readData(sourceFolder: string): SiteData {
  const layouts = join(sourceFolder, "layouts");
  const walk: Walk = { root: "", files: [], faults: [] };
  const entries = readEntries(layouts);
  const entry = typeof entries === "string" ? undefined : entries.find(({ name }) => name === "data");
  if (entry === undefined) return { data: {}, shape: {}, files: [], faults: [] };
  const inside = { ...walk, root: realpathSync(layouts) };
  const folder = join(layouts, "data");
  const found = entry.isSymbolicLink() ? followLink(folder, inside.root) : entry;
  const { value, shape } =
    typeof found === "string"
      ? refuse(inside, "layouts/data", found)
      : readFolder(inside, folder, "layouts/data", "data");
  return { data: value, shape: shape as ShapeRecord, files: inside.files, faults: inside.faults };
}

function refuse({ faults }: Walk, file: string, message: string): Part<PlainRecord> {
  faults.push({ file, line: 0, message });
  return { value: {}, shape: {} };
}

function readEntries(folder: string): readonly Dirent[] | string {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    return explainUnreadable(error);
  }
}

/** `file`: how messages name the folder; `path`: how templates do. */
function readFolder(walk: Walk, folder: string, file: string, path: string): Part<PlainRecord> {
  const entries = readEntries(folder);
  if (typeof entries === "string") return refuse(walk, file, entries);
  const parts = new Map<string, Part<Plain>>();
  const makers = new Map<string, string>();
  for (const entry of [...entries].sort((a, b) => compareText(a.name, b.name))) {
    if (entry.name.startsWith(".") || entry.name.endsWith("~")) continue;
    const below = `${file}/${entry.name.replace(/\p{Cc}/gu, "?")}`;
    const absolute = join(folder, entry.name);
    const kind = judgeEntry(walk, absolute, entry, path === "data");
    if ("wrong" in kind) {
      refuse(walk, below, kind.wrong);
      continue;
    }
    const { name, ending } = kind;
    const other = makers.get(name);
    if (other !== undefined)
      refuse(walk, below, `makes ${path}.${name}, and so does ${other}; rename or delete one`);
    makers.set(name, below);
    const part =
      ending === ""
        ? readFolder(walk, absolute, below, `${path}.${name}`)
        : readFile(walk, absolute, below, ending);
    parts.set(name, other === undefined ? part : unknown);
  }
  const all = [...parts];
  return {
    value: Object.fromEntries(all.map(([name, { value }]) => [name, value])),
    shape: Object.fromEntries(all.map(([name, { shape }]) => [name, shape])),
  };
}

const unknown: Part<null> = { value: null, shape: "any" };

/** The name in templates and the file's ending ("" of a folder), or what is wrong. */
function judgeEntry(
  { root }: Walk,
  absolute: string,
  entry: Dirent,
  mayBeFolder: boolean,
): { readonly name: string; readonly ending: string } | { readonly wrong: string } {
  const found = entry.isSymbolicLink() ? followLink(absolute, root) : entry;
  if (typeof found === "string") return { wrong: found };
  if (found.isDirectory() && !mayBeFolder)
    return { wrong: "data lies one folder deep at most; move this up" };
  if (!found.isDirectory() && !found.isFile())
    return { wrong: "this is neither a file nor a folder; delete it" };
  const dot = found.isDirectory() ? entry.name.length : entry.name.lastIndexOf(".");
  const [name, ending] = [entry.name.slice(0, Math.max(dot, 0)), entry.name.slice(dot + 1)];
  if (!found.isDirectory() && !Object.hasOwn(readers, ending))
    return { wrong: "data is written as .yaml, .json, or .csv, in small letters; rename or delete this" };
  const wrong = /^[A-Za-z][A-Za-z0-9_-]*$/.test(name)
    ? judgeName(name)
    : 'rename this: templates know it by its name, which is made of letters, digits, "-", and "_", a letter first';
  return wrong === undefined ? { name, ending } : { wrong };
}

function followLink(absolute: string, root: string): Stats | string {
  try {
    if (!realpathSync(absolute).startsWith(root + sep))
      return "this link leads out of layouts/; put a copy of the file in its place";
    return statSync(absolute);
  } catch (error) {
    if (hasCode(error, ["ENOENT", "ELOOP"]))
      return "this link leads nowhere; delete it or put the file in its place";
    throw error;
  }
}

function readFile(walk: Walk, absolute: string, file: string, ending: string): Part<Plain> {
  const fail = (line: number, message: string): Part<Plain> => {
    walk.faults.push({ file, line, message });
    return unknown;
  };
  walk.files.push(absolute);
  const size = statSync(absolute, { throwIfNoEntry: false })?.size ?? 0;
  if (size > mostBytes)
    return fail(0, `is larger than ${mostBytes / 1024} KiB; keep what pages show, or part it into several`);
  const text = readUtf8(absolute);
  if (typeof text !== "string") return fail(text.line, text.message);
  const { value, faults } = readers[ending]?.(text) ?? { value: undefined, faults: [] };
  walk.faults.push(...faults.slice(0, mostFaults).map((fault) => ({ file, ...fault })));
  if (faults.length > mostFaults)
    fail(0, `has ${faults.length - mostFaults} more faults like those that are told`);
  if (value === undefined) return unknown;
  if (value === null) return fail(0, "holds nothing; write a list or a group into it");
  const filled = fillFields(value);
  return typeof filled === "string" ? fail(0, filled) : filled;
}
