/**
 * `npm run bench -- store`: pages, payments, and a night on SQLite and on a PostgreSQL server of the bench's own, each beside its floor, the
 * statements that it ran by the driver alone: all of a page, and of payments and nights those that write. Then the night by several
 * processes at once, each with a range of accounts (DESIGN.md, "Growth"). Called by main.ts.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import type { AccountId } from "../../lib/accounts/account.ts";
import { readStatement } from "../../lib/ledger/statement.ts";
import { amountOf } from "../../lib/money/amount.ts";
import { fulfilCheckout } from "../../lib/payments/fulfil.ts";
import { createOrder } from "../../lib/payments/order.ts";
import { openBooks } from "../../lib/store/open.ts";
import type { Store } from "../../lib/store/store.ts";
import { billDay } from "../../lib/usage/bill.ts";
import { readDetails } from "../../lib/usage/detail.ts";
import { assert } from "../../lib/util/failure.ts";
import { readStanding } from "../../lib/warnings/standing.ts";
import { accountAt, benchDay, benchMeters } from "./accounts.ts";
import { type Bare, noteSteps, type Step } from "./bare.ts";
import { makeCluster, serverPrograms } from "./cluster.ts";
import { type Engine, fileEngine, serverEngine } from "./engines.ts";
import { alignRows, medianOf, ratioOf, showNumber } from "./figures.ts";

export interface StoreTimes {
  readonly engine: "sqlite" | "postgres";
  /** Milliseconds of each page and each payment; of the whole night. */
  readonly page: Pair;
  readonly payment: Pair;
  readonly night: Pair;
  /** After the night, by table. */
  readonly bytesPerRow: Readonly<Record<string, number>>;
  /** A night in milliseconds by so many processes at once. */
  readonly workers: readonly Workers[];
}

export interface Workers {
  readonly count: number;
  /** From the first one's first statement to the last one's last. */
  readonly ms: number;
  /** Transactions that met another one and were undone. */
  readonly undone: number;
}

export interface Pair {
  readonly ours: number;
  readonly floor: number;
}

export interface StoreResult {
  readonly accounts: number;
  readonly engines: readonly StoreTimes[];
}

export async function benchStore(accounts: number, pages: number, home: string): Promise<StoreResult> {
  const engines = [await benchEngine(fileEngine(home), accounts, pages, [])];
  if (serverPrograms === undefined) return { accounts, engines };
  const cluster = makeCluster({
    isSafe: true,
    settings: ["autovacuum = on", "shared_buffers = 128MB", "max_wal_size = 2GB"],
  });
  try {
    engines.push(await benchEngine(serverEngine(cluster), accounts, pages, [1, 2, 4]));
  } finally {
    cluster.end();
  }
  return { accounts, engines };
}

async function benchEngine(
  engine: Engine,
  accounts: number,
  pages: number,
  workers: readonly number[],
): Promise<StoreTimes> {
  await engine.make("made", accounts);
  await engine.copy("made", "ours");
  await engine.copy("made", "floor");
  const { store, takeNotes } = noteSteps(openBooks(engine.books("ours")));
  const bare = await engine.bare("floor");
  const replay = (isAll: boolean) => replayAll(bare, takeNotes(), isAll);
  const account = (n: number): string => accountAt(Math.floor((n * accounts) / pages) % accounts);
  // Orders are there before somebody pays.
  await store.write(async (tx) => {
    for (let n = 0; n < pages; n += 1) await createOrder(tx, orderOf(n, account(n)));
  });
  await replay(false);
  // By turns, since others use the disk too.
  const byTurns = async (work: (n: number) => Promise<void>, isAll: boolean): Promise<Pair> => {
    const [ours, floor]: [number[], number[]] = [[], []];
    for (let n = 0; n < pages; n += 1) {
      ours.push(...(await timeEach(1, () => work(n))));
      floor.push(...(await replay(isAll)));
    }
    return { ours: medianOf(ours) ?? 0, floor: medianOf(floor) ?? 0 };
  };
  const payment = await byTurns((n) => pay(store, n), false);
  const startedAt = performance.now();
  await billDay(store, benchDay, benchMeters);
  const night = performance.now() - startedAt;
  const nights = (await replay(false)).reduce((sum, ms) => sum + ms, 0);
  const bytesPerRow = await engine.measureRows("ours");
  for (const name of ["ours", "floor"]) await engine.settle(name);
  // The page has a bill now, and a payment.
  await byTurns((n) => readPage(store, account(n)), true);
  const page = await byTurns((n) => readPage(store, account(n)), true);
  store.close();
  await bare.end();
  const byWorkers: Workers[] = [];
  for (const count of workers) byWorkers.push(await billTogether(engine, accounts, count));
  return {
    engine: engine.name,
    page,
    payment,
    night: { ours: night, floor: nights },
    bytesPerRow,
    workers: byWorkers,
  };
}

