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
  try {
    makeFolder(dirname(file));
    putInPlace(file, parts);
  } catch (error) {
    if (!hasCode(error, ["ENOSPC", "EACCES", "EDQUOT", "EROFS", "ENOTDIR", "EEXIST"])) throw error;
  }
}
