/**
 * Where Stripe tells what happened. The signature is proved on the raw bytes before anything is parsed; what
 * is proved is kept and answered with 200, also where it is known already or refused: sending it again would
 * change nothing. A failure of ours answers 5xx, and Stripe sends it again.
 */
import { kindOf, type StripeEvent, takeEvent } from "../lib/payments/event.ts";
import { connectStripe } from "../lib/payments/stripe/connect.ts";
import { readSignedEvent } from "../lib/payments/stripe/signed.ts";
import { NeedsHuman } from "../lib/util/failure.ts";
import type { Secrets } from "../lib/util/settings.ts";
import { type Response, securityHeaders } from "./support/response.ts";
import type { Visit } from "./support/visit.ts";

export async function handle(visit: Visit): Promise<Response> {
  const { secrets, store, log, settings, clock } = visit.site;
  const webhookSecrets = [secrets.stripe_webhook_secret, secrets.stripe_webhook_secret_old].filter(
    (secret) => secret !== undefined,
  );
  if (webhookSecrets.length === 0)
    throw new NeedsHuman("stripe_webhook_secret is not set in the secrets file; events cannot be proved");
  const { body, stripeSignature } = visit.request;
  const read = readSignedEvent(body, stripeSignature, webhookSecrets, clock.now());
  if (!read.ok) {
    const isForged = read.why === "forged";
    log(
      `stripe-webhook: ${isForged ? "an event without a valid signature" : "a body that is no event"} was refused`,
    );
    return plain(settings.url, 400, isForged ? "the signature does not fit\n" : "this is no event\n");
  }
  const event = await readWhole(read.event, secrets);
  const result = await store.write((tx) => takeEvent(tx, event, visit.site));
  if (result.alarming)
    log(`stripe-webhook: ${event.id} ${event.type} (${event.apiVersion}): ${result.outcome}`);
  return plain(settings.url, 200, "ok\n");
}

/** Of an event in another API version only the object's id can be trusted: Stripe is asked for the rest. */
async function readWhole(event: StripeEvent, secrets: Secrets): Promise<StripeEvent> {
  const kind = kindOf(event.type);
  if (kind === undefined || event.told !== undefined || event.objectId === "") return event;
  return { ...event, told: await connectStripe(secrets).ask(kind, event.objectId) };
}

function plain(url: string, status: number, body: string): Response {
  return {
    status,
    headers: [["Content-Type", "text/plain; charset=utf-8"], ...securityHeaders({ url })],
    body,
  };
}
