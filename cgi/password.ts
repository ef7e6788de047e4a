/** Another password for whoever is logged in: the current one first (OWASP ASVS 5.0 6.2.3), and every other session ends. */
import type { Account } from "../lib/accounts/account.ts";
import { hashPassword } from "../lib/accounts/password.ts";
import { changePassword } from "../lib/accounts/reset.ts";
import { judgePassword } from "../lib/accounts/strength.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import { randomToken } from "../lib/util/random.ts";
import { pathOf } from "../lib/util/routes.ts";
import { placeOf } from "./support/browser.ts";
import { type FormState, statusOf } from "./support/network.ts";
import { composeChanged } from "./support/notice.ts";
import { changedMeanwhile, proofFields, proveOwner } from "./support/proof.ts";
import type { Response } from "./support/response.ts";
import { respondPage, respondRedirect, sessionCookie, type Visit, withAccount } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) =>
    visit.request.method === "POST" ? change(visit, account) : showForm(visit, account, {}),
  );
}

async function change(visit: Visit, account: Account): Promise<Response> {
  const { site, form, request, cookie } = visit;
  const proof = await proveOwner(visit, account);
  if (!proof.ok) return showForm(visit, account, proof.state);
  const password = form.get("password") ?? "";
  const fit = await judgePassword(password, {
    email: account.email,
    site: site.settings,
    hasFactor: account.hasFactor,
  });
  if (!fit.ok) return showForm(visit, account, { error: fit.detail ?? fit.why });
  const passwordHash = await site.hashInTurn(() => hashPassword(password, site.passwordCost));
  const token = randomToken();
  const notice = composeChanged(visit, account);
  const changed = await site.store.write(async (tx) => {
    const session = { old: cookie.token, token, place: placeOf(request) };
    const result = await changePassword(tx, account, passwordHash, session);
    if (result.ok) await enqueueMail(tx, notice);
    return result;
  });
  // Whoever is logged out by now is led to the login.
  if (!changed.ok)
    return withAccount(visit, async (now) => showForm(visit, now, { error: changedMeanwhile }));
  watch(visit, "password-changed", account);
  return respondRedirect(visit, pathOf("account"), [sessionCookie(site.settings.url, token)]);
}

function showForm(visit: Visit, account: Account, state: FormState): Response {
  const { error = "" } = state;
  return respondPage(visit, {
    title: "Change your password",
    template: "password",
    ...statusOf(state),
    data: { error, ...proofFields(visit, account), tokens: pathOf("tokens"), settings: pathOf("settings") },
  });
}
