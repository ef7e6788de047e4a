/**
 * Reads sources: the bytes and, in the same moment, the stamp by which a later build sees whether the file is still
 * the same. One buffer serves all files. Called by page.ts and release.ts.
 */
import { isUtf8 } from "node:buffer";
import { closeSync, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { near } from "./near.ts";

/** What the file system says of a file; equal stamps stand for equal content, with the limits told in stamps.ts. */
export interface Stamp {
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly size: number;
  readonly ino: number;
}

export interface ReadFile {
  /** Good until the next file is read. */
  readonly bytes: Buffer;
  readonly stamp: Stamp;
}

/** A file is read whole; it may be longer or shorter by then than its size told. */
export type Reader = (file: string) => ReadFile;

export function makeReader(): Reader {
  let room: Buffer = Buffer.allocUnsafeSlow(1 << 16);
  return (file) => {
    const handle = openSync(near(file), "r");
    try {
      const stats: Stats = fstatSync(handle);
      let length = 0;
      while (true) {
        // One byte more than the size: the end is seen by the first read, without another one.
        if (length + 1 > room.length || (length === 0 && stats.size + 1 > room.length))
          room = grow(room, Math.max(stats.size + 1, length + 1), length);
        const count = readSync(handle, room, length, room.length - length, null);
        length += count;
        if (count === 0 || (length === stats.size && length < room.length)) break;
      }
      const { mtimeMs, ctimeMs, size, ino } = stats;
      return { bytes: room.subarray(0, length), stamp: { mtimeMs, ctimeMs, size, ino } };
    } finally {
      closeSync(handle);
    }
  };
}

function grow(room: Buffer, least: number, used: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.max(least, room.length * 2));
  room.copy(larger, 0, 0, used);
  return larger;
}

/** Fills a buffer from a place of an open file; false where the file ends before. */
export function readExactly(file: number, into: Buffer, at: number): boolean {
  for (let done = 0; done < into.length; ) {
    const count = readSync(file, into, done, into.length - done, at + done);
    if (count === 0) return false;
    done += count;
  }
  return true;
}

/** True if the bytes are text as sources must be: UTF-8 without a NUL. */
export function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}
