/**
 * Automatic recharges: what their owner agrees to, for which card, with the password. A card is saved on Stripe's page, and the way
 * back from there proves nothing: Stripe is asked. Turning it off takes no password.
 */
import type { Account } from "../lib/accounts/account.ts";
import { checkouts, takeAttempt } from "../lib/accounts/limit.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import { formatDollars, parseDollars, toCents } from "../lib/money/amount.ts";
import {
  attachCardPage,
  beginCardPage,
  findCardPage,
  readSavedCard,
  removeCard,
} from "../lib/payments/card.ts";
import { takeFacts } from "../lib/payments/event.ts";
import { composeRuleEnded, composeRuleSet } from "../lib/payments/notice.ts";
import {
  amountOfCents,
  endRule,
  listRecharges,
  nextDay,
  type RechargeWish,
  type RuleReason,
  readRule,
  setRule,
  spentIn,
} from "../lib/payments/recharge.ts";
import { connectStripe } from "../lib/payments/stripe/connect.ts";
import { dayOf } from "../lib/util/clock.ts";
import { NeedsHuman, TryLater } from "../lib/util/failure.ts";
import { randomId } from "../lib/util/random.ts";
import { pathOf } from "../lib/util/routes.ts";
import { type FormState, statusOf, waitState } from "./support/network.ts";
import { proofFields, proveOwner } from "./support/proof.ts";
import type { Response } from "./support/response.ts";
import { respondPage, respondRedirect, type Visit, withAccount } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

/** What was typed; what stands in the books where nothing was. */
interface Shown extends FormState {
  readonly typed?: { readonly below: string; readonly amount: string; readonly cap: string };
  /** A card was saved, and Stripe has not said so yet. */
  readonly isWaiting?: boolean;
}

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) => {
    const page = visit.query.get("card");
    if (visit.request.method !== "POST")
      return page === undefined ? show(visit, account, {}) : comeBack(visit, account, page);
    switch (visit.form.get("do")) {
      case "off":
        return turnOff(visit, account, false);
      case "remove":
        return turnOff(visit, account, true);
      default:
        return agree(visit, account);
    }
  });
}

async function agree(visit: Visit, account: Account): Promise<Response> {
  const { settings, store } = visit.site;
  if (settings.hasTax) return show(visit, account, {});
  const read = (name: string): string => (visit.form.get(name) ?? "").trim();
  const typed = { below: read("below"), amount: read("amount"), cap: read("cap") };
  const wish = readWish(typed, visit);
  if ("error" in wish) return show(visit, account, { typed, error: wish.error });
  const proof = await proveOwner(visit, account);
  if (!proof.ok) return show(visit, account, { ...proof.state, typed });
  const card = await store.read((tx) => readSavedCard(tx, account.id));
  if (card === undefined || visit.form.get("do") === "card") return saveCard(visit, account, wish, typed);
  const notice = composeRuleSet(visit.site, account, wish, card);
  const isSet = await store.write(async (tx) => {
    // The card may have been removed meanwhile.
    if ((await readSavedCard(tx, account.id))?.paymentMethod !== card.paymentMethod) return false;
    await setRule(tx, account.id, wish, card.paymentMethod);
    await enqueueMail(tx, notice);
    return true;
  });
  if (isSet) watch(visit, "recharge-on", account);
  return show(visit, account, {});
}

/** Our own row first, then Stripe's page for it. */
async function saveCard(
  visit: Visit,
  account: Account,
  wish: RechargeWish,
  typed: NonNullable<Shown["typed"]>,
): Promise<Response> {
  const { settings, secrets, store } = visit.site;
  const stripe = connectStripe(secrets);
  const id = randomId("card_");
  const begun = await store.write(async (tx) => {
    const wait = await takeAttempt(tx, checkouts, account.id);
    if (wait > 0) return wait;
    return beginCardPage(tx, { id, account: account.id, wish });
  });
  if (typeof begun === "number") return show(visit, account, { ...waitState(begun), typed });
  const own = settings.url + pathOf("recharge");
  const { session, url } = await stripe.createCardPage({
    id,
    createdAt: begun.createdAt,
    email: account.email,
    successUrl: `${own}?card=${id}`,
    cancelUrl: own,
  });
  await store.write((tx) => attachCardPage(tx, id, session));
  watch(visit, "card-page", account);
  return respondRedirect(visit, url);
}

