/** The schema of the books brought up to date on whichever engine they are. Called by jobs/migrate and the tests. */
import { migrateStore, migrations, planStore, readExpectedSchema, readSeeds } from "./migrate.ts";
import type { BooksOptions } from "./open.ts";
import { migratePostgres, planPostgres } from "./postgres/migrate.ts";

/** The names of what would be applied; nothing is written. */
export async function planBooks(options: BooksOptions): Promise<readonly string[]> {
  if (options.postgres === undefined) return planStore(options);
  const { connect } = await import("./postgres/door.ts");
  return planPostgres(options.postgres, { migrations, connect });
}

/** May be repeated, and run twice at once. Gives the names of what was applied. */
export async function migrateBooks(options: BooksOptions): Promise<readonly string[]> {
  const { postgres, clock } = options;
  if (postgres === undefined) return migrateStore(options);
  const { connect, sessionWords } = await import("./postgres/door.ts");
  return migratePostgres(
    { ...postgres, clock },
    { migrations, schema: readExpectedSchema(options), seeds: readSeeds(options), connect, sessionWords },
  );
}
