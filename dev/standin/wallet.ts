/**
 * Cards that were saved at the stand-in, and charges of them while their owner is away (docs.stripe.com/payments/save-and-reuse). What
 * a card does is told by its last digits, as with Stripe's own test cards (docs.stripe.com/testing).
 */
import { type ApiAnswer, type ApiError, invalid, missingObject } from "./answer.ts";
import { type FormTree, textAt, textsOf, treeAt } from "./form.ts";
import { makeChargeIntent, makeId, type PaymentIntent } from "./object.ts";

/** What becomes of a charge, by the button with which its card was saved. */
export const cardButtons = {
  "save-good": { label: "Save a card that can be charged", last4: "4242", code: "", decline: "" },
  "save-declined": {
    label: "Save one that is declined later",
    last4: "0341",
    code: "card_declined",
    decline: "generic_decline",
  },
  "save-poor": {
    label: "Save one without money",
    last4: "9995",
    code: "card_declined",
    decline: "insufficient_funds",
  },
  "save-lost": { label: "Save one that is lost", last4: "9987", code: "card_declined", decline: "lost_card" },
  "save-owner": {
    label: "Save one whose bank asks for its owner",
    last4: "3184",
    code: "authentication_required",
    decline: "authentication_required",
  },
} as const;
export type CardButton = keyof typeof cardButtons;

interface SavedMethod {
  readonly id: string;
  readonly object: "payment_method";
  readonly customer: string;
  readonly card: { readonly last4: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export interface Setup {
  readonly id: string;
  readonly object: "setup_intent";
  readonly status: "succeeded";
  readonly payment_method: string;
  readonly customer: string;
  readonly [field: string]: unknown;
}

export interface Wallet {
  /** A customer is made, with a card. */
  readonly save: (button: CardButton, email: string | null, metadata: object) => Setup;
  readonly findSetup: (id: string) => Setup | undefined;
  readonly findMethod: (id: string) => SavedMethod | undefined;
  /** `POST /v1/payment_intents` */
  readonly charge: (parameters: FormTree) => ApiAnswer | ApiError;
  /** `DELETE /v1/customers/ID` */
  readonly forget: (customer: string) => ApiAnswer | ApiError;
  /** Customers that were not forgotten. */
  readonly customers: () => readonly string[];
  /** From now on a card does what one of another button does. */
  readonly turn: (method: string, button: CardButton) => void;
}

interface WalletOptions {
  /** Seconds since the epoch. */
  readonly now: () => number;
  readonly tell: (type: string, object: object) => void;
  /** Keeps a payment intent, and moves its money where it was paid. */
  readonly settle: (intent: PaymentIntent) => void;
}

const parametersTaken: readonly string[] = [
  "amount",
  "currency",
  "customer",
  "payment_method",
  "off_session",
  "confirm",
  "automatic_payment_methods",
  "description",
  "metadata",
];

export function makeWallet({ now, tell, settle }: WalletOptions): Wallet {
  const customers = new Map<string, { readonly email: string | null }>();
  const methods = new Map<string, SavedMethod>();
  const setups = new Map<string, Setup>();

  const save: Wallet["save"] = (button, email, metadata) => {
    const customer = makeId("cus_", 14);
    customers.set(customer, { email });
    const method = makeMethod(customer, button, now());
    methods.set(method.id, method);
    const setup: Setup = {
      id: makeId("seti_1"),
      object: "setup_intent",
      created: now(),
      customer,
      livemode: false,
      metadata,
      payment_method: method.id,
      payment_method_types: ["card"],
      status: "succeeded",
      usage: "off_session",
    };
    setups.set(setup.id, setup);
    tell("setup_intent.succeeded", setup);
    return setup;
  };

  const charge: Wallet["charge"] = (parameters) => {
    const unknown = [...parameters.keys()].find((name) => !parametersTaken.includes(name));
    if (unknown !== undefined)
      return invalid("parameter_unknown", unknown, `Received unknown parameter: ${unknown}`);
    const [customer, id] = [textAt(parameters, "customer") ?? "", textAt(parameters, "payment_method") ?? ""];
    const method = methods.get(id);
    if (!customers.has(customer)) return missingObject("customer", "customer", customer);
    if (method?.customer !== customer) return missingObject("PaymentMethod", "payment_method", id);
    if (textAt(parameters, "off_session") !== "true" || textAt(parameters, "confirm") !== "true")
      return invalid(
        "parameter_missing",
        "off_session",
        "The development stand-in charges while nobody is there",
      );
    const amount = Number(textAt(parameters, "amount"));
    if (!Number.isSafeInteger(amount) || amount < 50 || textAt(parameters, "currency") !== "usd")
      return invalid("amount_too_small", "amount", "Amount must be at least $0.50 usd");
    const kind = Object.values(cardButtons).find(({ last4 }) => last4 === method.card.last4);
    const error =
      kind === undefined || kind.code === "" ? null : { code: kind.code, decline_code: kind.decline };
    const intent = makeChargeIntent({
      amount,
      customer,
      method: id,
      metadata: textsOf(treeAt(parameters, "metadata")),
      description: textAt(parameters, "description") ?? null,
      error,
      now: now(),
    });
    settle(intent);
    tell(error === null ? "payment_intent.succeeded" : "payment_intent.payment_failed", intent);
    if (error === null) return { status: 200, body: intent };
    const message =
      error.code === "authentication_required"
        ? "Your card was declined. This transaction requires authentication."
        : "Your card was declined.";
    return {
      status: 402,
      body: {
        error: { ...error, type: "card_error", message, payment_intent: intent, payment_method: method },
      },
    };
  };

  return {
    save,
    findSetup: (id) => setups.get(id),
    findMethod: (id) => methods.get(id),
    charge,
    forget: (customer) => {
      if (!customers.delete(customer)) return missingObject("customer", "id", customer);
      for (const [id, method] of methods) if (method.customer === customer) methods.delete(id);
      return { status: 200, body: { id: customer, object: "customer", deleted: true } };
    },
    customers: () => [...customers.keys()],
    turn: (id, button) => {
      const method = methods.get(id);
      if (method !== undefined)
        methods.set(id, { ...method, card: { ...method.card, last4: cardButtons[button].last4 } });
    },
  };
}

function makeMethod(customer: string, button: CardButton, now: number): SavedMethod {
  return {
    id: makeId("pm_1"),
    object: "payment_method",
    allow_redisplay: "limited",
    card: {
      brand: "visa",
      country: "US",
      exp_month: 4,
      exp_year: 2030,
      fingerprint: makeId("", 16),
      funding: "credit",
      last4: cardButtons[button].last4,
    },
    created: now,
    customer,
    livemode: false,
    metadata: {},
    type: "card",
  };
}
