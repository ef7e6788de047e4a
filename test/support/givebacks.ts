/** Money that goes back and comes by hand, for random histories: as Stripe and the staff tell of it, and as the model has it. */
import { expect } from "vitest";
import type { AccountId } from "../../lib/accounts/account.ts";
import { amountOf } from "../../lib/money/amount.ts";
import { takeDispute } from "../../lib/payments/dispute.ts";
import type { DisputeFacts, MovementFacts, RefundFacts } from "../../lib/payments/facts.ts";
import { takeRefund } from "../../lib/payments/refund.ts";
import { giveCredit, undoCredit } from "../../lib/staff/credit.ts";
import type { Store } from "../../lib/store/store.ts";
import { type Model, modelMove } from "./model.ts";

export interface GiveBack {
  readonly kind: "back";
  readonly how: "refund" | "fail" | "dispute" | "win" | "goodwill" | "charge" | "undo";
  readonly cents: number;
  readonly times: number;
}

export interface Past {
  /** What was paid, by whom: the number of the account. */
  readonly payments: { readonly intent: string; readonly account: number }[];
  readonly refunds: { facts: RefundFacts; readonly account: number }[];
  readonly disputes: { facts: DisputeFacts; readonly account: number }[];
  /** Batches that were given, and to whom. */
  readonly gifts: {
    readonly batch: string;
    readonly account: number;
    readonly cents: number;
    isUndone: boolean;
  }[];
}

export const makePast = (): Past => ({ payments: [], refunds: [], disputes: [], gifts: [] });

const centsAtto = 10n ** 16n;
const by = { operator: "colin", reason: "a reason" };

/** Takes the newest thing that the step can be about, if there is one. */
export async function takeGiveBack(
  store: Store,
  { how, cents, times }: GiveBack,
  past: Past,
  model: Model,
  ids: readonly AccountId[],
): Promise<void> {
  const payment = past.payments.at(-1);
  const move = (account: number, by: number): void => modelMove(model, account, BigInt(by) * centsAtto);
  const number = past.refunds.length + past.disputes.length + past.gifts.length + 1;
  const repeat = async (work: () => Promise<string>, isNew = true): Promise<void> => {
    for (let time = 0; time < times; time += 1)
      expect(await work()).toBe(time === 0 && isNew ? "created" : "exists");
  };
  const tell = (facts: RefundFacts) => async (): Promise<string> => {
    const taken = await store.write((tx) => takeRefund(tx, facts));
    return taken.ok ? taken.outcome : (taken.detail ?? taken.why);
  };
  const tellOf = (facts: DisputeFacts) => async (): Promise<string> => {
    const taken = await store.write((tx) => takeDispute(tx, facts));
    return taken.ok ? taken.outcome : (taken.detail ?? taken.why);
  };
  switch (how) {
    case "refund": {
      if (payment === undefined) return;
      const facts = {
        id: `re_${number}`,
        orderId: "",
        paymentIntent: payment.intent,
        cents,
        currency: "usd",
      };
      const refund = { ...facts, failed: false, paidBy: `txn_r${number}`, returnedBy: "" };
      past.refunds.push({ facts: refund, account: payment.account });
      move(payment.account, -cents);
      return repeat(tell(refund));
    }
    case "fail": {
      const last = past.refunds.findLast((one) => !one.facts.failed);
      if (last === undefined) return;
      last.facts = { ...last.facts, failed: true, returnedBy: `${last.facts.paidBy}b` };
      move(last.account, last.facts.cents);
      return repeat(tell(last.facts));
    }
    case "dispute": {
      if (payment === undefined) return;
      const drawn = movementOf(`txn_d${number}`, `dp_${number}`, -cents, 1500);
      const facts = { id: `dp_${number}`, paymentIntent: payment.intent, currency: "usd", status: "lost" };
      past.disputes.push({ facts: { ...facts, movements: [drawn] }, account: payment.account });
      move(payment.account, -cents);
      return repeat(tellOf({ ...facts, movements: [drawn] }));
    }
    case "win": {
      const last = past.disputes.findLast((one) => one.facts.movements.length === 1);
      const [drawn] = last?.facts.movements ?? [];
      if (last === undefined || drawn === undefined) return;
      const back = movementOf(`${drawn.id}b`, last.facts.id, -drawn.cents, 0);
      last.facts = { ...last.facts, status: "won", movements: [drawn, back] };
      move(last.account, back.cents);
      return repeat(tellOf(last.facts));
    }
    case "goodwill":
    case "charge": {
      const [batch, account] = [`batch${number}`, number % ids.length];
      if (how === "goodwill") past.gifts.push({ batch, account, cents, isUndone: false });
      else past.gifts.push({ batch, account, cents, isUndone: true });
      move(account, how === "goodwill" ? cents : -cents);
      const credit = {
        kind: how,
        account: ids[account] as AccountId,
        amount: amountOf(BigInt(cents) * centsAtto),
        batch,
      };
      return repeat(() => store.write((tx) => giveCredit(tx, { ...credit, ...by })));
    }
    case "undo": {
      const last = past.gifts.findLast((one) => !one.isUndone);
      if (last === undefined) return;
      last.isUndone = true;
      move(last.account, -last.cents);
      const given = {
        account: ids[last.account] as AccountId,
        amount: amountOf(BigInt(last.cents) * centsAtto),
      };
      return repeat(() => store.write((tx) => undoCredit(tx, { ...given, batch: last.batch, ...by })));
    }
  }
}

function movementOf(id: string, source: string, cents: number, feeCents: number): MovementFacts {
  return {
    id,
    category: "dispute",
    cents,
    feeCents,
    currency: "usd",
    source,
    paymentIntent: "",
    createdMs: 1,
  };
}
