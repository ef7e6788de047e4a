// Goal of this test: verify finds nothing in right books, and every single thing that a hand with plain SQL could change in
// them, told by the row; the trusted functions have no part in finding it.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../lib/accounts/account.ts";
import { sealDays } from "../lib/ledger/seal.ts";
import { verifyBooks } from "../lib/ledger/verify.ts";
import { amountOf } from "../lib/money/amount.ts";
import { takeDispute } from "../lib/payments/dispute.ts";
import { fulfilCheckout } from "../lib/payments/fulfil.ts";
import { createOrder } from "../lib/payments/order.ts";
import { takeRefund } from "../lib/payments/refund.ts";
import { giveCredit } from "../lib/staff/credit.ts";
import { readExpectedSchema } from "../lib/store/migrate.ts";
import type { Finding } from "../lib/store/store.ts";
import { billDay } from "../lib/usage/bill.ts";
import { readUsageFile } from "../lib/usage/file.ts";
import { importUsage } from "../lib/usage/import.ts";
import { addAccount, dayUtc, meters, usageFile } from "./support/books.ts";
import { isServer, makeTestStore, openRaw, type TestStore } from "./support/store.ts";

let test: TestStore;
let ada: AccountId;
let bob: AccountId;

async function verify(): Promise<readonly string[]> {
  const found: Finding[] = [];
  await test.store.read((tx) => verifyBooks(tx, readExpectedSchema({}), (finding) => found.push(finding)));
  return found.map(({ table, row, message }) => `${table} ${row}: ${message}`);
}

/**
 * Plain SQL with what guards a table taken away, and put back as if nothing had been; false where a server's constraint refuses it, which
 * nobody can take away and put back unseen.
 */
