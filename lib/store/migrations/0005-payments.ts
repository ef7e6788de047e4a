/** Schema 5: orders of which no money will come, refunds that were begun here, and Stripe's own account of what it holds. */
import type { Migration } from "../migrate.ts";
import { amountColumns, appendOnly } from "./tables.ts";

const sql = `
CREATE TABLE checkout_end (
  payment_order TEXT PRIMARY KEY REFERENCES payment_order (id),
  how TEXT NOT NULL CHECK (how IN ('expired', 'failed')),
  ended_at INTEGER NOT NULL
) STRICT;
${appendOnly("checkout_end", "payment_order = NEW.payment_order")}

-- Written before Stripe hears of it; its id is the idempotency key there.
CREATE TABLE refund_order (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES account (id),
  payment_intent TEXT NOT NULL,
  ${amountColumns},
  created_at INTEGER NOT NULL
) STRICT;
${appendOnly("refund_order", "id = NEW.id")}

-- Stripe's balance transactions, as the reconciliation read them: whole cents, and Stripe's own time.
CREATE TABLE stripe_movement (
  id TEXT PRIMARY KEY,
  category TEXT NOT NULL,
  cents INTEGER NOT NULL,
  fee_cents INTEGER NOT NULL,
  currency TEXT NOT NULL,
  source TEXT NOT NULL,
  payment_intent TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  read_at INTEGER NOT NULL
) STRICT;
CREATE INDEX stripe_movement_intent ON stripe_movement (payment_intent) WHERE payment_intent <> '';
CREATE INDEX stripe_movement_created ON stripe_movement (created_at, id);
${appendOnly("stripe_movement", "id = NEW.id")}
`;

export const paymentsSchema: Migration = { version: 5, name: "payments", oldestReader: 4, sql };
