/**
 * Log in. A wrong password and an unknown address are answered alike, in the same time; a login begins a new
 * session under a new token, and ends the one that the browser had.
 */
import { findAccountByEmail } from "../lib/accounts/account.ts";
import { parseEmail } from "../lib/accounts/email.ts";
import { verifyPassword } from "../lib/accounts/password.ts";
import { beginSession, endSession } from "../lib/accounts/session.ts";
import { randomToken } from "../lib/util/random.ts";
import { pathOf } from "../lib/util/routes.ts";
import type { Response } from "./support/response.ts";
import { respondPage, respondRedirect, sessionCookie, type Visit } from "./support/visit.ts";

export async function handle(visit: Visit): Promise<Response> {
  if (visit.request.method !== "POST") return showForm(visit, {});
  const { site, form, cookie } = visit;
  const typed = form.get("email") ?? "";
  const email = parseEmail(typed);
  const account =
    email === undefined ? undefined : await site.store.read((tx) => findAccountByEmail(tx, email));
  const password = form.get("password") ?? "";
  const right = await site.hashInTurn(() =>
    verifyPassword(password, account?.passwordHash, site.passwordCost),
  );
  if (!right || account === undefined)
    return showForm(visit, { email: typed, error: "Address or password is wrong. Please try again." });
  const token = randomToken();
  await site.store.write(async (tx) => {
    await endSession(tx, cookie.token);
    await beginSession(tx, account.id, token);
  });
  return respondRedirect(visit, pathOf("account"), [sessionCookie(site.settings.url, token)]);
}

function showForm(visit: Visit, shown: { readonly email?: string; readonly error?: string }): Response {
  const { email = "", error = "" } = shown;
  return respondPage(visit, {
    title: "Log in",
    template: "login",
    status: error === "" ? 200 : 422,
    data: { email, error, signup: pathOf("signup"), reset: pathOf("reset") },
  });
}
