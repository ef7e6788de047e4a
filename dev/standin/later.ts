/** The buttons of a payment that is complete: what Stripe's dashboard, the customer's bank, or time would do to it. */
import type { StandInBooks } from "./books.ts";
import { type LaterOutcome, laterButtons } from "./page.ts";

export function isLater(outcome: string | null): outcome is LaterOutcome {
  return outcome !== null && Object.hasOwn(laterButtons, outcome);
}

/** Does it, and says what was done, or why it could not be. */
export function happenLater({ vault }: StandInBooks, paymentIntent: string, outcome: LaterOutcome): string {
  const refund = vault
    .refunds()
    .findLast((one) => one.payment_intent === paymentIntent && one.status !== "failed");
  const dispute = vault.disputes().findLast((one) => one.payment_intent === paymentIntent);
  const isOpen = dispute?.status === "needs_response";
  const held = vault.movements().reduce((sum, movement) => sum + movement.amount - movement.fee, 0);
  switch (outcome) {
    case "refund": {
      const paid = vault
        .movements()
        .find(({ source }) => vault.findCharge(source)?.payment_intent === paymentIntent);
      const made = vault.refund({ paymentIntent, cents: Math.ceil((paid?.amount ?? 0) / 2), metadata: {} });
      return "ok" in made ? "There is not so much left to be refunded." : `Refund ${made.id} was made.`;
    }
    case "fail-refund":
      if (refund === undefined) return "There is no refund that could fail.";
      vault.failRefund(refund.id);
      return `Refund ${refund.id} failed.`;
    case "dispute":
      return isOpen ? "It is disputed already." : `Dispute ${vault.dispute(paymentIntent).id} was opened.`;
    case "win":
    case "lose":
      if (dispute === undefined || !isOpen) return "There is no open dispute.";
      vault.endDispute(dispute.id, outcome === "win");
      return `Dispute ${dispute.id} was ${outcome === "win" ? "won" : "lost"}.`;
    case "payout":
      if (held <= 0) return "There is nothing to pay out.";
      vault.payOut(held);
      return `${held} cents were paid out; site reconcile finds it.`;
  }
}
