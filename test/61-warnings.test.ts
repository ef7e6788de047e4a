// Goal of this test: an account is warned once at each crossing for the worse, in the transaction that records
// the crossing, and never when it was never funded.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { templateShapes } from "../build/shapes.ts";
import type { AccountId } from "../lib/accounts/account.ts";
import { amountOf } from "../lib/money/amount.ts";
import { billDay } from "../lib/usage/bill.ts";
import { completeDay } from "../lib/usage/day.ts";
import { importUsage } from "../lib/usage/import.ts";
import { setHold } from "../lib/warnings/hold.ts";
import { setPreference } from "../lib/warnings/preference.ts";
import { judgeStanding, readStanding } from "../lib/warnings/standing.ts";
import { warnAccounts } from "../lib/warnings/warn.ts";
import { addAccount, dayUtc, emailOf, meters, topUp } from "./support/books.ts";
import { makeSettings, packageRenderer } from "./support/site.ts";
import { makeTestStore, type TestStore } from "./support/store.ts";

const week = { days: 7, below: undefined };

describe("the rule", () => {
  const cost = amountOf(100n);
  it.each([
    ["new", 0n, false],
    ["new", -5n, false],
    ["ok", 700n, true],
    ["low", 699n, true],
    ["low", 1n, true],
    ["overdrawn", 0n, true],
    ["overdrawn", -1n, true],
  ] as const)("says %s at a balance of %d, funded: %s", (state, balance, funded) => {
    expect(judgeStanding({ balance: amountOf(balance), funded, costPerDay: cost }, week)).toBe(state);
  });

  it("never says low where nothing is being spent", () => {
    expect(judgeStanding({ balance: amountOf(1n), funded: true, costPerDay: amountOf(0n) }, week)).toBe("ok");
  });
});

