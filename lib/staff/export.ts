/**
 * An account's data for programs: JSON, CSV with the columns that tools for such services already read, and the text that
 * Prometheus reads. Text columns of CSV are safe to open in a spreadsheet: what begins a formula is preceded by an apostrophe.
 */
import type { StatementLine } from "../ledger/statement.ts";
import { type Amount, formatExact } from "../money/amount.ts";
import type { HistoryLine } from "../usage/history.ts";
import type { DayUtc } from "../util/clock.ts";
import { labelOf, type MeterSetting } from "../util/settings.ts";

export interface BalanceFacts {
  readonly account: string;
  readonly state: string;
  readonly balance: Amount;
  readonly costPerDay: Amount;
  readonly daysLeft: number | undefined;
  /** Milliseconds since 1970. */
  readonly asOf: number;
}

const header = "RECTYPE,DATE,MACHINE,TYPE,QUANTITY,AMOUNT,BALANCE";

type Row = readonly [
  rectype: string,
  date: string,
  machine: string,
  type: string,
  quantity: string,
  amount: string,
  balance: string,
];

/** Lines of the statement, in the words of JSON. */
export function statementJson(lines: readonly StatementLine[]): readonly object[] {
  return lines.map(({ number, change, balanceAfter, transferId, ...line }) => ({
    number: String(number),
    id: transferId,
    ...line,
    change: formatExact(change),
    balanceAfter: formatExact(balanceAfter),
  }));
}

/** Rows of usage, in the words of JSON. */
export function usageJson(lines: readonly HistoryLine[]): readonly object[] {
  return lines.map(({ quantity, priceAtto, amount, ...line }) => ({
    ...line,
    quantity: String(quantity),
    attodollarsPerUnit: String(priceAtto),
    amount: formatExact(amount),
  }));
}

export function balanceCsv({ balance }: BalanceFacts, day: DayUtc): string {
  return writeCsv([["Balance", day, "", "", "", "", formatExact(balance)]]);
}

export function usageCsv(lines: readonly HistoryLine[], meters: readonly MeterSetting[]): string {
  return writeCsv(
    lines.map(({ day, machine, meter, quantity, amount }): Row => {
      const label = labelOf(meters, meter);
      return ["Usage", day, machine, label, String(quantity), formatExact(amount), ""];
    }),
  );
}

/** What was paid, given, and taken back is an amount with its sign; usage is what it cost, as in `usageCsv`. */
export function statementCsv(
  lines: readonly StatementLine[],
  details: ReadonlyMap<string, readonly Omit<HistoryLine, "day" | "priceAtto">[]>,
  meters: readonly MeterSetting[],
): string {
  return writeCsv(
    lines.flatMap((line): Row[] => {
      const after: Row = ["Balance", line.day, "", "", "", "", formatExact(line.balanceAfter)];
      const parts = details.get(line.transferId);
      if (parts === undefined)
        return [["Payment", line.day, "", line.code, "", formatExact(line.change), ""], after];
      return [
        ...parts.map(
          ({ machine, meter, quantity, amount }): Row => [
            "Usage",
            line.reference,
            machine,
            labelOf(meters, meter),
            String(quantity),
            formatExact(amount),
            "",
          ],
        ),
        after,
      ];
    }),
  );
}

function writeCsv(rows: readonly Row[]): string {
  // RFC 4180: CRLF after each line, quotes around what needs them.
  return [header, ...rows.map((row) => row.map(writeCell).join(","))].map((line) => `${line}\r\n`).join("");
}

function writeCell(text: string, place: number): string {
  // The machine and the type are words of customers and owners; numbers may begin with a minus.
  const isText = place === 2 || place === 3;
  const safe = isText && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** https://prometheus.io/docs/instrumenting/exposition_formats, text format 0.0.4. Dollars are rounded there to what a float holds. */
export function balancePrometheus(facts: BalanceFacts): string {
  const metric = (name: string, help: string, value: string): string =>
    `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name}{account="${facts.account}"} ${value}\n`;
  return [
    metric("account_balance_dollars", "Credit that is left.", formatExact(facts.balance)),
    metric(
      "account_cost_per_day_dollars",
      "What a day costs at what was stored last.",
      formatExact(facts.costPerDay),
    ),
    metric(
      "account_days_left",
      "Days that the credit lasts; +Inf where nothing is spent.",
      String(facts.daysLeft ?? "+Inf"),
    ),
  ].join("");
}
