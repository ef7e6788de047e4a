/**
 * What became of a charge of a saved card, taken into the books with the mail that tells its owner. Called by the job that asked for
 * it, by the webhook, and by the reconciliation, in any order and any number of times.
 */
import { type AccountId, findAccount } from "../accounts/account.ts";
import type { NoticeSender } from "../accounts/notice.ts";
import { readBalance } from "../ledger/transfer.ts";
import { enqueueMail } from "../mail/outbox.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { dayOf } from "../util/clock.ts";
import { assert, refuse } from "../util/failure.ts";
import { type ChargeFacts, cardGone } from "./facts.ts";
import { type Fulfilment, fulfilCheckout } from "./fulfil.ts";
import { composeCharged, composeFailed } from "./notice.ts";
import { findOrder, noteEnd, type Order } from "./order.ts";
import {
  amountOfCents,
  countFailures,
  endRule,
  listRecharges,
  mostFailures,
  nextDay,
  type RuleReason,
  readRule,
  spentIn,
} from "./recharge.ts";

/**
 * Words of Stripe's for cards that no later try will charge, docs.stripe.com/declines/codes. The card networks fine those who try
 * them again.
 */
const lastWords: readonly string[] = [
  cardGone,
  "expired_card",
  "fraudulent",
  "incorrect_number",
  "invalid_account",
  "lost_card",
  "new_account_information_available",
  "no_action_taken",
  "pickup_card",
  "restricted_card",
  "revocation_of_all_authorizations",
  "revocation_of_authorization",
  "stolen_card",
  "stop_payment_order",
];

/** Mails are made in the transaction: only there it shows whether this is the first to tell. */
export async function takeCharge(tx: WriteTx, facts: ChargeFacts, sender: NoticeSender): Promise<Fulfilment> {
  const { orderId, paid, failure } = facts;
  // Checkouts tell of their payments themselves; and others may use the same Stripe account.
  if (!facts.isRecharge) return { ok: true, outcome: "not-a-recharge" };
  const order = await findOrder(tx, orderId);
  if (order === undefined) return refuse("unknown-order", `no order "${orderId}" is in the books`);
  if (paid) return takePaid(tx, facts, order, sender);
  if (failure === "") return { ok: true, outcome: "not-paid-yet" };
  if (order.livemode !== facts.livemode)
    return refuse("other-mode", `order ${order.id}: test money and live money never meet`);
  return takeFailed(tx, facts, order, sender);
}

async function takePaid(
  tx: WriteTx,
  facts: ChargeFacts,
  order: Order,
  sender: NoticeSender,
): Promise<Fulfilment> {
  const { orderId, paid, paymentIntent, cents, currency, livemode } = facts;
  const payment = {
    orderId,
    paid,
    ended: "",
    paymentIntent,
    netCents: cents,
    taxCents: 0,
    currency,
    livemode,
  } as const;
  const posting = await fulfilCheckout(tx, payment);
  if (!posting.ok || posting.outcome !== "created") return posting;
  const account = await findOwner(tx, order.account);
  const rule = await readRule(tx, order.account);
  const mail = composeCharged(sender, account, {
    order: order.id,
    amount: order.amount,
    balance: await readBalance(tx, order.account),
    spent: spentIn(await listRecharges(tx, order.account), dayOf(order.createdAt)),
    cap: rule === undefined ? undefined : amountOfCents(rule.capCents),
  });
  await enqueueMail(tx, mail);
  return posting;
}

async function takeFailed(
  tx: WriteTx,
  facts: ChargeFacts,
  order: Order,
  sender: NoticeSender,
): Promise<Fulfilment> {
  const { id, account } = order;
  const own = await tx.get<{ rule: bigint; code: string | null; paid: string | null }>(
    `SELECT r.rule, f.code, t.id AS paid FROM recharge r
     LEFT JOIN recharge_failure f ON f.payment_order = r.payment_order
     LEFT JOIN transfer t ON t.credit = r.account AND t.code = 'topup' AND t.reference = r.payment_order
     WHERE r.payment_order = ?`,
    [id],
  );
  if (own === undefined) return refuse("unknown-order", `order ${id} is no recharge`);
  if (own.code !== null || own.paid !== null) return { ok: true, outcome: "exists" };
  await tx.run("INSERT INTO recharge_failure (payment_order, code, failed_at) VALUES (?, ?, ?)", [
    id,
    facts.failure,
    tx.now,
  ]);
  await noteEnd(tx, id, "failed");
  const recharges = await listRecharges(tx, account);
  const rule = await readRule(tx, account);
  // An agreement that was made anew since does not end by what became of the one before.
  const isCurrent = rule?.isOn === true && rule.number === Number(own.rule);
  const ended = isCurrent ? findEnd(facts, countFailures(recharges, rule.number)) : undefined;
  if (ended !== undefined) await endRule(tx, account, ended);
  const goesOn = isCurrent && ended === undefined;
  const mail = composeFailed(sender, await findOwner(tx, account), {
    order: id,
    amount: order.amount,
    failure: facts.failure,
    ended,
    nextDay: goesOn ? (nextDay(recharges, rule.number) ?? "") : "",
  });
  await enqueueMail(tx, mail);
  return { ok: true, outcome: "ended" };
}

function findEnd({ failure, needsOwner }: ChargeFacts, failures: number): RuleReason | undefined {
  if (needsOwner) return "bank";
  if (lastWords.includes(failure)) return "card";
  return failures >= mostFailures ? "failures" : undefined;
}

async function findOwner(tx: ReadTx, account: AccountId) {
  const owner = await findAccount(tx, account);
  assert(owner !== undefined, "an order is of an account");
  return owner;
}
