/**
 * Schema 20: saved cards, and what is charged to them when credit runs low. Programs of schema 19 would close and erase accounts without
 * forgetting their cards, so none may work on it.
 */
import type { Migration } from "../migrate.ts";
import { appendOnly } from "./tables.ts";

const sql = `
-- A page of Stripe's on which a card is saved, with what its owner wished when it was asked for.
CREATE TABLE card_page (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES account (id),
  session TEXT UNIQUE,
  below_cents INTEGER NOT NULL,
  amount_cents INTEGER NOT NULL,
  cap_cents INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX card_page_account ON card_page (account);

CREATE TABLE saved_card (
  account TEXT PRIMARY KEY REFERENCES account (id),
  customer TEXT NOT NULL,
  payment_method TEXT NOT NULL,
  brand TEXT NOT NULL,
  last4 TEXT NOT NULL,
  -- "2028-04"
  expires TEXT NOT NULL,
  saved_at INTEGER NOT NULL
) STRICT;

-- Customers at Stripe whose cards are wanted no more.
CREATE TABLE unwanted_customer (
  customer TEXT PRIMARY KEY,
  asked_at INTEGER NOT NULL,
  -- When Stripe had forgotten it.
  done_at INTEGER
) STRICT;
CREATE INDEX unwanted_customer_waiting ON unwanted_customer (asked_at) WHERE done_at IS NULL;

-- What each customer agreed to, and when it ended: the newest row holds.
CREATE TABLE recharge_rule (
  account TEXT NOT NULL REFERENCES account (id),
  number INTEGER NOT NULL CHECK (number > 0),
  is_on INTEGER NOT NULL CHECK (is_on IN (0, 1)),
  why TEXT NOT NULL CHECK (why IN ('owner', 'failures', 'card', 'bank', 'dispute', 'undone', 'staff')),
  below_cents INTEGER NOT NULL CHECK (below_cents > 0),
  amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  cap_cents INTEGER NOT NULL CHECK (cap_cents >= amount_cents),
  payment_method TEXT NOT NULL,
  set_at INTEGER NOT NULL,
  PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;
${appendOnly("recharge_rule", "account = NEW.account AND number = NEW.number")}

-- A charge, written before Stripe hears of it: what became of it is with its order.
CREATE TABLE recharge (
  account TEXT NOT NULL REFERENCES account (id),
  number INTEGER NOT NULL CHECK (number > 0),
  payment_order TEXT NOT NULL UNIQUE REFERENCES payment_order (id),
  -- Of which rule.
  rule INTEGER NOT NULL,
  customer TEXT NOT NULL,
  payment_method TEXT NOT NULL,
  PRIMARY KEY (account, number),
  FOREIGN KEY (account, rule) REFERENCES recharge_rule (account, number)
) STRICT, WITHOUT ROWID;
${appendOnly("recharge", "account = NEW.account AND number = NEW.number OR payment_order = NEW.payment_order")}
CREATE TABLE recharge_failure (
  payment_order TEXT PRIMARY KEY REFERENCES payment_order (id),
  code TEXT NOT NULL,
  failed_at INTEGER NOT NULL
) STRICT;
${appendOnly("recharge_failure", "payment_order = NEW.payment_order")}
`;

export const rechargesSchema: Migration = { version: 20, name: "recharges", oldestReader: 20, sql };
