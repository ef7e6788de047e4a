/**
 * Charges of a saved card while its owner is away (docs.stripe.com/payments/save-and-reuse), and forgetting who had it. What the
 * bank says is an answer here, and no fault.
 */
import Stripe from "stripe";
import { toCents } from "../../money/amount.ts";
import { assert } from "../../util/failure.ts";
import { type ChargeFacts, cardGone } from "../facts.ts";
import { readCharge } from "../objects.ts";
import type { Order } from "../order.ts";

export interface ChargeRequest {
  /** Its id is the idempotency key. */
  readonly order: Order;
  /** `cus_...` and `pm_...` */
  readonly customer: string;
  readonly paymentMethod: string;
  /** What the customer's bank and Stripe's receipts may show. */
  readonly description: string;
}

const pageSize = 100;

export async function createCharge(stripe: Stripe, request: ChargeRequest): Promise<ChargeFacts> {
  const { order, customer, paymentMethod, description } = request;
  const cents = toCents(order.amount);
  assert(cents !== undefined && cents > 0, `order ${order.id} is over whole cents`);
  try {
    const intent = await stripe.paymentIntents.create(
      {
        amount: cents,
        currency: "usd",
        customer,
        payment_method: paymentMethod,
        off_session: true,
        confirm: true,
        // Nobody is there to be sent elsewhere.
        automatic_payment_methods: { enabled: true, allow_redirects: "never" },
        description,
        metadata: { order: order.id, recharge: "yes" },
      },
      { idempotencyKey: order.id },
    );
    return readCharge(intent);
  } catch (cause) {
    const facts = readRefusal(cause, order);
    if (facts === undefined) throw cause;
    return facts;
  }
}

/** What the bank said no to; undefined for what says nothing of the card. */
function readRefusal(cause: unknown, order: Order): ChargeFacts | undefined {
  const isOfCard = cause instanceof Stripe.errors.StripeCardError;
  const isGone =
    cause instanceof Stripe.errors.StripeInvalidRequestError &&
    (cause.param === "payment_method" || cause.param === "customer");
  if (!isOfCard && !isGone) return undefined;
  return {
    orderId: order.id,
    isRecharge: true,
    paid: false,
    failure: isGone ? cardGone : cause.decline_code || cause.code || "card_error",
    needsOwner: cause.code === "authentication_required",
    paymentIntent: cause.payment_intent?.id ?? "",
    cents: 0,
    currency: "usd",
    livemode: order.livemode,
  };
}

/** The charge of an order, if Stripe has it: lists of one customer are up to date at once, where a search is not. */
export async function findCharge(
  stripe: Stripe,
  { order, customer }: Pick<ChargeRequest, "order" | "customer">,
): Promise<ChargeFacts | undefined> {
  const created = { gte: Math.floor(order.createdAt / 1000) - 60 };
  for await (const intent of stripe.paymentIntents.list({ customer, created, limit: pageSize }))
    if (intent.metadata?.order === order.id) return readCharge(intent);
  return undefined;
}

/** Deletes a customer at Stripe with the cards that are saved there; may be repeated. */
export async function forgetCustomer(stripe: Stripe, customer: string): Promise<void> {
  try {
    await stripe.customers.del(customer);
  } catch (cause) {
    const isGone = cause instanceof Stripe.errors.StripeInvalidRequestError && cause.statusCode === 404;
    if (!isGone) throw cause;
  }
}