async function timeEach(count: number, work: (n: number) => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const startedAt = performance.now();
    await work(n);
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** Milliseconds of each transaction; such as write nothing are left out where only writes count. */
async function replayAll(bare: Bare, notes: readonly (readonly Step[])[], isAll: boolean): Promise<number[]> {
  const wanted = notes
    .map((steps) => steps.filter(({ isWrite }) => isAll || isWrite))
    .filter(({ length }) => length > 0);
  return timeEach(wanted.length, (n) => bare.transact(wanted[n] ?? []));
}

const cents = 1000;

function orderOf(n: number, account: string) {
  const amount = amountOf(BigInt(cents) * 10n ** 16n);
  return { id: `order_${n}`, account: account as AccountId, amount, livemode: false };
}

/** As the webhook takes it. */
async function pay(store: Store, n: number): Promise<void> {
  const facts = { orderId: `order_${n}`, paid: true, ended: "", paymentIntent: `pi_${n}` } as const;
  const money = { netCents: cents, taxCents: 0, currency: "usd", livemode: false };
  const done = await store.write((tx) => fulfilCheckout(tx, { ...facts, ...money }));
  assert(done.ok, "the order is paid");
}

/** What cgi/account reads. */
async function readPage(store: Store, account: string): Promise<void> {
  await store.read(async (tx) => {
    const statement = await readStatement(tx, account, { before: undefined, limit: 100 });
    await readDetails(tx, statement.lines);
    await readStanding(tx, account as AccountId, { meters: benchMeters, warnDays: 7 });
  });
}

/** Each has a range of ids; the mark of the day is left out. */
async function billTogether(engine: Engine, accounts: number, count: number): Promise<Workers> {
  const name = `by${count}`;
  await engine.copy("made", name);
  const ids = Array.from({ length: accounts }, (_, n) => accountAt(n)).sort();
  const edges = Array.from({ length: count + 1 }, (_, n) => ids[Math.ceil((n * accounts) / count) - 1] ?? "");
  const address = engine.books(name).postgres?.address ?? "";
  const program = fileURLToPath(new URL("night.js", import.meta.url));
  const undoneBefore = await engine.countUndone(name);
  const runs = await Promise.all(
    edges.slice(1).map(async (through, n) => {
      const words = [program, "range", address, edges[n] ?? "", through];
      const child = spawn(process.execPath, words, { env: {}, stdio: ["ignore", "pipe", "inherit"] });
      let text = "";
      child.stdout.on("data", (bytes) => {
        text += bytes;
      });
      const [code] = await once(child, "close");
      assert(code === 0, `worker ${n} ended well, and not with ${code}`);
      return JSON.parse(text) as { readonly from: number; readonly to: number; readonly created: number };
    }),
  );
  assert(runs.reduce((sum, run) => sum + run.created, 0) === accounts, "every account has one bill");
  const ms = Math.max(...runs.map(({ to }) => to)) - Math.min(...runs.map(({ from }) => from));
  return { count, ms, undone: (await engine.countUndone(name)) - undoneBefore };
}

export function showStore({ accounts, engines }: StoreResult): string {
  const line = (what: string, { engine, ...times }: StoreTimes, { ours, floor }: Pair, first: number) => [
    `${what}, ${engine}`,
    showNumber(ours, 2),
    showNumber(floor, 2),
    showNumber(ratioOf(ours, floor), 2),
    showNumber(ratioOf(ours, first), 2),
    what === "night" ? showNumber(ratioOf(accounts * 1000, times.night.ours), 0) : "",
  ];
  const rows = (["page", "payment", "night"] as const).flatMap((what) =>
    engines.map((times) => line(what, times, times[what], engines[0]?.[what].ours ?? 0)),
  );
  const head = [`${accounts} accounts`, "ms", "floor ms", "/ floor", "/ sqlite", "accounts/s"];
  const tables = Object.keys(engines[0]?.bytesPerRow ?? {});
  const bytes = engines.map(({ engine, bytesPerRow }) => [
    engine,
    ...tables.map((table) => showNumber(bytesPerRow[table], 0)),
  ]);
  const workers = engines.flatMap((times) =>
    times.workers.map(({ count, ms, undone }) => [
      `night by ${count}, ${times.engine}`,
      showNumber(ms, 0),
      showNumber(ratioOf(ms, times.workers[0]?.ms), 2),
      showNumber(undone, 0),
    ]),
  );
  const last =
    workers.length === 0
      ? "PostgreSQL is not installed"
      : alignRows([["workers", "ms", "/ one", "undone"], ...workers]);
  return [alignRows([head, ...rows]), alignRows([["bytes a row", ...tables], ...bytes]), last].join("\n\n");
}
