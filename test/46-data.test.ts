// Goal of this test: what programs are told of an account is what the ledger says, to the last decimal, in the forms that tools
// read; a token reads one account and can do nothing else; nobody reads another's.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../lib/accounts/account.ts";
import { type Amount, amountOf, formatExact, fromColumns, parseExact } from "../lib/money/amount.ts";
import { giveCredit } from "../lib/staff/credit.ts";
import { billDay } from "../lib/usage/bill.ts";
import { readUsageFile } from "../lib/usage/file.ts";
import { readHistory } from "../lib/usage/history.ts";
import { importUsage } from "../lib/usage/import.ts";
import { dayUtc, meters, usageFile } from "./support/books.ts";
import { makeVisitor, passwordOf, type Visitor } from "./support/visitor.ts";

const address = "ada@example.org";
const current = passwordOf(address);

let visitor: Visitor;
let ada: AccountId;
beforeEach(async () => {
  visitor = await makeVisitor();
  ada = await visitor.become(address);
});
afterEach(() => visitor.end());

const header = "day,account,machine,meter,quantity,revision";
async function take(rows: readonly string[], complete?: string): Promise<void> {
  const { lines } = readUsageFile(usageFile(rows, header));
  const days = complete === undefined ? [] : [dayUtc(complete)];
  const taken = await visitor.test.store.write((tx) => importUsage(tx, { lines, meters, complete: days }));
  expect(taken.ok).toBe(true);
  if (complete !== undefined) await billDay(visitor.test.store, dayUtc(complete), meters);
}

/** Two billed days, one of them measured again in three ways, and credit. */
async function keepBooks(): Promise<void> {
  const by = { operator: "colin", reason: "a gift" };
  const gift = { kind: "gift", account: ada, amount: amountOf(10n ** 18n), batch: "b", ...by } as const;
  await visitor.test.store.write((tx) => giveCredit(tx, gift));
  await take(
    [`2026-11-20,${ada},box,storage,259688348,1`, `2026-11-20,${ada},box,upload,1000,1`],
    "2026-11-20",
  );
  await take(
    [`2026-11-21,${ada},box,storage,259688348,1`, `2026-11-21,${ada},=cmd(),storage,5,1`],
    "2026-11-21",
  );
  await take([`2026-11-20,${ada},box,storage,200000000,2`, `2026-11-20,${ada},box,storage,210000000,3`]);
  await take([`2026-11-20,${ada},late,upload,7,2`]);
}

const moved = (): Amount => {
  const rows = visitor.test.raw(
    `SELECT CASE WHEN debit = '${ada}' THEN 1 ELSE -1 END AS sign, picodollars, attodollars FROM transfer
     WHERE code LIKE 'bill%'`,
  ) as { sign: bigint; picodollars: bigint; attodollars: bigint }[];
  return amountOf(rows.reduce((sum, row) => sum + row.sign * fromColumns(row), 0n));
};

async function makeToken(name = "graph"): Promise<string> {
  await visitor.get("tokens");
  await visitor.post("tokens", { name, current });
  return (visitor.given.get("account/tokens") as { token: string }).token;
}

describe("usage as it holds now", () => {
  it("is together what the ledger moved for it", async () => {
    await keepBooks();
    const range = { from: dayUtc("2026-11-01"), to: dayUtc("2026-11-30") };
    const lines = await visitor.test.store.read((tx) => readHistory(tx, ada, range));
    expect(lines.map(({ day, machine, meter, quantity }) => [day, machine, meter, quantity])).toEqual([
      ["2026-11-20", "box", "storage", 210_000_000n],
      ["2026-11-20", "box", "upload", 1000n],
      ["2026-11-20", "late", "upload", 7n],
      ["2026-11-21", "=cmd()", "storage", 5n],
      ["2026-11-21", "box", "storage", 259_688_348n],
    ]);
    expect(lines.reduce((sum, { amount }) => sum + amount, 0n)).toBe(moved());
    const one = { from: dayUtc("2026-11-21"), to: dayUtc("2026-11-21") };
    expect(await visitor.test.store.read((tx) => readHistory(tx, ada, one))).toHaveLength(2);
  });
});

