/** What every program knows of the schema, whichever engine the books are on; apart from all that opens them. */

/** The version of the newest migration (migrate.ts). */
export const programVersion = 22;
