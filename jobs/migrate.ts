/** Brings the database to the schema of this release, making it (and the data folder) if need be. */
import { chmodSync, mkdirSync, statSync } from "node:fs";
import { migrateBooks, planBooks } from "../lib/store/upgrade.ts";
import { modeOfBooks } from "../lib/util/files.ts";
import type { Job } from "./run.ts";

export const job: Job = {
  usage: "[--plan]",
  options: { plan: { type: "boolean" } },
  run: async ({ place, database, say }, { words, values }) => {
    if (words.length > 0) return "misused";
    if (values.plan === true) {
      // A line for each that would be applied, for other programs to read.
      for (const name of await planBooks(database)) say(name);
      return "done";
    }
    mkdirSync(place.dataFolder, { recursive: true, mode: 0o700 });
    // The database and its log hold customers' data: nobody may read what is made here but who has the folder.
    process.umask(0o077);
    const applied = await migrateBooks(database);
    // Its log takes after it.
    const own = statSync(database.file, { throwIfNoEntry: false });
    if (own?.uid !== undefined && own.uid === process.getuid?.())
      chmodSync(database.file, modeOfBooks(database.file));
    say(applied.length === 0 ? "migrate: nothing to do" : `migrate: applied ${applied.join(", ")}`);
    return "done";
  },
};
