// Goal of this test: what people decide by hand is done once, with who and why in the log, and can be looked at before and
// undone afterwards; money that is given back goes through Stripe once, whatever dies in between.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { job as accountJob } from "../jobs/account.ts";
import { job as creditJob } from "../jobs/credit.ts";
import { job as openingJob } from "../jobs/opening.ts";
import { job as refundJob } from "../jobs/refund.ts";
import { type AccountId, beginSignup, confirmSignup, findAccountByEmail } from "../lib/accounts/account.ts";
import { beginFactor } from "../lib/accounts/factor.ts";
import { addPasskey } from "../lib/accounts/passkey.ts";
import { verifyPassword } from "../lib/accounts/password.ts";
import { beginSession } from "../lib/accounts/session.ts";
import { readBalance } from "../lib/ledger/transfer.ts";
import { verifyBooks } from "../lib/ledger/verify.ts";
import { amountOf, formatExact } from "../lib/money/amount.ts";
import { fulfilCheckout } from "../lib/payments/fulfil.ts";
import { createOrder } from "../lib/payments/order.ts";
import { connectStripe } from "../lib/payments/stripe/connect.ts";
import { readExpectedSchema } from "../lib/store/migrate.ts";
import { billDay } from "../lib/usage/bill.ts";
import { readUsageFile } from "../lib/usage/file.ts";
import { importUsage } from "../lib/usage/import.ts";
import { readHold } from "../lib/warnings/hold.ts";
import { addAccount, dayUtc, emailOf, meters, usageFile } from "./support/books.ts";
import { key, openDesk, type TestDesk, wanted } from "./support/desk.ts";
import { type JobRun, runTestJob } from "./support/job.ts";
import { makeTestStore, type TestStore } from "./support/store.ts";

let test: TestStore;
let ada: AccountId;
beforeEach(async () => {
  test = makeTestStore();
  ada = await addAccount(test.store, "ada@example.org");
});
afterEach(async () => {
  await test.store.read((tx) =>
    verifyBooks(tx, readExpectedSchema({}), (finding) => expect(finding).toBeUndefined()),
  );
  test.end();
});

const by = { reason: "an outage", by: "colin" };
const balance = async (account: string = ada): Promise<string> =>
  formatExact(await test.store.read((tx) => readBalance(tx, account)));
const credit = (words: readonly string[], values: Record<string, string | boolean> = by): Promise<JobRun> =>
  runTestJob(test, creditJob, words, values);
const account = (words: readonly string[], values: Record<string, string | boolean> = {}): Promise<JobRun> =>
  runTestJob(test, accountJob, words, values);
const audit = () => test.raw("SELECT operator, action, account, reason FROM audit ORDER BY number");

