/**
 * The objects of Stripe's API that the stand-in makes, with the fields that they have in the API version of the
 * site's library. They are never changed in place: each step makes the next one.
 */
import { sha256Hex } from "../../lib/util/digest.ts";
import { randomToken } from "../../lib/util/random.ts";
import type { OrderedSession } from "./order.ts";

export interface CheckoutSession {
  readonly id: string;
  readonly object: "checkout.session";
  readonly amount_total: number | null;
  readonly cancel_url: string | null;
  readonly client_reference_id: string | null;
  readonly created: number;
  readonly customer_email: string | null;
  readonly expires_at: number;
  readonly payment_intent: string | null;
  readonly payment_status: "unpaid" | "paid" | "no_payment_required";
  readonly mode: "payment" | "setup";
  readonly customer: string | null;
  readonly setup_intent: string | null;
  readonly status: "open" | "complete" | "expired";
  readonly success_url: string;
  readonly url: string | null;
  readonly [field: string]: unknown;
}

export interface PaymentIntent {
  readonly id: string;
  readonly object: "payment_intent";
  readonly created: number;
  readonly amount_received: number;
  readonly customer: string | null;
  readonly status: "processing" | "succeeded" | "requires_payment_method";
  readonly [field: string]: unknown;
}

export interface StripeEvent {
  readonly id: string;
  readonly object: "event";
  readonly api_version: string;
  readonly created: number;
  readonly data: { readonly object: object };
  readonly livemode: false;
  readonly pending_webhooks: number;
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null };
  readonly type: string;
}

/** An id as long as Stripe's; letters and digits only. */
export function makeId(prefix: string, length = 24): string {
  return prefix + sha256Hex(randomToken()).slice(0, length);
}

/** A new session, open and unpaid. `pageUrl` is the stand-in's address of checkout pages. */
export function makeSession(order: OrderedSession, now: number, pageUrl: string): CheckoutSession {
  const id = makeId("cs_test_a1", 56);
  return {
    ...unusedSessionFields,
    id,
    object: "checkout.session",
    amount_subtotal: order.mode === "setup" ? null : order.totalCents,
    amount_total: order.mode === "setup" ? null : order.totalCents + order.taxCents,
    cancel_url: order.cancelUrl,
    client_reference_id: order.clientReferenceId,
    created: now,
    currency: order.mode === "setup" ? null : "usd",
    customer: null,
    customer_details:
      order.customerEmail === null ? null : { ...noCustomerDetails, email: order.customerEmail },
    customer_email: order.customerEmail,
    expires_at: order.expiresAt,
    livemode: false,
    metadata: order.metadata,
    mode: order.mode,
    payment_intent: null,
    payment_status: order.mode === "setup" ? "no_payment_required" : "unpaid",
    setup_intent: null,
    status: "open",
    success_url: order.successUrl,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: order.taxCents },
    url: pageUrl + id,
  };
}

/** Stripe makes the PaymentIntent when the customer confirms, not with the session (since API 2022-08-01). */
export function makeIntent(order: OrderedSession, now: number, delayed: boolean): PaymentIntent {
  const id = makeId("pi_3");
  return {
    ...unusedIntentFields,
    id,
    object: "payment_intent",
    amount: order.totalCents + order.taxCents,
    amount_received: delayed ? 0 : order.totalCents + order.taxCents,
    client_secret: `${id}_secret_${makeId("", 25)}`,
    created: now,
    customer: null,
    latest_charge: makeId("ch_3"),
    metadata: order.intentMetadata,
    payment_method: makeId("pm_1"),
    payment_method_types: [delayed ? "us_bank_account" : "card"],
    status: delayed ? "processing" : "succeeded",
  };
}

/** The payment intent of a charge while nobody is there; `error`: why it failed. */
export function makeChargeIntent(charge: {
  readonly amount: number;
  readonly customer: string;
  readonly method: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly description: string | null;
  readonly error: object | null;
  readonly now: number;
}): PaymentIntent {
  const id = makeId("pi_3");
  const { amount, error } = charge;
  return {
    ...unusedIntentFields,
    id,
    object: "payment_intent",
    amount,
    amount_received: error === null ? amount : 0,
    automatic_payment_methods: { allow_redirects: "never", enabled: true },
    client_secret: `${id}_secret_${makeId("", 25)}`,
    created: charge.now,
    customer: charge.customer,
    description: charge.description,
    last_payment_error: error,
    latest_charge: makeId("ch_3"),
    metadata: charge.metadata,
    // The method of a charge that failed is taken off it.
    payment_method: error === null ? charge.method : null,
    payment_method_types: ["card"],
    status: error === null ? "succeeded" : "requires_payment_method",
  };
}

const noCustomerDetails = {
  address: null,
  business_name: null,
  individual_name: null,
  name: null,
  phone: null,
  tax_exempt: "none",
  tax_ids: null,
};

const unusedSessionFields = {
  adaptive_pricing: { enabled: false },
  after_expiration: null,
  allow_promotion_codes: null,
  automatic_tax: { enabled: false, liability: null, provider: null, status: null },
  billing_address_collection: null,
  client_secret: null,
  collected_information: null,
  consent: null,
  consent_collection: null,
  currency_conversion: null,
  custom_fields: [],
  custom_text: {
    after_submit: null,
    shipping_address: null,
    submit: null,
    terms_of_service_acceptance: null,
  },
  customer_account: null,
  customer_creation: "if_required",
  discounts: [],
  invoice: null,
  invoice_creation: { enabled: false },
  locale: null,
  origin_context: null,
  payment_link: null,
  payment_method_collection: "if_required",
  payment_method_configuration_details: null,
  payment_method_options: {},
  payment_method_types: ["card"],
  permissions: null,
  phone_number_collection: { enabled: false },
  recovered_from: null,
  saved_payment_method_options: null,
  shipping_address_collection: null,
  shipping_cost: null,
  shipping_options: [],
  submit_type: null,
  subscription: null,
  ui_mode: "hosted_page",
  wallet_options: null,
};

const unusedIntentFields = {
  amount_capturable: 0,
  application: null,
  application_fee_amount: null,
  automatic_payment_methods: null,
  canceled_at: null,
  cancellation_reason: null,
  capture_method: "automatic_async",
  confirmation_method: "automatic",
  currency: "usd",
  customer_account: null,
  description: null,
  last_payment_error: null,
  livemode: false,
  next_action: null,
  on_behalf_of: null,
  payment_method_configuration_details: null,
  payment_method_options: {},
  processing: null,
  receipt_email: null,
  review: null,
  setup_future_usage: null,
  shipping: null,
  source: null,
  statement_descriptor: null,
  statement_descriptor_suffix: null,
  transfer_data: null,
  transfer_group: null,
};
