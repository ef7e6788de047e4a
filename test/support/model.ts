/**
 * The books as anybody would keep them with a pencil: an independent model of payments, usage, and nights, that shares no code
 * with the books. Tests compare the two after every step of a random history.
 */

export interface ModelRow {
  readonly account: number;
  readonly day: string;
  readonly machine: string;
  readonly meter: "storage" | "upload";
  readonly quantity: bigint;
}

export interface Model {
  /** Attodollars, by the account's number. */
  readonly balances: bigint[];
  /** What holds of each row. */
  readonly usage: Map<string, ModelRow>;
  /** What was given, by row and revision. */
  readonly given: Map<string, bigint>;
  readonly complete: Set<string>;
  readonly billed: Set<string>;
  readonly skipped: Set<string>;
}

export function makeModel(accounts: number): Model {
  return {
    balances: Array.from({ length: accounts }, () => 0n),
    usage: new Map(),
    given: new Map(),
    complete: new Set(),
    billed: new Set(),
    skipped: new Set(),
  };
}

export function modelPay(model: Model, account: number, dollars: bigint): void {
  model.balances[account] = (model.balances[account] ?? 0n) + dollars * 1_000_000_000_000_000_000n;
}

export function modelMove(model: Model, account: number, attodollars: bigint): void {
  model.balances[account] = (model.balances[account] ?? 0n) + attodollars;
}

const keyOf = (row: ModelRow): string => `${row.day} ${row.account} ${row.machine} ${row.meter}`;

/** "added", "known", or "refused". */
export function modelUsage(model: Model, row: ModelRow, today: string): "added" | "known" | "refused" {
  if (row.day > today) return "refused";
  const before = model.given.get(`${keyOf(row)} 1`);
  if (before !== undefined) return before === row.quantity ? "known" : "refused";
  // A later revision came before the first one.
  if (model.usage.has(keyOf(row))) return "refused";
  if (model.complete.has(row.day) || model.skipped.has(row.day)) return "refused";
  model.usage.set(keyOf(row), row);
  model.given.set(`${keyOf(row)} 1`, row.quantity);
  return "added";
}

/** The number that the next revision of a row must have. */
export function nextRevision(model: Model, row: ModelRow): bigint {
  for (let number = 2n; ; number += 1n) if (!model.given.has(`${keyOf(row)} ${number}`)) return number;
}

/** The next revision of a row: on a billed day the difference is paid at once. True if it can come. */
export function modelRevise(model: Model, row: ModelRow, today: string): boolean {
  if (row.day > today || model.skipped.has(row.day)) return false;
  const before = model.usage.get(keyOf(row))?.quantity ?? 0n;
  if (model.billed.has(row.day))
    model.balances[row.account] =
      (model.balances[row.account] ?? 0n) + cost({ ...row, quantity: before }) - cost(row);
  model.given.set(`${keyOf(row)} ${nextRevision(model, row)}`, row.quantity);
  model.usage.set(keyOf(row), row);
  return true;
}

/** True if it can be skipped. */
export function modelSkip(model: Model, day: string, today: string): boolean {
  if (day >= today || model.billed.has(day)) return false;
  model.skipped.add(day);
  return true;
}

/** True if it can be declared. */
export function modelComplete(model: Model, day: string, today: string): boolean {
  if (day >= today || model.skipped.has(day)) return false;
  model.complete.add(day);
  return true;
}

export function modelNight(model: Model): void {
  for (const day of model.complete) {
    if (model.billed.has(day) || model.skipped.has(day)) continue;
    model.billed.add(day);
    for (const row of model.usage.values())
      if (row.day === day) model.balances[row.account] = (model.balances[row.account] ?? 0n) - cost(row);
  }
}

/** 250 picodollars per byte-month and per byte; 500 per byte-month from December 2026. */
function cost({ day, meter, quantity }: ModelRow): bigint {
  if (meter === "upload") return 250_000_000n * quantity;
  const perMonth = day < "2026-12-01" ? 250_000_000n : 500_000_000n;
  const [year, month] = day.split("-").map(Number) as [number, number];
  const lengths = [
    31,
    (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28,
    31,
    30,
    31,
    30,
    31,
    31,
    30,
    31,
    30,
    31,
  ];
  return (perMonth / BigInt(lengths[month - 1] ?? 0)) * quantity;
}
