/**
 * Schema 21: passkeys. Programs of schema 20 would let people in by a password alone where a passkey is the second factor, so none
 * may work on it.
 */
import type { Migration } from "../migrate.ts";

const sql = `
CREATE TABLE passkey (
  -- Names it in a form.
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  -- Its own id and its public key (COSE), in base64url.
  credential TEXT NOT NULL UNIQUE,
  public_key TEXT NOT NULL,
  -- How often it was used by its own account; always 0 for most.
  counter INTEGER NOT NULL,
  -- Whether its maker keeps a copy elsewhere.
  is_synced INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT;
CREATE INDEX passkey_account ON passkey (account);

-- What a browser was asked to sign: one of each browser, taken once.
CREATE TABLE passkey_challenge (
  token_hash TEXT PRIMARY KEY,
  challenge TEXT NOT NULL,
  purpose TEXT NOT NULL,
  -- Whoever was logged in; null for a log-in.
  account TEXT REFERENCES account (id),
  -- What a new passkey is to be called.
  name TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX passkey_challenge_expiry ON passkey_challenge (expires_at);
CREATE INDEX passkey_challenge_account ON passkey_challenge (account);

-- When a passkey was last shown in a session.
ALTER TABLE session ADD COLUMN passkey_at INTEGER;
`;

export const passkeysSchema: Migration = { version: 21, name: "passkeys", oldestReader: 21, sql };
