/** Schema 13: second addresses that wait for their confirmation. Programs of schema 12 go on working on it. */
import type { Migration } from "../migrate.ts";

const sql = `
CREATE TABLE second_address (
  account TEXT PRIMARY KEY REFERENCES account (id),
  email TEXT NOT NULL,
  token_hash TEXT NOT NULL UNIQUE,
  expires_at INTEGER NOT NULL
) STRICT;
`;

export const secondSchema: Migration = { version: 13, name: "second", oldestReader: 10, sql };
