/**
 * Log in. A wrong password and an unknown address are answered alike, in the same time; a login begins a new
 * session under a new token, and ends the one that the browser had.
 */
import { type Account, findAccountByEmail, replaceHash } from "../lib/accounts/account.ts";
import { parseEmail } from "../lib/accounts/email.ts";
import { noteFailedLogin, noteGoodLogin, readLoginWait } from "../lib/accounts/limit.ts";
import { hashPassword, isOutdated, verifyPassword } from "../lib/accounts/password.ts";
import { beginSession, endSession } from "../lib/accounts/session.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import { randomToken } from "../lib/util/random.ts";
import { pathOf } from "../lib/util/routes.ts";
import { placeOf } from "./support/browser.ts";
import { type FormState, networkOf, waitState } from "./support/network.ts";
import { composeNewPlace } from "./support/notice.ts";
import type { Response } from "./support/response.ts";
import { respondPage, respondRedirect, sessionCookie, type Visit } from "./support/visit.ts";

export async function handle(visit: Visit): Promise<Response> {
  if (visit.request.method !== "POST") return showForm(visit, {});
  const { site, form, cookie } = visit;
  const typed = form.get("email") ?? "";
  const email = parseEmail(typed);
  const tried = { address: email ?? typed, network: networkOf(visit.request.remoteAddress) };
  const { account, waitMs } = await site.store.read(async (tx) => {
    const found = email === undefined ? undefined : await findAccountByEmail(tx, email);
    return { account: found, waitMs: await readLoginWait(tx, tried, found?.id) };
  });
  // The same for an address that is nobody's: the counters are of what was typed.
  if (waitMs > 0) return showForm(visit, { email: typed, ...waitState(waitMs) });
  const password = form.get("password") ?? "";
  const right = await site.hashInTurn(() =>
    verifyPassword(password, account?.passwordHash, site.passwordCost),
  );
  if (!right || account === undefined) {
    await site.store.write((tx) => noteFailedLogin(tx, tried));
    return showForm(visit, { email: typed, error: "Address or password is wrong. Please try again." });
  }
  const token = randomToken();
  const renewed = await renewHash(visit, account, password);
  const place = placeOf(visit.request);
  const notice = composeNewPlace(visit, account, place);
  await site.store.write(async (tx) => {
    await endSession(tx, cookie.token);
    await beginSession(tx, account.id, token, place);
    if ((await noteGoodLogin(tx, tried, account.id)) === "new-place") await enqueueMail(tx, notice);
    if (renewed !== undefined) await replaceHash(tx, account, renewed);
  });
  return respondRedirect(visit, pathOf("account"), [sessionCookie(site.settings.url, token)]);
}

/** The password is at hand at a login alone: then a hash of another cost is made anew (OWASP ASVS 5.0 11.4.2). */
async function renewHash({ site }: Visit, account: Account, password: string): Promise<string | undefined> {
  if (!isOutdated(account.passwordHash, site.passwordCost)) return undefined;
  return site.hashInTurn(() => hashPassword(password, site.passwordCost));
}

function showForm(visit: Visit, shown: FormState): Response {
  const { email = "", error = "", headers = [] } = shown;
  return respondPage(visit, {
    title: "Log in",
    template: "login",
    status: shown.status ?? (error === "" ? 200 : 422),
    headers,
    data: { email, error, signup: pathOf("signup"), reset: pathOf("reset") },
  });
}
