/**
 * What the stand-in knows: sessions, payment intents, events, in memory. The steps of a payment are here, and each
 * tells of itself by an event; nothing else changes a session.
 */
import { assert } from "../../lib/util/failure.ts";
import type { StripeEvent } from "./object.ts";
import { type CheckoutSession, makeId, makeIntent, makeSession, type PaymentIntent } from "./object.ts";
import type { OrderedSession } from "./order.ts";
import { makeVault, type Vault } from "./vault.ts";
import { type CardButton, makeWallet, type Wallet } from "./wallet.ts";

export interface BooksOptions {
  readonly apiVersion: string;
  /** Seconds since the epoch. */
  readonly now: () => number;
  /** Where the checkout page of a session is: this and the session's id. */
  readonly pageUrl: () => string;
  /** Hands an event over; settles when the first attempt was answered. */
  readonly tell: (event: StripeEvent) => Promise<void>;
}

export interface StandInBooks {
  readonly create: (order: OrderedSession) => CheckoutSession;
  readonly findSession: (id: string) => CheckoutSession | undefined;
  readonly findOrder: (id: string) => OrderedSession;
  readonly findIntent: (id: string) => PaymentIntent | undefined;
  /** Oldest first, as the next two. */
  readonly sessions: () => readonly CheckoutSession[];
  readonly events: () => readonly StripeEvent[];
  /** An open session becomes complete; settles when the event was answered. A delayed method pays later. */
  readonly complete: (id: string, delayed: boolean) => Promise<void>;
  /** The money of a delayed method has come. */
  readonly succeed: (id: string) => Promise<void>;
  readonly expire: (id: string) => CheckoutSession;
  /** The money of a delayed method will not come. */
  readonly fail: (id: string) => Promise<void>;
  /** A card is saved on an open session's page; settles when the event was answered. */
  readonly saveCard: (id: string, button: CardButton) => Promise<void>;
  readonly intents: () => readonly PaymentIntent[];
  readonly vault: Vault;
  readonly wallet: Wallet;
}

export function makeBooks(options: BooksOptions): StandInBooks {
  const sessions = new Map<string, CheckoutSession>();
  const orders = new Map<string, OrderedSession>();
  const intents = new Map<string, PaymentIntent>();
  const events: StripeEvent[] = [];

  const tell = (type: string, object: object): Promise<void> => {
    const event: StripeEvent = {
      id: makeId("evt_1"),
      object: "event",
      api_version: options.apiVersion,
      created: options.now(),
      data: { object },
      livemode: false,
      pending_webhooks: 1,
      request: { id: null, idempotency_key: null },
      type,
    };
    events.push(event);
    return options.tell(event);
  };
  const vault = makeVault(options.now, (type, object) => void tell(type, object));
  const wallet = makeWallet({
    now: options.now,
    tell: (type, object) => void tell(type, object),
    settle: (intent) => {
      intents.set(intent.id, intent);
      if (intent.status === "succeeded") vault.charge(intent, intent.amount_received);
    },
  });
  const change = (id: string, to: Partial<CheckoutSession>): CheckoutSession => {
    const before = sessions.get(id);
    assert(before !== undefined, `session ${id} exists`);
    const session = { ...before, ...to } as CheckoutSession;
    sessions.set(id, session);
    return session;
  };
  const findOrder = (id: string): OrderedSession => {
    const order = orders.get(id);
    assert(order !== undefined, `session ${id} has an order`);
    return order;
  };
  const expire = (id: string): CheckoutSession => {
    const session = change(id, { status: "expired", url: null });
    void tell("checkout.session.expired", session);
    return session;
  };

  return {
    create: (order) => {
      const session = makeSession(order, options.now(), options.pageUrl());
      sessions.set(session.id, session);
      orders.set(session.id, order);
      return session;
    },
    findSession: (id) => {
      const session = sessions.get(id);
      // Stripe's own clock would have done it; here it is done when somebody looks.
      return session?.status === "open" && session.expires_at <= options.now() ? expire(id) : session;
    },
    findOrder,
    findIntent: (id) => intents.get(id),
    sessions: () => [...sessions.values()],
    events: () => events,
    complete: async (id, delayed) => {
      assert(sessions.get(id)?.status === "open", `session ${id} is open`);
      const intent = makeIntent(findOrder(id), options.now(), delayed);
      intents.set(intent.id, intent);
      const session = change(id, {
        payment_intent: intent.id,
        payment_status: delayed ? "unpaid" : "paid",
        status: "complete",
        url: null,
      });
      if (!delayed) vault.charge(intent, intent.amount_received);
      await tell("checkout.session.completed", session);
    },
    succeed: async (id) => {
      const session = change(id, { payment_status: "paid" });
      const intent = intents.get(session.payment_intent ?? "");
      assert(intent !== undefined, `session ${id} has a payment intent`);
      const { totalCents, taxCents } = findOrder(id);
      const received = totalCents + taxCents;
      const paid: PaymentIntent = { ...intent, amount_received: received, status: "succeeded" };
      intents.set(intent.id, paid);
      vault.charge(paid, received);
      await tell("checkout.session.async_payment_succeeded", session);
    },
    expire,
    fail: (id) => tell("checkout.session.async_payment_failed", change(id, {})),
    saveCard: (id, button) => {
      const { customerEmail, intentMetadata } = findOrder(id);
      const { id: setup_intent, customer } = wallet.save(button, customerEmail, intentMetadata);
      const saved = { setup_intent, customer, status: "complete", url: null } as const;
      return tell("checkout.session.completed", change(id, saved));
    },
    intents: () => [...intents.values()],
    vault,
    wallet,
  };
}
