// Goal of this test: the ledger's export is every transfer, in an order that does not depend on who was quicker; hledger
// accepts it with all its balance assertions, sums what we sum, and refuses it where one attodollar is another one.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../lib/accounts/account.ts";
import type { ExportFormat } from "../lib/ledger/export.ts";
import { type NewTransfer, postTransfer } from "../lib/ledger/transfer.ts";
import { amountOf } from "../lib/money/amount.ts";
import { addAccount, topUp } from "./support/books.ts";
import { askHledger, expectSameTotals, exportBooks, hasHledger } from "./support/hledger.ts";
import { makeTestStore, type TestStore } from "./support/store.ts";

let test: TestStore;
let accounts: readonly AccountId[];
beforeEach(async () => {
  test = makeTestStore("2026-11-23T08:00:00Z");
  accounts = await Promise.all(["a", "b", "c"].map((name) => addAccount(test.store, `${name}@example.org`)));
});
afterEach(() => test.end());

const exported = (format: ExportFormat): Promise<string> => exportBooks(test, format);

async function bill(account: AccountId, day: string, attodollars: bigint): Promise<void> {
  const transfer: NewTransfer = {
    id: `bill/${account}/${day}`,
    code: "bill",
    debit: account,
    credit: "revenue",
    amount: amountOf(attodollars),
    reference: day,
  };
  await test.store.write((tx) => postTransfer(tx, transfer));
}

/** Amounts of all sizes, some days without any, balances on both sides of nothing. */
async function fill(days: number): Promise<void> {
  let state = 20_261_127;
  const next = (count: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % count;
  };
  for (let day = 0; day < days; day += 1) {
    test.clock.ms += 86_400_000 * (1 + next(2));
    for (const account of accounts) {
      if (next(4) === 0)
        await topUp(test.store, account, amountOf(BigInt(1 + next(50)) * 10n ** 18n), `pi_${day}${account}`);
      const amount = BigInt(1 + next(1000)) ** BigInt(1 + next(6)) + BigInt(next(2));
      await bill(account, new Date(test.clock.ms).toISOString().slice(0, 10), amount);
    }
  }
}

describe("the export", () => {
  it("is the same whatever the order in which a day's transfers were written", async () => {
    const [first, second] = accounts as readonly [AccountId, AccountId];
    const other = makeTestStore("2026-11-23T08:00:00Z");
    const names = ["a", "b"];
    const theirs = await Promise.all(names.map((name) => addAccount(other.store, `${name}@example.org`)));
    const clean = (text: string, ids: readonly string[]): string =>
      ids.reduce((sum, id, at) => sum.replaceAll(id, `acct_${at}`), text);
    await topUp(test.store, first, amountOf(5n), "pi_1");
    await topUp(test.store, second, amountOf(7n), "pi_2");
    await topUp(other.store, theirs[1] as AccountId, amountOf(7n), "pi_2");
    await topUp(other.store, theirs[0] as AccountId, amountOf(5n), "pi_1");
    expect(clean(await exported("csv"), accounts)).toBe(clean(await exportBooks(other, "csv"), theirs));
    other.end();
  });

  it("is one row for each transfer, as CSV and as JSON, with all decimals", async () => {
    await topUp(test.store, accounts[0] as AccountId, amountOf(10n ** 19n + 1n));
    expect(await exported("csv")).toBe(
      `day,id,code,debit,credit,amount,reference\n2026-11-23,topup/pi_1,topup,stripe-clearing,${accounts[0]},10.000000000000000001,order\n`,
    );
    expect(JSON.parse(await exported("json"))).toEqual({
      day: "2026-11-23",
      id: "topup/pi_1",
      code: "topup",
      debit: "stripe-clearing",
      credit: accounts[0],
      amount: "10.000000000000000001",
      reference: "order",
    });
  });

  it("has more than one batch of transfers, each once", async () => {
    const [account = "" as AccountId] = accounts;
    await test.store.write(async (tx) => {
      for (let number = 0; number < 4500; number += 1) {
        const transfer = {
          id: `topup/pi_${number}`,
          code: "topup",
          debit: "stripe-clearing",
          credit: account,
        } as const;
        await postTransfer(tx, { ...transfer, amount: amountOf(1n), reference: "order" });
      }
    });
    const ids = (await exported("json"))
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: string }).id);
    expect(new Set(ids).size).toBe(4500);
    expect(ids).toEqual([...ids].sort());
    // On a server each of some 40,000 statements is asked for by a message.
  }, 120_000);
});

describe.skipIf(!hasHledger)("hledger", () => {
  it("accepts every assertion, and its balances are ours, to the last of 18 decimals", async () => {
    await fill(40);
    await expectSameTotals(test);
  });

  it("refuses the journal where one attodollar is another one", async () => {
    await fill(5);
    const journal = await exported("hledger");
    const at = journal.lastIndexOf("= $");
    const end = journal.indexOf("\n", at);
    const digit = Number(journal[end - 1]);
    const { status, err } = askHledger(
      `${journal.slice(0, end - 1)}${(digit + 1) % 10}${journal.slice(end)}`,
      "check",
    );
    expect([status, /balance assertion/i.test(err)]).toEqual([1, true]);
  });
});
