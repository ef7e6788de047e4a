/**
 * A year of a small service, from a seed: what arrives each day (payments, usage that may come late or be measured again), under
 * a simulated clock; and two ways through it, one clean, and one with everything that goes wrong with nights.
 */
import { job as billJob } from "../../jobs/bill.ts";
import type { AccountId } from "../../lib/accounts/account.ts";
import { amountOf } from "../../lib/money/amount.ts";
import { fulfilCheckout } from "../../lib/payments/fulfil.ts";
import { createOrder, findOrder } from "../../lib/payments/order.ts";
import type { Store } from "../../lib/store/store.ts";
import { importUsage } from "../../lib/usage/import.ts";
import type { UsageLine } from "../../lib/usage/row.ts";
import type { DayUtc } from "../../lib/util/clock.ts";
import type { MeterSetting, Settings } from "../../lib/util/settings.ts";
import type { Renderer } from "../../lib/util/templates.ts";
import { warnAccounts } from "../../lib/warnings/warn.ts";
import { addAccount, dayUtc } from "./books.ts";
import { runTestJob } from "./job.ts";
import { makeTestStore, type TestStore } from "./store.ts";

const dayMs = 86_400_000;
/** A leap February is in it. */
export const firstDay = "2028-01-01";

/** Storage becomes dearer in the middle of a month, and cheaper on the leap day. */
export const yearMeters: readonly MeterSetting[] = [
  {
    name: "storage",
    label: "Storage",
    per: "byte-month",
    prices: [
      { fromDay: "2027-12-01", picodollars: "250" },
      { fromDay: "2028-01-17", picodollars: "333" },
      { fromDay: "2028-02-29", picodollars: "199" },
      { fromDay: "2028-07-01", picodollars: "251" },
    ],
  },
  { name: "upload", label: "Upload", per: "byte", prices: [{ fromDay: "2027-12-01", picodollars: "250" }] },
];

export type Random = (below: number) => number;

/** The same numbers for the same seed. */
export function makeRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Payment {
  readonly kind: "payment";
  readonly order: string;
  readonly account: number;
  readonly dollars: number;
}

interface Usage {
  readonly kind: "usage";
  readonly rows: readonly (Omit<UsageLine, "account" | "line"> & { readonly account: number })[];
  readonly complete: DayUtc | undefined;
}

export type Arrival = Payment | Usage;

const dayAt = (number: number): DayUtc =>
  dayUtc(new Date(Date.parse(firstDay) + number * dayMs).toISOString().slice(0, 10));

/** What arrives on each day, in order; most usage on the day after its own, some up to three days late. */
export function planYear(days: number, accounts: number, random: Random): readonly (readonly Arrival[])[] {
  const plan: Arrival[][] = Array.from({ length: days }, () => []);
  let orders = 0;
  const revisions = new Map<string, bigint>();
  for (let number = 0; number < days; number += 1) {
    for (let account = 0; account < accounts; account += 1)
      if (number === 0 || random(40) === 0) {
        orders += 1;
        const dollars = 5 + random(20);
        plan[number]?.push({ kind: "payment", order: `order_${orders}`, account, dollars });
      }
    const day = dayAt(number);
    const rows = Array.from({ length: accounts }, (_, account) => account).flatMap((account) =>
      random(20) === 0
        ? []
        : [
            { day, account, machine: "box", meter: "storage", quantity: sizeOf(random, 40), revision: 1n },
            ...(random(3) === 0
              ? [
                  {
                    day,
                    account,
                    machine: "box",
                    meter: "upload",
                    quantity: sizeOf(random, 30),
                    revision: 1n,
                  },
                ]
              : []),
          ],
    );
    const arrives = number + 1 + (random(10) === 0 ? random(3) : 0);
    plan[arrives]?.push({ kind: "usage", rows, complete: rows.length === 0 ? undefined : day });
    // A row of the last week is measured again.
    if (number > 8 && random(3) === 0) {
      const [account, ago] = [random(accounts), 5 + random(4)];
      const key = `${number - ago} ${account}`;
      const revision = (revisions.get(key) ?? 1n) + 1n;
      revisions.set(key, revision);
      const row = { day: dayAt(number - ago), account, machine: "box", meter: "storage", revision };
      plan[number]?.push({
        kind: "usage",
        rows: [{ ...row, quantity: sizeOf(random, 40) }],
        complete: undefined,
      });
    }
  }
  return plan;
}

function sizeOf(random: Random, bits: number): bigint {
  return BigInt(1 + random(2 ** 20)) << BigInt(random(bits - 20));
}

export interface World {
  readonly test: TestStore;
  readonly ids: readonly AccountId[];
  readonly settings: Settings;
  readonly renderer: Renderer;
}

export async function openYear(accounts: number, settings: Settings, renderer: Renderer): Promise<World> {
  const test = makeTestStore(`${firstDay}T00:00:00Z`);
  const ids: AccountId[] = [];
  for (let number = 0; number < accounts; number += 1)
    ids.push(await addAccount(test.store, `customer${number}@example.org`));
  return { test, ids, settings: { ...settings, meters: yearMeters, reportTo: "", heartbeat: "" }, renderer };
}

/** Takes one arrival, as the programs do; may be repeated. */
export async function takeArrival(world: World, store: Store, arrival: Arrival): Promise<void> {
  const { ids, settings } = world;
  const idOf = (number: number): AccountId => ids[number] as AccountId;
  if (arrival.kind === "usage") {
    const lines = arrival.rows.map((row, at) => ({ ...row, line: at + 2, account: idOf(row.account) }));
    const complete = arrival.complete === undefined ? [] : [arrival.complete];
    const taken = await store.write((tx) => importUsage(tx, { lines, meters: settings.meters, complete }));
    if (!taken.ok) throw new Error(JSON.stringify(taken.faults[0]));
    return;
  }
  const { order, account, dollars } = arrival;
  await store.write(async (tx) => {
    if ((await findOrder(tx, order)) !== undefined) return;
    const amount = amountOf(BigInt(dollars) * 10n ** 18n);
    await createOrder(tx, { id: order, account: idOf(account), amount, livemode: false });
  });
  const facts = {
    orderId: order,
    paid: true,
    ended: "" as const,
    taxCents: 0,
    currency: "usd",
    livemode: false,
  };
  const paid = { ...facts, netCents: dollars * 100, paymentIntent: `pi_${order}` };
  const fulfilled = await store.write((tx) => fulfilCheckout(tx, paid));
  if (!fulfilled.ok) throw new Error(fulfilled.why);
}

/** The night's two jobs, on one connection. */
export async function runNight(world: World, store: Store): Promise<void> {
  const { test, settings, renderer } = world;
  const night = await runTestJob({ ...test, store }, billJob, [], {}, { settings });
  if (night.outcome !== "done") throw new Error(night.complained.join("\n"));
  await warnAccounts(store, renderer, settings);
}

export class Killed extends Error {}

/** A connection whose process dies at its nth write: before it, or after it and before anybody hears of it. */
export function dyingAt(store: Store, write: number, isAfter: boolean): Store {
  let writes = 0;
  return {
    ...store,
    write: (async (work: Parameters<Store["write"]>[0]) => {
      writes += 1;
      if (writes > write || (writes === write && !isAfter)) throw new Killed("killed");
      const result = await store.write(work);
      if (writes === write) throw new Killed("killed");
      return result;
    }) as Store["write"],
  };
}
