/**
 * Warnings: each change of an account's standing is one row, and each change for the worse one mail, in the
 * same transaction. The newest row is what was last known, so a second run finds nothing to do.
 */
import { type AccountId, findAccount } from "../accounts/account.ts";
import { composeMail } from "../mail/compose.ts";
import { enqueueMail, type NewMail } from "../mail/outbox.ts";
import { formatDollars, formatExact, toColumns } from "../money/amount.ts";
import type { ReadTx, Store, WriteTx } from "../store/store.ts";
import { addDays, dayOf } from "../util/clock.ts";
import { pathOf } from "../util/routes.ts";
import type { Settings } from "../util/settings.ts";
import type { Renderer } from "../util/templates.ts";
import {
  daysLeft,
  judgeStanding,
  readStandingFacts,
  type StandingFacts,
  type StandingState,
} from "./standing.ts";

export interface WarnReport {
  readonly accounts: number;
  readonly warned: number;
}

/** A change of standing that is about to be written. */
interface Crossing {
  readonly account: AccountId;
  readonly email: string;
  /** Counts the account's changes, from 1; part of the mail's id. */
  readonly number: number;
  readonly state: "ok" | "low" | "overdrawn";
  readonly facts: StandingFacts;
  readonly now: number;
}

const severity: Readonly<Record<StandingState, number>> = { new: 0, ok: 0, low: 1, overdrawn: 2 };

/** Looks at every account. May be repeated, interrupted, and run twice at once. */
export async function warnAccounts(
  store: Store,
  renderer: Renderer,
  settings: Settings,
): Promise<WarnReport> {
  let accounts = 0;
  let warned = 0;
  let after = "";
  for (;;) {
    const page = await store.read((tx) => readPage(tx, after, settings));
    const last = page.last;
    if (last === undefined) return { accounts, warned };
    accounts += page.count;
    for (const { crossing, worse } of page.crossings) {
      const mail = worse ? composeWarning(renderer, settings, crossing) : undefined;
      const written = await store.write((tx) => writeCrossing(tx, crossing, mail, settings));
      if (written && mail !== undefined) warned += 1;
    }
    after = last;
  }
}

async function readPage(
  tx: ReadTx,
  after: string,
  settings: Settings,
): Promise<{ last: string | undefined; count: number; crossings: { crossing: Crossing; worse: boolean }[] }> {
  const rows = await tx.all<{ id: AccountId }>("SELECT id FROM account WHERE id > ? ORDER BY id LIMIT 500", [
    after,
  ]);
  const crossings: { crossing: Crossing; worse: boolean }[] = [];
  for (const { id } of rows) {
    const found = await findCrossing(tx, id, settings);
    if (found !== undefined) crossings.push(found);
  }
  return { last: rows.at(-1)?.id, count: rows.length, crossings };
}

/** The change of standing that an account has undergone since its last row; undefined if none. */
async function findCrossing(
  tx: ReadTx,
  id: AccountId,
  settings: Settings,
): Promise<{ crossing: Crossing; worse: boolean } | undefined> {
  const account = await findAccount(tx, id);
  const facts = await readStandingFacts(tx, id, settings.meters);
  const state = judgeStanding(facts, settings.warnDays);
  const before = await tx.get<{ number: bigint; state: StandingState }>(
    "SELECT number, state FROM standing WHERE account = ? ORDER BY number DESC LIMIT 1",
    [id],
  );
  // Being well is where everybody starts: it is worth a row only after something else.
  const stateBefore = before?.state ?? "ok";
  if (account === undefined || state === "new" || state === stateBefore) return undefined;
  const number = Number(before?.number ?? 0n) + 1;
  const crossing = { account: id, email: account.email, number, state, facts, now: tx.now };
  return { crossing, worse: severity[state] > severity[stateBefore] };
}

/** Writes the change and its mail, unless the books have moved on since it was found; the next run sees. */
async function writeCrossing(
  tx: WriteTx,
  crossing: Crossing,
  mail: NewMail | undefined,
  settings: Settings,
): Promise<boolean> {
  const still = (await findCrossing(tx, crossing.account, settings))?.crossing;
  if (still?.number !== crossing.number || still.state !== crossing.state) return false;
  if (still.facts.balance !== crossing.facts.balance) return false;
  const { picodollars, attodollars } = toColumns(crossing.facts.balance);
  await tx.run(
    `INSERT INTO standing (account, number, state, picodollars, attodollars, day, changed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    [crossing.account, crossing.number, crossing.state, picodollars, attodollars, dayOf(tx.now), tx.now],
  );
  if (mail !== undefined) await enqueueMail(tx, mail);
  return true;
}

function composeWarning(renderer: Renderer, settings: Settings, crossing: Crossing): NewMail {
  const { facts, state, number, account, email, now } = crossing;
  const today = dayOf(now);
  const days = daysLeft(facts);
  return composeMail(renderer, {
    id: `warn/${account}/${number}`,
    to: email,
    template: state === "overdrawn" ? "overdrawn" : "low",
    data: {
      site: settings.name,
      balance: formatDollars(facts.balance),
      costPerDay: formatExact(facts.costPerDay),
      days: days ?? 0,
      warnDays: settings.warnDays,
      runsOut: addDays(today, days ?? 0),
      deletionFrom: addDays(today, settings.countdownDays),
      countdownDays: settings.countdownDays,
      payUrl: settings.url + pathOf("pay"),
      accountUrl: settings.url + pathOf("account"),
      account,
    },
  });
}
