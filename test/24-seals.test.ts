// Goal of this test: each day that is over gets one seal, whoever makes it and however often; a sealed day takes no transfer;
// and no clock, however wrong for a night, closes days that are still to come.
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../lib/accounts/account.ts";
import { sealDays } from "../lib/ledger/seal.ts";
import { amountOf } from "../lib/money/amount.ts";
import { addAccount, topUp } from "./support/books.ts";
import { makeTestStore, type TestStore } from "./support/store.ts";

let test: TestStore;
let ada: AccountId;
let payments = 0;
beforeEach(async () => {
  test = makeTestStore("2026-11-23T08:00:00Z");
  ada = await addAccount(test.store, "ada@example.org");
});
afterEach(() => test.end());

const at = (text: string): void => {
  test.clock.ms = Date.parse(text);
};
const pay = (): Promise<void> => {
  payments += 1;
  return topUp(test.store, ada, amountOf(10n ** 19n), `pi_${payments}`);
};
const seals = () =>
  test.raw("SELECT day, transfers, hash FROM seal ORDER BY day") as {
    day: string;
    transfers: bigint;
    hash: string;
  }[];
const days = () => seals().map(({ day, transfers }) => `${day} ${transfers}`);

describe("the days that are over", () => {
  it("are sealed once, those without a transfer too, up to the one before the last transfer's", async () => {
    expect(await sealDays(test.store)).toEqual([]);
    await pay();
    await pay();
    expect(await sealDays(test.store)).toEqual([]);
    at("2026-11-26T00:00:00Z");
    await pay();
    expect(await sealDays(test.store)).toHaveLength(3);
    expect(await sealDays(test.store)).toEqual([]);
    expect(days()).toEqual(["2026-11-23 2", "2026-11-24 0", "2026-11-25 0"]);
    at("2026-11-30T00:00:00Z");
    expect(await sealDays(test.store)).toEqual([]);
  });

  it("have the seal that anybody can work out", async () => {
    await topUp(test.store, ada, amountOf(10n ** 19n), "pi_first");
    at("2026-11-25T00:00:00Z");
    await topUp(test.store, ada, amountOf(1n), "pi_second");
    await sealDays(test.store);
    const line = `["topup/pi_first","topup","stripe-clearing","${ada}","10000000000000000000","order"]`;
    const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
    const first = hash(`${"0".repeat(64)}\n2026-11-23\n${line}\n`);
    expect(seals().map((seal) => seal.hash)).toEqual([first, hash(`${first}\n2026-11-24\n`)]);
  });

  it("have the same seals whoever of two is quicker", async () => {
    for (let day = 1; day < 9; day += 1) {
      at(`2026-12-0${day}T12:00:00Z`);
      await pay();
    }
    const other = test.reopen();
    const written = await Promise.all([sealDays(test.store), sealDays(other)]);
    expect(written.flat()).toHaveLength(7);
    expect(new Set(written.flat().map(({ day }) => day)).size).toBe(7);
    expect(days()).toHaveLength(7);
  });
});

describe("a clock that is wrong", () => {
  it("books nothing on a sealed day", async () => {
    await pay();
    at("2026-11-25T00:00:00Z");
    await pay();
    await sealDays(test.store);
    at("2026-11-24T23:59:59.999Z");
    await expect(pay()).rejects.toThrow(
      "the clock says 2026-11-24, but the books are sealed up to 2026-11-24; set the clock, and run it again",
    );
    expect(() =>
      test.raw(
        "INSERT INTO transfer SELECT 9, 'topup/x', code, debit, credit, picodollars, attodollars, reference, '2026-11-24', posted_at FROM transfer LIMIT 1",
      ),
    ).toThrow(/this day is sealed/);
    at("2026-11-25T00:00:01Z");
    await pay();
  });

  it("closes no day that is still to come, though transfers were booked by it", async () => {
    await pay();
    at("2030-01-01T00:00:00Z");
    expect(await sealDays(test.store)).toEqual([]);
    await pay();
    at("2026-11-24T08:00:00Z");
    expect(await sealDays(test.store)).toHaveLength(1);
    await pay();
    at("2026-11-27T08:00:00Z");
    await sealDays(test.store);
    expect(days().at(-1)).toBe("2026-11-26 0");
    await pay();
  });

  it.each(["UPDATE seal SET hash = hash", "DELETE FROM seal", "REPLACE INTO seal SELECT * FROM seal"])(
    "or a hand does not undo a seal: %s",
    async (sql) => {
      await pay();
      at("2026-11-25T00:00:00Z");
      await pay();
      await sealDays(test.store);
      expect(() => test.raw(sql)).toThrow(/seal is append-only/);
    },
  );
});
