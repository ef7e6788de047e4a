/**
 * The account page: balance, what a day costs, how long that lasts, and the statement with all 18 decimals.
 * Reads only.
 */
import type { TransferCode } from "../lib/ledger/chart.ts";
import { readStatement, type Statement, type StatementLine } from "../lib/ledger/statement.ts";
import { type Amount, formatDollars, formatExact } from "../lib/money/amount.ts";
import { type DetailLine, readDetails } from "../lib/usage/detail.ts";
import { formatUtc } from "../lib/util/clock.ts";
import { pathOf } from "../lib/util/routes.ts";
import type { MeterSetting } from "../lib/util/settings.ts";
import { readPreference, ruleOf, type WarnRule } from "../lib/warnings/preference.ts";
import { daysLeft, judgeStanding, readStandingFacts, type StandingFacts } from "../lib/warnings/standing.ts";
import { groupDigits } from "./support/quantity.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit, withAccount } from "./support/visit.ts";

const linesPerPage = 100;

interface AccountView {
  readonly statement: Statement;
  readonly bills: ReadonlyMap<string, readonly DetailLine[]>;
  readonly facts: StandingFacts;
  readonly rule: WarnRule;
  readonly now: number;
}

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) => {
    const { store, settings } = visit.site;
    const before = readPosition(visit.query.get("before") ?? "");
    // One read, so that balance, lines, and cost belong together.
    const view = await store.read(async (tx): Promise<AccountView> => {
      const statement = await readStatement(tx, account.id, { before, limit: linesPerPage });
      return {
        statement,
        bills: await readDetails(tx, statement.lines),
        facts: await readStandingFacts(tx, account.id, settings.meters),
        rule: ruleOf(await readPreference(tx, account.id), settings),
        now: tx.now,
      };
    });
    return respondPage(visit, {
      title: "Your account",
      template: "account",
      data: {
        email: account.email,
        account: account.id,
        ...describeStanding(view.facts, view.rule),
        lines: view.statement.lines.map((line) => describeLine(line, view.bills, settings.meters)),
        older: view.statement.olderBefore === undefined ? "" : `?before=${view.statement.olderBefore}`,
        newest: before === undefined,
        asOf: formatUtc(view.now),
        pay: pathOf("pay"),
        history: pathOf("history"),
        settings: pathOf("settings"),
        logout: pathOf("logout"),
      },
    });
  });
}

/** A position in the statement; anything that is none shows the newest lines. */
function readPosition(text: string): bigint | undefined {
  return /^[1-9]\d{0,17}$/.test(text) ? BigInt(text) : undefined;
}

function describeStanding(facts: StandingFacts, rule: WarnRule) {
  const state = judgeStanding(facts, rule);
  const days = daysLeft(facts);
  return {
    balance: formatDollars(facts.balance),
    costPerDay: facts.costPerDay > 0n ? formatExact(facts.costPerDay) : "",
    daysLeft: days === undefined ? "" : String(days),
    isNew: state === "new",
    isLow: state === "low",
    isOverdrawn: state === "overdrawn",
  };
}

function describeLine(
  line: StatementLine,
  bills: ReadonlyMap<string, readonly DetailLine[]>,
  meters: readonly MeterSetting[],
) {
  const details = bills.get(line.transferId) ?? [];
  return {
    day: line.day,
    isPayment: line.code === "topup",
    isUsage: line.code === "bill",
    what: isCorrection(line) ? `Usage of ${line.reference}, measured again` : (labels[line.code] ?? ""),
    reference: line.reference,
    change: showChange(line.change),
    balanceAfter: formatExact(line.balanceAfter),
    details: details.map((detail) => ({
      machine: detail.machine,
      meter: meters.find((meter) => meter.name === detail.meter)?.label ?? detail.meter,
      quantity: groupDigits(detail.quantity),
      amount: formatExact(detail.amount),
    })),
  };
}

function isCorrection({ code }: StatementLine): boolean {
  return code === "bill-more" || code === "bill-less";
}

/** What stands on the statement for what is neither a payment nor a day's usage. */
const labels: Readonly<Partial<Record<TransferCode, string>>> = {
  goodwill: "Credit from us",
  "goodwill-undone": "Credit taken back",
  gift: "Gift",
  charge: "Charge by hand",
  opening: "Balance brought along",
  "opening-owed": "Debt brought along",
  refund: "Refund",
  "refund-undone": "Refund that failed",
  dispute: "Payment disputed at its bank",
  "dispute-undone": "Disputed payment, given back",
};

function showChange(change: Amount): string {
  return change > 0n ? `+${formatExact(change)}` : formatExact(change);
}
