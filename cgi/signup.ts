/**
 * Sign up: address and password, then a mail with a link, where the password is asked for again. Whether the address has an
 * account already, or has had its mails, shows in nothing but the mailbox: page, status, and time are the same.
 */
import { beginSignup, signupLifeMs } from "../lib/accounts/account.ts";
import { parseEmail } from "../lib/accounts/email.ts";
import { admitMail, mailNetwork, mailSignup, noteMail, readWait } from "../lib/accounts/limit.ts";
import { hashPassword } from "../lib/accounts/password.ts";
import { judgePassword } from "../lib/accounts/strength.ts";
import { composeMail } from "../lib/mail/compose.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import { sha256Hex } from "../lib/util/digest.ts";
import { randomToken } from "../lib/util/random.ts";
import { pathOf } from "../lib/util/routes.ts";
import { type FormState, statusOf, triedFrom, waitState } from "./support/network.ts";
import { composeClosed } from "./support/notice.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit } from "./support/visit.ts";

export async function handle(visit: Visit): Promise<Response> {
  if (visit.request.method !== "POST") return showForm(visit, {});
  const { site, form } = visit;
  const typed = form.get("email") ?? "";
  const password = form.get("password") ?? "";
  const email = parseEmail(typed);
  if (email === undefined)
    return showForm(visit, { email: typed, error: "That is no address we can write to. Please check it." });
  const fit = await judgePassword(password, { email: email, site: site.settings, hasFactor: false });
  if (!fit.ok) return showForm(visit, { email: typed, error: fit.detail ?? fit.why });
  if (site.settings.terms.version !== "" && form.get("terms") !== site.settings.terms.version)
    return showForm(visit, { email: typed, error: "Read our terms, and tick the box if you accept them." });
  const tried = triedFrom(visit.request, email);
  // A network that must wait costs no hash; looked at again when it is counted.
  const waitMs = await site.store.read((tx) => readWait(tx, mailNetwork, tried.network));
  if (waitMs > 0) return showForm(visit, { email: typed, ...waitState(waitMs) });
  // All that takes time comes before the transaction, and is the same for every address.
  const passwordHash = await site.hashInTurn(() => hashPassword(password, site.passwordCost));
  const token = randomToken();
  const confirmUrl = `${site.settings.url}${pathOf("confirm")}?token=${token}`;
  const data = {
    site: site.settings.name,
    confirmUrl,
    hours: signupLifeMs / 3_600_000,
    loginUrl: site.settings.url + pathOf("login"),
  };
  const id = `signup/${sha256Hex(token)}`;
  const confirm = composeMail(site.renderer, { id, to: email, template: "confirm", data, hasToken: true });
  const known = composeMail(site.renderer, { id, to: email, template: "known", data });
  const closed = composeClosed(visit, id, email);
  const admitted = await site.inEvenTime(() =>
    site.store.write(async (tx) => {
      const answer = await admitMail(tx, tried, undefined, mailSignup);
      if (typeof answer === "number") return answer;
      // It waits where no mail goes too: strangers may have used up the address's mails, and their link confirms this one.
      const { version: terms } = site.settings.terms;
      const outcome = await beginSignup(tx, { email, passwordHash, token, terms });
      if (answer === "silent") return answer;
      await noteMail(tx, tried, mailSignup);
      await enqueueMail(tx, { waiting: confirm, "has-account": known, "is-closed": closed }[outcome]);
      return answer;
    }),
  );
  if (typeof admitted === "number") return showForm(visit, { email: typed, ...waitState(admitted) });
  return respondPage(visit, { title: "Look into your mailbox", template: "signup-sent", data: { email } });
}

function showForm(visit: Visit, shown: FormState): Response {
  const { email = "", error = "" } = shown;
  return respondPage(visit, {
    title: "Sign up",
    template: "signup",
    ...statusOf(shown),
    data: {
      email,
      error,
      terms: visit.site.settings.terms.version,
      termsPage: visit.site.settings.terms.page,
    },
  });
}
