/** Files that are put in place whole or not at all: written aside, then renamed. Called by whatever keeps notes beside the releases. */
import { closeSync, existsSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { hasCode } from "../lib/util/failure.ts";
import { randomToken } from "../lib/util/random.ts";
import { makeFolder } from "./release.ts";

/** Its folder must be there. Throws what the file system says; then nothing is left behind. */
export function putInPlace(file: string, parts: readonly (string | Uint8Array)[]): void {
  const aside = `${file}-${process.pid}-${randomToken(6)}`;
  try {
    const handle = openSync(aside, "wx");
    try {
      for (const part of parts) writeFileSync(handle, part);
    } finally {
      closeSync(handle);
    }
    renameSync(aside, file);
  } catch (error) {
    // Where its folder turned out to be a file, even looking for it to remove it would fail.
    if (existsSync(aside)) rmSync(aside, { force: true });
    throw error;
  }
}

/** Keeps what may be forgotten: where it cannot be written, later builds do without. */
export function keepFile(file: string, parts: readonly (string | Uint8Array)[]): void {
  const kept = openKept(file);
  for (const part of parts) kept.write(part);
  kept.finish();
}

/** A file that may be forgotten, written piece by piece. */
export interface KeptFile {
  readonly write: (part: string | Uint8Array) => void;
  /** Puts it in place. */
  readonly finish: () => void;
}

/** Nowhere to write, or another build has cleared it away as one of those before. */
const forgivable = ["ENOSPC", "EACCES", "EDQUOT", "EROFS", "ENOTDIR", "EEXIST", "ENOENT"];

export function openKept(file: string): KeptFile {
  const aside = `${file}-${process.pid}-${randomToken(6)}`;
  let handle: number | undefined;
  const close = (): void => {
    const open = handle;
    handle = undefined;
    if (open !== undefined) closeSync(open);
  };
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      close();
      // Where its folder turned out to be a file, even looking for it to remove it would fail.
      if (existsSync(aside)) rmSync(aside, { force: true });
      if (!hasCode(error, forgivable)) throw error;
    }
  };
  attempt(() => {
    makeFolder(dirname(file));
    handle = openSync(aside, "wx");
  });
  return {
    write: (part) => attempt(() => handle !== undefined && writeFileSync(handle, part)),
    finish: () =>
      attempt(() => {
        if (handle === undefined) return;
        close();
        renameSync(aside, file);
      }),
  };
}
