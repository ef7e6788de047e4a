/**
 * The note that a development server leaves in its data folder while it runs, so that jobs run by hand lead to its
 * address and mail into its mailbox. A server that was killed leaves a note of a dead process, which counts for
 * nothing. Written by dev/serve, read by cli/release.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hasCode, NeedsHuman } from "./failure.ts";
import { writePrivate } from "./files.ts";
import { isRunning } from "./process.ts";

export interface Note {
  /** Process of the server. */
  readonly pid: number;
  readonly url: string;
  readonly secretsFile: string;
}

/** The note of a server that is running; undefined if none is. */
export function readNote(dataFolder: string): Note | undefined {
  const note = parseNote(dataFolder);
  return note !== undefined && note.pid > 0 && isRunning(note.pid) ? note : undefined;
}

export function writeNote(dataFolder: string, note: Note): void {
  writePrivate(fileOf(dataFolder), `${JSON.stringify(note, null, 2)}\n`);
}

/** Takes the note of this process away, and leaves that of another. */
export function removeNote(dataFolder: string, pid: number): void {
  if (parseNote(dataFolder)?.pid === pid) rmSync(fileOf(dataFolder), { force: true });
}

function parseNote(dataFolder: string): Note | undefined {
  const file = fileOf(dataFolder);
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    if (hasCode(cause, ["ENOENT"])) return undefined;
    throw new NeedsHuman(`${file} is not what site serve writes; delete it`, { cause });
  }
  if (isNote(found)) return found;
  throw new NeedsHuman(`${file} is not what site serve writes; delete it`);
}

function isNote(found: unknown): found is Note {
  if (typeof found !== "object" || found === null) return false;
  if (!("pid" in found && "url" in found && "secretsFile" in found)) return false;
  const { pid, url, secretsFile } = found;
  return Number.isSafeInteger(pid) && typeof url === "string" && typeof secretsFile === "string";
}

function fileOf(dataFolder: string): string {
  return join(dataFolder, "development.json");
}
