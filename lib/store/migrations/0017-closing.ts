/**
 * Schema 17: accounts that are closed, and what happens to their money. Programs of schema 16 would let their owners log in, so none
 * may work on it.
 */
import type { Migration } from "../migrate.ts";

const sql = `
CREATE TABLE closing (
  account TEXT PRIMARY KEY REFERENCES account (id),
  -- What becomes of money that is left: back to who paid it, or left to the house.
  money TEXT NOT NULL CHECK (money IN ('refund', 'leave')),
  -- Of the link that undoes it.
  token_hash TEXT NOT NULL UNIQUE,
  asked_at INTEGER NOT NULL,
  -- When the personal data were erased.
  done_at INTEGER
) STRICT;
CREATE INDEX closing_waiting ON closing (asked_at) WHERE done_at IS NULL;
INSERT INTO chart (code, debit_kind, credit_kind) VALUES
  ('forfeit', 'customer', 'adjustments'), ('written-off', 'adjustments', 'customer');

-- A second address is forgotten with its account; nothing else of a preference changes.
DROP TRIGGER preference_no_update;
CREATE TRIGGER preference_no_update BEFORE UPDATE ON preference
WHEN (NEW.second_email IS NULL AND NEW.account = OLD.account AND NEW.number = OLD.number AND NEW.warn_days IS OLD.warn_days
  AND NEW.warn_below_cents IS OLD.warn_below_cents AND NEW.set_at = OLD.set_at) IS NOT TRUE
BEGIN SELECT raise(ABORT, 'preference is append-only'); END;
`;

export const closingSchema: Migration = { version: 17, name: "closing", oldestReader: 17, sql };
