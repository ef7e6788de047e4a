// Goal of this test: the countdown goes a step at a time, and no day is named or reached before one that was told, by which a person
// who deletes and a customer who pays both go.
import { describe, expect, it } from "vitest";
import { addDays } from "../lib/util/clock.ts";
import { countDown, deletionDay, type Standing } from "../lib/warnings/countdown.ts";
import { dayUtc } from "./support/books.ts";

describe("the countdown", () => {
  const known = (state: Standing["state"], since: string, step: number | undefined, day: string) => ({
    state,
    since: since === "" ? ("" as const) : dayUtc(since),
    step,
    day: dayUtc(day),
  });
  it.each([
    // what was known                                   today         held   what is now
    [undefined, "2026-11-01", false, "overdrawn 2026-11-01 7"],
    [undefined, "2026-11-01", true, "overdrawn 2026-11-01 7"],
    [known("low", "", undefined, "2026-10-31"), "2026-11-01", false, "overdrawn 2026-11-01 7"],
    [known("overdrawn", "2026-11-01", 7, "2026-11-01"), "2026-11-04", false, "overdrawn 2026-11-01 7"],
    [known("overdrawn", "2026-11-01", 7, "2026-11-01"), "2026-11-05", false, "overdrawn 2026-11-01 3"],
    [known("overdrawn", "2026-11-01", 7, "2026-11-01"), "2026-11-20", false, "overdrawn 2026-11-01 3"],
    [known("overdrawn", "2026-11-01", 3, "2026-11-20"), "2026-11-20", false, "overdrawn 2026-11-01 3"],
    [known("overdrawn", "2026-11-01", 3, "2026-11-20"), "2026-11-21", false, "overdrawn 2026-11-01 3"],
    [known("overdrawn", "2026-11-01", 3, "2026-11-20"), "2026-11-22", false, "overdrawn 2026-11-01 1"],
    [known("overdrawn", "2026-11-01", 1, "2026-11-21"), "2026-11-21", false, "overdrawn 2026-11-01 1"],
    [known("overdrawn", "2026-11-01", 1, "2026-11-21"), "2026-11-22", false, "due 2026-11-01 0"],
    [known("overdrawn", "2026-11-01", 3, "2026-11-05"), "2026-11-06", true, "held 2026-11-01 -"],
    [known("due", "2026-11-01", 0, "2026-11-08"), "2026-11-09", true, "held 2026-11-01 -"],
    [known("held", "2026-11-01", undefined, "2026-11-06"), "2026-11-30", false, "overdrawn 2026-11-30 7"],
    [known("due", "2026-11-01", 0, "2026-11-08"), "2026-11-30", false, "due 2026-11-01 0"],
  ] as const)("after %j on %s, held %s, is %s", (before, today, isHeld, expected) => {
    const facts = { state: "overdrawn" as const, isHeld, today: dayUtc(today), countdownDays: 7 };
    const now = countDown(facts, before);
    expect(`${now.state} ${now.since} ${now.step ?? "-"}`).toBe(expected);
  });

  it("names the same day until the next step, reckoned from the day of the last one", () => {
    expect(deletionDay(known("overdrawn", "2026-11-01", 7, "2026-11-01"), 7)).toBe("2026-11-08");
    expect(deletionDay(known("overdrawn", "2026-11-01", 3, "2026-11-05"), 7)).toBe("2026-11-08");
    expect(deletionDay(known("overdrawn", "2026-11-01", 3, "2026-11-20"), 7)).toBe("2026-11-23");
    expect(deletionDay(known("due", "2026-11-01", 0, "2026-11-08"), 7)).toBe("2026-11-08");
    expect(deletionDay(known("held", "2026-11-01", undefined, "2026-11-20"), 7)).toBeUndefined();
  });

  it("never names or reaches a day earlier than one that was told, whichever nights are missed", () => {
    const broken: unknown[] = [];
    for (let missed = 0; missed < 1 << 12; missed += 1) {
      let [told, promise] = [known("low", "", undefined, "2026-10-31"), dayUtc("")];
      for (let night = 0; night < 18; night += 1) {
        const today = addDays(dayUtc("2026-11-01"), night);
        if (missed & (1 << night)) continue;
        const now = countDown({ state: "overdrawn", isHeld: false, today, countdownDays: 7 }, told);
        if (now.state !== told.state || now.step !== told.step) told = { ...now, day: today };
        const named = deletionDay(told, 7) ?? dayUtc("");
        if (named < promise || (now.state === "due" && today < promise))
          broken.push([missed, today, promise, named]);
        promise = named;
      }
    }
    expect(broken).toEqual([]);
  });
});
