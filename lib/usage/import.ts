/**
 * Taking usage into the books: a file goes in whole or not at all. A row is known by account, machine, meter, UTC day, and
 * revision: the same row again is counted as known, and another quantity for it is refused. A first revision comes before its
 * day is complete; a later one takes the place of the one before at any time, also of one that never came.
 */
import { type AccountId, resolveAccount } from "../accounts/account.ts";
import { amountOf, formatExact } from "../money/amount.ts";
import { type Charge, chargeFor } from "../money/price.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { type DayUtc, dayOf } from "../util/clock.ts";
import { assert } from "../util/failure.ts";
import type { MeterSetting } from "../util/settings.ts";
import { completeDay, type DayState, isTooOld, oldestDays, readDayState } from "./day.ts";
import { readRetired } from "./machine.ts";
import { readNewest, readRevision, reviseUsage, type UsageKey } from "./revision.ts";
import type { Declared, FieldName, LineFault, UsageLine } from "./row.ts";

/** A hundred thousand dollars for one row: one mistyped row must not stop the night of everybody else. */
const largestCharge = amountOf(100_000n * 10n ** 18n);

export interface ImportRequest {
  readonly lines: readonly UsageLine[];
  readonly meters: readonly MeterSetting[];
  /** Days that the file itself declares complete, which it may do without a row of them. */
  readonly declared?: readonly Declared[];
  /** Days that whoever sends the file declares complete by it. */
  readonly complete: readonly DayUtc[];
  /** Takes days of more than 400 days ago too, and days to come. */
  readonly takesOld?: boolean;
  readonly takesFuture?: boolean;
}

export type ImportResult =
  | {
      readonly ok: true;
      readonly added: number;
      readonly known: number;
      readonly revised: number;
      /** Rows of retired machines for days after the last that may cost something: left out. */
      readonly retired: number;
    }
  | { readonly ok: false; readonly faults: readonly LineFault[] };

/** A row that is to be written, with its account found and its price worked out. */
interface UsageRow {
  readonly line: UsageLine;
  readonly key: UsageKey;
  readonly charge: Charge;
}

/** Writes all rows, or none and the list of what is wrong with each line. May be repeated. */
export async function importUsage(tx: WriteTx, request: ImportRequest): Promise<ImportResult> {
  // 1. Look at every line before anything is written.
  const { rows, known, retired, faults } = await checkLines(tx, request);
  const { declared = [] } = request;
  const { takesOld = false } = request;
  for (const { line, day } of declared) faults.push(...(await checkComplete(tx, line, day, takesOld)));
  for (const day of request.complete)
    faults.push(...(await checkComplete(tx, 1, day, takesOld)), ...checkRows(request, day));
  if (faults.length > 0) return { ok: false, faults };
  // 2. Write the new rows, in their order, then the declaration that they are all.
  let revised = 0;
  for (const { line, key, charge } of rows)
    if (line.revision === 1n) await writeFirst(tx, line, key);
    else {
      await reviseUsage(tx, key, line, charge.priceAtto);
      revised += 1;
    }
  for (const day of [...request.complete, ...declared.map((one) => one.day)]) {
    const completed = await completeDay(tx, day, "import", { takesOld });
    assert(completed.ok, `day ${day} was found to be over`);
  }
  return { ok: true, added: rows.length - revised, known, revised, retired };
}

async function writeFirst(tx: WriteTx, { quantity }: UsageLine, key: UsageKey): Promise<void> {
  await tx.run(
    "INSERT INTO usage (day, account, machine, meter, quantity, received_at) VALUES (?, ?, ?, ?, ?, ?)",
    [key.day, key.account, key.machine, key.meter, quantity, tx.now],
  );
}

async function checkComplete(
  tx: ReadTx,
  line: number,
  day: DayUtc,
  takesOld: boolean,
): Promise<readonly LineFault[]> {
  const today = dayOf(tx.now);
  if (day >= today) return [{ line, message: `day ${day} is not over yet (today is ${today} UTC)` }];
  if (isTooOld(day, tx.now) && !takesOld)
    return [{ line, message: `day ${day} lies more than ${oldestDays} days back; if that is meant: --old` }];
  const isSkipped = (await readDayState(tx, day)) === "skipped";
  return isSkipped ? [{ line, message: `day ${day} is skipped, and never billed` }] : [];
}

/** A file of another day, left over from the night before, must not close this one without its usage. */
function checkRows({ lines }: ImportRequest, day: DayUtc): readonly LineFault[] {
  if (lines.some((line) => line.day === day)) return [];
  const message = `no row is of ${day}, which this file is said to complete; for a day without usage: site usage complete ${day}`;
  return [{ line: 1, message }];
}

