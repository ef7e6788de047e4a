/** Stripe's own pages: one on which an order is paid, and one on which a card is saved. */
import type Stripe from "stripe";
import { toCents } from "../../money/amount.ts";
import { assert, TryLater } from "../../util/failure.ts";
import type { Order } from "../order.ts";

export interface CheckoutRequest {
  readonly order: Order;
  readonly email: string;
  /** What Stripe's page shows: "Credit for NAME". */
  readonly description: string;
  readonly successUrl: string;
  readonly cancelUrl: string;
  /** Whether Stripe reckons tax and takes it besides. */
  readonly hasTax: boolean;
}

/** A page on which a card is saved, and nothing paid. */
export interface CardPageRequest extends Pick<CheckoutRequest, "email" | "successUrl" | "cancelUrl"> {
  /** Our own id of it, `card_...`: the idempotency key. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** Where a page of Stripe's is, and which session is behind it. */
export interface StripePage {
  readonly session: string;
  readonly url: string;
}

// Stripe takes 30 minutes to 24 hours. Counted from our own row, so that a repeated call says the same.
const pageLifeSeconds = 3600;

/** Makes the session of an order, or finds it again. */
export async function createCheckout(stripe: Stripe, request: CheckoutRequest): Promise<StripePage> {
  const { order } = request;
  const cents = toCents(order.amount);
  assert(cents !== undefined && cents > 0, `order ${order.id} is over whole cents`);
  const metadata = { order: order.id };
  const session = await stripe.checkout.sessions.create(
    {
      mode: "payment",
      client_reference_id: order.id,
      metadata,
      payment_intent_data: { metadata },
      customer_email: request.email,
      line_items: [
        {
          quantity: 1,
          price_data: {
            currency: "usd",
            unit_amount: cents,
            product_data: { name: request.description },
            ...(request.hasTax ? { tax_behavior: "exclusive" as const } : {}),
          },
        },
      ],
      success_url: request.successUrl,
      cancel_url: request.cancelUrl,
      ...(request.hasTax ? { automatic_tax: { enabled: true } } : {}),
      expires_at: expiryOf(order.createdAt),
    },
    { idempotencyKey: order.id },
  );
  return pageOf(session, `order ${order.id}`);
}

/** Makes the session of a card page, or finds it again. Stripe makes the customer who has the card when it is saved. */
export async function createCardPage(stripe: Stripe, request: CardPageRequest): Promise<StripePage> {
  const metadata = { card: request.id };
  const session = await stripe.checkout.sessions.create(
    {
      mode: "setup",
      metadata,
      setup_intent_data: { metadata },
      customer_creation: "always",
      customer_email: request.email,
      // Other methods pay later, or take money back for weeks.
      allowed_payment_method_types: ["card"],
      success_url: request.successUrl,
      cancel_url: request.cancelUrl,
      expires_at: expiryOf(request.createdAt),
    },
    { idempotencyKey: request.id },
  );
  return pageOf(session, `card page ${request.id}`);
}

function expiryOf(createdAt: number): number {
  return Math.floor(createdAt / 1000) + pageLifeSeconds;
}

function pageOf({ id, url }: { readonly id: string; readonly url: string | null }, what: string): StripePage {
  if (url === null) throw new TryLater(`Stripe made no page for ${what}; try again`);
  return { session: id, url };
}
