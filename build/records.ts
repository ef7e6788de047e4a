/**
 * The facts of pages between builds: a record in JSON for each source, one after the other in one stretch of bytes, so
 * that one of them can be read, or changed, without the others. Called by state.ts and those that keep or read facts.
 */
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
export interface WrittenRecords {
  /** Their bytes, in this order. */
  readonly parts: readonly Uint8Array[];
  /** Where each record ends. */
  readonly ends: Float64Array<ArrayBuffer>;
}

export interface Records {
  /** What layouts put around pages. */
  readonly outsides: readonly Outside[];
  /** Of a source, by its place among them; undefined where it is no page. */
  readonly read: (index: number) => KeptPage | undefined;
  /** The record as it is kept. */
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
      return { parts: [room.subarray(0, at)], ends };
    },
  };
}

export function readRecords(bytes: Buffer, ends: Float64Array<ArrayBuffer>): Records {
  const raw = (index: number): Buffer => bytes.subarray(ends[index - 1] ?? 0, ends[index]);
  const read = (index: number): KeptPage | undefined => {
    const record = raw(index);
    return record.length === 0 ? undefined : (JSON.parse(record.toString("utf8")) as KeptPage);
  };
  const outsides = JSON.parse(raw(ends.length - 1).toString("utf8")) as readonly Outside[];
  return { outsides, raw, read, change: (changed) => changeRecords(bytes, ends, changed) };
}

function changeRecords(
  bytes: Buffer,
  ends: Float64Array<ArrayBuffer>,
  changed: ReadonlyMap<number, KeptPage>,
): WrittenRecords {
  const parts: Uint8Array[] = [];
  const newEnds = ends.slice();
  let [from, moved] = [0, 0];
  for (let index = 0; index < ends.length; index += 1) {
    const page = changed.get(index);
    if (page !== undefined) {
      const record = Buffer.from(JSON.stringify(page));
      const [start, end] = [ends[index - 1] ?? 0, ends[index] ?? 0];
      parts.push(bytes.subarray(from, start), record);
      from = end;
      moved += record.length - (end - start);
    }
    newEnds[index] = (ends[index] ?? 0) + moved;
  }
  parts.push(bytes.subarray(from, ends.at(-1)));
  return { parts, ends: newEnds };
}