function tamper(table: string, sql: string): boolean {
  if (isServer) return tamperServer(sql);
  const db = openRaw(test.file);
  try {
    db.pragma("foreign_keys = OFF");
    const triggers = readTriggers(table);
    for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`);
    db.exec(sql);
    for (const trigger of triggers) db.exec(trigger.sql);
  } finally {
    db.close();
  }
  return true;
}

/** As the server's owner may: no trigger is fired, and no reference looked at. */
function tamperServer(sql: string): boolean {
  try {
    if (sql.startsWith("DROP")) test.raw(sql);
    else test.raw(`SET session_replication_role = replica; ${sql}; SET session_replication_role = origin`);
    return true;
  } catch (error) {
    if (/violates (?:check|not-null) constraint/.test(String(error))) return false;
    throw error;
  }
}

function readTriggers(table: string): readonly { name: string; sql: string }[] {
  const sql = `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = '${table}'`;
  return test.raw(sql) as { name: string; sql: string }[];
}

async function pay(account: AccountId, dollars: bigint, number: number): Promise<void> {
  const order = { id: `order_${number}`, account, amount: amountOf(dollars * 10n ** 18n), livemode: false };
  await test.store.write(async (tx) => {
    await createOrder(tx, order);
    const facts = {
      orderId: order.id,
      paid: true,
      ended: "" as const,
      taxCents: 0,
      paymentIntent: `pi_${number}`,
      netCents: Number(dollars) * 100,
    };
    const done = await fulfilCheckout(tx, { ...facts, currency: "usd", livemode: false });
    if (!done.ok) throw new Error(done.why);
  });
}

/** Three days of two accounts, two of them sealed. */
beforeEach(async () => {
  test = makeTestStore("2026-11-21T08:00:00Z");
  ada = await addAccount(test.store, "ada@example.org");
  bob = await addAccount(test.store, "bob@example.org");
  await pay(ada, 10n, 1);
  await pay(bob, 5n, 2);
  for (const day of ["2026-11-21", "2026-11-22"]) {
    test.clock.ms += 86_400_000;
    const rows = [
      `${day},${ada},box,storage,2596883481`,
      `${day},${ada},box,upload,77`,
      `${day},${bob},b,storage,5000000`,
    ];
    const { lines } = readUsageFile(usageFile(rows));
    const taken = await test.store.write((tx) => importUsage(tx, { lines, meters, complete: [dayUtc(day)] }));
    expect(taken.ok).toBe(true);
    await sealDays(test.store);
    await billDay(test.store, dayUtc(day), meters);
  }
  await sealDays(test.store);
  await takeBack();
});

/** Usage of a billed day measured again, a refund, a dispute, and goodwill. */
async function takeBack(): Promise<void> {
  const again = `2026-11-21,${ada},box,storage,5,2`;
  const { lines } = readUsageFile(usageFile([again], "day,account,machine,meter,quantity,revision"));
  const money = { paymentIntent: "pi_1", currency: "usd" };
  const movement = { id: "txn_2", category: "dispute", cents: -300, feeCents: 1500, currency: "usd" };
  await test.store.write(async (tx) => {
    await importUsage(tx, { lines, meters, complete: [] });
    const refund = {
      ...money,
      id: "re_1",
      orderId: "",
      cents: 200,
      failed: false,
      paidBy: "txn_1",
      returnedBy: "",
    };
    await takeRefund(tx, refund);
    const movements = [{ ...movement, source: "dp_1", paymentIntent: "", createdMs: 1 }];
    await takeDispute(tx, { ...money, id: "dp_1", status: "lost", movements });
    const by = { operator: "colin", reason: "an outage" };
    await giveCredit(tx, { kind: "goodwill", account: bob, amount: amountOf(7n), batch: "b", ...by });
  });
}
afterEach(() => test.end());

it("right books have nothing wrong", async () => {
  expect(await verify()).toEqual([]);
  expect(test.raw("SELECT day FROM seal")).toEqual([{ day: "2026-11-21" }, { day: "2026-11-22" }]);
});

describe("a hand with plain SQL is found", () => {
  it.each([
    [
      "transfer",
      "UPDATE transfer SET picodollars = picodollars + 1 WHERE number = 1",
      [
        /^balance acct_\w+: is \d+ attodollars, and its transfers make/,
        /^balance stripe-clearing: /,
        /^transfer topup\/pi_1: is not what was ordered$/,
        /^seal 2026-11-21: a transfer of this day is another one than when it was sealed$/,
      ],
    ],
    [
      "transfer",
      "DELETE FROM transfer WHERE number = 2",
      [
        /^transfer 3: the numbers from 2 to 2 are missing$/,
        /^balance /,
        /^balance stripe-clearing: /,
        /^seal 2026-11-21: is of 2 transfers, and there are 1$/,
      ],
    ],
    [
      "transfer",
      "UPDATE transfer SET debit = 'revenue', credit = debit WHERE number = 4",
      [
        /^transfer 4: bill\/\S+: "bill" may not move money from revenue to customer$/,
        /its id does not follow from what it is$/,
      ],
    ],
    [
      "balance",
      "UPDATE balance SET attodollars = 1 WHERE ledger_account = 'stripe-clearing'",
      [
        /^balance stripe-clearing: is -?\d+ attodollars, and its transfers make/,
        /^balance all: are 1 attodollars together, and not nothing$/,
      ],
    ],
    [
      "bill_line",
      "UPDATE bill_line SET price_atto = price_atto + 1 WHERE meter = 'upload'",
      [/^bill_line bill\/\S+ box upload: 77 at 250000001 is not 19250000000$/],
    ],
    [
      "bill_line",
      "DELETE FROM bill_line WHERE meter = 'upload'",
      [
        /^transfer bill\/\S+: is not what its lines make together$/,
        /^usage 2026-11-21 \S+ box upload 1: is not on the bill of its day$/,
      ],
    ],
    [
      "skipped_day",
      "INSERT INTO skipped_day (day, reason, skipped_at) VALUES ('2026-11-21', 'no', 1)",
      [/^skipped_day 2026-11-21: is never to be billed, and there is bill\//],
    ],
    [
      "usage_revision",
      "UPDATE usage_revision SET quantity = 6",
      [/^usage_revision 2026-11-21 \S+ box storage 2: makes -\d+ attodollars, and bill\/\S+\/r2 moved \d+$/],
    ],
    [
      "usage_revision",
      "DELETE FROM usage_revision",
      [/^transfer bill\/\S+\/r2: makes up for no revision of usage$/],
    ],
    [
      "transfer",
      "DELETE FROM transfer WHERE id = 'refund/re_1'",
      [
        /numbers from \d+ to \d+ are missing$/,
        /^balance /,
        /^balance refunds/,
        /^transfer refund\/re_1\/paid: is a step of nothing/,
      ],
    ],
    ["audit", "DELETE FROM audit", [/^transfer credit\/b\/\S+: was decided by nobody/]],
    [
      "chart",
      "UPDATE chart SET credit_kind = 'bank' WHERE code = 'bill'",
      [/^chart bill: is not as the programs know it$/],
    ],
    ["usage", "UPDATE usage SET quantity = 78 WHERE meter = 'upload'", [/bills 77, and 78 was measured$/]],
    [
      "payment_order",
      "DELETE FROM payment_order WHERE id = 'order_2'",
      [/^transfer topup\/pi_2: no order "order_2" is in the books$/],
    ],
    [
      "payment_order",
      "UPDATE payment_order SET livemode = 1 WHERE id = 'order_2'",
      [/^transfer topup\/pi_2: is of the other mode than the books$/],
    ],
    [
      "seal",
      "DELETE FROM seal WHERE day = '2026-11-21'",
      [/^seal 2026-11-22: the seal of 2026-11-21 should come first$/],
    ],
    [
      "seal",
      "UPDATE seal SET hash = replace(hash, substr(hash, 1, 1), 'g')",
      [/^seal 2026-11-21: a transfer of this day is another one/],
    ],
    [
      "signup",
      "DROP TRIGGER transfer_no_update",
      [/^schema transfer_no_update: is not there; something took it away$/],
    ],
    [
      "account",
      "DELETE FROM ledger_account WHERE id = 'nobody'; UPDATE account SET id = 'acct_other' WHERE email LIKE 'bob%'",
      [
        /^usage \S+: leads to a row of account that is not there$/,
        /^account \S+: leads to a row of ledger_account that is not there$/,
      ],
    ],
  ])("%s: %s", async (table, sql, expected) => {
    tamper(table, sql);
    const found = await verify();
    for (const form of expected) expect(found).toContainEqual(expect.stringMatching(form));
  });

  it.each([
    ["usage", "usage", ""],
    ["a revision of it", "usage_revision", ", 2"],
  ])("%s of an account that has no bill of a day that others paid for", async (_what, table, revision) => {
    const cyd = await addAccount(test.store, "cyd@example.org");
    const insert = (quantity: number) =>
      `INSERT INTO ${table} (day, account, machine, meter, quantity, received_at${revision === "" ? "" : ", revision"})
       VALUES ('2026-11-21', '${cyd}', 'box', 'upload', ${quantity}, 1${revision})`;
    tamper(table, insert(0));
    expect(await verify(), "what came to nothing has no bill").toEqual([]);
    tamper(table, `DELETE FROM ${table} WHERE account = '${cyd}'; ${insert(1)}`);
    const number = revision === "" ? 1 : 2;
    expect(await verify()).toEqual([
      `${table} 2026-11-21 ${cyd} box upload ${number}: is not on the bill of its day`,
    ]);
  });

  const unchecked = isServer ? "" : "PRAGMA ignore_check_constraints = ON;";
  const write = (value: bigint | string): string => (typeof value === "bigint" ? `${value}` : `'${value}'`);
  const pick = (row: Readonly<Record<string, bigint | string>>): string =>
    Object.entries(row)
      .map(([key, value]) => `${key} = ${write(value)}`)
      .join(" AND ");

  it("in every column of the books but those that nothing follows from", async () => {
    const free: string[] = [];
    for (const table of [
      "transfer",
      "balance",
      "bill_line",
      "seal",
      "usage",
      "payment_order",
      "ledger_account",
      "usage_revision",
      "chart",
      "audit",
    ]) {
      for (const name of test.listColumns(table)) {
        const [first = {}] = test.raw(`SELECT * FROM ${table} LIMIT 1`) as Record<string, bigint | string>[];
        const is = first[name] ?? "";
        const other = typeof is === "bigint" ? is + 1000n : `${is}x`;
        const whole = { ...first, [name]: other };
        if (!tamper(table, `${unchecked} UPDATE ${table} SET ${name} = ${write(other)} WHERE ${pick(first)}`))
          continue;
        if ((await verify()).length === 0) free.push(`${table}.${name}`);
        tamper(table, `${unchecked} UPDATE ${table} SET ${name} = ${write(is)} WHERE ${pick(whole)}`);
        expect(await verify(), `${table}.${name} was put back`).toEqual([]);
      }
    }
    expect(free).toEqual([
      // Another moment of the same day.
      "transfer.posted_at",
      "seal.sealed_at",
      "usage.received_at",
      "payment_order.created_at",
      "ledger_account.opened_at",
      "usage_revision.received_at",
      // What a person said, but for the transfer that it is of.
      "audit.done_at",
      "audit.operator",
      "audit.action",
      "audit.reason",
    ]);
  }, 60_000);
});
