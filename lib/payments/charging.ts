/**
 * Recharges as the nightly job makes them: each is claimed in the books first, then asked of Stripe under the order's id, so that a
 * process that dies between the two, or two at once, charge once. A claim stays whatever became of it: there is one try a day.
 */
import { type AccountId, findAccount } from "../accounts/account.ts";
import type { NoticeSender } from "../accounts/notice.ts";
import { enqueueMail } from "../mail/outbox.ts";
import { formatDollars } from "../money/amount.ts";
import type { ReadTx, Store, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";
import { assert, NeedsHuman, TryLater } from "../util/failure.ts";
import { listUnwanted, noteForgotten, readSavedCard } from "./card.ts";
import { takeCharge } from "./charge.ts";
import { composeRuleEnded } from "./notice.ts";
import { createOrder, findOrder, noteEnd, type Order } from "./order.ts";
import { amountOfCents, endRule, type Judgement, judgeRecharge, readRechargeFacts } from "./recharge.ts";
import type { StripeDesk } from "./stripe/connect.ts";

export interface RechargeReport {
  readonly accounts: number;
  readonly charged: number;
  readonly failed: number;
  /** Below their mark, and not charged: the cap is reached, or it is not yet time to try again. */
  readonly waiting: number;
  /** What a person should look at, and what is not known yet: one line each. */
  readonly troubles: readonly string[];
  /** Stripe was away, and the rest was left for the next run. */
  readonly isCut: boolean;
}

interface Claim {
  readonly order: Order;
  readonly customer: string;
  readonly paymentMethod: string;
}

interface Run {
  readonly store: Store;
  readonly stripe: StripeDesk;
  readonly sender: NoticeSender;
  readonly counts: { accounts: number; charged: number; failed: number; waiting: number };
  readonly troubles: string[];
}

/** Stripe forgets idempotency keys after a day; before that, the same key is the same charge. */
const keyLifeMs = 20 * 3_600_000;
/** A call that began so long ago has ended. */
const callLifeMs = 3_600_000;
const pageSize = 500;

/** May be repeated, interrupted, and run twice at once. `mayBegin`: whether new charges are made, beside finishing old ones. */
export async function rechargeAccounts(
  store: Store,
  stripe: StripeDesk,
  sender: NoticeSender,
  mayBegin: boolean,
): Promise<RechargeReport> {
  const counts = { accounts: 0, charged: 0, failed: 0, waiting: 0 };
  const run: Run = { store, stripe, sender, counts, troubles: [] };
  let isCut = false;
  try {
    for (const claim of await store.read(listOpen))
      await orTrouble(run, `order ${claim.order.id}`, () => finish(run, claim));
    if (mayBegin) await beginAll(run);
    for (const customer of await store.read(listUnwanted))
      await orTrouble(run, `customer ${customer}`, async () => {
        await stripe.forgetCustomer(customer);
        await store.write((tx) => noteForgotten(tx, customer));
      });
  } catch (cause) {
    if (!(cause instanceof TryLater)) throw cause;
    run.troubles.push(cause.message);
    isCut = true;
  }
  return { ...counts, troubles: run.troubles, isCut };
}

/** Whether there is anything to do that takes Stripe. */
export async function hasRecharges(tx: ReadTx): Promise<boolean> {
  const rules = await listOn(tx, "", 1);
  return rules.length > 0 || (await listOpen(tx)).length > 0 || (await listUnwanted(tx)).length > 0;
}

async function beginAll(run: Run): Promise<void> {
  for (let after = ""; ; ) {
    const from = after;
    const page = await run.store.read((tx) => listOn(tx, from, pageSize));
    for (const account of page) await begin(run, account);
    after = page.at(-1) ?? "";
    if (page.length < pageSize) return;
  }
}

async function begin(run: Run, account: AccountId): Promise<void> {
  run.counts.accounts += 1;
  const claim = await run.store.write((tx) => claimRecharge(tx, account, run));
  if (claim === "waiting" || claim === "capped" || claim === "today") run.counts.waiting += 1;
  if (claim === "disputed") run.troubles.push(`${account}: a payment is disputed; its recharges are off`);
  if (typeof claim !== "string") await charge(run, claim);
}

/** Judges an account, and writes the order where it is to be charged: from then on no other run does. */
async function claimRecharge(
  tx: WriteTx,
  account: AccountId,
  { stripe, sender }: Run,
): Promise<Claim | Judgement> {
  const facts = await readRechargeFacts(tx, account);
  const judgement = judgeRecharge(facts);
  if (judgement === "disputed") {
    await endRule(tx, account, "dispute");
    const owner = await findAccount(tx, account);
    assert(owner !== undefined, "a rule is of an account");
    await enqueueMail(tx, composeRuleEnded(sender, owner, "dispute"));
  }
  const card = await readSavedCard(tx, account);
  const { rule } = facts;
  if (judgement !== "charge" || card === undefined || rule === undefined) return judgement;
  const number = (facts.recharges[0]?.number ?? 0) + 1;
  const id = `order_${sha256Hex(`recharge ${account} ${number}`).slice(0, 16)}`;
  const amount = amountOfCents(rule.amountCents);
  const order = await createOrder(tx, { id, account, amount, livemode: stripe.livemode });
  const { customer, paymentMethod } = card;
  await tx.run(
    "INSERT INTO recharge (account, number, payment_order, rule, customer, payment_method) VALUES (?, ?, ?, ?, ?, ?)",
    [account, number, id, rule.number, customer, paymentMethod],
  );
  return { order, customer, paymentMethod };
}

async function charge(run: Run, claim: Claim): Promise<void> {
  const description = `Credit for ${run.sender.settings.name}`;
  await orTrouble(run, `order ${claim.order.id}`, async () =>
    take(run, claim.order, await run.stripe.charge({ ...claim, description })),
  );
}

/** What Stripe does not take at all is told, for a person, and keeps nobody else's work from being done. */
async function orTrouble(run: Run, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (!(cause instanceof NeedsHuman)) throw cause;
    run.troubles.push(`${what}: ${cause.message}`);
  }
}

