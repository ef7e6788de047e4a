/**
 * `refund ACCOUNT AMOUNT --reason TEXT [--payment PI] [--preview]` gives a payment back through Stripe, in part or whole; `refund
 * --resume ID` asks again where the first time did not come to an end.
 */
import { resolveAccount } from "../lib/accounts/account.ts";
import { formatExact, parseExact, zero } from "../lib/money/amount.ts";
import { takeRefund } from "../lib/payments/refund.ts";
import {
  beginRefund,
  findRefundOrder,
  grossCents,
  planRefund,
  type RefundOrder,
  readRefundState,
  undoRefund,
} from "../lib/payments/refunding.ts";
import { connectStripe } from "../lib/payments/stripe/connect.ts";
import { writeAudit } from "../lib/staff/audit.ts";
import { NeedsHuman } from "../lib/util/failure.ts";
import { type Job, type JobContext, readBy } from "./run.ts";

const text = { type: "string" } as const;

export const job: Job = {
  usage: "ACCOUNT AMOUNT --reason TEXT [--payment PI] [--by NAME] [--preview] | --resume ID",
  options: { reason: text, by: text, payment: text, resume: text, preview: { type: "boolean" } },
  run: async (context, { values, words }) => {
    const store = context.openStore();
    if (typeof values.resume === "string" && words.length === 0) {
      const id = values.resume;
      const order = await store.read((tx) => findRefundOrder(tx, id));
      if (order !== undefined) return send(context, order);
      context.complain(`refund: there is no refund "${id}"; site reconcile names those that wait`);
      return "refused";
    }
    const [subject, amountText, ...more] = words;
    const amount = parseExact(amountText ?? "");
    if (subject === undefined || amountText === undefined || more.length > 0) return "misused";
    if (amount === undefined || amount <= zero) {
      context.complain(`refund: "${amountText}" is no amount; write it as 5 or 9.87`);
      return "misused";
    }
    const by = readBy(context, values);
    if (by === undefined) return "misused";
    const account = await store.read((tx) => resolveAccount(tx, subject));
    if (account === undefined) {
      context.complain(`refund: "${subject}" is neither an account id nor the address of an account`);
      return "refused";
    }
    const payment = typeof values.payment === "string" ? values.payment : undefined;
    const order = await store.read((tx) =>
      planRefund(tx, { account: account.id, amount, payment }, by.reason),
    );
    if (order === undefined) {
      context.complain(`refund: no payment of ${subject} has $${formatExact(amount)} left to be given back`);
      return "refused";
    }
    if (values.preview === true) {
      context.say(`refund: would be: ${describe(order)} to ${order.account}`);
      return "done";
    }
    return begin(context, order, by);
  },
};

function describe({ id, amount, paymentIntent }: RefundOrder): string {
  return `${id}, $${formatExact(amount)} of ${paymentIntent}`;
}

async function begin(
  context: JobContext,
  order: RefundOrder,
  by: { readonly operator: string; readonly reason: string },
) {
  const begun = await context.openStore().write(async (tx) => {
    const result = await beginRefund(tx, order);
    if (result.ok && result.outcome === "created")
      await writeAudit(tx, { ...by, action: "refund", account: order.account, detail: describe(order) });
    return result;
  });
  if (begun.ok) return send(context, order);
  context.complain(`refund: ${begun.detail ?? begun.why}`);
  return "refused" as const;
}

/** Asks Stripe, and takes what it says into the books. */
async function send(context: JobContext, order: RefundOrder) {
  const store = context.openStore();
  const what = describe(order);
  const state = await store.read((tx) => readRefundState(tx, order.id));
  if (state !== "asked") {
    context.say(`refund: ${what}: was ${state === "paid" ? "paid" : "refused"} before`);
    return state === "paid" ? ("done" as const) : ("refused" as const);
  }
  const stripe = connectStripe(context.secrets);
  const cents = await store.read((tx) => grossCents(tx, order));
  const request = { id: order.id, paymentIntent: order.paymentIntent, cents };
  let facts = await stripe.findRefund(request);
  try {
    facts ??= await stripe.refund(request);
  } catch (cause) {
    // Anything else than a plain no leaves open whether it was done; the same command asks again.
    if (!(cause instanceof NeedsHuman)) throw cause;
    await store.write((tx) => undoRefund(tx, order));
    context.complain(`refund: ${what}: ${cause.message}; the credit is back with the customer`);
    return "refused" as const;
  }
  const told = facts;
  const taken = await store.write((tx) => takeRefund(tx, told));
  if (!taken.ok) throw new NeedsHuman(`${what}: Stripe did it, and the books do not fit: ${taken.detail}`);
  context.say(`refund: ${what}: ${told.failed ? "failed" : "done"}, ${told.id}`);
  return "done" as const;
}
