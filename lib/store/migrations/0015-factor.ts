/**
 * Schema 15: second factors. Programs of schema 14 would let people in without them, so none may work on it.
 */
import type { Migration } from "../migrate.ts";

const sql = `
CREATE TABLE factor (
  account TEXT PRIMARY KEY REFERENCES account (id),
  -- Sealed with a key that is not in this file (lib/util/sealed.ts).
  sealed_secret TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  -- Null until a first code showed that the app has it.
  confirmed_at INTEGER,
  -- The 30 seconds of the last code that was taken: each is taken once.
  last_step INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE recovery_code (
  code_hash TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES account (id),
  used_at INTEGER
) STRICT;
CREATE INDEX recovery_code_account ON recovery_code (account);
`;

export const factorSchema: Migration = { version: 15, name: "factor", oldestReader: 15, sql };
