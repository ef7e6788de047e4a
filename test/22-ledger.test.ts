// Goal of this test: the ledger is double entry and append-only; an id posts once, a different content under it
// is refused by field, the statement's balances follow, and the projection equals a recomputation.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../lib/accounts/account.ts";
import { readStatement } from "../lib/ledger/statement.ts";
import { type NewTransfer, postTransfer, readBalance } from "../lib/ledger/transfer.ts";
import { amountOf, formatExact } from "../lib/money/amount.ts";
import { addAccount, audit, dayUtc } from "./support/books.ts";
import { makeTestStore, type TestStore } from "./support/store.ts";

let test: TestStore;
let ada: AccountId;
beforeEach(async () => {
  test = makeTestStore();
  ada = await addAccount(test.store, "ada@example.org");
});
afterEach(() => test.end());

function topup(change: Partial<NewTransfer> = {}): NewTransfer {
  const base = {
    id: "topup/pi_1",
    code: "topup",
    debit: "stripe-clearing",
    credit: ada,
    reference: "order_1",
  } as const;
  return { ...base, amount: amountOf(10n ** 19n), ...change };
}

function bill(number: number, amount: bigint): NewTransfer {
  const id = `bill/${ada}/2026-11-${String(number).padStart(2, "0")}`;
  return {
    id,
    code: "bill",
    debit: ada,
    credit: "revenue",
    amount: amountOf(amount),
    reference: id.slice(-10),
  };
}

const post = (transfer: NewTransfer) => test.store.write((tx) => postTransfer(tx, transfer));

describe("posting", () => {
  it("moves the amount between the two accounts, once", async () => {
    expect(await post(topup())).toEqual({ ok: true, outcome: "created" });
    expect(await post(topup())).toEqual({ ok: true, outcome: "exists" });
    const balances = await test.store.read(async (tx) => [
      await readBalance(tx, ada),
      await readBalance(tx, "stripe-clearing"),
    ]);
    expect(balances).toEqual([10n ** 19n, -(10n ** 19n)]);
    expect(await audit(test.store)).toEqual({ sum: 0n, differing: [] });
  });

  it.each([
    ["amount", { amount: amountOf(1n) }],
    ["reference", { reference: "order_2" }],
    ["credit", { credit: "revenue" }],
    ["debit", { debit: "revenue" }],
    ["code", { code: "bill" }],
  ] as const)("refuses another %s under the same id", async (field, change) => {
    await post(topup());
    expect(await post(topup(change))).toMatchObject({ ok: false, why: "differs", field });
    expect(test.raw("SELECT count(*) AS n FROM transfer")).toEqual([{ n: 1n }]);
  });

  it.each([
    ["nothing", { amount: amountOf(0n) }],
    ["less than nothing", { amount: amountOf(-1n) }],
    ["between accounts that the chart does not allow", { credit: "revenue" }],
    ["to an account that does not exist", { credit: "acct_none" }],
  ])("never moves %s", async (_what, change) => {
    await expect(post(topup(change))).rejects.toThrow(/assertion failed/);
    expect(test.raw("SELECT count(*) AS n FROM transfer")).toEqual([{ n: 0n }]);
  });

  it("books on the UTC day of the transaction, not of the process's start", async () => {
    test.clock.ms = Date.parse("2026-11-23T23:59:59.999Z");
    await post(topup());
    test.clock.ms += 1;
    await post(topup({ id: "topup/pi_2" }));
    expect(test.raw("SELECT day FROM transfer ORDER BY number")).toEqual([
      { day: "2026-11-23" },
      { day: "2026-11-24" },
    ]);
  });

  it.each([
    "UPDATE transfer SET picodollars = 1",
    "DELETE FROM transfer",
    "REPLACE INTO transfer SELECT * FROM transfer",
  ])("is never undone by %s", async (sql) => {
    await post(topup());
    expect(() => test.raw(sql)).toThrow(/transfer is append-only/);
  });
});

describe("the statement", () => {
  it("walks the balance back, newest first, to the last attodollar", async () => {
    await post(topup());
    await post(bill(1, 3n));
    await post(bill(2, 10n ** 19n));
    const statement = await test.store.read((tx) => readStatement(tx, ada, { before: undefined, limit: 10 }));
    expect(
      statement.lines.map((line) => [line.code, formatExact(line.change), formatExact(line.balanceAfter)]),
    ).toEqual([
      ["bill", "-10.000000000000000000", "-0.000000000000000003"],
      ["bill", "-0.000000000000000003", "9.999999999999999997"],
      ["topup", "10.000000000000000000", "10.000000000000000000"],
    ]);
    expect(formatExact(statement.balance)).toBe("-0.000000000000000003");
    expect(statement.olderBefore).toBeUndefined();
  });

  it("of some days has each line's own balance, also where the clock was set back over midnight", async () => {
    const times = ["23T12:00:00", "24T00:00:01", "23T23:59:58", "24T00:00:02", "24T00:00:03", "23T23:59:59"];
    for (const [at, time] of times.entries()) {
      test.clock.ms = Date.parse(`2026-11-${time}Z`);
      await post({ ...topup(), id: `topup/pi_${at}`, amount: amountOf(10n ** BigInt(at)) });
    }
    const day = dayUtc("2026-11-23");
    const read = async (before: bigint | undefined, limit: number) => {
      const page = { before, limit, from: day, to: day };
      const { lines } = await test.store.read((tx) => readStatement(tx, ada, page));
      return lines.map(({ number, change, balanceAfter }) => [number, change, balanceAfter]);
    };
    const all = [
      [6n, 100_000n, 111_111n],
      [3n, 100n, 111n],
      [1n, 1n, 1n],
    ];
    expect(await read(undefined, 10)).toEqual(all);
    expect(await read(6n, 1)).toEqual(all.slice(1, 2));
    expect(await read(3n, 1)).toEqual(all.slice(2));
  });

  it("is cut into pages whose balances join", async () => {
    await post(topup());
    for (let number = 1; number <= 6; number += 1) await post(bill(number, BigInt(number)));
    const whole = await test.store.read((tx) => readStatement(tx, ada, { before: undefined, limit: 100 }));
    const pages = [];
    let before: bigint | undefined;
    do {
      const page = await test.store.read((tx) => readStatement(tx, ada, { before, limit: 3 }));
      pages.push(page.lines);
      before = page.olderBefore;
    } while (before !== undefined);
    expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
    expect(pages.flat()).toEqual(whole.lines);
  });
});
