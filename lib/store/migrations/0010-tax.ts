/** Schema 10: tax that Stripe took with a payment is the authorities', and no customer's credit. */
import type { Migration } from "../migrate.ts";

const sql = `
INSERT INTO ledger_account (id, kind, opened_at) VALUES ('tax', 'tax', 0);
INSERT INTO chart (code, debit_kind, credit_kind) VALUES
  ('tax', 'stripe-clearing', 'tax'), ('refund-tax', 'tax', 'refunds'), ('refund-tax-undone', 'refunds', 'tax'),
  ('dispute-tax', 'tax', 'disputes'), ('dispute-tax-undone', 'disputes', 'tax');
`;

export const taxSchema: Migration = { version: 10, name: "tax", oldestReader: 10, sql };
