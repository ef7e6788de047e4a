/**
 * The facts of pages between builds: a record in JSON for each source, one after the other in one stretch of bytes with
 * a digest for each block of them, so that one can be read, or changed, without the others. Called by state.ts and those
 * that keep or read facts.
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

/** As they are kept: one for each source, and behind them that of the outsides. */
export interface WrittenRecords extends Layout {
  /** Their bytes, in this order. */
  readonly parts: readonly Uint8Array[];
}

/** What is kept beside their bytes. */
export interface Layout {
  /** Where each record ends. */
  readonly ends: Float64Array<ArrayBuffer>;
  /** Of each block: SHA-256, one behind the other. */
  readonly digests: Uint8Array<ArrayBuffer>;
}

/** What was kept is not there, cut, or changed by hand: as if there were nothing. */
export class Damage extends Error {}

/** Records in a block, which is read and written as a whole. */
const inBlock = 64;
const digestLength = 32;

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
  /** All of them, with these in the place of those of their sources. */
  readonly change: (changed: ReadonlyMap<number, KeptPage>) => WrittenRecords;
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
      const bytes = room.subarray(0, at);
      const digests = new Uint8Array(countBlocks(ends) * digestLength);
      for (let block = 0; block < countBlocks(ends); block += 1)
        digests.set(sha256Of(blockOf(bytes, ends, block)), block * digestLength);
      return { parts: [bytes], ends, digests };
    },
  };
}

function countBlocks(ends: Layout["ends"]): number {
  return Math.ceil(ends.length / inBlock);
}

function startOf(ends: Layout["ends"], index: number): number {
  return ends[index - 1] ?? 0;
}

function blockOf(bytes: Buffer, ends: Layout["ends"], block: number): Buffer {
  const last = Math.min((block + 1) * inBlock, ends.length) - 1;
  return bytes.subarray(startOf(ends, block * inBlock), ends[last]);
}

/** @throws Damage if the outsides are not what was kept */
export function readRecords(bytes: Buffer, layout: Layout): Records {
  const { ends, digests } = layout;
  const checked = new Set<number>();
  const check = (block: number): void => {
    const at = block * digestLength;
    if (!sha256Of(blockOf(bytes, ends, block)).equals(digests.subarray(at, at + digestLength)))
      throw new Damage("a block of records");
    checked.add(block);
  };
  const raw = (index: number): Buffer => {
    const block = Math.floor(index / inBlock);
    if (!checked.has(block)) check(block);
    return bytes.subarray(startOf(ends, index), ends[index]);
  };
  const read = (index: number): KeptPage | undefined => {
    const record = raw(index);
    return record.length === 0 ? undefined : (JSON.parse(record.toString("utf8")) as KeptPage);
  };
  const outsides = JSON.parse(raw(ends.length - 1).toString("utf8")) as readonly Outside[];
  return { outsides, raw, read, change: (changed) => changeRecords(bytes, layout, changed) };
}

/** Blocks that stay are not looked at: what is wrong with one of them is found when it is read. */
function changeRecords(
  bytes: Buffer,
  { ends, digests }: Layout,
  changed: ReadonlyMap<number, KeptPage>,
): WrittenRecords {
  const parts: Uint8Array[] = [];
  const records = new Map<number, Buffer>();
  const newEnds = ends.slice();
  let [from, moved] = [0, 0];
  for (let index = 0; index < ends.length; index += 1) {
    const page = changed.get(index);
    if (page !== undefined) {
      const record = Buffer.from(JSON.stringify(page));
      records.set(index, record);
      const [start, end] = [startOf(ends, index), ends[index] ?? 0];
      parts.push(bytes.subarray(from, start), record);
      from = end;
      moved += record.length - (end - start);
    }
    newEnds[index] = (ends[index] ?? 0) + moved;
  }
  parts.push(bytes.subarray(from, ends.at(-1)));
  const newDigests = digests.slice();
  for (const block of new Set([...changed.keys()].map((index) => Math.floor(index / inBlock)))) {
    const first = block * inBlock;
    const count = Math.min(inBlock, ends.length - first);
    const own = Array.from({ length: count }, (_, at) => {
      const index = first + at;
      return records.get(index) ?? bytes.subarray(startOf(ends, index), ends[index]);
    });
    newDigests.set(sha256Of(...own), block * digestLength);
  }
  return { parts, ends: newEnds, digests: newDigests };
}
