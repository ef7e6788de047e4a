/** Proving that an event was signed by Stripe, and reading what it tells. */
import Stripe from "stripe";
import { type Refusal, refuse } from "../../util/failure.ts";
import { type EventFacts, kindOf, type ObjectKind, type StripeEvent } from "../event.ts";
import {
  type DisputeObject,
  type IntentObject,
  type RefundObject,
  readCharge,
  readCheckout,
  readDispute,
  readRefund,
  type SessionObject,
} from "../objects.ts";

/** The API version that events must have; it is the library's own. */
export const stripeApiVersion: string = Stripe.API_VERSION;

// Stripe's own tolerance for old signatures; the library does not look at signatures from the future.
const toleranceSeconds = 300;

/**
 * Proves the signature of a webhook's body and reads the event. Both secrets are tried, so that one can be
 * replaced without losing an event.
 */
export function readSignedEvent(
  raw: Uint8Array,
  signature: string,
  webhookSecrets: readonly string[],
  now: number,
): { readonly ok: true; readonly event: StripeEvent } | Refusal<"forged" | "no-event"> {
  const signedAt = Number(/(?:^|,)t=(\d+)/.exec(signature)?.[1] ?? "NaN");
  if (!(signedAt <= now / 1000 + toleranceSeconds)) return refuse("forged");
  for (const secret of webhookSecrets) {
    let event: Stripe.Event;
    try {
      const body = Buffer.from(raw);
      event = Stripe.webhooks.constructEvent(body, signature, secret, toleranceSeconds, undefined, now);
    } catch (error) {
      if (error instanceof Stripe.errors.StripeSignatureVerificationError) continue;
      // The library says of all else that this is no event of the kind it reads.
      return refuse("no-event");
    }
    // Signed, but none of the events that this site asked for (docs/accounts.html names them).
    if (event?.object !== "event" || event.data?.object === undefined) return refuse("no-event");
    return { ok: true, event: ownEvent(event, raw) };
  }
  return refuse("forged");
}

function ownEvent(event: Stripe.Event, raw: Uint8Array): StripeEvent {
  const { id, type } = event;
  const kind = kindOf(type);
  const object = event.data.object as { readonly id?: string };
  const objectId = kind === undefined ? "" : (object.id ?? "");
  // Another version's object may have other names for the same things: only its id is taken from it.
  const isOurs = kind !== undefined && event.api_version === stripeApiVersion;
  const told = isOurs ? readObject(kind, object, type.endsWith("async_payment_failed")) : undefined;
  return { id, type, apiVersion: event.api_version ?? "", raw, objectId, told };
}

/** undefined where the object does not say enough: a session that saved a card does not have the card. */
function readObject(kind: ObjectKind, object: unknown, failed: boolean): EventFacts | undefined {
  switch (kind) {
    case "checkout": {
      const session = object as SessionObject;
      return session.mode === "setup" ? undefined : { kind, facts: readCheckout(session, failed) };
    }
    case "charge":
      return { kind, facts: readCharge(object as IntentObject) };
    case "refund":
      return { kind, facts: readRefund(object as RefundObject) };
    case "dispute":
      return { kind, facts: readDispute(object as DisputeObject) };
  }
}
