/**
 * What a build leaves for the next one: the stamps of its sources, the seals of its files, and the facts of its pages.
 * It speaks of one release, of one set of inputs, and of one start of the machine, and is nothing otherwise; deleting
 * it costs time and nothing else. The facts are read only when a page changed. Written whole, beside the releases.
 */
import { closeSync, openSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { DayUtc } from "../lib/util/clock.ts";
import { sha256Hex } from "../lib/util/digest.ts";
import { assert, hasCode } from "../lib/util/failure.ts";
import { randomToken } from "../lib/util/random.ts";
import type { Settings } from "../lib/util/settings.ts";
import { keepFile, openKept } from "./aside.ts";
import type { Renamed } from "./assets.ts";
import { isWithin, type Span } from "./choice.ts";
import type { FolderTimes } from "./folders.ts";
import type { SealedRelease } from "./publish.ts";
import { readExactly } from "./reader.ts";
import { Damage, type KeptRecords, openRecords, type Records, type WrittenRecords } from "./records.ts";
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

export interface KeptSettings extends Pick<Settings, "url" | "search"> {
  readonly compress: boolean;
}

export interface State extends SealedRelease {
  /** The sources' files, in the order of the walk, and their stamps. */
  readonly sources: readonly string[];
  readonly stamps: Stamps;
  readonly counts: Counts;
  /** What small builds need of the settings. */
  readonly settings: KeptSettings;
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
  readonly settings: KeptSettings;
  readonly span: Span;
  readonly renames: State["renames"];
  readonly shelf: State["shelf"];
  readonly sources: string;
  readonly paths: string;
  readonly stamps: Stamps;
  readonly seals: Stamps;
  readonly records: KeptRecords;
}

const fileName = "state";
const digestLength = 64;
const recordsForm = /^records-[\w-]+$/;

/** Undefined where there is none that holds for these inputs and today, or where it is damaged. */
export function loadState(outFolder: string, inputs: string, today: DayUtc): Kept | undefined {
  const folder = join(outFolder, cacheName);
  try {
    const bytes = readFileSync(join(folder, fileName));
    const content = bytes.subarray(digestLength);
    if (sha256Hex(content) !== bytes.toString("latin1", 0, digestLength)) return undefined;
    const first = deserialize(content) as First;
    if (first.inputs !== inputs || first.boot === "" || first.boot !== bootId()) return undefined;
    if (!isWithin(first.span, today)) return undefined;
    const { sources, paths, records, ...rest } = first;
    return {
      ...rest,
      sources: splitLines(sources),
      paths: splitLines(paths),
      records: () => openRecords(records, (at, length) => readPart(join(folder, records.file), at, length)),
    };
  } catch (error) {
    if (hasCode(error, notOurs)) return undefined;
    throw error;
  }
}

/** As they were kept; most builds keep the same again. */
const texts = new WeakMap<readonly string[], string>();

function splitLines(text: string): readonly string[] {
  const lines = text.split("\n");
  texts.set(lines, text);
  return lines;
}

function joinLines(lines: readonly string[]): string {
  return texts.get(lines) ?? lines.join("\n");
}

/** Not there, or not ours to read. */
const notOurs = ["ENOENT", "ENOTDIR", "EACCES", "EISDIR"];

function readPart(name: string, at: number, length: number): Buffer {
  try {
    const file = openSync(name, "r");
    try {
      const bytes = Buffer.allocUnsafeSlow(length);
      if (!readExactly(file, bytes, at)) throw new Damage(name);
      return bytes;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw hasCode(error, notOurs) ? new Damage(name) : error;
  }
}

/** Puts the state in place at once. A later build does without it where it cannot be written. */
export function saveState(
  outFolder: string,
  inputs: string,
  state: State,
  records: KeptRecords | WrittenRecords,
): void {
  assert(records.ends.length === state.sources.length + 1, "there is a record for each source");
  const folder = join(outFolder, cacheName);
  const kept = "file" in records ? records : writeFacts(outFolder, records);
  const { releaseId, counts, settings, span, renames, shelf, stamps, seals } = state;
  const [sources, paths] = [joinLines(state.sources), joinLines(state.paths)];
  const about = { inputs, boot: bootId(), releaseId, counts, settings, span, renames, shelf, sources, paths };
  const first = serialize({ ...about, stamps, seals, records: kept } satisfies First);
  keepFile(join(folder, fileName), [Buffer.from(sha256Hex(first), "latin1"), first]);
  removeOthers(folder, kept.file);
}

function writeFacts(outFolder: string, { blocks, ends, digests }: WrittenRecords): KeptRecords {
  const facts = openFacts(outFolder);
  for (const block of blocks) facts.write(block);
  return facts.finish({ ends, digests });
}

/** A file for the facts of pages, written as they are noted. */
export function openFacts(outFolder: string) {
  const file = `records-${randomToken(12)}`;
  const kept = openKept(join(outFolder, cacheName, file));
  const finish = (about: Pick<KeptRecords, "ends" | "digests">): KeptRecords => {
    kept.finish();
    return { file, ...about, newer: new Map() };
  };
  return { write: kept.write, finish };
}

/** Those of builds before. One that runs right now and loses its own reads all sources the next time. */
function removeOthers(folder: string, file: string): void {
  // Where a file is in the way, nothing was kept.
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  for (const name of readdirSync(folder))
    if (recordsForm.test(name) && name !== file) rmSync(join(folder, name), { force: true });
}
