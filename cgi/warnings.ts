/** When and where a customer is warned: by days of cost or by dollars, and at a second address once that is confirmed. */
import type { Account } from "../lib/accounts/account.ts";
import { type Email, parseEmail } from "../lib/accounts/email.ts";
import { admitMail, noteMail } from "../lib/accounts/limit.ts";
import { composeMail } from "../lib/mail/compose.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import { formatDollars, fromCents, parseDollars, toCents } from "../lib/money/amount.ts";
import { sha256Hex } from "../lib/util/digest.ts";
import { randomToken } from "../lib/util/random.ts";
import { pathOf } from "../lib/util/routes.ts";
import { type Preference, readPreference, setPreference } from "../lib/warnings/preference.ts";
import { forgetProposed, proposeSecond, readProposed, secondLifeMs } from "../lib/warnings/second.ts";
import { enoughMails, type FormState, statusOf, triedFrom, waitState } from "./support/network.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit, withAccount } from "./support/visit.ts";

/** What was typed, or stands in the books. */
interface Shown extends FormState {
  readonly days: string;
  readonly dollars: string;
  readonly second: string;
  readonly proposed: string;
  readonly saved?: boolean;
}

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) =>
    visit.request.method === "POST" ? change(visit, account) : show(visit, await readShown(visit, account)),
  );
}

async function readShown(visit: Visit, account: Account): Promise<Shown> {
  return visit.site.store.read(async (tx) => {
    const { warnDays, warnBelowCents, secondEmail } = await readPreference(tx, account.id);
    const below = warnBelowCents === undefined ? undefined : fromCents(warnBelowCents);
    const proposed = (await readProposed(tx, account.id)) ?? "";
    return {
      days: warnDays === undefined ? "" : String(warnDays),
      dollars: below === undefined ? "" : formatDollars(below).slice(1),
      // What is asked for stands in the field, so that saving the others does not take it back.
      second: proposed === "" ? (secondEmail ?? "") : proposed,
      proposed,
    };
  });
}

async function change(visit: Visit, account: Account): Promise<Response> {
  const { site, form, request } = visit;
  const read = (name: string): string => (form.get(name) ?? "").trim();
  const typed = { days: read("days"), dollars: read("dollars"), second: read("second"), proposed: "" };
  const wish = readWish(typed);
  if ("error" in wish) return show(visit, { ...typed, ...wish });
  const token = randomToken();
  const tried = triedFrom(request, wish.second ?? "");
  const mail =
    wish.second === undefined ? undefined : composeSecond(visit, account, { to: wish.second, token });
  const admitted = await site.store.write(async (tx) => {
    const before = await readPreference(tx, account.id);
    const waiting = await readProposed(tx, account.id);
    const isNew = wish.second !== undefined && wish.second !== before.secondEmail && wish.second !== waiting;
    const answer = isNew ? await admitMail(tx, tried, undefined) : "yes";
    if (answer !== "yes") return answer;
    // A new address waits; the one before goes on until then. None at all ends both.
    const secondEmail = wish.second === undefined ? undefined : before.secondEmail;
    await setPreference(tx, account.id, { ...wish.rule, secondEmail });
    if (!isNew && wish.second !== waiting) await forgetProposed(tx, account.id);
    if (isNew && mail !== undefined && wish.second !== undefined) {
      await proposeSecond(tx, account.id, { email: wish.second, token });
      await noteMail(tx, tried);
      await enqueueMail(tx, mail);
    }
    return answer;
  });
  if (typeof admitted === "number") return show(visit, { ...typed, ...waitState(admitted) });
  if (admitted === "silent") return show(visit, { ...typed, ...enoughMails });
  return show(visit, { ...(await readShown(visit, account)), saved: true });
}

interface Wish {
  readonly rule: Pick<Preference, "warnDays" | "warnBelowCents">;
  readonly second: Email | undefined;
}

/** Empty fields mean what the site says. */
function readWish(typed: Pick<Shown, "days" | "dollars" | "second">): Wish | { readonly error: string } {
  const { days, dollars, second } = typed;
  if (days !== "" && dollars !== "") return { error: "Fill in days or dollars, not both." };
  const warnDays = /^[1-9]\d{0,2}$/.test(days) && Number(days) <= 365 ? Number(days) : undefined;
  if (days !== "" && warnDays === undefined) return { error: "Type a number of days from 1 to 365." };
  const below = parseDollars(dollars);
  const warnBelowCents = below === undefined ? undefined : toCents(below);
  if (dollars !== "" && (warnBelowCents === undefined || warnBelowCents === 0))
    return { error: "Type an amount such as 5 or 5.00." };
  const email = parseEmail(second);
  if (second !== "" && email === undefined)
    return { error: "The second address is none that we can write to. Please check it." };
  return { rule: { warnDays, warnBelowCents }, second: email };
}

function composeSecond(
  { site }: Visit,
  account: Account,
  { to, token }: { readonly to: Email; readonly token: string },
) {
  return composeMail(site.renderer, {
    id: `second/${account.id}/${sha256Hex(token)}`,
    to,
    template: "second",
    data: {
      site: site.settings.name,
      confirmUrl: `${site.settings.url}${pathOf("second")}?token=${token}`,
      hours: secondLifeMs / 3_600_000,
    },
    hasToken: true,
  });
}

function show(visit: Visit, shown: Shown): Response {
  const { error = "", days, dollars, second, proposed, saved = false } = shown;
  return respondPage(visit, {
    title: "Warnings",
    template: "warnings",
    ...statusOf(shown),
    data: {
      error,
      days,
      dollars,
      second,
      proposed,
      saved: saved ? "yes" : "",
      usualDays: visit.site.settings.warnDays,
      isOneUsualDay: visit.site.settings.warnDays === 1,
      settings: pathOf("settings"),
    },
  });
}
