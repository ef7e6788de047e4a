/**
 * Taking usage into the books: a file goes in whole or not at all. A row is known by account, machine, meter,
 * and UTC day: the same row again is counted as known, another quantity for it is refused, and a day that was
 * declared complete takes no new rows.
 */
import { type AccountId, findAccount, findAccountByEmail } from "../accounts/account.ts";
import { parseEmail } from "../accounts/email.ts";
import { amountOf, formatExact } from "../money/amount.ts";
import { chargeFor } from "../money/price.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { addDays, type DayUtc, dayOf } from "../util/clock.ts";
import { assert } from "../util/failure.ts";
import type { MeterSetting } from "../util/settings.ts";
import { completeDay, type DayState, oldestDays, readDayState } from "./day.ts";
import type { LineFault, UsageLine } from "./file.ts";

/** A hundred thousand dollars for one row: one mistyped row must not stop the night of everybody else. */
const largestCharge = amountOf(100_000n * 10n ** 18n);

export interface ImportRequest {
  readonly lines: readonly UsageLine[];
  readonly meters: readonly MeterSetting[];
  /** A day that this file completes, or undefined. */
  readonly complete: DayUtc | undefined;
}

export type ImportResult =
  | { readonly ok: true; readonly added: number; readonly known: number }
  | { readonly ok: false; readonly faults: readonly LineFault[] };

/** A row that is to be written, with its account found. */
interface UsageRow {
  readonly line: UsageLine;
  readonly account: AccountId;
}

/** Writes all rows, or none and the list of what is wrong with each line. May be repeated. */
export async function importUsage(tx: WriteTx, request: ImportRequest): Promise<ImportResult> {
  // 1. Look at every line before anything is written.
  const { rows, known, faults } = await checkLines(tx, request);
  const today = dayOf(tx.now);
  if (request.complete !== undefined && request.complete >= today)
    faults.push({ line: 1, message: `day ${request.complete} is not over yet (today is ${today} UTC)` });
  if (request.complete !== undefined && (await readDayState(tx, request.complete)) === "skipped")
    faults.push({ line: 1, message: `day ${request.complete} is skipped, and never billed` });
  // A file of another day, left over from the night before, must not close this one without its usage.
  if (request.complete !== undefined && !request.lines.some((line) => line.day === request.complete))
    faults.push({
      line: 1,
      message: `no row is of ${request.complete}, which this file is said to complete; for a day without usage: site usage complete ${request.complete}`,
    });
  if (faults.length > 0) return { ok: false, faults };
  // 2. Write the new rows, then the declaration that they are all.
  for (const { line, account } of rows)
    await tx.run(
      "INSERT INTO usage (day, account, machine, meter, quantity, received_at) VALUES (?, ?, ?, ?, ?, ?)",
      [line.day, account, line.machine, line.meter, line.quantity, tx.now],
    );
  if (request.complete !== undefined) {
    const declared = await completeDay(tx, request.complete, "import");
    assert(declared.ok, `day ${request.complete} was found to be over`);
  }
  return { ok: true, added: rows.length, known };
}

async function checkLines(
  tx: ReadTx,
  request: ImportRequest,
): Promise<{ rows: UsageRow[]; known: number; faults: LineFault[] }> {
  const rows: UsageRow[] = [];
  const faults: LineFault[] = [];
  const accounts = new Map<string, AccountId | undefined>();
  const days = new Map<DayUtc, DayState>();
  const quantities = new Map<string, bigint>();
  let known = 0;
  for (const line of request.lines) {
    if (!accounts.has(line.account)) accounts.set(line.account, await resolveAccount(tx, line.account));
    if (!days.has(line.day)) days.set(line.day, await readDayState(tx, line.day));
    const account = accounts.get(line.account);
    const wrong =
      account === undefined ? unknownAccount(line) : checkMeterAndDay(request.meters, line, tx.now);
    if (wrong !== undefined || account === undefined) {
      faults.push({ line: line.line, message: wrong ?? unknownAccount(line) });
      continue;
    }
    const key = JSON.stringify([line.day, account, line.machine, line.meter]);
    const before = quantities.get(key) ?? (await readQuantity(tx, line, account));
    quantities.set(key, before ?? line.quantity);
    const state = days.get(line.day);
    if (before === line.quantity) known += 1;
    else if (before !== undefined)
      faults.push({
        line: line.line,
        message: `quantity ${line.quantity} differs from ${before}, given before`,
      });
    else if (state !== "open")
      faults.push({ line: line.line, message: `day ${line.day} is ${state} already and takes no new rows` });
    else rows.push({ line, account });
  }
  return { rows, known, faults };
}

function unknownAccount(line: UsageLine): string {
  return `"${line.account}" is neither an account id nor the address of an account`;
}

async function resolveAccount(tx: ReadTx, text: string): Promise<AccountId | undefined> {
  const email = parseEmail(text);
  const account = email === undefined ? await findAccount(tx, text) : await findAccountByEmail(tx, email);
  return account?.id;
}

function checkMeterAndDay(meters: readonly MeterSetting[], line: UsageLine, now: number): string | undefined {
  const meter = meters.find((candidate) => candidate.name === line.meter);
  if (meter === undefined) {
    const names = meters.map((candidate) => candidate.name).join(", ");
    return `"${line.meter}" is no meter of etc/prices.yaml, which has ${names}`;
  }
  const first = meter.prices[0]?.fromDay;
  if (first === undefined || line.day < first)
    return `meter "${line.meter}" has no price on ${line.day}; its first one is of ${first}`;
  const charge = chargeFor(meter, line.day, line.quantity);
  if (charge !== undefined && charge.amount > largestCharge)
    return `quantity ${line.quantity} would cost $${formatExact(charge.amount)}; more than $${formatExact(largestCharge)} for a machine and day is taken for a mistake`;
  const today = dayOf(now);
  if (line.day > today) return `day ${line.day} lies in the future (today is ${today} UTC)`;
  if (line.day < addDays(today, -oldestDays)) return `day ${line.day} lies more than ${oldestDays} days back`;
  return undefined;
}

async function readQuantity(tx: ReadTx, line: UsageLine, account: AccountId): Promise<bigint | undefined> {
  const row = await tx.get<{ quantity: bigint }>(
    "SELECT quantity FROM usage WHERE day = ? AND account = ? AND machine = ? AND meter = ?",
    [line.day, account, line.machine, line.meter],
  );
  return row?.quantity;
}
