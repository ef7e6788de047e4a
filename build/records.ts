/**
 * The facts of pages between builds: a record in JSON for each source, one after the other in one file with a digest for
 * each block of them, so that one can be read without the others. Records that changed since stand beside the file, until
 * there are many. Called by state.ts and those that keep or read facts.
 */
import { sha256Of } from "../lib/util/digest.ts";
import type { Facts } from "./facts.ts";
import type { Needs } from "./policy.ts";

/** What is kept of a page, besides its source's stamp. */
export interface KeptPage {
  /** Its header block as it is written; with the title and `isEmpty`, all that its layout sees of it. */
  readonly head: string;
  readonly title: string;
  readonly isEmpty: boolean;
  /** Where its body begins in the document, in bytes; once for each place. */
  readonly bodyStarts: readonly number[];
  readonly bodyLength: number;
  readonly facts: Pick<Facts, "ids" | "targets">;
  /** Which of the outsides is its layout's. */
  readonly outside: number;
  /** Left out where it needs nothing, as most pages do. */
  readonly needs?: Needs | undefined;
}

export type Outside = Pick<Facts, "ids" | "targets">;

/** Of all sources, one after the other, and behind them that of the outsides. */
export interface WrittenRecords {
  readonly bytes: Uint8Array;
  /** Where each record ends. */
  readonly ends: Float64Array<ArrayBuffer>;
  /** Of each block: SHA-256, one behind the other. */
  readonly digests: Uint8Array<ArrayBuffer>;
}

/** What is kept of them besides their bytes, which lie in a file. */
export interface KeptRecords extends Omit<WrittenRecords, "bytes"> {
  readonly file: string;
  /** Records that are others by now, by their places. */
  readonly newer: ReadonlyMap<number, string>;
}

/** What was kept is not there, cut, or changed by hand: as if there were nothing. */
export class Damage extends Error {}

/** Records in a block, which is read as a whole. */
const inBlock = 64;
const digestLength = 32;
/** More of them beside the file would take longer than to write it anew. */
const mostNewer = 200;

export interface Records {
  /** What layouts put around pages. */
  readonly outsides: readonly Outside[];
  /**
   * Of a source, by its place among them; undefined where it is no page.
   * @throws Damage if the bytes of its block are not what was kept
   */
  readonly read: (index: number) => KeptPage | undefined;
  /** The record as it is kept; throws like `read`. */
  readonly raw: (index: number) => Buffer;
  /** With these in the place of those of their sources: beside the file, or all of them anew. */
  readonly change: (changed: ReadonlyMap<number, KeptPage>) => KeptRecords | WrittenRecords;
}

export interface RecordWriter {
  /** The next source's; undefined for one that is no page. */
  readonly add: (page: KeptPage | undefined) => void;
  readonly finish: (outsides: readonly Outside[]) => WrittenRecords;
}

/** No character of UTF-16 takes more than three bytes of UTF-8. */
const mostBytes = 3;

/** @param count how many sources there are */
export function writeRecords(count: number): RecordWriter {
  const ends = new Float64Array(count + 1);
  let [room, at, index] = [Buffer.allocUnsafeSlow(1 << 16), 0, 0];
  const put = (text: string): void => {
    if (at + mostBytes * text.length > room.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (at + mostBytes * text.length));
      room.copy(larger, 0, 0, at);
      room = larger;
    }
    at += room.write(text, at);
    ends[index] = at;
    index += 1;
  };
  return {
    add: (page) => put(page === undefined ? "" : JSON.stringify(page)),
    finish: (outsides) => {
      put(JSON.stringify(outsides.map(({ ids, targets }) => ({ ids, targets }))));
      return seal(room.subarray(0, at), ends);
    },
  };
}

function seal(bytes: Uint8Array, ends: WrittenRecords["ends"]): WrittenRecords {
  const digests = new Uint8Array(Math.ceil(ends.length / inBlock) * digestLength);
  for (let block = 0; block * digestLength < digests.length; block += 1) {
    const { start, end } = placeOf(block, ends);
    digests.set(sha256Of(bytes.subarray(start, end)), block * digestLength);
  }
  return { bytes, ends, digests };
}

function startOf(ends: WrittenRecords["ends"], index: number): number {
  return ends[index - 1] ?? 0;
}

function placeOf(
  block: number,
  ends: WrittenRecords["ends"],
): { readonly start: number; readonly end: number } {
  const last = Math.min((block + 1) * inBlock, ends.length) - 1;
  return { start: startOf(ends, block * inBlock), end: ends[last] ?? 0 };
}

/** @param readPart reads of the file; @throws Damage if the outsides are not what was kept */
export function openRecords(kept: KeptRecords, readPart: (at: number, length: number) => Buffer): Records {
  const { ends, digests, newer } = kept;
  const blocks = new Map<number, Buffer>();
  const readBlock = (block: number): Buffer => {
    const { start, end } = placeOf(block, ends);
    const [bytes, at] = [readPart(start, end - start), block * digestLength];
    if (!sha256Of(bytes).equals(digests.subarray(at, at + digestLength))) throw new Damage(kept.file);
    blocks.set(block, bytes);
    return bytes;
  };
  const raw = (index: number): Buffer => {
    const now = newer.get(index);
    if (now !== undefined) return Buffer.from(now);
    const block = Math.floor(index / inBlock);
    const bytes = blocks.get(block) ?? readBlock(block);
    const { start } = placeOf(block, ends);
    return bytes.subarray(startOf(ends, index) - start, (ends[index] ?? 0) - start);
  };
  const read = (index: number): KeptPage | undefined => {
    const record = raw(index);
    return record.length === 0 ? undefined : (JSON.parse(record.toString("utf8")) as KeptPage);
  };
  const change: Records["change"] = (changed) => {
    const all = new Map(newer);
    for (const [index, page] of changed) all.set(index, JSON.stringify(page));
    if (all.size <= mostNewer) return { ...kept, newer: all };
    const records = Array.from(ends, (_, index) => Buffer.from(all.get(index) ?? raw(index)));
    let at = 0;
    const newEnds = Float64Array.from(records, ({ length }) => {
      at += length;
      return at;
    });
    return seal(Buffer.concat(records), newEnds);
  };
  const outsides = JSON.parse(raw(ends.length - 1).toString("utf8")) as readonly Outside[];
  return { outsides, raw, read, change };
}
