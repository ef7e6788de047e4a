/** Files that are put in place whole or not at all: written aside, then renamed. Called by whatever keeps notes beside the releases. */
import { closeSync, existsSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { hasCode } from "../lib/util/failure.ts";
import { randomToken } from "../lib/util/random.ts";
import { makeFolder } from "./release.ts";

/** A file that is written piece by piece, and in place when it is finished. */
export interface KeptFile {
  readonly write: (part: string | Uint8Array) => void;
  /** Puts it in place. */
  readonly finish: () => void;
}

/** Its folder must be there. Each step throws what the file system says; then nothing is left behind, and further steps do nothing. */
function openAside(file: string): KeptFile {
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
      throw error;
    }
  };
  attempt(() => {
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

/** Its folder must be there. Throws what the file system says; then nothing is left behind. */
export function putInPlace(file: string, parts: readonly (string | Uint8Array)[]): void {
  const aside = openAside(file);
  for (const part of parts) aside.write(part);
  aside.finish();
}

/** Nowhere to write, or another build has cleared it away as one of those before. */
const forgivable = ["ENOSPC", "EACCES", "EDQUOT", "EROFS", "ENOTDIR", "EEXIST", "ENOENT"];

function forgive(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!hasCode(error, forgivable)) throw error;
  }
}

/** What may be forgotten: where it cannot be written, later builds do without. */
export function openKept(file: string): KeptFile {
  let aside: KeptFile | undefined;
  forgive(() => {
    makeFolder(dirname(file));
    aside = openAside(file);
  });
  return {
    write: (part) => forgive(() => aside?.write(part)),
    finish: () => forgive(() => aside?.finish()),
  };
}

export function keepFile(file: string, parts: readonly (string | Uint8Array)[]): void {
  const kept = openKept(file);
  for (const part of parts) kept.write(part);
  kept.finish();
}
