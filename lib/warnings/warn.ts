/**
 * Warnings: each change of an account's standing is one row, and each change for the worse one mail (and one to the second
 * address), in the same transaction. The newest row is what was last known, so a second run finds nothing to do.
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
import { countDown, deletionDay, type Standing } from "./countdown.ts";
import { readHold } from "./hold.ts";
import { readPreference, ruleOf, type WarnRule } from "./preference.ts";
import {
  daysLeft,
  judgeStanding,
  readStandingFacts,
  readStandingRow,
  type StandingFacts,
} from "./standing.ts";

export interface WarnReport {
  readonly accounts: number;
  readonly warned: number;
}

/** A change of standing that is about to be written. */
interface Crossing {
  readonly account: AccountId;
  /** The customer's address, and the second one, if there is one. */
  readonly addresses: readonly string[];
  /** Counts the account's changes, from 1; part of the mail's id. */
  readonly number: number;
  readonly standing: Standing;
  readonly facts: StandingFacts;
  readonly rule: WarnRule;
  readonly isWorse: boolean;
  readonly now: number;
}

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
    for (const crossing of page.crossings) {
      const mails = crossing.isWorse ? composeWarnings(renderer, settings, crossing) : [];
      const written = await store.write((tx) => writeCrossing(tx, crossing, mails, settings));
      if (written && mails.length > 0) warned += 1;
    }
    after = last;
  }
}

async function readPage(
  tx: ReadTx,
  after: string,
  settings: Settings,
): Promise<{ last: string | undefined; count: number; crossings: readonly Crossing[] }> {
  const rows = await tx.all<{ id: AccountId }>(
    `SELECT id FROM account WHERE id > ? AND NOT EXISTS (SELECT 1 FROM closing c WHERE c.account = account.id)
     ORDER BY id LIMIT 500`,
    [after],
  );
  const isAmnesty = await readHold(tx, undefined);
  const crossings: Crossing[] = [];
  for (const { id } of rows) {
    const found = await findCrossing(tx, id, settings, isAmnesty);
    if (found !== undefined) crossings.push(found);
  }
  return { last: rows.at(-1)?.id, count: rows.length, crossings };
}

/** The change of standing that an account has undergone since its last row; undefined if none. */
async function findCrossing(
  tx: ReadTx,
  id: AccountId,
  settings: Settings,
  isAmnesty: boolean,
): Promise<Crossing | undefined> {
  const account = await findAccount(tx, id);
  const facts = await readStandingFacts(tx, id, settings.meters);
  const preference = await readPreference(tx, id);
  const rule = ruleOf(preference, settings);
  const state = judgeStanding(facts, rule);
  if (account === undefined || state === "new") return undefined;
  const row = await readStandingRow(tx, id);
  const isHeld = isAmnesty || (await readHold(tx, id));
  const { countdownDays } = settings;
  const standing = countDown({ state, isHeld, today: dayOf(tx.now), countdownDays }, row);
  // Being well is where everybody starts: it is worth a row only after something else.
  const before: Standing = row ?? { state: "ok", since: "", step: undefined };
  if (standing.state === before.state && standing.since === before.since && standing.step === before.step)
    return undefined;
  const second = preference.secondEmail;
  return {
    account: id,
    addresses: [account.email, ...(second === undefined || second === account.email ? [] : [second])],
    number: (row?.number ?? 0) + 1,
    standing,
    facts,
    rule,
    isWorse: severity(standing, countdownDays) > severity(before, countdownDays),
    now: tx.now,
  };
}

/** The later the step of the countdown, the worse; a hold is better than its beginning. */
function severity({ state, step }: Standing, countdownDays: number): number {
  const base = { ok: 0, low: 1, held: 2, overdrawn: 3, due: 4 + countdownDays }[state];
  return state === "overdrawn" ? base + countdownDays - (step ?? countdownDays) : base;
}

/** Writes the change and its mails, unless the books have moved on since it was found; the next run sees. */
async function writeCrossing(
  tx: WriteTx,
  crossing: Crossing,
  mails: readonly NewMail[],
  settings: Settings,
): Promise<boolean> {
  const { account, number, standing, facts } = crossing;
  const still = await findCrossing(tx, account, settings, await readHold(tx, undefined));
  if (still?.number !== number || still.standing.state !== standing.state) return false;
  if (still.facts.balance !== facts.balance || still.standing.step !== standing.step) return false;
  const { picodollars, attodollars } = toColumns(facts.balance);
  await tx.run(
    `INSERT INTO standing (account, number, state, since, step, picodollars, attodollars, day, changed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      account,
      number,
      standing.state,
      standing.since,
      standing.step ?? null,
      picodollars,
      attodollars,
      dayOf(tx.now),
      tx.now,
    ],
  );
  for (const mail of mails) await enqueueMail(tx, mail);
  return true;
}

function composeWarnings(renderer: Renderer, settings: Settings, crossing: Crossing): readonly NewMail[] {
  const { facts, standing, number, account, addresses, rule, now } = crossing;
  const today = dayOf(now);
  const days = daysLeft(facts);
  const { countdownDays } = settings;
  const isFirst = standing.step === countdownDays;
  const template =
    standing.state === "low" ? "low" : standing.state === "due" ? "due" : isFirst ? "overdrawn" : "countdown";
  return addresses.map((to, at) =>
    composeMail(renderer, {
      id: `warn/${account}/${number}${at === 0 ? "" : "/second"}`,
      to,
      template,
      data: {
        site: settings.name,
        balance: formatDollars(facts.balance),
        costPerDay: formatExact(facts.costPerDay),
        days: days ?? 0,
        isOneDay: days === 1,
        warnDays: rule.days,
        isOneWarnDay: rule.days === 1,
        warnBelow: rule.below === undefined ? "" : formatDollars(rule.below),
        // Since when there is nothing, or until when there is something.
        runsOut: standing.since !== "" ? standing.since : days === undefined ? "" : addDays(today, days),
        daysToDeletion: countDays(standing.step ?? countdownDays),
        deletionFrom: deletionDay({ ...standing, day: today }, countdownDays) ?? "",
        countdownDays,
        isOneCountdownDay: countdownDays === 1,
        payUrl: settings.url + pathOf("pay"),
        accountUrl: settings.url + pathOf("account"),
        account,
      },
    }),
  );
}

function countDays(days: number): string {
  return days === 1 ? "1 day" : `${days} days`;
}
