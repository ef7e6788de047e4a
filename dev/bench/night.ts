/**
 * One night of the bench in a process of its own, so that its memory is its own: `night.js night|floor FILE [FROM]`, or, of books on a
 * server, a range of its accounts: `night.js range ADDRESS AFTER THROUGH`. The night is
 * the product's own; the floor inserts the rows that the night left in FROM into FILE, in batches of the same size and with the
 * same durability, and does nothing else. Prints one line of JSON. Started by billing.ts and store.ts.
 */
import { performance } from "node:perf_hooks";
import { connectFile, prepare } from "../../lib/store/database.ts";
import { openBooks } from "../../lib/store/open.ts";
import { openStore } from "../../lib/store/sqlite.ts";
import { batchSize, billAccounts, billDay } from "../../lib/usage/bill.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { benchDay, benchMeters } from "./accounts.ts";
import { clusterPassword } from "./cluster.ts";

async function runNight(books: string): Promise<number> {
  const store = openStore({ file: books, clock: systemClock });
  const startedAt = performance.now();
  await billDay(store, benchDay, benchMeters);
  const took = performance.now() - startedAt;
  store.close();
  return took;
}

interface Copied {
  readonly table: string;
  readonly columns: readonly string[];
}

/** What a night writes; balances as they are at its end. */
const transfers: Copied = {
  table: "transfer",
  columns: [
    "number",
    "id",
    "code",
    "debit",
    "credit",
    "picodollars",
    "attodollars",
    "reference",
    "day",
    "posted_at",
  ],
};
const lines: Copied = {
  table: "bill_line",
  columns: [
    "transfer",
    "machine",
    "meter",
    "quantity",
    "price_atto",
    "picodollars",
    "attodollars",
    "revision",
  ],
};
const balances: Copied = {
  table: "balance",
  columns: ["ledger_account", "picodollars", "attodollars", "through"],
};

/** Milliseconds of the inserting alone: what is inserted is read before, a batch at a time. */
function runFloor(books: string, source: string): number {
  const [target, night] = [connectFile({ file: books }, true), connectFile({ file: source }, true)];
  target.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  night.defaultSafeIntegers(true);
  const read = (table: Copied, where: string): ReturnType<typeof prepare> =>
    prepare(night, `SELECT ${table.columns.join(", ")} FROM ${table.table} WHERE ${where}`).raw();
  const insert = ({ table, columns }: Copied, conflict = ""): ReturnType<typeof prepare> => {
    const marks = columns.map(() => "?").join(", ");
    return prepare(target, `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${marks})${conflict}`);
  };
  const readTransfers = read(transfers, `number > ? ORDER BY number LIMIT ${batchSize}`);
  const [readLines, readBalance] = [read(lines, "transfer = ?"), read(balances, "ledger_account = ?")];
  const [putTransfer, putLine] = [insert(transfers), insert(lines)];
  const putBalance = insert(
    balances,
    ` ON CONFLICT (ledger_account) DO UPDATE SET picodollars = excluded.picodollars,
      attodollars = excluded.attodollars, through = excluded.through`,
  );
  let [took, last] = [0, 0n];
  for (;;) {
    const rows = readTransfers.all(last) as unknown[][];
    const first = rows[0];
    if (first === undefined) break;
    const allLines = rows.flatMap((row) => readLines.all(row[1]) as unknown[][]);
    const allBalances = rows.flatMap((row) => readBalance.all(row[3]) as unknown[][]);
    // The house's account changes with each batch, whatever it comes to.
    const house = ["revenue", first[5], first[6], first[0]];
    const startedAt = performance.now();
    target.exec("BEGIN IMMEDIATE");
    for (const row of rows) putTransfer.run(row);
    for (const row of allLines) putLine.run(row);
    for (const row of [...allBalances, house]) putBalance.run(row);
    target.exec("COMMIT");
    took += performance.now() - startedAt;
    last = rows.at(-1)?.[0] as bigint;
  }
  const startedAt = performance.now();
  prepare(target, "INSERT INTO billed_day (day, accounts, billed_at) VALUES (?, ?, ?)").run(
    benchDay,
    last,
    1n,
  );
  took += performance.now() - startedAt;
  target.close();
  return took;
}

async function runRange(address: string, after: string, through: string): Promise<string> {
  // Whoever waits for the others waits as long as it takes.
  const postgres = { address, password: clusterPassword, busyMs: 60_000 };
  const store = openBooks({ file: "", clock: systemClock, postgres });
  await store.read(async (tx) => tx.get("SELECT 1 AS one"));
  const from = systemClock.now();
  const { created, failed } = await billAccounts(store, benchDay, benchMeters, { after, through });
  const to = systemClock.now();
  store.close();
  return JSON.stringify({ from, to, created, failed: failed.length });
}

const [what, file = "", from = "", through = ""] = process.argv.slice(2);
if (what === "range") console.log(await runRange(file, from, through));
else {
  const ms = what === "floor" ? runFloor(file, from) : await runNight(file);
  // In kilobytes, by getrusage(2).
  console.log(JSON.stringify({ ms, memoryKb: process.resourceUsage().maxRSS }));
}
