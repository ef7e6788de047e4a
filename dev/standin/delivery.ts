/**
 * Sending events to the webhook, signed as Stripe signs them (docs.stripe.com/webhooks#verify-manually): HMAC
 * SHA-256 over "TIME.BODY", the time being that of the attempt. An answer other than 2xx is tried again, sooner
 * and less often than Stripe does, so that a developer sees it.
 */
import { createHmac } from "node:crypto";
import type { Clock } from "../../lib/util/clock.ts";
import type { StripeEvent } from "./object.ts";

export interface DeliveryOptions {
  readonly webhookUrl: string;
  readonly webhookSecret: string;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** Waits between the attempts. */
  readonly retryDelaysMs: readonly number[];
  /** Ends everything under way. */
  readonly ended: AbortSignal;
}

const answerLimitMs = 20_000;

/** Sends one event; settles when the first attempt was answered, and goes on by itself after a failure. */
export async function deliverEvent(event: StripeEvent, options: DeliveryOptions): Promise<void> {
  const fault = await attempt(event, options);
  if (fault !== undefined) retryLater(event, options, fault, 0);
}

function retryLater(event: StripeEvent, options: DeliveryOptions, fault: string, retries: number): void {
  const { retryDelaysMs, ended, log } = options;
  if (ended.aborted) return;
  const delayMs = retryDelaysMs[retries];
  const what = `stripe stand-in: ${event.type} ${event.id} was not taken (${fault})`;
  if (delayMs === undefined) {
    log(`${what}; given up`);
    return;
  }
  log(`${what}; again in ${delayMs / 1000} s`);
  const timer = setTimeout(async () => {
    ended.removeEventListener("abort", cancel);
    const next = await attempt(event, options);
    if (next !== undefined) retryLater(event, options, next, retries + 1);
    else log(`stripe stand-in: ${event.type} ${event.id} was taken`);
  }, delayMs);
  const cancel = (): void => clearTimeout(timer);
  ended.addEventListener("abort", cancel, { once: true });
}

/** What went wrong, or undefined where the webhook answered 2xx. */
async function attempt(event: StripeEvent, options: DeliveryOptions): Promise<string | undefined> {
  const body = JSON.stringify(event, null, 2);
  const headers = {
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks) development stand-in",
    "Stripe-Signature": sign(body, options.webhookSecret, options.clock),
  };
  const signal = AbortSignal.any([options.ended, AbortSignal.timeout(answerLimitMs)]);
  try {
    const answer = await fetch(options.webhookUrl, {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      signal,
    });
    await answer.arrayBuffer();
    return answer.ok ? undefined : `answered ${answer.status}`;
  } catch (cause) {
    const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    return inner instanceof Error ? inner.message : String(inner);
  }
}

function sign(body: string, secret: string, clock: Clock): string {
  const time = Math.floor(clock.now() / 1000);
  const proof = createHmac("sha256", secret).update(`${time}.${body}`).digest("hex");
  return `t=${time},v1=${proof}`;
}
