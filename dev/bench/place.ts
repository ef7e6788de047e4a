/**
 * Where the sites are laid down. In memory if there is room, for on a disk most of a build's time is the disk's, and
 * differs from run to run; what is compared then is how many files are made anew rather than how they are made.
 */
import { existsSync, mkdtempSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const inMemory = "/dev/shm";
// Source and document take two blocks of 4 KiB each; this builder keeps releases, and leftovers are removed late.
const bytesPerPage = 48 * 1024;

export interface BenchPlace {
  /** A new and empty folder; whoever asked for it removes it. */
  readonly home: string;
  /** Says which it is and that it matters. */
  readonly line: string;
}

/** `asked` is --folder. `pages` is how many will lie there at once, for all builders together. */
export function choosePlace(asked: string | undefined, pages: number): BenchPlace {
  const fits = roomIn(inMemory) >= pages * bytesPerPage;
  const folder = asked ?? (fits ? inMemory : tmpdir());
  return { home: mkdtempSync(join(folder, "picodollar-bench-")), line: `folder: ${folder} (${explain()})` };

  function explain(): string {
    if (asked !== undefined) return "as asked; on a disk the figures are mostly the disk's";
    if (fits) return "in memory; on a disk all figures differ";
    return `${inMemory} has not the room for so many pages; if this is a disk, the figures are mostly the disk's`;
  }
}

/** Bytes that are free there; 0 if it is not there. */
function roomIn(folder: string): number {
  if (!existsSync(folder)) return 0;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
