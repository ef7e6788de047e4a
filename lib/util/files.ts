/** Files put in place whole, and seen to lie on the disk. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

/**
 * Writes a file whole or not at all, readable by its owner alone; answers its path. `mark` keeps what is unfinished apart from what
 * another process is writing.
 */
export function writePrivate(file: string, text: string, mark = String(process.pid)): string {
  const unfinished = `${file}.${mark}`;
  rmSync(unfinished, { force: true });
  writeFileSync(unfinished, text, { mode: 0o600, flag: "wx" });
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
