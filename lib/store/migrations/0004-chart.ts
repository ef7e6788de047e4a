/**
 * Schema 4: more kinds of accounts and transfers. The lists of them leave the two tables, which SQLite can only change by
 * making them anew, for a table that later schemas add rows to; a trigger holds each transfer against it. Programs of
 * schema 3 do not know the new transfers, so they may not show statements of them.
 */
import type { Migration } from "../migrate.ts";
import { amountColumns, appendOnly } from "./tables.ts";

const codes: readonly (readonly [string, string, string])[] = [
  ["topup", "stripe-clearing", "customer"],
  ["bill", "customer", "revenue"],
  ["fee", "fees", "stripe-clearing"],
  ["fee-returned", "stripe-clearing", "fees"],
  ["payout", "bank", "stripe-clearing"],
  ["payout-returned", "stripe-clearing", "bank"],
  ["refund", "customer", "refunds"],
  ["refund-paid", "refunds", "stripe-clearing"],
  ["refund-returned", "stripe-clearing", "refunds"],
  ["refund-undone", "refunds", "customer"],
  ["dispute", "customer", "disputes"],
  ["dispute-paid", "disputes", "stripe-clearing"],
  ["dispute-returned", "stripe-clearing", "disputes"],
  ["dispute-undone", "disputes", "customer"],
];

const sql = `
CREATE TABLE chart (
  code TEXT PRIMARY KEY,
  debit_kind TEXT NOT NULL,
  credit_kind TEXT NOT NULL
) STRICT;
${appendOnly("chart", "code = NEW.code")}
INSERT INTO chart (code, debit_kind, credit_kind) VALUES
  ${codes.map((row) => `('${row.join("', '")}')`).join(",\n  ")};

CREATE TABLE ledger_account_new (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  opened_at INTEGER NOT NULL
) STRICT;
INSERT INTO ledger_account_new SELECT id, kind, opened_at FROM ledger_account;
DROP TABLE ledger_account;
ALTER TABLE ledger_account_new RENAME TO ledger_account;
${appendOnly("ledger_account", "id = NEW.id")}
INSERT INTO ledger_account (id, kind, opened_at) VALUES
  ('fees', 'fees', 0), ('bank', 'bank', 0), ('goodwill', 'goodwill', 0), ('refunds', 'refunds', 0), ('disputes', 'disputes', 0),
  ('adjustments', 'adjustments', 0);

CREATE TABLE transfer_new (
  number INTEGER PRIMARY KEY CHECK (number > 0),
  id TEXT NOT NULL UNIQUE,
  code TEXT NOT NULL REFERENCES chart (code),
  debit TEXT NOT NULL REFERENCES ledger_account (id),
  credit TEXT NOT NULL REFERENCES ledger_account (id) CHECK (credit <> debit),
  ${amountColumns},
  reference TEXT NOT NULL,
  day TEXT NOT NULL,
  posted_at INTEGER NOT NULL,
  CHECK (picodollars > 0 OR (picodollars = 0 AND attodollars > 0))
) STRICT;
INSERT INTO transfer_new (number, id, code, debit, credit, picodollars, attodollars, reference, day, posted_at)
  SELECT number, id, code, debit, credit, picodollars, attodollars, reference, day, posted_at FROM transfer ORDER BY number;
DROP TABLE transfer;
ALTER TABLE transfer_new RENAME TO transfer;
CREATE INDEX transfer_debit ON transfer (debit, number);
CREATE INDEX transfer_credit ON transfer (credit, number);
CREATE INDEX transfer_day ON transfer (day, id);
${appendOnly("transfer", "id = NEW.id OR number = NEW.number")}
CREATE TRIGGER transfer_after_seal BEFORE INSERT ON transfer WHEN NEW.day <= (SELECT max(day) FROM seal)
BEGIN SELECT raise(ABORT, 'this day is sealed'); END;
CREATE TRIGGER transfer_by_chart BEFORE INSERT ON transfer WHEN NOT EXISTS (
  SELECT 1 FROM chart
  WHERE code = NEW.code AND debit_kind = (SELECT kind FROM ledger_account WHERE id = NEW.debit)
    AND credit_kind = (SELECT kind FROM ledger_account WHERE id = NEW.credit))
BEGIN SELECT raise(ABORT, 'the chart does not allow this transfer'); END;

-- Refunds and disputes are told of by the payment that they take back.
CREATE INDEX transfer_reference ON transfer (reference);
`;

export const chartSchema: Migration = { version: 4, name: "chart", oldestReader: 4, sql };
