/**
 * The books and the schema that a release brings: tried on a copy of them first, so that a migration that fails, or programs that cannot
 * work on what it made, are known before anything counts. The release's own job is run, as the user whose books they are. Called by
 * take.ts.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { copyStore } from "../../lib/store/copy.ts";
import type { Clock } from "../../lib/util/clock.ts";
import { NeedsHuman } from "../../lib/util/failure.ts";
import { umaskOfBooks } from "../../lib/util/files.ts";
import { inheritedPath } from "../../lib/util/settings.ts";
import { type Books, booksName } from "../smoke.ts";

/** The books of a host: root works on them as the user whose the data folder is, and anybody else as themselves. */
export function findBooks(dataFolder: string): Books {
  const keys = join(dataFolder, "..", "keys", "jobs");
  const secretsFile = existsSync(keys) ? keys : "";
  if (process.getuid?.() !== 0) return { dataFolder, secretsFile, owner: undefined };
  const { uid, gid } = statSync(dataFolder);
  return { dataFolder, secretsFile, owner: { uid, gid } };
}

/** The migrations that a release would apply to the books, which it would make where there are none. */
export function planMigration(release: string, at: Books): readonly string[] {
  const { status, stdout, stderr } = runMigrate(release, at, ["--plan"]);
  // A release from before it could be asked has nothing newer than what is served.
  if (status === 64) return [];
  if (status !== 0) throw new NeedsHuman(`its migrate cannot be run: ${stderr.trim()}`);
  return stdout.split("\n").filter((line) => line !== "");
}

/** Applies them. */
export function migrateBooks(release: string, at: Books): void {
  const { status, stderr } = runMigrate(release, at, []);
  if (status !== 0) throw new NeedsHuman(`the books could not be brought to its schema: ${stderr.trim()}`);
}

/** Gives `work` a folder with a copy of the books that the migrations were applied to, and removes it. */
export function withMigratedCopy<Result>(
  release: string,
  { dataFolder, owner, ...at }: Books,
  clock: Clock,
  work: (copy: Books) => Result,
): Result {
  const folder = mkdtempSync(join(dataFolder, ".try-"));
  try {
    if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
    const file = join(dataFolder, booksName);
    if (existsSync(file)) {
      const copy = join(folder, booksName);
      copyStore({ file, clock }, copy);
      chmodSync(copy, 0o600);
      if (owner !== undefined) chownSync(copy, owner.uid, owner.gid);
    }
    const copied = { ...at, dataFolder: folder, owner };
    migrateBooks(release, copied);
    return work(copied);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runMigrate(release: string, { dataFolder, secretsFile, owner }: Books, words: readonly string[]) {
  const before = process.umask(umaskOfBooks(join(dataFolder, booksName)));
  try {
    return spawnSync(process.execPath, [join(release, "jobs", "migrate"), ...words], {
      encoding: "utf8",
      env: { PATH: inheritedPath(), SITE_DATA: dataFolder, SITE_SECRETS: secretsFile },
      ...owner,
    });
  } finally {
    process.umask(before);
  }
}
