/**
 * Schema 2: a seal for each day that is over, so that a past which was written anew shows, and no transfer of a sealed
 * day. Programs of schema 1 go on working on it.
 */
import type { Migration } from "../migrate.ts";
import { appendOnly } from "./tables.ts";

const sql = `
CREATE TABLE seal (
  day TEXT PRIMARY KEY,
  transfers INTEGER NOT NULL CHECK (transfers >= 0),
  -- SHA-256 of the seal before and the day's transfers, in hexadecimal (lib/ledger/seal.ts).
  hash TEXT NOT NULL CHECK (length(hash) = 64),
  sealed_at INTEGER NOT NULL
) STRICT;
${appendOnly("seal", "day = NEW.day")}
CREATE INDEX transfer_day ON transfer (day, id);
CREATE TRIGGER transfer_after_seal BEFORE INSERT ON transfer WHEN NEW.day <= (SELECT max(day) FROM seal)
BEGIN SELECT raise(ABORT, 'this day is sealed'); END;
`;

export const sealsSchema: Migration = { version: 2, name: "seals", oldestReader: 1, sql };