describe("warnings", () => {
  let test: TestStore;
  let ada: AccountId;
  beforeEach(async () => {
    test = makeTestStore("2026-11-22T01:00:00Z");
    ada = await addAccount(test.store, "ada@example.org");
  });
  afterEach(() => test.end());

  // In November a byte-day costs floor(250,000,000 / 30) = 8,333,333 attodollars, so this much costs
  // 120,000,004,800 x 8,333,333 = 999,999,999,999,998,400 attodollars a day: a hair less than a dollar.
  const dollarADay = 120_000_004_800n;
  const night = async (day: string, quantity = dollarADay) => {
    const line = {
      line: 2,
      day: dayUtc(day),
      account: ada,
      machine: "box",
      meter: "storage",
      quantity,
      revision: 1n,
    };
    const taken = await test.store.write((tx) =>
      importUsage(tx, { lines: [line], meters, complete: [dayUtc(day)] }),
    );
    expect(taken.ok).toBe(true);
    await billDay(test.store, dayUtc(day), meters);
    test.clock.ms += 86_400_000;
  };
  const warn = async () => {
    const renderer = await packageRenderer();
    return warnAccounts(test.store, renderer, { ...(await makeSettings()), meters });
  };
  const mails = () => test.raw("SELECT id, subject, recipient FROM outbox ORDER BY created_at, id");

  it("go out once below seven days of cost, and once when nothing is left", async () => {
    await topUp(test.store, ada, amountOf(8n * 10n ** 18n));
    await night("2026-11-21");
    expect(await warn()).toEqual({ accounts: 1, warned: 0 });
    await night("2026-11-22");
    expect(await warn()).toEqual({ accounts: 1, warned: 1 });
    expect(await warn()).toEqual({ accounts: 1, warned: 0 });
    for (const day of ["23", "24", "25", "26", "27", "28"]) await night(`2026-11-${day}`);
    expect(await warn()).toEqual({ accounts: 1, warned: 0 });
    await night("2026-11-29");
    expect(await warn()).toEqual({ accounts: 1, warned: 1 });
    expect(mails()).toEqual([
      {
        id: `warn/${ada}/1`,
        recipient: "ada@example.org",
        subject: expect.stringMatching(/lasts 6 more days$/),
      },
      {
        id: `warn/${ada}/2`,
        recipient: "ada@example.org",
        subject: expect.stringMatching(/credit is used up$/),
      },
    ]);
  });

  it("say the balance, the cost, the run-out date, and where to pay", async () => {
    await topUp(test.store, ada, amountOf(7n * 10n ** 18n));
    await night("2026-11-21");
    await warn();
    const [mail] = test.raw("SELECT body FROM outbox") as { body: string }[];
    expect(mail?.body).toMatch(/Balance {12}\$6\.00/);
    expect(mail?.body).toMatch(/A day costs now {4}\$0\.999999999999998400/);
    expect(mail?.body).toMatch(/2026-11-29 \(6 days\)/);
    expect(mail?.body).toMatch(/https:\/\/[^ ]+\/account\/pay\.cgi/);
  });

  it("count one day as one", async () => {
    await topUp(test.store, ada, amountOf(2n * 10n ** 18n));
    await night("2026-11-21");
    await warn();
    const [mail] = test.raw("SELECT subject, body FROM outbox") as { subject: string; body: string }[];
    expect(mail?.subject).toMatch(/lasts 1 more day$/);
    expect(mail?.body).toMatch(/2026-11-24 \(1 day\)/);
    const renderer = await packageRenderer();
    const empty = Object.fromEntries(Object.keys(templateShapes["mail/low"] ?? {}).map((name) => [name, ""]));
    const words = (warnDays: number) =>
      renderer.render("mail/low", { ...empty, warnDays, isOneWarnDay: warnDays === 1 });
    expect(words(1)).toContain("less than 1 day is left");
    expect(words(2)).toContain("less than 2 days are left");
  });

  it("are given what the build says that they are", async () => {
    const renderer = await packageRenderer();
    const given = new Map<string, readonly string[]>();
    const render: typeof renderer.render = (name, data) => {
      given.set(name, Object.keys(data).sort());
      return renderer.render(name, data);
    };
    await topUp(test.store, ada, amountOf(10n ** 18n));
    await night("2026-11-21", dollarADay / 2n);
    const settings = { ...(await makeSettings()), meters };
    await warnAccounts(test.store, { ...renderer, render }, settings);
    await night("2026-11-22", dollarADay);
    await warnAccounts(test.store, { ...renderer, render }, settings);
    for (let day = 0; day < 9; day += 1) {
      test.clock.ms += 86_400_000;
      await warnAccounts(test.store, { ...renderer, render }, settings);
    }
    for (const name of ["mail/low", "mail/overdrawn", "mail/countdown", "mail/due"])
      expect([name, given.get(name)]).toEqual([name, Object.keys(templateShapes[name] ?? {}).sort()]);
  });

  it("do not go out again after a day without any usage: the cost is that of the last day with some", async () => {
    await topUp(test.store, ada, amountOf(7n * 10n ** 18n));
    await night("2026-11-21");
    expect((await warn()).warned).toBe(1);
    await test.store.write((tx) => completeDay(tx, dayUtc("2026-11-22"), "person"));
    await billDay(test.store, dayUtc("2026-11-22"), meters);
    expect((await warn()).warned).toBe(0);
    test.clock.ms += 86_400_000;
    await night("2026-11-23");
    expect((await warn()).warned).toBe(0);
    expect(mails()).toHaveLength(1);
  });

  it("begin anew after the account was well again", async () => {
    await topUp(test.store, ada, amountOf(7n * 10n ** 18n));
    await night("2026-11-21");
    expect((await warn()).warned).toBe(1);
    await topUp(test.store, ada, amountOf(2n * 10n ** 18n), "pi_2");
    expect((await warn()).warned).toBe(0);
    await night("2026-11-22");
    expect((await warn()).warned).toBe(0);
    await night("2026-11-23");
    expect((await warn()).warned).toBe(1);
    expect(test.raw("SELECT number, state FROM standing ORDER BY number")).toEqual([
      { number: 1n, state: "low" },
      { number: 2n, state: "ok" },
      { number: 3n, state: "low" },
    ]);
  });

  it("do not go to an account that was never funded", async () => {
    await night("2026-11-21");
    expect(await warn()).toEqual({ accounts: 1, warned: 0 });
    // Measured again, less: what comes back of the bill is no payment.
    const day = dayUtc("2026-11-21");
    const line = { line: 2, day, account: ada, machine: "box", meter: "storage", quantity: 1n, revision: 2n };
    await test.store.write((tx) => importUsage(tx, { lines: [line], meters, complete: [] }));
    expect(await warn()).toEqual({ accounts: 1, warned: 0 });
    expect(mails()).toEqual([]);
  });

  it("go out once when two runs meet", async () => {
    await topUp(test.store, ada, amountOf(10n ** 18n));
    await night("2026-11-21");
    const renderer = await packageRenderer();
    const settings = { ...(await makeSettings()), meters };
    const runs = await Promise.all([
      warnAccounts(test.store, renderer, settings),
      warnAccounts(test.reopen(), renderer, settings),
    ]);
    expect(runs[0].warned + runs[1].warned).toBe(1);
    expect(mails()).toHaveLength(1);
  });

  it("go on through the published countdown, a step at a time, each once, until it is due", async () => {
    await topUp(test.store, ada, amountOf(10n ** 18n / 2n));
    await night("2026-11-21");
    const warned: number[] = [];
    for (let day = 0; day < 12; day += 1) {
      warned.push((await warn()).warned + (await warn()).warned);
      test.clock.ms += 86_400_000;
    }
    // Empty on the 23rd; 3 days left on the 27th, 1 on the 29th, due on the 30th.
    expect(warned).toEqual([1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0]);
    expect(test.raw("SELECT state, since, step, day FROM standing ORDER BY number")).toEqual([
      { state: "overdrawn", since: "2026-11-23", step: 7n, day: "2026-11-23" },
      { state: "overdrawn", since: "2026-11-23", step: 3n, day: "2026-11-27" },
      { state: "overdrawn", since: "2026-11-23", step: 1n, day: "2026-11-29" },
      { state: "due", since: "2026-11-23", step: 0n, day: "2026-11-30" },
    ]);
    const bodies = test.raw("SELECT body FROM outbox ORDER BY created_at") as { body: string }[];
    for (const { body } of bodies) expect(body).toMatch(/2026-11-23/);
    expect(bodies[1]?.body).toMatch(/from 2026-11-30 on/);
    expect(mails().map((mail) => (mail as { subject: string }).subject.replace(/^.*: /, ""))).toEqual([
      "your credit is used up",
      "3 days until your data may be deleted",
      "1 day until your data may be deleted",
      "your data may be deleted from today on",
    ]);
  });

  it("come at the second address too", async () => {
    const second = emailOf("office@example.org");
    await test.store.write((tx) =>
      setPreference(tx, ada, { warnDays: undefined, warnBelowCents: 800, secondEmail: second }),
    );
    await topUp(test.store, ada, amountOf(8n * 10n ** 18n));
    await night("2026-11-21", 1n);
    expect((await warn()).warned).toBe(1);
    expect(mails()).toMatchObject([
      { id: `warn/${ada}/1`, recipient: "ada@example.org" },
      { id: `warn/${ada}/1/second`, recipient: "office@example.org" },
    ]);
    const [mail] = test.raw("SELECT body FROM outbox") as { body: string }[];
    expect(mail?.body).toMatch(/We write once when less than \$8\.00 is left/);
  });

  it("stop while an account is held, and begin anew when the hold ends", async () => {
    const hold = (isHeld: boolean) => test.store.write((tx) => setHold(tx, ada, isHeld));
    const state = async () =>
      (await test.store.read(async (tx) => readStanding(tx, ada, { ...(await settings), meters }))).state;
    const settings = makeSettings();
    await settings;
    await topUp(test.store, ada, amountOf(10n ** 18n / 2n));
    await night("2026-11-21");
    await warn();
    await hold(true);
    for (let day = 0; day < 10; day += 1) {
      test.clock.ms += 86_400_000;
      expect((await warn()).warned).toBe(0);
    }
    expect(await state()).toBe("held");
    await hold(false);
    expect((await warn()).warned).toBe(1);
    expect(test.raw("SELECT state, since FROM standing ORDER BY number DESC LIMIT 1")).toEqual([
      { state: "overdrawn", since: "2026-12-03" },
    ]);
    await topUp(test.store, ada, amountOf(100n * 10n ** 18n), "pi_2");
    expect(await state()).toBe("ok");
  });
});
