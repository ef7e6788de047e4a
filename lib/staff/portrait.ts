/** All that is kept of one account, for whoever asks for it: its customer, or the staff in the customer's name. Reads only. */
import type { Account, AccountId } from "../accounts/account.ts";
import { listPasskeys } from "../accounts/passkey.ts";
import { listTokens } from "../accounts/token.ts";
import { readStatement, type StatementLine } from "../ledger/statement.ts";
import { formatExact } from "../money/amount.ts";
import { readSavedCard } from "../payments/card.ts";
import { listPayments } from "../payments/receipt.ts";
import { amountOfCents } from "../payments/recharge.ts";
import type { ReadTx } from "../store/store.ts";
import { type DetailLine, readDetails } from "../usage/detail.ts";
import { type HistoryLine, readHistory } from "../usage/history.ts";
import { listMachines } from "../usage/machine.ts";
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
  const card = await readSavedCard(tx, account.id);
  const tokens = await listTokens(tx, account.id);
  const timeOf = (ms: bigint | number | undefined): string => (ms === undefined ? "" : formatUtc(Number(ms)));
  const facts = {
    ...standing,
    since: timeOf(own?.created),
    terms: own?.terms === "" ? "" : `${own?.terms}, accepted ${timeOf(own?.termsAt)}`,
    recharges: await listRules(tx, account.id),
    card: card === undefined ? null : `${card.brand}, ending in ${card.last4}, until ${card.expires}`,
    secondFactor: account.hasFactor,
    passkeys: (await listPasskeys(tx, account.id)).map(({ name, createdAt, usedAt }) => ({
      name,
      made: timeOf(createdAt),
      used: timeOf(usedAt),
    })),
    tokens: tokens.map(({ name, createdAt, usedAt }) => ({
      name,
      made: timeOf(createdAt),
      used: timeOf(usedAt),
    })),
    payments: (await listPayments(tx, account.id)).map(
      ({ order, isRecharge, begunAt, amount, tax, state, receipt }) => ({
        order,
        recharge: isRecharge,
        begun: formatUtc(begunAt),
        amount: formatExact(amount),
        tax: formatExact(tax),
        state,
        receipt: receipt ?? null,
      }),
    ),
    machines: (await listMachines(tx, account.id)).map(({ registeredAt, ...line }) => ({
      ...line,
      registered: timeOf(registeredAt),
    })),
    receipts: await tx.all(
      `SELECT r.seller, r.buyer, r.buyer_tax_id AS buyerTaxId FROM receipt r
       JOIN payment_order o ON o.id = r.payment_order WHERE o.account = ? ORDER BY r.number`,
      [account.id],
    ),
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

/** Every agreement on automatic recharges, oldest first. */
async function listRules(tx: ReadTx, account: AccountId) {
  const rows = await tx.all<{
    isOn: bigint;
    why: string;
    below: bigint;
    amount: bigint;
    cap: bigint;
    set: bigint;
  }>(
    `SELECT is_on AS isOn, why, below_cents AS below, amount_cents AS amount, cap_cents AS cap, set_at AS "set"
     FROM recharge_rule WHERE account = ? ORDER BY number`,
    [account],
  );
  const dollars = (cents: bigint): string => formatExact(amountOfCents(Number(cents)));
  return rows.map(({ isOn, why, below, amount, cap, set }) => ({
    at: formatUtc(Number(set)),
    state: isOn === 1n ? "on" : `off: ${why}`,
    below: dollars(below),
    amount: dollars(amount),
    mostInMonth: dollars(cap),
  }));
}
