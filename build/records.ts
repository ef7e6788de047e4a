/**
 * The facts of pages between builds: a record for each source, one after the other in one file with a digest for
 * each block of them, so that one can be read without the others. Records that changed since stand beside the file, until
 * there are many. Called by state.ts and those that keep or read facts.
 */
import { sha256Of } from "../lib/util/digest.ts";
import { type Facts, pack, unpack } from "./facts.ts";
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
  /** Their bytes, block after block. */
  readonly blocks: readonly Uint8Array[];
  /** Where each record ends. */
  readonly ends: Float64Array<ArrayBuffer>;
  /** Of each block: SHA-256, one behind the other. */
  readonly digests: Uint8Array<ArrayBuffer>;
}

/** What is kept of them besides their bytes, which lie in a file. */
export interface KeptRecords extends Omit<WrittenRecords, "blocks"> {
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
  readonly finish: (outsides: readonly Outside[]) => Omit<WrittenRecords, "blocks">;
}

/**
 * @param count how many sources there are
 * @param write is given their bytes, block after block
 */
export function writeRecords(count: number, write: (block: Uint8Array) => void): RecordWriter {
  const blocks = openBlocks(count + 1, write);
  return {
    add: (page) => blocks.put(page === undefined ? "" : encode(page)),
    finish: (outsides) => {
      blocks.put(JSON.stringify(outsides.map(({ ids, targets }) => ({ ids, targets }))));
      return blocks.finish();
    },
  };
}

/** @param count how many records there will be */
function openBlocks(count: number, write: (block: Uint8Array) => void) {
  const ends = new Float64Array(count);
  const digests = new Uint8Array(Math.ceil(count / inBlock) * digestLength);
  let records: (string | Buffer)[] = [];
  let room = Buffer.allocUnsafeSlow(1 << 16);
  let [end, index] = [0, 0];
  // As one text they are encoded in one go. Each begins with a number, so that nothing joins over their borders.
  const encodeAll = (text: string): Buffer => {
    const length = Buffer.byteLength(text);
    if (length > room.length) room = Buffer.allocUnsafeSlow(2 * length);
    return room.subarray(0, room.write(text));
  };
  const close = (): void => {
    const isText = records.every((record) => typeof record === "string");
    const block = isText ? encodeAll(records.join("")) : Buffer.concat(records.map(bytesOf));
    digests.set(sha256Of(block), Math.floor((index - 1) / inBlock) * digestLength);
    write(block);
    records = [];
  };
  const put = (record: string | Buffer): void => {
    records.push(record);
    end += Buffer.byteLength(record);
    ends[index] = end;
    index += 1;
    if (index % inBlock === 0 || index === count) close();
  };
  return { put, finish: (): Omit<WrittenRecords, "blocks"> => ({ ends, digests }) };
}

function bytesOf(record: string | Buffer): Buffer {
  return typeof record === "string" ? Buffer.from(record) : record;
}

/** Numbers, among them the lengths of the texts behind them in UTF-16: whatever stands in those is read back as it is. */
function encode({
  head,
  title,
  isEmpty,
  bodyStarts,
  bodyLength,
  facts,
  outside,
  needs = [],
}: KeptPage): string {
  const { ids, targets } = facts;
  const lengths = `${head.length} ${title.length} ${ids.length} ${targets.length}`;
  const numbers = `${lengths} ${isEmpty ? 1 : 0} ${bodyLength} ${outside} ${bodyStarts.join(" ")}`;
  return `${numbers}\n${head}${title}${ids}${targets}${pack(needs)}`;
}

function decode(record: string): KeptPage {
  let at = record.indexOf("\n") + 1;
  const numbers = record.slice(0, at).trim().split(" ").map(Number);
  const [headLength, titleLength, idsLength, targetsLength, empty, bodyLength, outside, ...bodyStarts] =
    numbers;
  const take = (length = 0): string => {
    at += length;
    return record.slice(at - length, at);
  };
  const [head, title] = [take(headLength), take(titleLength)];
  const facts = { ids: take(idsLength), targets: take(targetsLength) };
  const needs = unpack(record.slice(at));
  return {
    head,
    title,
    isEmpty: empty === 1,
    bodyStarts,
    bodyLength: bodyLength ?? 0,
    facts,
    outside: outside ?? 0,
    needs: needs.length === 0 ? undefined : needs,
  };
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
    return record.length === 0 ? undefined : decode(record.toString("utf8"));
  };
  const change: Records["change"] = (changed) => {
    const all = new Map(newer);
    for (const [index, page] of changed) all.set(index, encode(page));
    if (all.size <= mostNewer) return { ...kept, newer: all };
    const inMemory: Uint8Array[] = [];
    const anew = openBlocks(ends.length, (block) => inMemory.push(Buffer.from(block)));
    for (let index = 0; index < ends.length; index += 1) anew.put(all.get(index) ?? raw(index));
    return { ...anew.finish(), blocks: inMemory };
  };
  const outsides = JSON.parse(raw(ends.length - 1).toString("utf8")) as readonly Outside[];
  return { outsides, raw, read, change };
}
