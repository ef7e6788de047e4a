/**
 * The morning's report to the owner: what the night said, and how the house stands. It waits in the outbox like all mail;
 * where the books cannot be written there is none, but an exit code, cron's mail, and a heartbeat that stays away.
 */
import { composeMail } from "../mail/compose.ts";
import { countMails, enqueueMail } from "../mail/outbox.ts";
import { type AmountSums, amountSums, formatExact, fromSums, zero } from "../money/amount.ts";
import type { ReadTx, Store } from "../store/store.ts";
import type { Settings } from "../util/settings.ts";
import type { Renderer } from "../util/templates.ts";

export interface Night {
  readonly isGood: boolean;
  /** Every line that the run said, in order. */
  readonly lines: readonly string[];
  /** Milliseconds since 1970. */
  readonly endedAt: number;
}

const dayMs = 86_400_000;

/** Puts the report into the outbox, once for each run; nothing where the site names nobody. */
export async function reportNight(
  store: Store,
  renderer: Renderer,
  settings: Settings,
  night: Night,
): Promise<void> {
  if (settings.reportTo === "") return;
  const summary = await store.read(describeHouse);
  const time = new Date(night.endedAt).toISOString();
  const mail = composeMail(renderer, {
    id: `report/${time}`,
    to: settings.reportTo,
    template: "report",
    data: {
      site: settings.name,
      day: time.slice(0, 10),
      isGood: night.isGood ? "yes" : "",
      lines: night.lines.join("\n"),
      summary: summary.join("\n"),
    },
  });
  await store.write((tx) => enqueueMail(tx, mail));
}

/** A few lines on what a person should know each morning. */
async function describeHouse(tx: ReadTx): Promise<readonly string[]> {
  const customers = await tx.get<AmountSums & { readonly n: bigint; readonly below: bigint }>(
    `SELECT count(*) AS n, count(*) FILTER (WHERE picodollars < 0) AS below, ${amountSums}
     FROM balance WHERE ledger_account IN (SELECT id FROM ledger_account WHERE kind = 'customer')`,
  );
  const standings = await tx.all<{ state: string; n: bigint }>(
    `SELECT state, count(*) AS n FROM standing s
     WHERE number = (SELECT max(number) FROM standing t WHERE t.account = s.account) AND state <> 'ok'
     GROUP BY state ORDER BY state`,
  );
  const events = await tx.get<{ n: bigint }>(
    `SELECT count(*) AS n FROM stripe_event
     WHERE received_at >= ? AND (outcome = 'other-version' OR outcome LIKE 'refused: %')`,
    [tx.now - dayMs],
  );
  const disputed = await tx.get<{ n: bigint }>(
    "SELECT count(*) AS n FROM transfer WHERE code = 'dispute' AND posted_at >= ?",
    [tx.now - dayMs],
  );
  const mails = [...(await countMails(tx))].filter(([state]) => state !== "sent");
  const list = (counts: readonly (readonly [string, bigint])[]): string =>
    counts.length === 0 ? "none" : counts.map(([name, count]) => `${count} ${name}`).join(", ");
  return [
    `customers  ${customers?.n ?? 0n} with a balance, together $${formatExact(customers === undefined ? zero : fromSums(customers))}; ${customers?.below ?? 0n} below zero`,
    `standings  ${list(standings.map(({ state, n }) => [state, n] as const))}`,
    `mail       ${list(mails)} not sent`,
    `Stripe     ${events?.n ?? 0n} events of the last day were refused or not understood; ${disputed?.n ?? 0n} payments were disputed`,
  ];
}
