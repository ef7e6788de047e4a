/**
 * The sender's loop: claim, hand over, mark, each in a transaction of its own; the network lies between them.
 * Several senders may run at once: a claim is held by one.
 */
import type { Store } from "../store/store.ts";
import { type ClaimedMail, claimMail, markFailed, markSent } from "./outbox.ts";
import type { Transport } from "./transport.ts";

export interface DispatchReport {
  readonly sent: number;
  /** Failed for now; the outbox will try again. */
  readonly later: number;
  /** Given up; a person must look. */
  readonly parked: number;
}

/** Delivers all mail that is due, at most `limit` mails; `onOutcome` hears of each. */
export async function dispatchMail(
  store: Store,
  transport: Transport,
  onOutcome: (line: string) => void,
  limit = 1000,
): Promise<DispatchReport> {
  const counts = { sent: 0, later: 0, parked: 0 };
  for (let count = 0; count < limit; count += 1) {
    const mail = await store.write(claimMail);
    if (mail === undefined) break;
    const outcome = await deliver(store, transport, mail);
    counts[outcome.what] += 1;
    onOutcome(`${outcome.what}: ${mail.id} to ${mail.to}${outcome.why}`);
  }
  return counts;
}

async function deliver(
  store: Store,
  transport: Transport,
  mail: ClaimedMail,
): Promise<{ readonly what: "sent" | "later" | "parked"; readonly why: string }> {
  const delivery = await transport(mail);
  if (delivery.ok) {
    await store.write((tx) => markSent(tx, mail));
    return { what: "sent", why: "" };
  }
  const what = await store.write((tx) => markFailed(tx, mail, delivery));
  return { what, why: ` (${delivery.message})` };
}
