/**
 * Stamps: what the file system says of files, by which a build sees without reading them that they are as they were.
 * A stamp is believed only if the file was left alone for a moment before it was read: a second change within one
 * tick of the file system's clock would leave the same stamp. So is none from a clock that has been set back.
 */
import { lstatSync, readFileSync, type Stats, statSync } from "node:fs";
import { assert } from "../lib/util/failure.ts";
import { near } from "./near.ts";
import type { Stamp } from "./reader.ts";

/** Linux counts file times in ticks of 1 to 10 ms; other systems and old disks in whole seconds, or in two. */
const tickMs = 25;
const coarseTickMs = 2000;

/** Numbers for each file: time of its content, time of its inode, size, and inode. */
const width = 4;

export type Stamps = Float64Array<ArrayBuffer>;

export function makeStamps(count: number): Stamps {
  return new Float64Array(count * width);
}

/**
 * Notes a stamp; one that cannot be believed is noted as none, and never equals another.
 * @param readAtMs when it was read, or sooner: what a later change leaves the same must not be believed
 */
export function putStamp(stamps: Stamps, index: number, stamp: Stamp, readAtMs: number): void {
  const { mtimeMs, ctimeMs } = stamp;
  const at = index * width;
  stamps[at] = isOld(mtimeMs, readAtMs) && isOld(ctimeMs, readAtMs) ? mtimeMs : Number.NaN;
  stamps[at + 1] = ctimeMs;
  stamps[at + 2] = stamp.size;
  stamps[at + 3] = stamp.ino;
}

/** Whether a time of the file system tells of every change until it was read. */
export function isOld(timeMs: number, readAtMs: number): boolean {
  return timeMs < readAtMs - (timeMs % 1000 === 0 ? coarseTickMs : tickMs);
}

export function hasStamp(stamps: Stamps, index: number, stamp: Stamp): boolean {
  const at = index * width;
  return (
    stamps[at] === stamp.mtimeMs &&
    stamps[at + 1] === stamp.ctimeMs &&
    stamps[at + 2] === stamp.size &&
    stamps[at + 3] === stamp.ino
  );
}

export function isSameStamp(left: Stamp, right: Stamp): boolean {
  const keys = ["mtimeMs", "ctimeMs", "size", "ino"] as const;
  return keys.every((key) => left[key] === right[key]);
}

/** The stamp of what a source's name leads to; undefined if it is gone. */
export function readStamp(file: string): Stamp | undefined {
  return statSync(near(file), { throwIfNoEntry: false });
}

/**
 * Files of a release: they are links of one another, which changes the time of their inode, so that only the time of
 * their content, their size, and their mode count.
 */
export type Seal = Pick<Stats, "mtimeMs" | "size" | "mode">;

/** Numbers for each file: the times between which its content was written, its size, and its mode. */
const sealWidth = 4;

export function makeSeals(count: number): Stamps {
  return new Float64Array(count * sealWidth);
}

export function putSeal(seals: Stamps, index: number, { mtimeMs, size, mode }: Seal): void {
  seals.set([mtimeMs, mtimeMs, size, mode], index * sealWidth);
}

/**
 * Notes files that are written one after the other, where nobody else writes, and so need not be looked at: each has some time between
 * those of the first and the last, which tells it from what becomes of it later, though not from another release's.
 */
export function noteWritten(seals: Stamps) {
  const indexes: number[] = [];
  // Of each mode that was asked for, the first file: a folder may give others.
  const modes = new Map<number, number>();
  return {
    add: (index: number, size: number, mode: number): void => {
      if (!modes.has(mode)) modes.set(mode, index);
      seals.set([Number.NaN, Number.NaN, size, fileKind | mode], index * sealWidth);
      indexes.push(index);
    },
    finish: (sealOf: (index: number) => Seal): void => {
      const [first, last] = [indexes[0], indexes.at(-1)];
      if (first === undefined || last === undefined) return;
      const isAsAsked = [...modes].every(([mode, index]) => sealOf(index).mode === (fileKind | mode));
      if (isAsAsked) {
        const times = [sealOf(first).mtimeMs, sealOf(last).mtimeMs];
        for (const index of indexes) seals.set(times, index * sealWidth);
      } else for (const index of indexes) putSeal(seals, index, sealOf(index));
    },
  };
}

/** What a mode says of a file that is one (S_IFREG of stat(2)). */
const fileKind = 0o100000;

/** Whether a file of the release that they speak of lies there as it was left. */
export function hasSeal(seals: Stamps, index: number, seal: Seal | undefined): boolean {
  if (seal === undefined) return false;
  const at = index * sealWidth;
  const [from, until] = [seals[at] ?? Number.NaN, seals[at + 1] ?? Number.NaN];
  const isThen = from <= seal.mtimeMs && seal.mtimeMs <= until;
  return isThen && seals[at + 2] === seal.size && seals[at + 3] === seal.mode;
}

/** Whether a file, of whatever release, is one with that of theirs. */
export function isSameFile(seals: Stamps, index: number, seal: Seal | undefined): boolean {
  const at = index * sealWidth;
  return seals[at] === seals[at + 1] && hasSeal(seals, index, seal);
}

/** Undefined where there is no such file, or something else of its name. */
export function readSeal(file: string): Seal | undefined {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  return stats?.isFile() === true ? stats : undefined;
}

/** Of a file that we have just written. */
export function readOwnSeal(file: string): Seal {
  const seal = readSeal(file);
  assert(seal !== undefined, "what was written is there");
  return seal;
}

/** Changes when the machine starts anew: what it wrote last before may be cut, whatever its stamp says. */
export function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