describe("credit by hand", () => {
  it("is given once for one reason, shown before, and written down", async () => {
    const preview = await credit(["give", ada, "5"], { ...by, preview: true });
    expect(preview.said).toEqual([
      expect.stringMatching(/^credit: would be: acct_\w+ goodwill \$5\.0+, credit\//),
    ]);
    expect([await balance(), audit()]).toEqual(["0.000000000000000000", []]);
    expect((await credit(["give", "ADA@example.org", "5"])).said).toEqual([
      expect.stringContaining("done: "),
    ]);
    expect((await credit(["give", ada, "5"])).said).toEqual([expect.stringContaining("was done before: ")]);
    await credit(["give", ada, "5"], { ...by, reason: "another outage" });
    await credit(["gift", ada, "0.000000000000000001"]);
    await credit(["charge", ada, "3.50"]);
    expect(await balance()).toBe("6.500000000000000001");
    expect(audit()).toEqual([
      { operator: "colin", action: "credit", account: ada, reason: "an outage" },
      { operator: "colin", action: "credit", account: ada, reason: "another outage" },
      { operator: "colin", action: "gift", account: ada, reason: "an outage" },
      { operator: "colin", action: "charge", account: ada, reason: "an outage" },
    ]);
  });

  it.each([
    [["give", "ada", "-5"], {}, "misused", /"-5" is no amount/],
    [["give", "ada", "0"], {}, "misused", /"0" is no amount/],
    [["give", "ada", "5,00"], {}, "misused", /"5,00" is no amount/],
    [["give", "nobody", "5"], {}, "refused", /"nobody" is neither an account id/],
    [["give", "ada", "5"], { reason: " " }, "misused", /say why in one line/],
    [["give", "ada", "5"], { by: "" }, "misused", /say who you are/],
    [["goodwill"], {}, "misused", /--days N/],
    [["goodwill"], { days: "367" }, "misused", /1 to 366/],
    [["undo", "none"], {}, "refused", /nothing of batch "none"/],
  ] as const)("%j with %j is %s", async (words, change, outcome, message) => {
    const named = words.map((word) => (word === "ada" ? ada : word));
    const run = await credit(named, { ...by, ...change });
    expect([run.outcome, run.complained.join("\n")]).toEqual([outcome, expect.stringMatching(message)]);
    expect(audit()).toEqual([]);
  });

  it("for everybody is so many days of what each costs, once, and is taken back by its batch", async () => {
    const bob = await addAccount(test.store, "bob@example.org");
    await addAccount(test.store, "idle@example.org");
    const eve = await addAccount(test.store, "eve@example.org");
    const rows = [ada, bob, eve].map((id, at) => `2026-11-21,${id},box,storage,${[1000, 7, 1000][at]}`);
    const { lines } = readUsageFile(usageFile(rows));
    await test.store.write((tx) => importUsage(tx, { lines, meters, complete: [dayUtc("2026-11-21")] }));
    await billDay(test.store, dayUtc("2026-11-21"), meters);
    // Whoever has closed the account would have it forfeited, or given back as if it had been paid.
    await account(["close", eve], { ...by, money: "leave" });
    const closed = audit();
    const everybody = (values: Record<string, string | boolean> = {}) =>
      credit(["goodwill"], { ...by, days: "8", ...values });
    const preview = await everybody({ preview: true });
    expect(preview.said).toHaveLength(3);
    expect(audit()).toEqual(closed);
    // 1,000 and 7 byte-days in November at 8,333,333 attodollars, eight times.
    expect((await everybody()).said).toEqual([
      expect.stringMatching(/^goodwill: done: 2 accounts, \$0\.000000067133330648, batch \w{16}$/),
    ]);
    expect((await everybody()).said).toEqual([
      expect.stringContaining("0 accounts, $0.000000000000000000, 2 were done before"),
    ]);
    expect(await balance()).toBe(formatExact(amountOf(7n * 1000n * 8_333_333n)));
    const batch = /batch (\w+)/.exec(preview.said.at(-1) ?? "")?.[1] ?? "";
    expect((await credit(["undo", batch])).said).toEqual([expect.stringContaining("done: 2 accounts")]);
    expect((await credit(["undo", batch])).outcome).toBe("refused");
    expect(await balance("goodwill")).toBe("0.000000000000000000");
  });
});

describe("an account", () => {
  it("is found, shown, held, released, and noted, each once", async () => {
    expect((await account(["find", "ADA"])).said).toEqual([`${ada}  ada@example.org  $0.000000000000000000`]);
    expect((await account(["find", "nobody"])).outcome).toBe("refused");
    expect((await account(["hold", ada], { ...by, preview: true })).said).toEqual([
      `account: would be: ${ada} is held from deletion`,
    ]);
    expect(audit()).toEqual([]);
    for (const before of ["", "as before: "])
      expect((await account(["hold", ada], by)).said).toEqual([
        `account: ${before}${ada} is held from deletion`,
      ]);
    const note = { ...by, reason: "called, will pay on Monday" };
    for (const before of ["", "as before: "])
      expect((await account(["note", ada], note)).said).toEqual([`account: ${before}${ada} has that note`]);
    expect(await test.store.read((tx) => readHold(tx, ada))).toBe(true);
    const shown = JSON.parse((await account(["show", "ada@example.org"], { json: true })).said[0] ?? "");
    expect(shown).toMatchObject({
      account: ada,
      held: true,
      state: "new",
      deeds: [{ action: "note" }, { action: "hold" }],
    });
    await account(["release", ada], by);
    expect(await test.store.read((tx) => readHold(tx, ada))).toBe(false);
    expect(audit()).toHaveLength(3);
  });

  it("is warned as it wishes, by days or dollars, and at a second address", async () => {
    const warn = (values: Record<string, string | boolean>) => account(["warn", ada], { ...by, ...values });
    const wish = { below: "8.00", second: "Office@example.org" };
    expect((await warn({ ...wish, preview: true })).said[0]).toContain("would be: ");
    for (const before of ["", "as before: "])
      expect((await warn(wish)).said).toEqual([
        `account: ${before}${ada} is warned below $8.00, at office@example.org too`,
      ]);
    expect((await warn({})).said).toEqual([`account: ${ada} is warned as the site says`]);
    expect((await warn({ days: "14" })).said).toEqual([`account: ${ada} is warned below 14 days`]);
    for (const wrong of [
      { days: "0" },
      { days: "366" },
      { below: "x" },
      { second: "x" },
      { days: "1", below: "1" },
    ])
      expect((await warn(wrong)).outcome).toBe("misused");
    expect(audit()).toHaveLength(3);
  });

  it("is kept by an amnesty of all, while it lasts", async () => {
    const isHeld = async () => JSON.parse((await account(["show", ada], { json: true })).said[0] ?? "").held;
    expect(await isHeld()).toBe(false);
    await account(["amnesty", "on"], by);
    expect(await isHeld()).toBe(true);
    await account(["amnesty", "off"], by);
    expect(await isHeld()).toBe(false);
    expect((await account(["amnesty", "perhaps"], by)).outcome).toBe("misused");
  });
});

describe("customers who move in", () => {
  const move = (rows: readonly string[], values: Record<string, string | boolean> = by) => {
    const file = join(test.folder, "moving.csv");
    writeFileSync(file, ["email,balance", ...rows, ""].join("\n"));
    return runTestJob(test, openingJob, [file], values);
  };

  it("get an account and what they bring, once; whoever reads the mail sets the password", async () => {
    const rows = ["ada@example.org,1.5", "New@example.org,-0.000000000000000001", "none@example.org,0"];
    expect((await move(rows)).said).toEqual([
      expect.stringContaining("2 accounts made, 2 opening balances, 0 known"),
    ]);
    expect((await move(rows)).said).toEqual([
      expect.stringContaining("0 accounts made, 0 opening balances, 2 known"),
    ]);
    const moved = await test.store.read((tx) => findAccountByEmail(tx, emailOf("new@example.org")));
    expect(await balance(moved?.id ?? "")).toBe("-0.000000000000000001");
    const cost = { log2N: 4, r: 8, p: 1 };
    for (const password of ["", "none"])
      expect(await verifyPassword(password, moved?.passwordHash, cost)).toBe(false);
    const signup = { email: emailOf("new@example.org"), passwordHash: "a hash", token: "t" };
    expect(await test.store.write((tx) => beginSignup(tx, signup))).toBe("waiting");
    expect(await test.store.write((tx) => confirmSignup(tx, "t", "a hash"))).toEqual({
      ok: true,
      account: moved?.id,
    });
    expect(await test.store.write((tx) => beginSignup(tx, signup))).toBe("has-account");
  });

  it.each([
    [["ada@example.org,x"], 'moving.csv:2:17: "x" is no amount; write it as 12.34, with up to 18 decimals'],
    [["ada,1"], 'moving.csv:2:1: "ada" is no address'],
    [["ada@example.org,1", "ADA@example.org,1"], "moving.csv:3:1: ada@example.org stands on line 2 already"],
    [["ada@example.org,1,2"], "moving.csv:2:1: 2 fields are wanted: email,balance"],
  ])("are refused whole: %j", async (rows, message) => {
    const run = await move([...rows, "fine@example.org,1"]);
    expect([run.outcome, run.complained[0]]).toEqual(["refused", expect.stringContaining(message)]);
    expect(test.raw("SELECT count(*) AS n FROM account")).toEqual([{ n: 1n }]);
  });

  it("are not opened otherwise than before", async () => {
    await move(["ada@example.org,1"]);
    const run = await move(["new@example.org,5", "ada@example.org,2"]);
    expect(run.complained[0]).toContain(
      "moving.csv:3:1: ada@example.org was opened with $1.000000000000000000 before",
    );
    expect(test.raw("SELECT count(*) AS n FROM account")).toEqual([{ n: 1n }]);
  });
});

describe("a refund begun here", () => {
  let desk: TestDesk;
  let payment: string;
  beforeEach(async () => {
    desk = await openDesk();
    const order = { id: "order_1", account: ada, amount: amountOf(11n * 10n ** 18n), livemode: false };
    await test.store.write((tx) => createOrder(tx, order));
    const session = await desk.connect().checkout.sessions.create(wanted);
    await desk.press(session, "pay");
    payment = desk.books.findSession(session.id)?.payment_intent ?? "";
    const facts = {
      orderId: "order_1",
      paid: true,
      ended: "" as const,
      taxCents: 0,
      netCents: 1100,
      currency: "usd",
      livemode: false,
    };
    await test.store.write((tx) => fulfilCheckout(tx, { ...facts, paymentIntent: payment }));
  });
  afterEach(() => desk.end());

  const refund = (words: readonly string[], values: Record<string, string | boolean> = by, api = desk.url) =>
    runTestJob(test, refundJob, words, values, { secrets: { stripe_key: key, stripe_api: api } });

  it("is given once by the same command, and again for another reason", async () => {
    expect((await refund([ada, "4"], { ...by, preview: true })).said).toEqual([
      expect.stringMatching(/^refund: would be: refund_\w{16}, \$4\.0+ of pi_\w+ to acct_/),
    ]);
    expect(await refund([ada, "4"])).toMatchObject({
      outcome: "done",
      said: [expect.stringContaining(": done, re_")],
    });
    expect(await refund([ada, "4"])).toMatchObject({
      outcome: "done",
      said: [expect.stringContaining("was paid before")],
    });
    expect(await balance()).toBe("7.000000000000000000");
    await refund([ada, "7"], { ...by, reason: "the rest" });
    expect([await balance(), await balance("refunds")]).toEqual([
      "0.000000000000000000",
      "0.000000000000000000",
    ]);
    expect(desk.books.vault.refunds().map((one) => one.amount)).toEqual([400, 700]);
    expect(audit()).toHaveLength(2);
  });

  it("of a payment with tax gives the tax back too", async () => {
    const order = { id: "order_2", account: ada, amount: amountOf(11n * 10n ** 18n), livemode: false };
    await test.store.write((tx) => createOrder(tx, order));
    const taxed = { ...wanted, metadata: { order: "order_2" }, automatic_tax: { enabled: true } };
    const session = await desk.connect().checkout.sessions.create(taxed);
    await desk.press(session, "pay");
    const facts = await connectStripe({ stripe_key: key, stripe_api: desk.url }).read(session.id);
    await test.store.write((tx) => fulfilCheckout(tx, facts));
    expect(await balance("tax")).toBe("1.100000000000000000");
    await refund([ada, "4.01"], { ...by, payment: facts.paymentIntent });
    await refund([ada, "6.99"], { ...by, payment: facts.paymentIntent });
    // 401 x 110 / 1100 = 40.1, rounded down; of both it is 110.
    expect(desk.books.vault.refunds().map((one) => one.amount)).toEqual([441, 769]);
    expect([await balance(), await balance("tax"), await balance("refunds")]).toEqual([
      "11.000000000000000000",
      "0.000000000000000000",
      "0.000000000000000000",
    ]);
  });

  it("that Stripe was never asked for is asked for again, and found if it was", async () => {
    await expect(refund([ada, "4"], by, "http://127.0.0.1:9")).rejects.toThrow(/cannot be reached/);
    expect([await balance(), await balance("refunds")]).toEqual([
      "7.000000000000000000",
      "4.000000000000000000",
    ]);
    const [order] = test.raw("SELECT id FROM refund_order") as { id: string }[];
    const id = order?.id ?? "";
    // The answer got lost on its way: Stripe did it, and has forgotten the key since.
    desk.books.vault.refund({ paymentIntent: payment, cents: 400, metadata: { refund: id } });
    expect(await refund([], { resume: id })).toMatchObject({ outcome: "done" });
    expect(desk.books.vault.refunds()).toHaveLength(1);
    expect(await balance("refunds")).toBe("0.000000000000000000");
  });

  it("that Stripe refuses comes back to the customer", async () => {
    desk.books.vault.refund({ paymentIntent: payment, cents: 1000, metadata: {} });
    const run = await refund([ada, "4"]);
    expect([run.outcome, run.complained[0]]).toEqual([
      "refused",
      expect.stringMatching(/greater than unrefunded amount.*the credit is back with the customer$/),
    ]);
    expect([await balance(), await balance("refunds")]).toEqual([
      "11.000000000000000000",
      "0.000000000000000000",
    ]);
    expect(await refund([ada, "4"])).toMatchObject({
      outcome: "refused",
      said: [expect.stringContaining("refused before")],
    });
  });

  it.each([
    ["12", {}, /no payment of acct_\w+ has \$12\.0+ left/],
    ["4", { payment: "pi_other" }, /has no payment pi_other$/],
    ["0.001", {}, /is not whole cents$/],
  ])("of %s with %j is refused", async (amount, values, message) => {
    const run = await refund([ada, amount], { ...by, ...values });
    expect([run.outcome, run.complained[0]]).toEqual(["refused", expect.stringMatching(message)]);
    expect(test.raw("SELECT 1 FROM refund_order")).toEqual([]);
  });

  it("is not of money that was spent", async () => {
    await credit(["charge", ada, "10"]);
    expect((await refund([ada, "4"])).complained[0]).toMatch(
      /has \$1\.0+; what is spent cannot be given back$/,
    );
  });
});

it("access is ended by hand: sessions, and a second factor whose owner lost it, who is told", async () => {
  const place = { browser: "", network: "192.0.2.1" };
  await test.store.write(async (tx) => {
    await beginSession(tx, ada, "token", place);
    await beginFactor(tx, ada, "sealed");
    await addPasskey(tx, ada, { name: "a", credential: "c", publicKey: "k", counter: 0, isSynced: false });
  });
  expect((await account(["log-out", ada], by)).said).toEqual([`account: ${ada} is logged in nowhere`]);
  expect((await account(["log-out", ada], by)).said).toEqual([expect.stringContaining("as before: ")]);
  await test.store.write((tx) => beginSession(tx, ada, "token", place));
  await account(["factor-off", ada], { ...by, preview: true });
  expect(test.raw("SELECT account FROM factor")).toEqual([{ account: ada }]);
  await account(["factor-off", ada], by);
  await account(["factor-off", ada], by);
  for (const table of ["factor", "passkey", "session"])
    expect([table, test.raw(`SELECT account FROM ${table}`)]).toEqual([table, []]);
  expect(audit().map((line) => (line as { action: string }).action)).toEqual(["log-out", "factor-off"]);
  expect(test.raw("SELECT recipient, body LIKE '%turned off%' AS told FROM outbox")).toEqual([
    { recipient: "ada@example.org", told: 1n },
  ]);
});
