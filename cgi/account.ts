/**
 * The account page: balance, what a day costs, how long that lasts, and the statement with all 18 decimals.
 * Reads only.
 */
import type { TransferCode } from "../lib/ledger/chart.ts";
import { readPosition, readStatement, type Statement, type StatementLine } from "../lib/ledger/statement.ts";
import { type Amount, formatDollars, formatExact } from "../lib/money/amount.ts";
import { type DetailLine, readDetails } from "../lib/usage/detail.ts";
import { addDays, type DayUtc, dayOf, daysBetween, formatUtc, parseDay } from "../lib/util/clock.ts";
import { pathOf } from "../lib/util/routes.ts";
import { labelOf, type MeterSetting, type Settings } from "../lib/util/settings.ts";
import { deletionDay } from "../lib/warnings/countdown.ts";
import { daysLeft, readStanding } from "../lib/warnings/standing.ts";
import { groupDigits } from "./support/quantity.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit, withAccount } from "./support/visit.ts";

const linesPerPage = 100;
/** A day that lies further away is none that anybody reckons with. */
const mostDaysShown = 3650;

interface AccountView {
  readonly statement: Statement;
  readonly bills: ReadonlyMap<string, readonly DetailLine[]>;
  readonly standing: Awaited<ReturnType<typeof readStanding>>;
  readonly now: number;
}

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) => {
    const { store, settings } = visit.site;
    const before = readPosition(visit.query.get("before") ?? "");
    const dates = readDates(visit);
    // One read, so that balance, lines, and cost belong together.
    const view = await store.read(async (tx): Promise<AccountView> => {
      const statement = await readStatement(tx, account.id, { before, limit: linesPerPage, ...dates.range });
      return {
        statement,
        bills: await readDetails(tx, statement.lines),
        standing: await readStanding(tx, account.id, settings),
        now: tx.now,
      };
    });
    return respondPage(visit, {
      title: "Your account",
      template: "account",
      data: {
        email: account.email,
        account: account.id,
        ...describeStanding(view, settings),
        ...dates.shown,
        lines: view.statement.lines.map((line) => describeLine(line, view.bills, settings.meters)),
        older:
          view.statement.olderBefore === undefined
            ? ""
            : `?before=${view.statement.olderBefore}${dates.query}`,
        newest: before === undefined && dates.query === "",
        asOf: formatUtc(view.now),
        pay: pathOf("pay"),
        payments: pathOf("payments"),
        history: pathOf("history"),
        settings: pathOf("settings"),
        logout: pathOf("logout"),
      },
    });
  });
}

/** Days between which the statement is looked at; what is no day is told, and left out. */
function readDates({ query }: Visit) {
  const [typedFrom, typedTo] = [query.get("from") ?? "", query.get("to") ?? ""];
  const [from, to] = [parseDay(typedFrom), parseDay(typedTo)];
  const isWrong = (typedFrom !== "" && from === undefined) || (typedTo !== "" && to === undefined);
  const parts = [
    ["from", from],
    ["to", to],
  ].flatMap(([name, day]) => (day === undefined ? [] : [`&${name}=${day}`]));
  return {
    range: { from, to },
    query: parts.join(""),
    shown: { from: typedFrom, to: typedTo, wrongDates: isWrong ? "yes" : "" },
  };
}

function describeStanding({ standing, now }: AccountView, settings: Settings) {
  const { facts, state, since, row } = standing;
  const days = daysLeft(facts);
  const today = dayOf(now);
  const isDown = state === "overdrawn" || state === "held" || state === "due";
  const deletion = row && isDown && state !== "held" ? deletionDay(row, settings.countdownDays) : undefined;
  return {
    balance: formatDollars(facts.balance),
    costPerDay: facts.costPerDay > 0n ? formatExact(facts.costPerDay) : "",
    daysLeft: days === undefined ? "" : String(days),
    isOneDay: days === 1,
    runsOut: days === undefined || days > mostDaysShown ? "" : addDays(today, days),
    isNew: state === "new",
    isLow: state === "low",
    isOverdrawn: isDown,
    since,
    deletionFrom: deletion ?? "",
    steps: deletion === undefined ? [] : listSteps(deletion, today),
  };
}

/** The calendar of the countdown: each day from today to the one from which a person may delete. */
function listSteps(deletion: DayUtc, today: DayUtc) {
  const count = Math.min(Math.max(daysBetween(today, deletion), 0), 31);
  return Array.from({ length: count + 1 }, (_none, passed) => {
    const day = addDays(deletion, passed - count);
    return { day, isDeletion: day === deletion ? "yes" : "" };
  });
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
      meter: labelOf(meters, detail.meter),
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
