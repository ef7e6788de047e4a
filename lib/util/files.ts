/** Files put in place whole, and seen to lie on the disk. */
import {
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

/** A user of the system, and its group. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Writes a file whole or not at all, readable by its owner alone: us, unless told; answers its path. `mark` keeps what is unfinished
 * apart from what another process is writing.
 */
export function writePrivate(
  file: string,
  text: string,
  { owner, mark = String(process.pid) }: { readonly owner?: Owner | undefined; readonly mark?: string } = {},
): string {
  const unfinished = `${file}.${mark}`;
  rmSync(unfinished, { force: true });
  writeFileSync(unfinished, text, { mode: 0o600, flag: "wx" });
  if (owner !== undefined) chownSync(unfinished, owner.uid, owner.gid);
  syncFile(unfinished);
  renameSync(unfinished, file);
  return file;
}

/** What was written to a file is on the disk when this returns. */
export function syncFile(file: string): void {
  const handle = openSync(file, "r");
  fsyncSync(handle);
  closeSync(handle);
}

/**
 * The mode of books in a folder: as private as the folder is. On a host it is shared by a group (build/host/units.ts), in which are the
 * users of programs, jobs, and mail; elsewhere it is one user's.
 */
export function modeOfBooks(file: string): number {
  return (statSync(dirname(file)).mode & 0o020) === 0 ? 0o600 : 0o660;
}

/** The umask of whoever makes files and folders beside books, which are as private as they. */
export function umaskOfBooks(file: string): number {
  return 0o777 & ~(modeOfBooks(file) | 0o110);
}
