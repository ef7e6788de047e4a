/** Files put in place whole, and seen to lie on the disk. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Writes a file whole or not at all, readable by its owner alone; answers its path. */
export function writePrivate(file: string, text: string): string {
  const unfinished = `${file}.${process.pid}`;
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
