/** Schema 22: when a change of address that can be undone was asked for. Programs of schema 21 go on working on it. */
import type { Migration } from "../migrate.ts";

const sql = `
-- What was made from then on ends with an undoing. Null where an earlier release wrote it: from the change itself on.
ALTER TABLE address_undo ADD COLUMN asked_at INTEGER;
`;

export const undoingSchema: Migration = { version: 22, name: "undoing", oldestReader: 21, sql };
