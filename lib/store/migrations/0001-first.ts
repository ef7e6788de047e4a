/**
 * Schema 1. STRICT tables; money is always the two columns picodollars and attodollars (0 to 999,999); times
 * are milliseconds since 1970, days are text. Tables that record what happened refuse UPDATE, DELETE, and an
 * INSERT over an existing row, for every client: REPLACE would otherwise slip past the first two.
 */
import type { Migration } from "../migrate.ts";
import { amountColumns, appendOnly } from "./tables.ts";

const sql = `
CREATE TABLE migration (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  oldest_reader INTEGER NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT;

-- Mail: written in the transaction that caused it, delivered by a sender started apart.
CREATE TABLE outbox (
  id TEXT PRIMARY KEY,
  recipient TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  has_token INTEGER NOT NULL CHECK (has_token IN (0, 1)),
  state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'unknown', 'sent', 'parked')),
  attempts INTEGER NOT NULL DEFAULT 0,
  -- How often a sender died with it in hand: the mail may have gone out that many times more.
  doubts INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  settled_at INTEGER,
  last_error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at) WHERE state IN ('queued', 'sending', 'unknown');

-- The books.
CREATE TABLE ledger_account (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('customer', 'stripe-clearing', 'revenue')),
  opened_at INTEGER NOT NULL
) STRICT;
${appendOnly("ledger_account", "id = NEW.id")}
INSERT INTO ledger_account (id, kind, opened_at) VALUES ('stripe-clearing', 'stripe-clearing', 0), ('revenue', 'revenue', 0);

CREATE TABLE transfer (
  number INTEGER PRIMARY KEY CHECK (number > 0),
  id TEXT NOT NULL UNIQUE,
  code TEXT NOT NULL CHECK (code IN ('topup', 'bill')),
  debit TEXT NOT NULL REFERENCES ledger_account (id),
  credit TEXT NOT NULL REFERENCES ledger_account (id) CHECK (credit <> debit),
  ${amountColumns},
  reference TEXT NOT NULL,
  day TEXT NOT NULL,
  posted_at INTEGER NOT NULL,
  CHECK (picodollars > 0 OR (picodollars = 0 AND attodollars > 0))
) STRICT;
CREATE INDEX transfer_debit ON transfer (debit, number);
CREATE INDEX transfer_credit ON transfer (credit, number);
${appendOnly("transfer", "id = NEW.id OR number = NEW.number")}

-- A projection of the transfers: credits less debits. It can be recomputed at any time.
CREATE TABLE balance (
  ledger_account TEXT PRIMARY KEY REFERENCES ledger_account (id),
  ${amountColumns},
  through INTEGER NOT NULL REFERENCES transfer (number)
) STRICT;

-- Accounts.
CREATE TABLE account (
  id TEXT PRIMARY KEY REFERENCES ledger_account (id),
  email TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE signup (
  token_hash TEXT PRIMARY KEY,
  email TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX signup_email ON signup (email);
CREATE TABLE session (
  token_hash TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES account (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_account ON session (account);

-- Usage: what the service measured, a row for each account, machine, meter, and UTC day.
CREATE TABLE usage (
  day TEXT NOT NULL,
  account TEXT NOT NULL REFERENCES account (id),
  machine TEXT NOT NULL,
  meter TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity >= 0),
  received_at INTEGER NOT NULL,
  PRIMARY KEY (day, account, machine, meter)
) STRICT, WITHOUT ROWID;
${appendOnly("usage", "day = NEW.day AND account = NEW.account AND machine = NEW.machine AND meter = NEW.meter")}
CREATE TABLE complete_day (
  day TEXT PRIMARY KEY,
  declared_by TEXT NOT NULL CHECK (declared_by IN ('import', 'person')),
  declared_at INTEGER NOT NULL
) STRICT;
${appendOnly("complete_day", "day = NEW.day")}
CREATE TABLE billed_day (
  day TEXT PRIMARY KEY REFERENCES complete_day (day),
  accounts INTEGER NOT NULL,
  billed_at INTEGER NOT NULL
) STRICT;
${appendOnly("billed_day", "day = NEW.day")}
-- The lines of a bill, beside its transfer; their amounts add up to it.
CREATE TABLE bill_line (
  transfer TEXT NOT NULL REFERENCES transfer (id),
  machine TEXT NOT NULL,
  meter TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity >= 0),
  price_atto INTEGER NOT NULL CHECK (price_atto >= 0),
  ${amountColumns},
  PRIMARY KEY (transfer, machine, meter)
) STRICT, WITHOUT ROWID;
${appendOnly("bill_line", "transfer = NEW.transfer AND machine = NEW.machine AND meter = NEW.meter")}

-- Payments: our own order first, then what Stripe tells about it, kept as it came.
CREATE TABLE books_mode (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  livemode INTEGER NOT NULL CHECK (livemode IN (0, 1)),
  set_at INTEGER NOT NULL
) STRICT;
${appendOnly("books_mode", "only_row = NEW.only_row")}
CREATE TABLE payment_order (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES account (id),
  ${amountColumns},
  livemode INTEGER NOT NULL CHECK (livemode IN (0, 1)),
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX payment_order_account ON payment_order (account, created_at);
${appendOnly("payment_order", "id = NEW.id")}
CREATE TABLE checkout (
  payment_order TEXT PRIMARY KEY REFERENCES payment_order (id),
  session TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL
) STRICT;
${appendOnly("checkout", "payment_order = NEW.payment_order OR session = NEW.session")}
CREATE TABLE stripe_event (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  api_version TEXT NOT NULL,
  raw BLOB NOT NULL,
  outcome TEXT NOT NULL,
  received_at INTEGER NOT NULL
) STRICT;
${appendOnly("stripe_event", "id = NEW.id")}

-- Warnings: each change of an account's standing, once; the newest row is how it stands.
CREATE TABLE standing (
  account TEXT NOT NULL REFERENCES account (id),
  number INTEGER NOT NULL CHECK (number > 0),
  state TEXT NOT NULL CHECK (state IN ('ok', 'low', 'overdrawn')),
  ${amountColumns},
  day TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;
${appendOnly("standing", "account = NEW.account AND number = NEW.number")}
`;

export const firstSchema: Migration = { version: 1, name: "first", oldestReader: 1, sql };
