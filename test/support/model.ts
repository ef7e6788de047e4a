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
  readonly usage: Map<string, ModelRow>;
  readonly complete: Set<string>;
  readonly billed: Set<string>;
}

export function makeModel(accounts: number): Model {
  return {
    balances: Array.from({ length: accounts }, () => 0n),
    usage: new Map(),
    complete: new Set(),
    billed: new Set(),
  };
}

export function modelPay(model: Model, account: number, dollars: bigint): void {
  model.balances[account] = (model.balances[account] ?? 0n) + dollars * 1_000_000_000_000_000_000n;
}

/** "added", "known", or "refused". */
export function modelUsage(model: Model, row: ModelRow, today: string): "added" | "known" | "refused" {
  const key = `${row.day} ${row.account} ${row.machine} ${row.meter}`;
  const before = model.usage.get(key);
  if (row.day > today) return "refused";
  if (before !== undefined) return before.quantity === row.quantity ? "known" : "refused";
  if (model.complete.has(row.day)) return "refused";
  model.usage.set(key, row);
  return "added";
}

/** True if it can be declared. */
export function modelComplete(model: Model, day: string, today: string): boolean {
  if (day >= today) return false;
  model.complete.add(day);
  return true;
}

export function modelNight(model: Model): void {
  for (const day of model.complete) {
    if (model.billed.has(day)) continue;
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
