/** An account as the staff sees it: where it stands, its last transfers, and what was done to it. Reads only. */
import type { Account } from "../accounts/account.ts";
import { readStatement } from "../ledger/statement.ts";
import { formatExact, fromColumns } from "../money/amount.ts";
import { readRule } from "../payments/recharge.ts";
import type { ReadTx } from "../store/store.ts";
import { formatUtc } from "../util/clock.ts";
import type { Settings } from "../util/settings.ts";
import { deletionDay } from "../warnings/countdown.ts";
import { daysLeft, readStanding } from "../warnings/standing.ts";
import { readAudit } from "./audit.ts";

const shownLines = 20;
const mostFound = 100;

/** Accounts whose id or address has the words in it, by address. */
export async function findAccounts(tx: ReadTx, words: string) {
  const rows = await tx.all<{ account: string; email: string; picodollars: bigint; attodollars: bigint }>(
    `SELECT a.id AS account, a.email, coalesce(b.picodollars, 0) AS picodollars, coalesce(b.attodollars, 0) AS attodollars
     FROM account a LEFT JOIN balance b ON b.ledger_account = a.id
     WHERE instr(a.email, lower(?)) > 0 OR instr(a.id, ?) > 0 ORDER BY a.email LIMIT ?`,
    [words, words, mostFound],
  );
  return rows.map(({ account, email, ...amount }) => ({
    account,
    email,
    balance: formatExact(fromColumns(amount)),
  }));
}

export async function describeAccount(tx: ReadTx, account: Account, settings: Settings) {
  const standing = await readStanding(tx, account.id, settings);
  const { facts, preference, since, row } = standing;
  const { lines } = await readStatement(tx, account.id, { before: undefined, limit: shownLines });
  const rule = await readRule(tx, account.id);
  const deeds = await readAudit(tx, account.id, shownLines);
  return {
    account: account.id,
    email: account.email,
    state: standing.state,
    since,
    deletionFrom:
      since === "" || row === undefined
        ? ""
        : (deletionDay({ ...row, state: standing.state as typeof row.state }, settings.countdownDays) ?? ""),
    balance: `$${formatExact(facts.balance)}`,
    costPerDay: `$${formatExact(facts.costPerDay)}`,
    daysLeft: daysLeft(facts) ?? null,
    held: standing.isHeld,
    warnDays: preference.warnDays ?? null,
    warnBelow: preference.warnBelowCents === undefined ? null : `$${preference.warnBelowCents / 100}`,
    recharge:
      rule?.isOn === true
        ? `below $${rule.belowCents / 100}, $${rule.amountCents / 100}, at most $${rule.capCents / 100} a month`
        : rule === undefined
          ? ""
          : `off: ${rule.why}`,
    secondAddress: preference.secondEmail ?? null,
    transfers: lines.map((line) => ({
      day: line.day,
      code: line.code,
      change: formatExact(line.change),
      reference: line.reference,
    })),
    deeds: deeds.map(({ at, operator, action, reason, detail }) => ({
      at: formatUtc(at),
      operator,
      action,
      reason,
      detail,
    })),
  };
}