/** The way back from Stripe; the webhook brings the same news. */
async function comeBack(visit: Visit, account: Account, page: string): Promise<Response> {
  const { secrets, store, log } = visit.site;
  const session = await store.read((tx) => findCardPage(tx, account.id, page));
  // Taken already, or wanted no more.
  if (session === undefined) return respondRedirect(visit, pathOf("recharge"));
  try {
    const told = await connectStripe(secrets).ask("checkout", session);
    const taken = await store.write((tx) => takeFacts(tx, told, visit.site));
    if (taken.ok && taken.outcome !== "nothing-moved") {
      watch(visit, "recharge-on", account);
      return respondRedirect(visit, pathOf("recharge"));
    }
  } catch (cause) {
    if (!(cause instanceof TryLater || cause instanceof NeedsHuman)) throw cause;
    log(`recharge: card page ${page}: ${cause.message}`);
  }
  return show(visit, account, { isWaiting: true });
}

async function turnOff(visit: Visit, account: Account, alsoCard: boolean): Promise<Response> {
  const notice = composeRuleEnded(visit.site, account, "owner");
  const wasOn = await visit.site.store.write(async (tx) => {
    const ended = await endRule(tx, account.id, "owner");
    if (alsoCard) await removeCard(tx, account.id);
    if (ended) await enqueueMail(tx, notice);
    return ended;
  });
  if (wasOn) watch(visit, "recharge-off", account);
  return show(visit, account, {});
}

function readWish(
  typed: NonNullable<Shown["typed"]>,
  visit: Visit,
): RechargeWish | { readonly error: string } {
  const { topUpMinimum, topUpMaximum } = visit.site.settings;
  const read = (text: string): number => {
    const amount = parseDollars(text);
    return (amount === undefined ? undefined : toCents(amount)) ?? 0;
  };
  const [belowCents, amountCents, capCents] = [read(typed.below), read(typed.amount), read(typed.cap)];
  const [least, most] = [topUpMinimum * 100, topUpMaximum * 100];
  if (belowCents < 1 || belowCents > most)
    return { error: `Type below which balance to charge, such as 5 or 5.00, at most $${topUpMaximum}.` };
  if (amountCents < least || amountCents > most)
    return { error: `Type how much to charge, from $${topUpMinimum} to $${topUpMaximum}.` };
  if (capCents < amountCents || capCents > mostCapCents)
    return { error: "Type how much may be charged in a month: at least one charge, and at most $10000." };
  return { belowCents, amountCents, capCents };
}

const mostCapCents = 1_000_000;

async function show(visit: Visit, account: Account, shown: Shown): Promise<Response> {
  const { error = "", typed, isWaiting = false } = shown;
  const { store, secrets, settings } = visit.site;
  const { rule, card, recharges, now } = await store.read(async (tx) => ({
    rule: await readRule(tx, account.id),
    card: await readSavedCard(tx, account.id),
    recharges: await listRecharges(tx, account.id),
    now: tx.now,
  }));
  const today = dayOf(now);
  const isOn = rule?.isOn === true;
  const next = rule === undefined ? undefined : nextDay(recharges, rule.number);
  const stands = {
    below: dollarsOf(rule?.belowCents),
    amount: dollarsOf(rule?.amountCents),
    cap: dollarsOf(rule?.capCents),
  };
  return respondPage(visit, {
    title: "Automatic recharge",
    template: "recharge",
    ...statusOf(shown),
    // Browsers apply form-action to the redirect that follows the form as well.
    formTarget: secrets.stripe_api ?? "https://checkout.stripe.com",
    data: {
      error,
      isOffered: !settings.hasTax,
      isWaiting,
      isOn,
      ...whyOff(isOn ? undefined : rule?.why),
      // What was typed, to be mended, beside what holds.
      ...(typed ?? stands),
      holds: stands,
      spent: formatDollars(spentIn(recharges, today)),
      isOpen: recharges.some(({ state }) => state === "open"),
      nextDay: isOn && next !== undefined && next > today ? next : "",
      brand: card?.brand ?? "",
      last4: card?.last4 ?? "",
      expires: card?.expires ?? "",
      ...proofFields(visit, account),
      settings: pathOf("settings"),
    },
  });
}

/** Whether it went off by itself, for the page to say why. */
function whyOff(why: RuleReason | undefined) {
  return {
    isOffFailures: why === "failures",
    isOffCard: why === "card",
    isOffBank: why === "bank",
    isOffDispute: why === "dispute",
  };
}

/** As it is typed: without the sign. */
function dollarsOf(cents: number | undefined): string {
  return cents === undefined ? "" : formatDollars(amountOfCents(cents)).slice(1);
}
