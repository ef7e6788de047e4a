/**
 * Where the link in the confirmation mail leads. A GET only shows a button: mail scanners follow links, and
 * must not confirm anything. Pressing the button makes the account.
 */
import { checkSignupToken, confirmSignup } from "../lib/accounts/account.ts";
import { pathOf } from "../lib/util/routes.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit } from "./support/visit.ts";

export async function handle(visit: Visit): Promise<Response> {
  const { store } = visit.site;
  if (visit.request.method !== "POST") {
    const token = visit.query.get("token") ?? "";
    const valid = await store.read((tx) => checkSignupToken(tx, token));
    if (!valid) return showUsed(visit);
    return respondPage(visit, { title: "Confirm your address", template: "confirm", data: { token } });
  }
  const confirmed = await store.write((tx) => confirmSignup(tx, visit.form.get("token") ?? ""));
  if (!confirmed.ok) return showUsed(visit);
  const data = { login: pathOf("login") };
  return respondPage(visit, { title: "Your account is ready", template: "confirmed", data });
}

function showUsed(visit: Visit): Response {
  const data = { signup: pathOf("signup"), login: pathOf("login") };
  return respondPage(visit, {
    title: "This link no longer works",
    template: "confirm-used",
    status: 410,
    data,
  });
}