describe("for programs", () => {
  it("the balance is told as JSON, CSV, and for Prometheus", async () => {
    await keepBooks();
    const left = formatExact(amountOf(10n ** 18n - moved()));
    const token = await makeToken();
    const json = await visitor.ask("data", token, {});
    expect(JSON.parse(json.body)).toMatchObject({
      account: ada,
      state: "ok",
      balance: left,
      daysLeft: expect.any(Number),
    });
    const csv = await visitor.ask("data", token, { query: { format: "csv" } });
    expect(csv.headers.get("Content-Type")).toBe("text/csv; charset=utf-8");
    expect(csv.body).toMatch(
      /^RECTYPE,DATE,MACHINE,TYPE,QUANTITY,AMOUNT,BALANCE\r\nBalance,\d{4}-\d\d-\d\d,,,,,0\.\d{18}\r\n$/,
    );
    expect(csv.body).toContain(`,${left}\r\n`);
    const metrics = (await visitor.ask("data", token, { query: { format: "prometheus" } })).body;
    expect(metrics).toContain(`account_balance_dollars{account="${ada}"} ${left}\n`);
    for (const line of metrics.trimEnd().split("\n"))
      expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+\{account="acct_\w+"\} (\d+(\.\d+)?|\+Inf))$/);
  });

  it("usage is told row by row, and no cell begins a formula", async () => {
    await keepBooks();
    const token = await makeToken();
    const query = { what: "usage", from: "2026-11-20", to: "2026-11-21" };
    const { usage } = JSON.parse((await visitor.ask("data", token, { query })).body) as {
      usage: { amount: string }[];
    };
    const total = usage.reduce((sum, { amount }) => sum + (parseExact(amount) ?? 0n), 0n);
    expect(total).toBe(moved());
    const csv = (await visitor.ask("data", token, { query: { ...query, format: "csv" } })).body;
    expect(
      csv
        .split("\r\n")
        .slice(1, -1)
        .map((line) => line.split(",").slice(0, 5)),
    ).toEqual([
      ["Usage", "2026-11-20", "box", "Storage", "210000000"],
      ["Usage", "2026-11-20", "box", "Upload", "1000"],
      ["Usage", "2026-11-20", "late", "Upload", "7"],
      ["Usage", "2026-11-21", "'=cmd()", "Storage", "5"],
      ["Usage", "2026-11-21", "box", "Storage", "259688348"],
    ]);
  });

  it("the statement is told whole, a page after the other, and adds up", async () => {
    await keepBooks();
    const token = await makeToken();
    const body = JSON.parse((await visitor.ask("data", token, { query: { what: "statement" } })).body) as {
      balance: string;
      lines: { number: string; change: string; balanceAfter: string }[];
      olderBefore: string | null;
    };
    expect(body.olderBefore).toBeNull();
    const sum = body.lines.reduce((total, { change }) => total + (parseExact(change) ?? 0n), 0n);
    expect([formatExact(amountOf(sum)), body.lines[0]?.balanceAfter]).toEqual([body.balance, body.balance]);
    const older = { what: "statement", before: body.lines[0]?.number ?? "" };
    const page = JSON.parse((await visitor.ask("data", token, { query: older })).body) as typeof body;
    expect(page.lines).toEqual(body.lines.slice(1));
    const csv = (await visitor.ask("data", token, { query: { what: "statement", format: "csv" } })).body;
    const balances = csv.split("\r\n").filter((line) => line.startsWith("Balance,"));
    expect(balances.map((line) => line.split(",").at(-1))).toEqual(
      body.lines.map(({ balanceAfter }) => balanceAfter),
    );
    expect(csv).toContain("Payment,");
  });

  it.each([
    { what: "everything" },
    { format: "xml" },
    { what: "usage", format: "prometheus" },
    { what: "usage", from: "2026-11-31" },
    { what: "usage", from: "2026-11-22", to: "2026-11-21" },
    { what: "usage", from: "2024-11-22", to: "2026-11-21" },
    { what: "usage", to: "9999-99-99" },
  ] as Record<string, string>[])("%j is refused, saying what is taken", async (query) => {
    const answer = await visitor.ask("data", await makeToken(), { query });
    expect([answer.status, Object.keys(JSON.parse(answer.body) as object)]).toEqual([400, ["error"]]);
  });
});

