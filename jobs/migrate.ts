/** Brings the database to the schema of this release, making it (and the data folder) if need be. */
import { mkdirSync } from "node:fs";
import { migrateBooks } from "../lib/store/upgrade.ts";
import type { Job } from "./run.ts";

export const job: Job = {
  usage: "",
  options: {},
  secrets: [],
  run: async ({ place, database, say }, { words }) => {
    if (words.length > 0) return "misused";
    mkdirSync(place.dataFolder, { recursive: true, mode: 0o700 });
    // The database and its log hold customers' data: nobody else may read what is made here.
    process.umask(0o077);
    const applied = await migrateBooks(database);
    say(applied.length === 0 ? "migrate: nothing to do" : `migrate: applied ${applied.join(", ")}`);
    return "done";
  },
};
