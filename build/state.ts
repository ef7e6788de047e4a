/**
 * What a build leaves for the next one: the stamps of its sources, the seals of its files, and the facts of its pages.
 * It speaks of one release, of one set of inputs, and of one start of the machine, and is nothing otherwise; deleting
 * it costs time and nothing else. The facts are read only when a page changed. Written whole, beside the releases.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { DayUtc } from "../lib/util/clock.ts";
import { sha256Hex } from "../lib/util/digest.ts";
import { assert, hasCode } from "../lib/util/failure.ts";
import { keepFile } from "./aside.ts";
import type { Renamed } from "./assets.ts";
import { isWithin, type Span } from "./choice.ts";
import type { FolderTimes } from "./folders.ts";
import type { SealedRelease } from "./publish.ts";
import { Damage, type Layout, type Records, readRecords, type WrittenRecords } from "./records.ts";
import { cacheName } from "./shelf.ts";
import { bootId, type Stamps } from "./stamps.ts";

export interface Counts {
  readonly pages: number;
  readonly files: number;
  readonly programs: number;
  /** Pages that are left out. */
  readonly drafts: number;
  readonly future: number;
}

export interface State extends SealedRelease {
  /** The sources' files, in the order of the walk, and their stamps. */
  readonly sources: readonly string[];
  readonly stamps: Stamps;
  readonly counts: Counts;
  /** The hashed names of assets. */
  readonly renames: readonly (readonly [output: string, renamed: Renamed])[];
  /** The days for which it holds. */
  readonly span: Span;
  /** Of the releases with these paths that are there, the newest last. */
  readonly shelf: readonly FolderTimes[];
}

export interface Kept extends State {
  readonly records: () => Records;
}

interface First {
  readonly inputs: string;
  readonly boot: string;
  readonly releaseId: string;
  readonly counts: Counts;
  readonly span: Span;
  readonly renames: State["renames"];
  readonly shelf: State["shelf"];
  readonly sources: string;
  readonly paths: string;
  readonly stamps: Stamps;
  readonly seals: Stamps;
  readonly layout: Layout;
}

const fileName = "state";
const digestLength = 64;
const lengthOfLengths = 8;

/** Undefined where there is none that holds for these inputs and today, or where it is damaged. */
export function loadState(outFolder: string, inputs: string, today: DayUtc): Kept | undefined {
  const name = join(outFolder, cacheName, fileName);
  let bytes: Buffer;
  try {
    bytes = readPart(name, 0, lengthOfLengths);
    const first = deserialize(readChecked(name, lengthOfLengths, bytes.readUInt32LE(0))) as First;
    if (first.inputs !== inputs || first.boot === "" || first.boot !== bootId()) return undefined;
    if (!isWithin(first.span, today)) return undefined;
    const { releaseId, counts, span, renames, shelf, stamps, seals, layout } = first;
    const start = lengthOfLengths + digestLength + bytes.readUInt32LE(0);
    const length = bytes.readUInt32LE(4);
    const records = (): Records => readRecords(readPart(name, start, length), layout);
    const [sources, paths] = [first.sources.split("\n"), first.paths.split("\n")];
    return { releaseId, counts, span, renames, shelf, stamps, seals, sources, paths, records };
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

/** Not there, not ours to read, cut, or changed by hand: as if there were none. */
function isDamage(error: unknown): boolean {
  return error instanceof Damage || hasCode(error, ["ENOENT", "ENOTDIR", "EACCES", "EISDIR"]);
}

function readPart(name: string, at: number, length: number): Buffer {
  const file = openSync(name, "r");
  try {
    if (fstatSync(file).size < at + length) throw new Damage(name);
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length; ) done += readSync(file, bytes, done, length - done, at + done);
    return bytes;
  } finally {
    closeSync(file);
  }
}

function readChecked(name: string, at: number, length: number): Buffer {
  const bytes = readPart(name, at, digestLength + length);
  const content = bytes.subarray(digestLength);
  if (sha256Hex(content) !== bytes.toString("latin1", 0, digestLength)) throw new Damage(name);
  return content;
}

/** Puts the state in place at once. A later build does without it where it cannot be written. */
export function saveState(
  outFolder: string,
  inputs: string,
  state: State,
  { parts, ends, digests }: WrittenRecords,
): void {
  assert(ends.length === state.sources.length + 1, "there is a record for each source");
  const { releaseId, counts, span, renames, shelf, stamps, seals } = state;
  const [sources, paths] = [state.sources.join("\n"), state.paths.join("\n")];
  const about = { inputs, boot: bootId(), releaseId, counts, span, renames, shelf, sources, paths };
  const all: First = { ...about, stamps, seals, layout: { ends, digests } };
  const first = serialize(all);
  const lengths = Buffer.alloc(lengthOfLengths);
  lengths.writeUInt32LE(first.length, 0);
  lengths.writeUInt32LE(ends.at(-1) ?? 0, 4);
  const file = join(outFolder, cacheName, fileName);
  keepFile(file, [lengths, Buffer.from(sha256Hex(first), "latin1"), first, ...parts]);
}
