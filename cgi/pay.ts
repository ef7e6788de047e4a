/**
 * Add credit: our own order first, then Stripe's page for it, then back here with the order's number, where the
 * payment is taken into the books by the same function that the webhook calls. No card number comes near us.
 */
import type { Account } from "../lib/accounts/account.ts";
import { checkouts, takeAttempt } from "../lib/accounts/limit.ts";
import { type Amount, amountOf, formatDollars, parseDollars } from "../lib/money/amount.ts";
import { fulfilCheckout } from "../lib/payments/fulfil.ts";
import { attachCheckout, createOrder, findCheckout, findOrder } from "../lib/payments/order.ts";
import { connectStripe } from "../lib/payments/stripe/connect.ts";
import { NeedsHuman, TryLater } from "../lib/util/failure.ts";
import { randomId } from "../lib/util/random.ts";
import { pathOf } from "../lib/util/routes.ts";
import type { Settings } from "../lib/util/settings.ts";
import { waitState } from "./support/network.ts";
import type { Response } from "./support/response.ts";
import { respondPage, respondRedirect, type Visit, withAccount } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

const dollar = 10n ** 18n;

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) => {
    if (visit.request.method === "POST") return startPayment(visit, account);
    const orderId = visit.query.get("order");
    return orderId === undefined ? showForm(visit, {}) : finishPayment(visit, account, orderId);
  });
}

async function startPayment(visit: Visit, account: Account): Promise<Response> {
  const { settings, secrets, store } = visit.site;
  const typed = visit.form.get("amount") ?? "";
  const amount = parseDollars(typed.trim());
  const { minimum, maximum } = limits(settings);
  if (amount === undefined || amount < minimum || amount > maximum) {
    const error = `Type an amount from ${formatDollars(minimum)} to ${formatDollars(maximum)}, such as 10 or 10.00.`;
    return showForm(visit, { amount: typed, error });
  }
  const stripe = connectStripe(secrets);
  const waitMs = await store.write((tx) => takeAttempt(tx, checkouts, account.id));
  if (waitMs > 0) return showForm(visit, { amount: typed, waitMs });
  // 1. The order, committed: whatever happens from here on, a payment can be told whose it is. The form names it, so that one
  // that is sent twice is one order.
  const order = await store.write(async (tx) => {
    const named = visit.form.get("order") ?? "";
    const known = isOrderId(named) ? await findOrder(tx, named) : undefined;
    if (known?.account === account.id && known.amount === amount && known.livemode === stripe.livemode)
      return known;
    const id = isOrderId(named) && known === undefined ? named : randomId("order_");
    return createOrder(tx, { id, account: account.id, amount, livemode: stripe.livemode });
  });
  const { id } = order;
  watch(visit, "payment-begun", account);
  // 2. Stripe's page for it; the order's id is the idempotency key.
  const { session, url } = await stripe.create({
    order,
    email: account.email,
    description: `Credit for ${settings.name}`,
    successUrl: `${settings.url}${pathOf("pay")}?order=${id}`,
    cancelUrl: settings.url + pathOf("account"),
    hasTax: settings.hasTax,
  });
  // 3. Which session is the order's, so that the way back can find it.
  await store.write((tx) => attachCheckout(tx, id, session));
  return respondRedirect(visit, url);
}

/** The way back from Stripe. The address proves nothing: Stripe is asked what was paid. */
async function finishPayment(visit: Visit, account: Account, orderId: string): Promise<Response> {
  const { secrets, store, log } = visit.site;
  const session = await store.read(async (tx) => {
    const order = await findOrder(tx, orderId);
    return order?.account === account.id ? findCheckout(tx, orderId) : undefined;
  });
  if (session === undefined)
    return respondPage(visit, { title: "No such payment", template: "pay-unknown", status: 404 });
  try {
    const facts = await connectStripe(secrets).read(session);
    const result = await store.write((tx) => fulfilCheckout(tx, facts));
    if (!result.ok) log(`pay: order ${orderId} was refused: ${result.detail ?? result.why}`);
    else if (result.outcome === "ended") return showEnd(visit);
    else if (result.outcome !== "not-paid-yet") return respondRedirect(visit, pathOf("account"));
  } catch (cause) {
    // The webhook brings the same news; the customer need not wait for it here.
    if (!(cause instanceof TryLater || cause instanceof NeedsHuman)) throw cause;
    log(`pay: order ${orderId}: ${cause.message}`);
  }
  return respondPage(visit, {
    title: "Payment under way",
    template: "pay-waiting",
    data: { account: pathOf("account") },
  });
}

function isOrderId(text: string): boolean {
  return /^order_[a-z2-7]{16}$/.test(text);
}

function showEnd(visit: Visit): Response {
  return respondPage(visit, {
    title: "Nothing was paid",
    template: "pay-ended",
    data: { pay: pathOf("pay"), account: pathOf("account") },
  });
}

interface Shown {
  readonly amount?: string;
  readonly error?: string;
  readonly waitMs?: number;
}

function showForm(visit: Visit, { amount = "", error: wrong = "", waitMs = 0 }: Shown): Response {
  const wait = waitMs > 0 ? waitState(waitMs) : undefined;
  const error = wait?.error ?? wrong;
  const { minimum, maximum } = limits(visit.site.settings);
  return respondPage(visit, {
    title: "Add credit",
    template: "pay",
    status: wait !== undefined ? 429 : error === "" ? 200 : 422,
    headers: wait?.headers ?? [],
    // Browsers apply form-action to the redirect that follows the form as well.
    formTarget: visit.site.secrets.stripe_api ?? "https://checkout.stripe.com",
    data: {
      amount,
      error,
      order: randomId("order_"),
      minimum: formatDollars(minimum),
      maximum: formatDollars(maximum),
    },
  });
}

function limits(settings: Settings): { readonly minimum: Amount; readonly maximum: Amount } {
  const { topUpMinimum, topUpMaximum } = settings;
  return {
    minimum: amountOf(BigInt(topUpMinimum) * dollar),
    maximum: amountOf(BigInt(topUpMaximum) * dollar),
  };
}
