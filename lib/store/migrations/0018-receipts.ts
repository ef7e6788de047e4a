/** Schema 18: receipts, numbered without gaps, as they were made. Programs of schema 17 go on working on it. */
import type { Migration } from "../migrate.ts";
import { appendOnly } from "./tables.ts";

const sql = `
CREATE TABLE receipt (
  number INTEGER PRIMARY KEY CHECK (number > 0),
  payment_order TEXT NOT NULL UNIQUE REFERENCES payment_order (id),
  seller TEXT NOT NULL,
  buyer TEXT NOT NULL,
  buyer_tax_id TEXT NOT NULL,
  made_at INTEGER NOT NULL
) STRICT;
${appendOnly("receipt", "number = NEW.number OR payment_order = NEW.payment_order")}
`;

export const receiptsSchema: Migration = { version: 18, name: "receipts", oldestReader: 17, sql };
