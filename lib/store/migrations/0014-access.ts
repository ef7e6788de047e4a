/**
 * Schema 14: what a customer is told of sessions; changes of address, which the old address can undo; the terms that were
 * accepted. Programs of schema 13 go on working on it.
 */
import type { Migration } from "../migrate.ts";

const sql = `
-- When, from where, and with what a session was last used; 0 and "" for those of an earlier release.
ALTER TABLE session ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN browser TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN network TEXT NOT NULL DEFAULT '';

-- One for an account: a new address that waits for its reader.
CREATE TABLE address_change (
  account TEXT PRIMARY KEY REFERENCES account (id),
  email TEXT NOT NULL,
  token_hash TEXT NOT NULL UNIQUE,
  expires_at INTEGER NOT NULL
) STRICT;
-- Each address that an account had until a short while ago, and may have again.
CREATE TABLE address_undo (
  token_hash TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES account (id),
  email TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX address_undo_email ON address_undo (email);
CREATE INDEX address_undo_account ON address_undo (account);

-- The version of the terms, as the site named it then; "" where it had none.
ALTER TABLE signup ADD COLUMN terms TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN terms TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN terms_at INTEGER NOT NULL DEFAULT 0;
`;

export const accessSchema: Migration = { version: 14, name: "access", oldestReader: 10, sql };
