/** Schema 11: links by which a password can be set anew. Programs of schema 10 go on working on it. */
import type { Migration } from "../migrate.ts";

const sql = `
-- One for an account: a new link ends the one before.
CREATE TABLE password_reset (
  account TEXT PRIMARY KEY REFERENCES account (id),
  token_hash TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
`;

export const resetsSchema: Migration = { version: 11, name: "resets", oldestReader: 10, sql };
