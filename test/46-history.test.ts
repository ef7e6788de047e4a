// Goal of this test: the usage page shows what a month cost, as the ledger has it, by machine and meter; its charts are of the same
// numbers; it says why a day costs more in a short month; and it shows nobody else's machines.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { drawMonth } from "../cgi/support/chart.ts";
import { groupDigits, sayBytes } from "../cgi/support/quantity.ts";
import type { AccountId } from "../lib/accounts/account.ts";
import { amountOf, fromColumns, parseExact } from "../lib/money/amount.ts";
import { billDay } from "../lib/usage/bill.ts";
import { readUsageFile } from "../lib/usage/file.ts";
import { importUsage } from "../lib/usage/import.ts";
import { dayUtc, meters, usageFile } from "./support/books.ts";
import { makeVisitor, type Visitor } from "./support/visitor.ts";

let visitor: Visitor;
let ada: AccountId;
beforeEach(async () => {
  visitor = await makeVisitor();
  ada = await visitor.become("ada@example.org");
});
afterEach(() => visitor.end());

async function bill(day: string, rows: readonly string[]): Promise<void> {
  const { lines } = readUsageFile(usageFile(rows.map((row) => `${day},${row}`)));
  const options = { lines, meters, complete: [dayUtc(day)] };
  expect(await visitor.test.store.write((tx) => importUsage(tx, options))).toMatchObject({ ok: true });
  await billDay(visitor.test.store, dayUtc(day), meters);
}

interface Given {
  readonly total: string;
  readonly next: string;
  readonly machine: string;
  readonly machines: { name: string; amount: string }[];
  readonly meters: { label: string; total: string; chart: { bars: { height: number; title: string }[] } }[];
  readonly lengths: { before: string; price: string; priceBefore: string; isMore: boolean }[];
  readonly rows: { day: string; machine: string; amount: string; price: string; quantity: string }[];
}
const look = async (
  query: Record<string, string> = {},
  from = visitor,
): Promise<Given & { body: string }> => {
  const { body, status } = await from.get("history", query);
  expect(status).toBe(200);
  return { ...(from.given.get("account/history") as Given), body };
};
const sum = (amounts: readonly string[]) =>
  amounts.reduce((all, amount) => all + (parseExact(amount) ?? 0n), 0n);

describe("a month", () => {
  it("is what the ledger moved for it, by machine, meter, and day", async () => {
    await bill("2026-10-31", [`${ada},box,storage,999`]);
    await bill("2026-11-01", [`${ada},box,storage,5000000000`, `${ada},nas,storage,70`]);
    await bill("2026-11-02", [`${ada},box,storage,2500000000`, `${ada},box,upload,1234567`]);
    const page = await look({ month: "2026-11" });
    const moved = visitor.test.raw(
      "SELECT picodollars, attodollars FROM transfer WHERE code = 'bill' AND reference LIKE '2026-11%'",
    ) as { picodollars: bigint; attodollars: bigint }[];
    const all = moved.reduce((total, row) => total + fromColumns(row), 0n);
    expect(all).toBeGreaterThan(0n);
    expect(parseExact(page.total)).toBe(all);
    for (const parts of [
      page.machines.map(({ amount }) => amount),
      page.meters.map(({ total }) => total),
      page.rows.map(({ amount }) => amount),
    ])
      expect(sum(parts)).toBe(all);
    for (const { price, quantity, amount } of page.rows)
      expect((parseExact(price) ?? 0n) * BigInt(quantity.replaceAll(",", ""))).toBe(parseExact(amount));
    const storage = page.meters.find(({ label }) => label === "Storage");
    expect(storage?.chart.bars.map(({ height }) => height)).toEqual([157, 78.5]);
    for (const { title } of storage?.chart.bars ?? []) expect(page.body).toContain(title.replace("$", "$"));
    // November is shorter than October: a day costs more.
    expect(page.lengths).toMatchObject([
      { before: "2026-10", isMore: true, price: "0.008333333000000000", priceBefore: "0.008064516000000000" },
    ]);
    expect(page.body).toContain("For the whole month it is the same");
    const one = await look({ month: "2026-11", machine: "nas" });
    expect([one.machine, one.rows.length, one.machines.length]).toEqual(["nas", 1, 2]);
  });

  it("says nothing of lengths where the month before was as long", async () => {
    await bill("2026-08-01", [`${ada},box,storage,5`]);
    expect((await look({ month: "2026-08" })).lengths).toEqual([]);
    expect((await look({ month: "2026-08" })).rows).toHaveLength(1);
  });

  it("is this one unless another is asked for, and the next one is offered when it has begun", async () => {
    const now = new Date(visitor.test.clock.ms).toISOString().slice(0, 7);
    for (const month of ["", "2026-13", "202611", "../etc", "2026-1", now])
      expect((await look({ month })).body).toContain(`<h1>Usage in ${now}</h1>`);
    expect((await look()).next).toBe("");
    expect((await look({ month: "2026-01" })).next).toBe("?month=2026-02");
    expect((await look({ month: "2026-01" })).body).toContain("Nothing is billed for this month.");
  });

  it("shows nobody else's machines, and no name as markup", async () => {
    const bob = await visitor.again();
    const theirs = await bob.become("bob@example.com");
    await bill("2026-11-01", [`${ada},<b>&"x,storage,5`, `${theirs},secret,storage,5`]);
    const query = { month: "2026-11" };
    expect((await look({ ...query, machine: "secret" })).machine).toBe("");
    const { body } = await look(query);
    expect(body).not.toContain("secret");
    expect(body).not.toContain("<b>&");
    expect(body).toContain("&lt;b&gt;&amp;&quot;x");
    expect((await look(query, bob)).machines).toMatchObject([{ name: "secret" }]);
    expect((await look({ ...query, machine: '<b>&"x' })).rows).toHaveLength(1);
  });
});

describe("a chart", () => {
  const day = (amount: bigint) => ({ amount: amountOf(amount), title: "" });
  it("has a bar for each day that cost something, the tallest as high as there is room", () => {
    const chart = drawMonth([day(0n), day(1n), day(10n ** 30n), day(5n * 10n ** 29n)]);
    expect(chart.bars.map(({ height }) => height)).toEqual([1, 157, 78.5]);
    for (const { x, y, width, height } of chart.bars) {
      expect(x >= 0 && x + width <= chart.width && y >= 0).toBe(true);
      expect(y + height).toBe(chart.base);
    }
  });
  it("of nothing has no bars", () => {
    expect(drawMonth([]).bars).toEqual([]);
    expect(drawMonth([day(0n), day(0n)]).bars).toEqual([]);
    expect(drawMonth(Array.from({ length: 31 }, () => day(0n))).ticks.map(({ label }) => label)).toEqual([
      "1",
      "8",
      "15",
      "22",
      "29",
    ]);
  });
});

it.each([
  [0n, "0 bytes", "0"],
  [999n, "999 bytes", "999"],
  [1000n, "1.00 kB", "1,000"],
  [259_688_348n, "259 MB", "259,688,348"],
  [25_968_834_899n, "25.9 GB", "25,968,834,899"],
  [2n ** 63n - 1n, "9.22 EB", "9,223,372,036,854,775,807"],
])("%d bytes are %s", (bytes, said, digits) => {
  expect([sayBytes(bytes), groupDigits(bytes)]).toEqual([said, digits]);
});
