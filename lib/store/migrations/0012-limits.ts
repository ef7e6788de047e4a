/** Schema 12: counters of attempts, and the networks from which an account was logged in to. Programs of schema 11 go on working on it. */
import type { Migration } from "../migrate.ts";

const sql = `
CREATE TABLE attempt (
  name TEXT NOT NULL,
  -- SHA-256 of an address, a network, or both: who tried what is nobody's business.
  key_hash TEXT NOT NULL,
  count INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  wait_until INTEGER NOT NULL,
  PRIMARY KEY (name, key_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_last ON attempt (last_at);
CREATE TABLE known_network (
  account TEXT NOT NULL REFERENCES account (id),
  network_hash TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (account, network_hash)
) STRICT, WITHOUT ROWID;
`;

export const limitsSchema: Migration = { version: 12, name: "limits", oldestReader: 10, sql };
