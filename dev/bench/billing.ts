/**
 * `npm run bench -- bill`: nights for so many accounts, beside the floor: the same rows, inserted by bare statements of the
 * driver in batches of the same size, with the same durability. Called by main.ts.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectFile, prepare } from "../../lib/store/database.ts";
import { makeAccounts } from "./accounts.ts";
import { alignRows, medianOf, ratioOf, showNumber } from "./figures.ts";

export interface BillingResult {
  readonly accounts: number;
  /** Milliseconds of each round, and the most memory, in MiB. */
  readonly nightMs: readonly number[];
  readonly floorMs: readonly number[];
  readonly memoryMiB: number;
}

interface Run {
  readonly ms: number;
  readonly memoryKb: number;
}

export function benchBilling(accounts: number, rounds: number, home: string): BillingResult {
  const [made, night, floor] = ["made", "night", "floor"].map((name) => join(home, `${name}.sqlite`)) as [
    string,
    string,
    string,
  ];
  makeAccounts(made, accounts);
  const [nightMs, floorMs]: [number[], number[]] = [[], []];
  let memoryKb = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const file of [night, floor]) {
      remove(file);
      copyFileSync(made, file);
    }
    const billed = run(["night", night]);
    nightMs.push(billed.ms);
    memoryKb = Math.max(memoryKb, billed.memoryKb);
    floorMs.push(run(["floor", floor, night]).ms);
    compareBooks(night, floor, accounts);
  }
  for (const file of [made, night, floor]) remove(file);
  return { accounts, nightMs, floorMs, memoryMiB: memoryKb / 1024 };
}

function run(words: readonly string[]): Run {
  const program = fileURLToPath(new URL("night.js", import.meta.url));
  const child = spawnSync(process.execPath, [program, ...words], { encoding: "utf8", env: {} });
  if (child.status !== 0) throw new Error(`the ${words[0]} ended with ${child.status}: ${child.stderr}`);
  return JSON.parse(child.stdout) as Run;
}

/** Both wrote as many rows, and the night's books are even. */
function compareBooks(night: string, floor: string, accounts: number): void {
  const counts = [night, floor].map((file) => {
    const db = connectFile({ file }, true);
    const count = (table: string): unknown => prepare(db, `SELECT count(*) FROM ${table}`).pluck().get();
    const found = ["transfer", "bill_line", "balance", "billed_day"].map(count);
    db.close();
    return JSON.stringify(found);
  });
  const right = JSON.stringify([accounts, accounts * 3, accounts + 1, 1]);
  if (counts.some((count) => count !== right)) throw new Error(`rows: ${counts.join(" and ")}, not ${right}`);
  const db = connectFile({ file: night }, true);
  const sum = "SELECT sum(picodollars) * 1000000 + sum(attodollars) FROM balance";
  if (prepare(db, sum).pluck().get() !== 0) throw new Error("the balances are not nothing together");
  db.close();
}

function remove(file: string): void {
  for (const ending of ["", "-wal", "-shm"]) rmSync(file + ending, { force: true });
}

export function showBilling(results: readonly BillingResult[]): string {
  const rows = results.map(({ accounts, nightMs, floorMs, memoryMiB }) => {
    const [night, floor] = [medianOf(nightMs), medianOf(floorMs)];
    return [
      String(accounts),
      showNumber(night === undefined ? undefined : night / 1000, 2),
      showNumber(floor === undefined ? undefined : floor / 1000, 2),
      showNumber(ratioOf(night, floor), 2),
      showNumber(night === undefined ? undefined : accounts / (night / 1000), 0),
      showNumber(memoryMiB, 0),
    ];
  });
  const table = alignRows([["accounts", "night s", "floor s", "/ floor", "accounts/s", "MiB"], ...rows]);
  return [table, ...growNights(results)].join("\n\n");
}

/** How a night grows from each size to the next; none for one size. Memory should grow far less than the accounts do. */
function growNights(results: readonly BillingResult[]): readonly string[] {
  const lines = results.slice(1).flatMap((larger, index) => {
    const smaller = results[index];
    if (smaller === undefined) return [];
    const grown = (pick: (result: BillingResult) => number | undefined): string =>
      showNumber(ratioOf(pick(larger), pick(smaller)), 2);
    return [
      [
        `${smaller.accounts} to ${larger.accounts}`,
        grown(({ accounts }) => accounts),
        grown(({ nightMs }) => medianOf(nightMs)),
        grown(({ floorMs }) => medianOf(floorMs)),
        grown(({ memoryMiB }) => memoryMiB),
      ],
    ];
  });
  if (lines.length === 0) return [];
  return [alignRows([["times as much", "accounts", "night", "floor", "MiB"], ...lines])];
}
