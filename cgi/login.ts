/**
 * Log in, in one step: a code of a second factor is asked for on the same form, so that nobody learns from it that a password was
 * right. A wrong password, a wrong code, and an unknown address are answered alike; a login begins a new
 * session under a new token, and ends the one that the browser had.
 */

import { type Account, findAccount, findAccountByEmail, replaceHash } from "../lib/accounts/account.ts";
import { parseEmail } from "../lib/accounts/email.ts";
import { noteFailedLogin, noteGoodLogin, readLoginWait, type Tried } from "../lib/accounts/limit.ts";
import { hashPassword, isOutdated, verifyPassword } from "../lib/accounts/password.ts";
import { beginSession, endSession } from "../lib/accounts/session.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import { randomToken } from "../lib/util/random.ts";
import { pathOf } from "../lib/util/routes.ts";
import { placeOf } from "./support/browser.ts";
import { type FormState, networkOf, statusOf, waitState } from "./support/network.ts";
import { composeNewPlace, composeWrongCode } from "./support/notice.ts";
import { passFactor, readFactorOf, readTypedCode, type ShownCode } from "./support/proof.ts";
import type { Response } from "./support/response.ts";
import { respondPage, respondRedirect, sessionCookie, type Visit } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

export async function handle(visit: Visit): Promise<Response> {
  if (visit.request.method !== "POST") return showForm(visit, {});
  const { site, form, request } = visit;
  const typed = form.get("email") ?? "";
  const email = parseEmail(typed);
  const tried = { address: email ?? typed, network: networkOf(request.remoteAddress) };
  const { account, factor, waitMs } = await site.store.read(async (tx) => {
    const found = email === undefined ? undefined : await findAccountByEmail(tx, email);
    const waitMs = await readLoginWait(tx, tried, found?.id);
    return { account: found, factor: await readFactorOf(tx, found), waitMs };
  });
  // The same for an address that is nobody's: the counters are of what was typed.
  if (waitMs > 0) {
    watch(visit, "login-waiting", account);
    return showForm(visit, { email: typed, ...waitState(waitMs) });
  }
  const password = form.get("password") ?? "";
  const isRight = await site.hashInTurn(() =>
    verifyPassword(password, account?.passwordHash, site.passwordCost),
  );
  if (isRight && account?.isClosed === false) {
    const token = await begin(visit, account, { ...readTypedCode(visit, account, factor), password, tried });
    if (token !== undefined) watch(visit, "login", account);
    if (token !== undefined)
      return respondRedirect(visit, pathOf("account"), [sessionCookie(site.settings.url, token)]);
  }
  await site.store.write((tx) => noteFailedLogin(tx, tried));
  watch(visit, "login-refused", account);
  return showForm(visit, { email: typed, error: "Address, password, or code is wrong. Please try again." });
}

/** Begins a session for whoever showed the right password; answers its token, or undefined where the code is not right. */
async function begin(
  visit: Visit,
  account: Account,
  shown: ShownCode & { readonly password: string; readonly tried: Tried },
): Promise<string | undefined> {
  const { site, cookie, request } = visit;
  const token = randomToken();
  const renewed = await renewHash(visit, account, shown.password);
  const place = placeOf(request);
  const [newPlace, wrongCode] = [
    composeNewPlace(visit, account, place),
    composeWrongCode(visit, account, place),
  ];
  const isIn = await site.store.write(async (tx) => {
    const now = await findAccount(tx, account.id);
    // Changed while it was hashed: the old one lets nobody in any more.
    if (now === undefined || now.isClosed || now.passwordHash !== account.passwordHash) return false;
    if (!(await passFactor(tx, now, shown))) {
      await enqueueMail(tx, wrongCode);
      return false;
    }
    await endSession(tx, cookie.token);
    await beginSession(tx, account.id, token, place);
    if ((await noteGoodLogin(tx, shown.tried, account.id)) === "new-place") await enqueueMail(tx, newPlace);
    if (renewed !== undefined) await replaceHash(tx, account, renewed);
    return true;
  });
  return isIn ? token : undefined;
}

/** The password is at hand at a login alone: then a hash of another cost is made anew (OWASP ASVS 5.0 11.4.2). */
async function renewHash({ site }: Visit, account: Account, password: string): Promise<string | undefined> {
  if (!isOutdated(account.passwordHash, site.passwordCost)) return undefined;
  return site.hashInTurn(() => hashPassword(password, site.passwordCost));
}

function showForm(visit: Visit, shown: FormState): Response {
  const { email = "", error = "" } = shown;
  return respondPage(visit, {
    title: "Log in",
    template: "login",
    ...statusOf(shown),
    data: { email, error, signup: pathOf("signup"), reset: pathOf("reset") },
  });
}