describe("a token", () => {
  it("is made by whoever shows the password, once for a name, shown once, and told to the owner", async () => {
    await visitor.get("tokens");
    expect((await visitor.post("tokens", { name: "graph", current: "not the password at all" })).status).toBe(
      422,
    );
    for (const name of ["", " ", "x".repeat(61), "a\u0007b"])
      expect((await visitor.post("tokens", { name, current })).status).toBe(422);
    expect(visitor.test.raw("SELECT * FROM access_token")).toEqual([]);
    const token = await makeToken();
    expect(token).toMatch(/^pd_[\w-]{43}$/);
    expect((await visitor.post("tokens", { name: "graph", current })).body).toContain("a token of this name");
    expect((await visitor.get("tokens")).body).not.toContain(token);
    expect(JSON.stringify(visitor.test.raw("SELECT token_hash FROM access_token"))).not.toContain(token);
    expect(visitor.test.raw("SELECT recipient FROM outbox WHERE id LIKE 'token/%'")).toEqual([
      { recipient: address },
    ]);
  });

  it("reads, with its last use noted, until it is revoked", async () => {
    const token = await makeToken();
    expect((await visitor.ask("data", token, {})).status).toBe(200);
    await visitor.get("tokens");
    const [line] = (visitor.given.get("account/tokens") as { tokens: { id: string; used: string }[] }).tokens;
    expect(line?.used).toMatch(/^20/);
    await visitor.post("tokens", { end: line?.id ?? "" });
    await visitor.post("tokens", { end: line?.id ?? "" });
    expect((await visitor.ask("data", token, {})).status).toBe(401);
  });

  it("opens nothing else, and one of another account, or of nobody, nothing at all", async () => {
    const token = await makeToken();
    for (const name of ["account", "settings", "tokens"]) {
      const answer = await visitor.ask(name, token, {});
      expect([name, answer.status, answer.headers.get("Location")]).toEqual([
        name,
        303,
        "/account/login.cgi",
      ]);
    }
    const bob = await visitor.again();
    await bob.become("bob@example.com");
    const told = JSON.parse((await bob.ask("data", token, {})).body) as { account: string };
    expect(told.account).toBe(ada);
    await visitor.get("tokens");
    const [line] = (visitor.given.get("account/tokens") as { tokens: { id: string }[] }).tokens;
    await bob.get("tokens");
    await bob.post("tokens", { end: line?.id ?? "" });
    expect((await visitor.ask("data", token, {})).status).toBe(200);
    for (const wrong of ["service-token", `pd_${"x".repeat(43)}`, token.slice(0, -1)])
      expect((await visitor.ask("data", wrong, {})).status).toBe(401);
    expect((await visitor.ask("data", "", {})).status).toBe(401);
  });

  it("that is wrong is not made good by a browser that is logged in; the browser alone is enough", async () => {
    expect((await visitor.get("data")).status).toBe(200);
    expect(
      (await visitor.get("data", { what: "usage", format: "csv" })).headers.get("Content-Disposition"),
    ).toMatch(/^attachment; filename="usage-[\d-]+\.csv"$/);
  });

  it("is one of twenty at most", async () => {
    for (let number = 0; number < 20; number += 1) await makeToken(`number ${number}`);
    await visitor.post("tokens", { name: "one more", current });
    expect(visitor.test.raw("SELECT count(*) AS n FROM access_token")).toEqual([{ n: 20n }]);
  });
});
