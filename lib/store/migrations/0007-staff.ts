/**
 * Schema 7: what people decide. Programs of schema 6 do not know the new transfers, so they may not show statements of
 * them.
 */
import type { Migration } from "../migrate.ts";
import { appendOnly } from "./tables.ts";

const sql = `
INSERT INTO chart (code, debit_kind, credit_kind) VALUES
  ('goodwill', 'goodwill', 'customer'), ('goodwill-undone', 'customer', 'goodwill'),
  ('gift', 'goodwill', 'customer'), ('charge', 'customer', 'adjustments'),
  ('opening', 'adjustments', 'customer'), ('opening-owed', 'customer', 'adjustments');

-- Who did what, and why. Written in the transaction of the deed.
CREATE TABLE audit (
  number INTEGER PRIMARY KEY CHECK (number > 0),
  done_at INTEGER NOT NULL,
  operator TEXT NOT NULL CHECK (length(operator) > 0),
  action TEXT NOT NULL,
  account TEXT REFERENCES account (id),
  reason TEXT NOT NULL CHECK (length(reason) > 0),
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_account ON audit (account, number) WHERE account IS NOT NULL;
${appendOnly("audit", "number = NEW.number")}

-- Whether an account is kept from deletion, or all are: the newest row counts. No account means all of them.
CREATE TABLE hold (
  number INTEGER PRIMARY KEY CHECK (number > 0),
  account TEXT REFERENCES account (id),
  is_held INTEGER NOT NULL CHECK (is_held IN (0, 1)),
  decided_at INTEGER NOT NULL
) STRICT;
CREATE INDEX hold_account ON hold (account, number);
${appendOnly("hold", "number = NEW.number")}
`;

export const staffSchema: Migration = { version: 7, name: "staff", oldestReader: 7, sql };
