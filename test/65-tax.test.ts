// Goal of this test: refunds that are begun here bring all of a payment's tax back, to the cent, whatever became of other parts of it.
import { afterEach, beforeEach, expect, it } from "vitest";
import { job as refundJob } from "../jobs/refund.ts";
import type { AccountId } from "../lib/accounts/account.ts";
import { readBalance } from "../lib/ledger/transfer.ts";
import { verifyBooks } from "../lib/ledger/verify.ts";
import { amountOf, formatExact } from "../lib/money/amount.ts";
import { takeFacts } from "../lib/payments/event.ts";
import { createOrder } from "../lib/payments/order.ts";
import { connectStripe, type StripeDesk } from "../lib/payments/stripe/connect.ts";
import { readExpectedSchema } from "../lib/store/migrate.ts";
import { addAccount } from "./support/books.ts";
import { key, openDesk, type TestDesk, wanted } from "./support/desk.ts";
import { runTestJob } from "./support/job.ts";
import { makeSender } from "./support/site.ts";
import { makeTestStore, type TestStore } from "./support/store.ts";

let test: TestStore;
let desk: TestDesk;
let stripe: StripeDesk;
let ada: AccountId;
let payment: string;
/** $11.00, and $1.10 tax. */
beforeEach(async () => {
  test = makeTestStore();
  ada = await addAccount(test.store, "ada@example.org");
  desk = await openDesk();
  stripe = connectStripe({ stripe_key: key, stripe_api: desk.url });
  const order = { id: "order_1", account: ada, amount: amountOf(11n * 10n ** 18n), livemode: false };
  await test.store.write((tx) => createOrder(tx, order));
  const session = await desk
    .connect()
    .checkout.sessions.create({ ...wanted, automatic_tax: { enabled: true } });
  await desk.press(session, "pay");
  const facts = await stripe.read(session.id);
  await take({ kind: "checkout", facts });
  payment = facts.paymentIntent;
});
afterEach(async () => {
  await test.store.read((tx) =>
    verifyBooks(tx, readExpectedSchema({}), (finding) => expect(finding).toBeUndefined()),
  );
  test.end();
  await desk.end();
});

async function take(told: Parameters<typeof takeFacts>[1]): Promise<void> {
  const sender = await makeSender(test.clock);
  expect(await test.store.write((tx) => takeFacts(tx, told, sender))).toMatchObject({ ok: true });
}

const run = (words: readonly string[], values: Record<string, string>, api = desk.url) =>
  runTestJob(test, refundJob, words, values, { secrets: { stripe_key: key, stripe_api: api } });
const give = (amount: string, api = desk.url) =>
  run([ada, amount], { payment, reason: `all but ${amount}`, by: "colin" }, api);
const asked = (): readonly number[] => desk.books.vault.refunds().map(({ amount }) => amount);
const balances = async (): Promise<readonly string[]> => {
  const read = (account: string) => test.store.read((tx) => readBalance(tx, account));
  return Promise.all([ada, "tax", "refunds"].map(async (account) => formatExact(await read(account))));
};
const nothing = "0.000000000000000000";

it("parts of a payment bring all of its tax back", async () => {
  await give("4.01");
  // 401 x 110 / 1100 = 40.1, rounded down; with $0.04 more 40.5, of which 40 have gone; with $6.95 more all 110.
  await give("0.04");
  await give("6.95");
  expect(asked()).toEqual([441, 4, 765]);
  expect(await balances()).toEqual([nothing, nothing, nothing]);
});

it("so do they where one waits, one fails, and one was begun at Stripe", async () => {
  const { vault } = desk.books;
  const askAll = async () => {
    for (const { id } of vault.refunds()) await take(await stripe.ask("refund", id));
  };
  // Of $0.55, which waits, the share is 5.5 cents, rounded down; of both 11.1.
  await expect(give("0.55", "http://127.0.0.1:9")).rejects.toThrow(/cannot be reached/);
  await give("0.56");
  // 505 x 110 / 1210 = 45.9, rounded down.
  vault.refund({ paymentIntent: payment, cents: 505, metadata: {} });
  await askAll();
  vault.failRefund(vault.refunds()[0]?.id ?? "");
  await askAll();
  for (const { id } of test.raw("SELECT id FROM refund_order") as { id: string }[])
    await run([], { resume: id });
  expect([...asked()].sort()).toEqual([505, 60, 62]);
  // 55 and 460 of 1100 cents have gone, with 5 and 45 of 110.
  await give("5.85");
  expect([...asked()].sort()).toEqual([505, 60, 62, 645]);
  expect(await balances()).toEqual([nothing, nothing, nothing]);
});
