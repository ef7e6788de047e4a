// Goal of this test: whatever happens in whatever order, on whichever connection, the books are those of an independent model
// after every step, and verify finds nothing wrong. `SEED=N RUNS=N` try other and longer histories.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AccountId } from "../lib/accounts/account.ts";
import { sealDays } from "../lib/ledger/seal.ts";
import { readBalance } from "../lib/ledger/transfer.ts";
import { verifyBooks } from "../lib/ledger/verify.ts";
import { amountOf } from "../lib/money/amount.ts";
import { fulfilCheckout } from "../lib/payments/fulfil.ts";
import { createOrder } from "../lib/payments/order.ts";
import { readExpectedSchema } from "../lib/store/migrate.ts";
import type { Store } from "../lib/store/store.ts";
import { billDay } from "../lib/usage/bill.ts";
import { completeDay, readDaysToBill, skipDay } from "../lib/usage/day.ts";
import { importUsage } from "../lib/usage/import.ts";
import { addAccount, dayUtc, meters } from "./support/books.ts";
import { type GiveBack, makePast, type Past, takeGiveBack } from "./support/givebacks.ts";
import { expectSameTotals, hasHledger } from "./support/hledger.ts";
import {
  type Model,
  makeModel,
  modelComplete,
  modelNight,
  modelPay,
  modelRevise,
  modelSkip,
  modelUsage,
  nextRevision,
} from "./support/model.ts";
import { isServer, makeTestStore, type TestStore } from "./support/store.ts";

const accounts = 3;
const dayMs = 86_400_000;

type Step =
  | { readonly kind: "pay"; readonly account: number; readonly dollars: bigint; readonly times: number }
  | { readonly kind: "payTwice"; readonly account: number; readonly dollars: bigint }
  | {
      readonly kind: "usage" | "revise";
      readonly account: number;
      readonly daysAgo: number;
      readonly machine: string;
      readonly meter: "storage" | "upload";
      readonly quantity: bigint;
    }
  | { readonly kind: "complete" | "skip"; readonly daysAgo: number }
  | { readonly kind: "night"; readonly times: number }
  | GiveBack
  | { readonly kind: "seal" }
  | { readonly kind: "wait"; readonly hours: number };

const account = fc.integer({ min: 0, max: accounts - 1 });
const dollars = fc.bigInt({ min: 1n, max: 500n });
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("pay" as const), account, dollars, times: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant("payTwice" as const), account, dollars }),
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom("usage" as const, "revise" as const),
        account,
        daysAgo: fc.integer({ min: -1, max: 3 }),
        machine: fc.constantFrom("a", 'b, with a "comma"'),
        meter: fc.constantFrom("storage" as const, "upload" as const),
        quantity: fc.oneof(fc.bigInt({ min: 0n, max: 3n }), fc.bigInt({ min: 0n, max: 10n ** 13n })),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("complete" as const),
        daysAgo: fc.integer({ min: 0, max: 3 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("night" as const), times: fc.integer({ min: 1, max: 2 }) }),
    },
    fc.record({ kind: fc.constant("skip" as const), daysAgo: fc.integer({ min: 0, max: 3 }) }),
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("back" as const),
        how: fc.constantFrom("refund", "fail", "dispute", "win", "goodwill", "charge", "undo"),
        cents: fc.integer({ min: 1, max: 60_000 }),
        times: fc.integer({ min: 1, max: 2 }),
      }) as fc.Arbitrary<GiveBack>,
    },
    fc.constant({ kind: "seal" as const }),
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("wait" as const), hours: fc.integer({ min: 1, max: 60 }) }),
    },
  ),
  { maxLength: 60, size: "max" },
);

interface Books {
  readonly test: TestStore;
  readonly stores: readonly [Store, Store];
  readonly ids: readonly AccountId[];
  readonly model: Model;
  readonly past: Past;
  orders: number;
}

const dayBefore = (nowMs: number, days: number): string =>
  new Date(nowMs - days * dayMs).toISOString().slice(0, 10);

