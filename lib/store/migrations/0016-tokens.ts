/** Schema 16: tokens by which a customer's own programs read an account. Programs of schema 15 go on working on it. */
import type { Migration } from "../migrate.ts";

const sql = `
CREATE TABLE access_token (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  token_hash TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT;
CREATE INDEX access_token_account ON access_token (account);
-- What was measured again after its bill, for an account's history: by day alone it would be everybody's.
CREATE INDEX usage_revision_account ON usage_revision (account, day) WHERE price_atto IS NOT NULL;
`;

export const tokensSchema: Migration = { version: 16, name: "tokens", oldestReader: 15, sql };