async function checkLines(
  tx: ReadTx,
  request: ImportRequest,
): Promise<{ rows: UsageRow[]; known: number; retired: number; faults: LineFault[] }> {
  const rows: UsageRow[] = [];
  const faults: LineFault[] = [];
  const accounts = new Map<string, AccountId | undefined>();
  const days = new Map<DayUtc, DayState>();
  // What this file has given so far: the quantity of each revision, and the newest revision of each row.
  const given = new Map<string, bigint>();
  const newest = new Map<string, bigint>();
  let [known, retired] = [0, 0];
  const endings = new Map<AccountId, ReadonlyMap<string, DayUtc>>();
  for (const line of request.lines) {
    const tell = (field: FieldName, message: string): void => {
      const column = line.columns?.[field];
      faults.push({ line: line.line, ...(column === undefined ? {} : { column }), message });
    };
    if (!accounts.has(line.account)) accounts.set(line.account, (await resolveAccount(tx, line.account))?.id);
    if (!days.has(line.day)) days.set(line.day, await readDayState(tx, line.day));
    const account = accounts.get(line.account);
    if (account === undefined) {
      tell("account", `"${line.account}" is neither an account id nor the address of an account`);
      continue;
    }
    const charge = checkMeterAndDay(request, line, tx.now);
    if ("wrong" in charge) {
      tell(charge.wrong, charge.message);
      continue;
    }
    const ended = endings.get(account) ?? (await readRetired(tx, account));
    endings.set(account, ended);
    if (line.day > (ended.get(line.machine) ?? line.day)) {
      retired += 1;
      continue;
    }
    const key: UsageKey = { day: line.day, account, machine: line.machine, meter: line.meter };
    const row = JSON.stringify(Object.values(key));
    const before = given.get(`${row} ${line.revision}`) ?? (await readRevision(tx, key, line.revision));
    given.set(`${row} ${line.revision}`, before ?? line.quantity);
    if (before === line.quantity) known += 1;
    else if (before !== undefined)
      tell(
        "quantity",
        `quantity ${line.quantity} differs from ${before}, given before; send it as the next revision`,
      );
    else {
      const last = newest.get(row) ?? (await readNewest(tx, key))?.revision ?? 0n;
      const wrong = checkOrder(line, last, days.get(line.day) ?? "open");
      if (wrong === undefined) {
        newest.set(row, line.revision);
        rows.push({ line, key, charge });
      } else tell(line.revision === 1n ? "day" : "revision", wrong);
    }
  }
  return { rows, known, retired, faults };
}

/** Whether a row may come now, after its revision `last` (0 if none has come). */
function checkOrder({ day, revision }: UsageLine, last: bigint, state: DayState): string | undefined {
  if (state === "skipped") return `day ${day} is skipped already and takes no new rows`;
  if (revision === 1n) {
    if (last > 0n) return `revision ${last} of this row is there already; the first one comes too late`;
    return state === "open"
      ? undefined
      : `day ${day} is ${state} already and takes no new rows; send it as revision 2`;
  }
  const next = last === 0n ? 2n : last + 1n;
  return revision === next
    ? undefined
    : `revision ${revision} is not the next one of this row, which is ${next}`;
}

/** The row's charge, or what is wrong with its meter, quantity, or day. */
function checkMeterAndDay(
  { meters, takesOld = false, takesFuture = false }: ImportRequest,
  line: UsageLine,
  now: number,
): Charge | { readonly wrong: FieldName; readonly message: string } {
  const wrong = (field: FieldName, message: string) => ({ wrong: field, message });
  const { day, quantity } = line;
  const meter = meters.find((candidate) => candidate.name === line.meter);
  if (meter === undefined) {
    const names = meters.map((candidate) => candidate.name).join(", ");
    return wrong("meter", `"${line.meter}" is no meter of etc/prices.yaml, which has ${names}`);
  }
  const charge = chargeFor(meter, day, quantity);
  if (charge === undefined)
    return wrong(
      "day",
      `meter "${line.meter}" has no price on ${day}; its first one is of ${meter.prices[0]?.fromDay}`,
    );
  if (charge.amount > largestCharge)
    return wrong(
      "quantity",
      `quantity ${quantity} would cost $${formatExact(charge.amount)}; more than $${formatExact(largestCharge)} for a machine and day is taken for a mistake`,
    );
  const today = dayOf(now);
  if (!takesFuture && day > today)
    return wrong("day", `day ${day} lies in the future (today is ${today} UTC); if that is meant: --future`);
  if (takesOld || !isTooOld(day, now)) return charge;
  return wrong("day", `day ${day} lies more than ${oldestDays} days back; if that is meant: --old`);
}
