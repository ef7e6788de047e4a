/** What the tables of several migrations have in common. */

/** Money, always as two columns. */
export const amountColumns = `picodollars INTEGER NOT NULL,
  attodollars INTEGER NOT NULL CHECK (attodollars BETWEEN 0 AND 999999)`;

/** Triggers that make a table append-only; `key` compares an existing row with the new one. */
export function appendOnly(table: string, key: string): string {
  return `
CREATE TRIGGER ${table}_no_update BEFORE UPDATE ON ${table} BEGIN SELECT raise(ABORT, '${table} is append-only'); END;
CREATE TRIGGER ${table}_no_delete BEFORE DELETE ON ${table} BEGIN SELECT raise(ABORT, '${table} is append-only'); END;
CREATE TRIGGER ${table}_no_replace BEFORE INSERT ON ${table} WHEN EXISTS (SELECT 1 FROM ${table} WHERE ${key})
BEGIN SELECT raise(ABORT, '${table} is append-only'); END;`;
}
