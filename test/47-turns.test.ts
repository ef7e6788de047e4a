// Goal of this test: passwords are hashed a few at a time in a process that stays, in the order in which they came; a flood is told to
// come back, and leaves nothing to be hashed behind it.
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { makeTurns } from "../cgi/support/turns.ts";
import { TryLater } from "../lib/util/failure.ts";

const stays = new AbortController().signal;

/** Work that is done when it is told. */
function makeWork(order: number[]) {
  const ends: (() => void)[] = [];
  const work = (n: number) => (): Promise<number> => {
    order.push(n);
    return new Promise((resolve) => ends.push(() => resolve(n)));
  };
  return { work, endNext: () => ends.shift()?.() };
}

describe("turns within a process", () => {
  it("are taken two at once, the others in order", async () => {
    const order: number[] = [];
    const { work, endNext } = makeWork(order);
    const take = makeTurns({ count: 2, waitMs: 20_000 });
    const all = [1, 2, 3, 4].map((n) => take(work(n), stays));
    await wait(0);
    expect(order).toEqual([1, 2]);
    endNext();
    await all[0];
    await wait(0);
    expect(order).toEqual([1, 2, 3]);
    for (let n = 0; n < 3; n += 1) {
      endNext();
      await wait(0);
    }
    expect(await Promise.all(all)).toEqual([1, 2, 3, 4]);
  });

  it("are waited for by no more than would have one in time, and no longer", async () => {
    const order: number[] = [];
    const { work, endNext } = makeWork(order);
    const take = makeTurns({ count: 1, waitMs: 1000 });
    const first = take(work(1), stays);
    const second = take(work(2), stays);
    await expect(take(work(3), stays)).rejects.toThrow(TryLater);
    await expect(second).rejects.toThrow("all 1 turns were taken for 1 s");
    endNext();
    expect([await first, order]).toEqual([1, [1]]);
    const again = take(work(4), stays);
    endNext();
    expect(await again).toBe(4);
  });

  it("are not taken by work that nobody waits for any more", async () => {
    const order: number[] = [];
    const { work, endNext } = makeWork(order);
    const take = makeTurns({ count: 1, waitMs: 20_000 });
    const gone = new AbortController();
    const first = take(work(1), stays);
    const given = take(work(2), gone.signal);
    const last = take(work(3), stays);
    gone.abort();
    await expect(given).rejects.toThrow(TryLater);
    await expect(take(work(4), gone.signal)).rejects.toThrow(TryLater);
    endNext();
    await first;
    await wait(0);
    endNext();
    expect([await last, order]).toEqual([3, [1, 3]]);
  });

  it("are given back where the work fails", async () => {
    const take = makeTurns({ count: 1, waitMs: 1000 });
    await expect(take(() => Promise.reject(new Error("no")), stays)).rejects.toThrow("no");
    expect(await take(async () => 1, stays)).toBe(1);
  });
});
