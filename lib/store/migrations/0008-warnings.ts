/**
 * Schema 8: the countdown after an empty balance, step by step, and what a customer wants to be warned of. Programs of
 * schema 7 would send warnings of their own reckoning, so they may not work on the file any more.
 */
import type { Migration } from "../migrate.ts";
import { amountColumns, appendOnly } from "./tables.ts";

const sql = `
CREATE TABLE standing_new (
  account TEXT NOT NULL REFERENCES account (id),
  number INTEGER NOT NULL CHECK (number > 0),
  state TEXT NOT NULL CHECK (state IN ('ok', 'low', 'overdrawn', 'held', 'due')),
  -- The day on which the countdown began, and the step of it that was reached; '' and NULL where there is none.
  since TEXT NOT NULL,
  step INTEGER CHECK (step >= 0),
  ${amountColumns},
  day TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;
INSERT INTO standing_new (account, number, state, since, step, picodollars, attodollars, day, changed_at)
  SELECT account, number, state, CASE state WHEN 'overdrawn' THEN day ELSE '' END, NULL, picodollars, attodollars, day,
         changed_at FROM standing;
DROP TABLE standing;
ALTER TABLE standing_new RENAME TO standing;
${appendOnly("standing", "account = NEW.account AND number = NEW.number")}

-- What a customer set; the newest row counts, NULL means what the site says.
CREATE TABLE preference (
  account TEXT NOT NULL REFERENCES account (id),
  number INTEGER NOT NULL CHECK (number > 0),
  warn_days INTEGER CHECK (warn_days BETWEEN 1 AND 365),
  warn_below_cents INTEGER CHECK (warn_below_cents > 0),
  second_email TEXT,
  set_at INTEGER NOT NULL,
  CHECK (warn_days IS NULL OR warn_below_cents IS NULL),
  PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;
${appendOnly("preference", "account = NEW.account AND number = NEW.number")}
`;

export const warningsSchema: Migration = { version: 8, name: "warnings", oldestReader: 8, sql };