async function take(run: Run, order: Order, facts: Parameters<typeof takeCharge>[1]): Promise<void> {
  const taken = await run.store.write((tx) => takeCharge(tx, facts, run.sender));
  if (!taken.ok) run.troubles.push(`order ${order.id}: ${taken.detail ?? taken.why}`);
  else if (facts.paid) run.counts.charged += 1;
  else if (taken.outcome === "not-paid-yet")
    run.troubles.push(`${order.account}: ${formatDollars(order.amount)} of order ${order.id} are under way`);
  else run.counts.failed += 1;
}

/** A charge of which the books do not know what became: looked for, asked again while its owner still wants it, or given up. */
async function finish(run: Run, claim: Claim): Promise<void> {
  const { order } = claim;
  const found = await run.stripe.findCharge(claim);
  if (found !== undefined) return take(run, order, found);
  const { ageMs, isWanted } = await run.store.read(async (tx) => ({
    ageMs: tx.now - order.createdAt,
    isWanted: await isStillWanted(tx, order),
  }));
  if (isWanted && ageMs < keyLifeMs) return charge(run, claim);
  if (ageMs < callLifeMs) return;
  await run.store.write((tx) => noteEnd(tx, order.id, "expired"));
}

/** Whether its owner would be charged now, by the same agreement, if it had not been claimed: credit may have come since, or a dispute. */
async function isStillWanted(tx: ReadTx, { id, account }: Order): Promise<boolean> {
  const own = await tx.get<{ number: bigint; rule: bigint }>(
    "SELECT number, rule FROM recharge WHERE payment_order = ?",
    [id],
  );
  const facts = await readRechargeFacts(tx, account);
  const others = facts.recharges.filter(({ number }) => number !== Number(own?.number));
  const isSame = facts.rule?.number === Number(own?.rule);
  return isSame && judgeRecharge({ ...facts, recharges: others }) === "charge";
}

/** Accounts whose newest rule is on, by their id. */
async function listOn(tx: ReadTx, after: string, limit: number): Promise<readonly AccountId[]> {
  const rows = await tx.all<{ account: AccountId }>(
    `SELECT account FROM recharge_rule r WHERE account > ? AND is_on = 1
       AND number = (SELECT max(number) FROM recharge_rule n WHERE n.account = r.account)
     ORDER BY account LIMIT ?`,
    [after, limit],
  );
  return rows.map(({ account }) => account);
}

async function listOpen(tx: ReadTx): Promise<readonly Claim[]> {
  const rows = await tx.all<{ id: string; customer: string; paymentMethod: string }>(
    `SELECT r.payment_order AS id, r.customer, r.payment_method AS paymentMethod FROM recharge r
     WHERE NOT EXISTS (SELECT 1 FROM checkout_end e WHERE e.payment_order = r.payment_order)
       AND NOT EXISTS (SELECT 1 FROM transfer t WHERE t.credit = r.account AND t.code = 'topup' AND t.reference = r.payment_order)
     ORDER BY r.account, r.number`,
  );
  const claims: Claim[] = [];
  for (const { id, ...card } of rows) {
    const order = await findOrder(tx, id);
    assert(order !== undefined, `recharge ${id} has an order`);
    claims.push({ order, ...card });
  }
  return claims;
}
