/**
 * Schema 19: machines, which customers name and retire. Programs of schema 18 would bill retired ones, so none may work on it.
 */
import type { Migration } from "../migrate.ts";

const sql = `
CREATE TABLE machine (
  account TEXT NOT NULL REFERENCES account (id),
  -- As it stands in usage.
  machine TEXT NOT NULL,
  -- What its customer calls it.
  name TEXT NOT NULL,
  -- 0 for one that was only ever seen in usage.
  registered_at INTEGER NOT NULL,
  -- The last UTC day that may cost something; null while it is in use.
  retired_on TEXT,
  PRIMARY KEY (account, machine)
) STRICT, WITHOUT ROWID;
CREATE TABLE machine_token (
  token_hash TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX machine_token_account ON machine_token (account);
`;

export const machinesSchema: Migration = { version: 19, name: "machines", oldestReader: 19, sql };
