/**
 * Schema 6: usage that was measured again. Programs of schema 5 would bill what was given first, so they may not work on the
 * file any more.
 */
import type { Migration } from "../migrate.ts";
import { appendOnly } from "./tables.ts";

/** A view of the newest revision of each row, among those of a condition. */
function newest(view: string, condition: string): string {
  const where = condition === "" ? "" : ` AND ${condition}`;
  const same =
    "r.day = u.day AND r.account = u.account AND r.machine = u.machine AND r.meter = u.meter" +
    where.replace("price_atto", "r.price_atto");
  return `CREATE VIEW ${view} AS
SELECT day, account, machine, meter, quantity, 1 AS revision FROM usage u
WHERE NOT EXISTS (SELECT 1 FROM usage_revision r WHERE ${same})
UNION ALL
SELECT day, account, machine, meter, quantity, revision FROM usage_revision u
WHERE NOT EXISTS (SELECT 1 FROM usage_revision r WHERE ${same} AND r.revision > u.revision)${where};`;
}

const sql = `
-- A row of usage given again with another quantity, or late: revisions count from 2, the row in "usage" is the first. Where
-- the day was billed already, the price and the transfer that makes up the difference stand beside it.
CREATE TABLE usage_revision (
  day TEXT NOT NULL,
  account TEXT NOT NULL REFERENCES account (id),
  machine TEXT NOT NULL,
  meter TEXT NOT NULL,
  revision INTEGER NOT NULL CHECK (revision >= 2),
  quantity INTEGER NOT NULL CHECK (quantity >= 0),
  price_atto INTEGER CHECK (price_atto >= 0),
  transfer TEXT UNIQUE REFERENCES transfer (id),
  received_at INTEGER NOT NULL,
  PRIMARY KEY (day, account, machine, meter, revision)
) STRICT, WITHOUT ROWID;
${appendOnly(
  "usage_revision",
  "day = NEW.day AND account = NEW.account AND machine = NEW.machine AND meter = NEW.meter AND revision = NEW.revision",
)}

-- What holds now of each row.
${newest("usage_now", "")}
-- What the bill of its day is made of, also where it is made again: revisions from after it have a price.
${newest("usage_to_bill", "price_atto IS NULL")}

ALTER TABLE bill_line ADD COLUMN revision INTEGER NOT NULL DEFAULT 1 CHECK (revision >= 1);
INSERT INTO chart (code, debit_kind, credit_kind) VALUES
  ('bill-more', 'customer', 'adjustments'), ('bill-less', 'adjustments', 'customer');
`;

export const revisionsSchema: Migration = { version: 6, name: "revisions", oldestReader: 6, sql };
