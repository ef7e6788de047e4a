/**
 * Schema 9: what Stripe sent may be forgotten after a while, its hash and what we made of it kept. An event's row is changed by
 * that alone. Programs of schema 8 go on working on it.
 */
import type { Migration } from "../migrate.ts";

const sql = `
ALTER TABLE stripe_event ADD COLUMN raw_sha256 TEXT;
DROP TRIGGER stripe_event_no_update;
CREATE TRIGGER stripe_event_no_update BEFORE UPDATE ON stripe_event
WHEN (length(NEW.raw) = 0 AND length(NEW.raw_sha256) = 64 AND OLD.raw_sha256 IS NULL AND NEW.id = OLD.id
  AND NEW.type = OLD.type AND NEW.api_version = OLD.api_version AND NEW.outcome = OLD.outcome AND NEW.received_at = OLD.received_at)
  IS NOT TRUE
BEGIN SELECT raise(ABORT, 'stripe_event is append-only'); END;
CREATE INDEX stripe_event_received ON stripe_event (received_at);
CREATE INDEX outbox_settled ON outbox (settled_at) WHERE settled_at IS NOT NULL;
`;

export const retentionSchema: Migration = { version: 9, name: "retention", oldestReader: 8, sql };
