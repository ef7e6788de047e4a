/**
 * The bodies of all pages between the moment they are read and the moment they are written: as bytes, one after the
 * other in large blocks. What goes over a limit waits in a temporary file, so that the memory of a build does not
 * grow with the site. They are asked for in the order in which they came, or nearly. Called by page.ts and build.ts.
 */
import { closeSync, mkdtempSync, openSync, rmdirSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert } from "../lib/util/failure.ts";
import { readExactly } from "./reader.ts";

/** Where a body lies. */
export interface Place {
  readonly block: number;
  readonly start: number;
  readonly length: number;
}

export interface Bodies {
  /** Takes a copy of the bytes. */
  readonly keep: (bytes: Uint8Array) => Place;
  /** The bytes; good until the next call. */
  readonly read: (place: Place) => Buffer;
  readonly close: () => void;
}

interface Limits {
  /** Bytes of a block; a longer body has a block for itself. */
  readonly block: number;
  /** How many blocks stay in memory. */
  readonly held: number;
}

const usual: Limits = { block: 1 << 19, held: 3 };

export function openBodies({ block: blockSize, held }: Limits = usual): Bodies {
  const blocks: (Buffer | { readonly at: number; readonly length: number })[] = [];
  let last = Buffer.alloc(0);
  let used = 0;
  let spill: number | undefined;
  let spilled = 0;
  let fetched = { block: -1, bytes: Buffer.alloc(0) };

  const putAside = (number: number): void => {
    const bytes = blocks[number];
    if (!Buffer.isBuffer(bytes)) return;
    spill ??= openUnnamed();
    writeWhole(spill, bytes, spilled);
    blocks[number] = { at: spilled, length: bytes.length };
    spilled += bytes.length;
  };
  const open = (least: number): void => {
    const isFull = blocks.length > held;
    if (isFull) putAside(blocks.length - 1);
    // The room of what was put aside is free. Else not cleared: every byte of it that is read was written before.
    if (!isFull || last.length < least) last = Buffer.allocUnsafeSlow(Math.max(blockSize, least));
    blocks.push(last);
    used = 0;
  };
  return {
    keep: (bytes) => {
      if (used + bytes.length > last.length) open(bytes.length);
      const place = { block: blocks.length - 1, start: used, length: bytes.length };
      last.set(bytes, used);
      used += bytes.length;
      return place;
    },
    read: ({ block, start, length }) => {
      if (length === 0) return Buffer.alloc(0);
      const bytes = blocks[block];
      assert(bytes !== undefined, "a place is in a block");
      if (Buffer.isBuffer(bytes)) return bytes.subarray(start, start + length);
      if (fetched.block !== block) {
        const room =
          fetched.bytes.length >= bytes.length ? fetched.bytes : Buffer.allocUnsafeSlow(bytes.length);
        assert(spill !== undefined, "a block was put aside");
        const isRead = readExactly(spill, room.subarray(0, bytes.length), bytes.at);
        assert(isRead, "what was put aside is still there");
        fetched = { block, bytes: room };
      }
      return fetched.bytes.subarray(start, start + length);
    },
    close: () => {
      if (spill !== undefined) closeSync(spill);
      spill = undefined;
      blocks.length = 0;
    },
  };
}

/** A file that nobody else can open, and that is gone when the process is, however it ends. */
function openUnnamed(): number {
  const folder = mkdtempSync(join(tmpdir(), "picodollar-"));
  try {
    const file = join(folder, "bodies");
    const handle = openSync(file, "wx+", 0o600);
    unlinkSync(file);
    return handle;
  } finally {
    rmdirSync(folder);
  }
}

function writeWhole(file: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(file, bytes, done, bytes.length - done, at + done);
}
