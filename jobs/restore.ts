/**
 * A backup opened and proved right: as a drill, in a folder that is thrown away, or into the data folder of a new machine, where there
 * are no books yet. It says how long it took, and how old the newest thing in it is.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFile, proveCopy } from "../lib/staff/backup.ts";
import { migrateStore } from "../lib/store/migrate.ts";
import { formatUtc, runningMs } from "../lib/util/clock.ts";
import { modeOfBooks } from "../lib/util/files.ts";
import type { Job, JobContext } from "./run.ts";

export const job: Job = {
  usage: "FILE [--drill] [--identity KEYFILE]",
  options: { drill: { type: "boolean" }, identity: { type: "string" } },
  run: async (context, { words, values }) => {
    const [file, ...more] = words;
    if (file === undefined || more.length > 0) return "misused";
    const startedMs = runningMs();
    const { file: books, postgres } = context.database;
    const isDrill = values.drill === true;
    // A log of other books beside it would be taken for its own.
    const there = ["", "-wal", "-shm", "-journal"].map((end) => books + end).find((name) => existsSync(name));
    if (!isDrill && there !== undefined) {
      context.complain(`restore: ${there} is there; move it away, or try the backup with --drill`);
      return "refused";
    }
    if (!isDrill && postgres !== undefined) {
      context.complain(
        "restore: the books of this site are on a server; try the backup with --drill, open it, and copy it there: site store copy",
      );
      return "refused";
    }
    if (!existsSync(file)) {
      context.complain(`restore: ${file} is not there`);
      return "refused";
    }
    if (!isDrill) mkdirSync(context.place.dataFolder, { recursive: true, mode: 0o700 });
    const place = mkdtempSync(join(isDrill ? tmpdir() : context.place.dataFolder, ".restore-"));
    try {
      const opened = join(place, "books.sqlite");
      const identity = typeof values.identity === "string" ? values.identity : undefined;
      if (!openFile(file, opened, identity)) copyFileSync(file, opened);
      chmodSync(opened, 0o600);
      const proof = await prove(context, opened);
      if (!isDrill) {
        chmodSync(opened, modeOfBooks(books));
        renameSync(opened, books);
      }
      const seconds = ((runningMs() - startedMs) / 1000).toFixed(1);
      context.say(
        `restore: ${proof}; ${isDrill ? "a drill, nothing was changed" : `put in place as ${books}`}; ${seconds} s`,
      );
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
    return "done";
  },
};

/** Brings it to the schema of these programs, which may be newer, and works everything out again. */
async function prove({ database, complain }: JobContext, file: string): Promise<string> {
  const options = { ...database, file, postgres: undefined };
  migrateStore(options);
  const { transfers, newestAt } = await proveCopy(options, "the backup is not right", complain);
  return `${transfers} transfers proved, ${newestAt === undefined ? "none yet" : `the newest of ${formatUtc(newestAt)}`}`;
}
