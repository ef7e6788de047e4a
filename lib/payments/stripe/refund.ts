/** Refunds that were written down here first; their id is the idempotency key. */
import type Stripe from "stripe";
import type { RefundFacts } from "../facts.ts";
import { readRefund } from "../objects.ts";

export interface RefundRequest {
  readonly id: string;
  readonly paymentIntent: string;
  readonly cents: number;
}

export async function createRefund(stripe: Stripe, request: RefundRequest): Promise<RefundFacts> {
  const { id, paymentIntent, cents } = request;
  const refund = { payment_intent: paymentIntent, amount: cents, metadata: { refund: id } };
  return readRefund(await stripe.refunds.create(refund, { idempotencyKey: id }));
}

export async function findRefund(
  stripe: Stripe,
  { id, paymentIntent: payment_intent }: RefundRequest,
): Promise<RefundFacts | undefined> {
  const { data } = await stripe.refunds.list({ payment_intent, limit: 100 });
  const refund = data.find((one) => one.metadata?.refund === id);
  return refund === undefined ? undefined : readRefund(refund);
}
