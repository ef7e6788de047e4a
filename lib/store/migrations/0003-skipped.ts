/** Schema 3: days that a person decided not to bill. Programs of schema 2 would bill them, and may not read the file. */
import type { Migration } from "../migrate.ts";
import { appendOnly } from "./tables.ts";

const sql = `
CREATE TABLE skipped_day (
  day TEXT PRIMARY KEY,
  reason TEXT NOT NULL CHECK (length(reason) > 0),
  skipped_at INTEGER NOT NULL
) STRICT;
${appendOnly("skipped_day", "day = NEW.day")}
CREATE TRIGGER billed_day_not_skipped BEFORE INSERT ON billed_day WHEN EXISTS (SELECT 1 FROM skipped_day WHERE day = NEW.day)
BEGIN SELECT raise(ABORT, 'this day is skipped'); END;
CREATE TRIGGER skipped_day_not_billed BEFORE INSERT ON skipped_day WHEN EXISTS (SELECT 1 FROM billed_day WHERE day = NEW.day)
BEGIN SELECT raise(ABORT, 'this day is billed'); END;
`;

export const skippedSchema: Migration = { version: 3, name: "skipped", oldestReader: 3, sql };