async function take(books: Books, step: Step, store: Store): Promise<void> {
  const { test, model, ids } = books;
  const today = dayBefore(test.clock.ms, 0);
  const idOf = (number: number): AccountId => ids[number] as AccountId;
  switch (step.kind) {
    case "wait":
      test.clock.ms += step.hours * 3_600_000;
      return;
    case "seal":
      await sealDays(store);
      return;
    case "back":
      await takeGiveBack(store, step, books.past, model, ids);
      return;
    case "pay":
    case "payTwice": {
      books.orders += 1;
      const order = {
        id: `order_${books.orders}`,
        account: idOf(step.account),
        amount: amountOf(step.dollars * 10n ** 18n),
      };
      await store.write((tx) => createOrder(tx, { ...order, livemode: false }));
      const facts = {
        orderId: order.id,
        paid: true,
        ended: "" as const,
        taxCents: 0,
        netCents: Number(step.dollars) * 100,
        currency: "usd",
        livemode: false,
      };
      const pay = (intent: string) =>
        store.write((tx) => fulfilCheckout(tx, { ...facts, paymentIntent: intent }));
      const intents = step.kind === "pay" ? Array.from({ length: step.times }, () => "") : ["", "_other"];
      const outcomes: string[] = [];
      for (const intent of intents) {
        const done = await pay(`pi_${books.orders}${intent}`);
        outcomes.push(done.ok ? done.outcome : done.why);
      }
      expect(outcomes).toEqual(
        step.kind === "pay"
          ? ["created", "exists", "exists"].slice(0, step.times)
          : ["created", "paid-twice"],
      );
      modelPay(model, step.account, step.dollars);
      books.past.payments.push({ intent: `pi_${books.orders}`, account: step.account });
      return;
    }
    case "usage":
    case "revise": {
      const day = dayBefore(test.clock.ms, step.daysAgo);
      const { machine, meter, quantity } = step;
      const row = { account: step.account, day, machine, meter, quantity };
      const revision = step.kind === "usage" ? 1n : nextRevision(model, row);
      const line = { ...row, line: 2, day: dayUtc(day), account: idOf(step.account), revision };
      const done = await store.write((tx) => importUsage(tx, { lines: [line], meters, complete: [] }));
      const outcome = !done.ok ? "refused" : done.known === 1 ? "known" : "added";
      const due = step.kind === "revise" && modelRevise(model, row, today) ? "added" : "refused";
      expect(outcome).toBe(step.kind === "revise" ? due : modelUsage(model, row, today));
      return;
    }
    case "skip": {
      const day = dayBefore(test.clock.ms, step.daysAgo);
      const done = await store.write((tx) => skipDay(tx, dayUtc(day), "an outage"));
      expect(done.ok).toBe(modelSkip(model, day, today));
      return;
    }
    case "complete": {
      const day = dayBefore(test.clock.ms, step.daysAgo);
      const done = await store.write((tx) => completeDay(tx, dayUtc(day), "person"));
      expect(done.ok).toBe(modelComplete(model, day, today));
      return;
    }
    case "night": {
      const days = await store.read(readDaysToBill);
      for (let time = 0; time < step.times; time += 1)
        await Promise.all(
          books.stores.map(async (one) => {
            for (const day of days) await billDay(one, day, meters);
          }),
        );
      modelNight(model);
    }
  }
}

async function check({ test, ids, model }: Books): Promise<void> {
  await test.store.read(async (tx) => {
    for (const [number, id] of ids.entries()) expect(await readBalance(tx, id)).toBe(model.balances[number]);
    await verifyBooks(tx, readExpectedSchema({}), (finding) => expect(finding).toBeUndefined());
  });
}

describe("a random history", () => {
  it("leaves the books of the model after every step", async () => {
    const seed = Number(process.env.SEED ?? 20_261_127);
    const numRuns = Number(process.env.RUNS ?? (isServer ? 20 : 60));
    const reached = { nights: 0, seals: 0, negative: 0, revised: 0, back: 0 };
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        // The price of storage doubles on the fifth day.
        const test = makeTestStore("2026-11-27T20:00:00Z");
        try {
          const ids: AccountId[] = [];
          for (let number = 0; number < accounts; number += 1)
            ids.push(await addAccount(test.store, `${number}@example.org`));
          const books: Books = {
            test,
            stores: [test.store, test.reopen()],
            ids,
            model: makeModel(accounts),
            past: makePast(),
            orders: 0,
          };
          for (const [at, step] of history.entries()) {
            await take(books, step, books.stores[at % 2] as Store);
            await check(books);
          }
          if (hasHledger) await expectSameTotals(test);
          reached.nights += books.model.billed.size;
          reached.negative += books.model.balances.filter((balance) => balance < 0n).length;
          reached.seals += test.raw("SELECT * FROM seal").length;
          reached.back += books.past.refunds.length + books.past.disputes.length;
          reached.revised += test.raw("SELECT * FROM usage_revision WHERE transfer IS NOT NULL").length;
        } finally {
          test.end();
        }
      }),
      { seed, numRuns },
    );
    // A test whose histories never came so far would prove little.
    expect(Math.min(...Object.values(reached)), JSON.stringify(reached)).toBeGreaterThan(numRuns / 10);
  }, 300_000);
});
