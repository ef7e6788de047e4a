/** All that is kept of one account, for whoever asks for it: its customer, or the staff in the customer's name. Reads only. */
import type { Account } from "../accounts/account.ts";
import { listTokens } from "../accounts/token.ts";
import { readStatement, type StatementLine } from "../ledger/statement.ts";
import { formatExact, fromColumns } from "../money/amount.ts";
import type { ReadTx } from "../store/store.ts";
import { type DetailLine, readDetails } from "../usage/detail.ts";
import { type HistoryLine, readHistory } from "../usage/history.ts";
import { type DayUtc, formatUtc } from "../util/clock.ts";
import type { Settings } from "../util/settings.ts";
import { describeAccount } from "./show.ts";

export interface Portrait {
  /** What is neither usage nor statement, in the words of JSON. */
  readonly facts: object;
  readonly statement: readonly StatementLine[];
  readonly details: ReadonlyMap<string, readonly DetailLine[]>;
  readonly usage: readonly HistoryLine[];
}

const everything = { before: undefined, limit: 1_000_000 } as const;
const always = { from: "0000-01-01", to: "9999-12-31" } as { from: DayUtc; to: DayUtc };

export async function readPortrait(tx: ReadTx, account: Account, settings: Settings): Promise<Portrait> {
  const { lines: statement } = await readStatement(tx, account.id, everything);
  const { transfers, ...standing } = await describeAccount(tx, account, settings);
  const own = await tx.get<{ created: bigint; terms: string; termsAt: bigint }>(
    "SELECT created_at AS created, terms, terms_at AS termsAt FROM account WHERE id = ?",
    [account.id],
  );
  const tokens = await listTokens(tx, account.id);
  const timeOf = (ms: bigint | number | undefined): string => (ms === undefined ? "" : formatUtc(Number(ms)));
  const facts = {
    ...standing,
    since: timeOf(own?.created),
    terms: own?.terms === "" ? "" : `${own?.terms}, accepted ${timeOf(own?.termsAt)}`,
    secondFactor: account.hasFactor,
    tokens: tokens.map(({ name, createdAt, usedAt }) => ({
      name,
      made: timeOf(createdAt),
      used: timeOf(usedAt),
    })),
    payments: await readPayments(tx, account),
    sessions: (
      await tx.all<{ browser: string; network: string; created: bigint }>(
        "SELECT browser, network, created_at AS created FROM session WHERE account = ? ORDER BY created_at",
        [account.id],
      )
    ).map(({ browser, network, created }) => ({ browser, network, began: timeOf(created) })),
    mails: (
      await tx.all<{ subject: string; created: bigint; state: string }>(
        "SELECT subject, created_at AS created, state FROM outbox WHERE recipient = ? ORDER BY created_at, id",
        [account.email],
      )
    ).map(({ subject, created, state }) => ({ subject, at: timeOf(created), state })),
  };
  return {
    facts,
    statement,
    details: await readDetails(tx, statement),
    usage: await readHistory(tx, account.id, always),
  };
}

async function readPayments(tx: ReadTx, account: Account): Promise<readonly object[]> {
  const rows = await tx.all<{
    id: string;
    created: bigint;
    how: string;
    picodollars: bigint;
    attodollars: bigint;
  }>(
    `SELECT o.id, o.created_at AS created, o.picodollars, o.attodollars,
       coalesce(e.how, CASE WHEN t.id IS NULL THEN 'open' ELSE 'paid' END) AS how
     FROM payment_order o LEFT JOIN checkout_end e ON e.payment_order = o.id
     LEFT JOIN transfer t ON t.code = 'topup' AND t.credit = o.account AND t.reference = o.id
     WHERE o.account = ? ORDER BY o.created_at, o.id`,
    [account.id],
  );
  return rows.map(({ id, created, how, ...amount }) => ({
    order: id,
    begun: formatUtc(Number(created)),
    amount: formatExact(fromColumns(amount)),
    state: how,
  }));
}
