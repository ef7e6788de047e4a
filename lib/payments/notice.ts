/** The mails about automatic recharges: what was agreed to, each charge, and each that failed. */
import type { Account } from "../accounts/account.ts";
import { composeNotice, type NoticeSender } from "../accounts/notice.ts";
import { composeMail } from "../mail/compose.ts";
import type { NewMail } from "../mail/outbox.ts";
import { type Amount, formatDollars } from "../money/amount.ts";
import type { DayUtc } from "../util/clock.ts";
import { pathOf } from "../util/routes.ts";
import { amountOfCents, type RechargeWish, type RuleReason } from "./recharge.ts";

/** It was turned on, or agreed to anew. */
export function composeRuleSet(
  sender: NoticeSender,
  account: Account,
  wish: RechargeWish,
  card: { readonly last4: string },
): NewMail {
  return composeNotice(sender, account, "recharge-on", {
    below: formatDollars(amountOfCents(wish.belowCents)),
    amount: formatDollars(amountOfCents(wish.amountCents)),
    cap: formatDollars(amountOfCents(wish.capCents)),
    last4: card.last4,
    rechargeUrl: sender.settings.url + pathOf("recharge"),
  });
}

/** It was turned off by its owner or the staff, or because a payment is disputed. */
export function composeRuleEnded(sender: NoticeSender, account: Account, why: RuleReason): NewMail {
  return composeNotice(sender, account, "recharge-off", {
    isDispute: why === "dispute" ? "yes" : "",
    rechargeUrl: sender.settings.url + pathOf("recharge"),
  });
}

export interface Charged {
  readonly order: string;
  readonly amount: Amount;
  readonly balance: Amount;
  /** With this one, in this UTC month, and how much may be. */
  readonly spent: Amount;
  readonly cap: Amount | undefined;
}

export function composeCharged(sender: NoticeSender, account: Account, charged: Charged): NewMail {
  const { settings } = sender;
  return composeMail(sender.renderer, {
    id: `recharged/${account.id}/${charged.order}`,
    to: account.email,
    template: "recharged",
    data: {
      site: settings.name,
      order: charged.order,
      amount: formatDollars(charged.amount),
      balance: formatDollars(charged.balance),
      spent: formatDollars(charged.spent),
      cap: charged.cap === undefined ? "" : formatDollars(charged.cap),
      accountUrl: settings.url + pathOf("account"),
      rechargeUrl: settings.url + pathOf("recharge"),
    },
  });
}

export interface FailedCharge {
  readonly order: string;
  readonly amount: Amount;
  /** Stripe's word for it. Most are not told: some are about thefts. */
  readonly failure: string;
  /** Why it is off now; undefined where it is not. */
  readonly ended: RuleReason | undefined;
  /** When it is tried again; "" if it is not. */
  readonly nextDay: DayUtc | "";
}

export function composeFailed(sender: NoticeSender, account: Account, failed: FailedCharge): NewMail {
  const { settings } = sender;
  const { ended, failure, nextDay } = failed;
  return composeMail(sender.renderer, {
    id: `recharge-failed/${account.id}/${failed.order}`,
    to: account.email,
    template: "recharge-failed",
    data: {
      site: settings.name,
      amount: formatDollars(failed.amount),
      isPoor: failure === "insufficient_funds" ? "yes" : "",
      isExpired: failure === "expired_card" ? "yes" : "",
      isOwnerAsked: ended === "bank" ? "yes" : "",
      isOff: ended === undefined && nextDay !== "" ? "" : "yes",
      nextDay,
      payUrl: settings.url + pathOf("pay"),
      rechargeUrl: settings.url + pathOf("recharge"),
    },
  });
}
