/**
 * Whoever is logged in shows the password once more before what matters (OWASP ASVS 5.0 7.5.1, 7.5.3): a browser left open
 * is not enough. Wrong ones count as failed logins.
 */
import type { Account } from "../../lib/accounts/account.ts";
import { noteFailedLogin, readLoginWait } from "../../lib/accounts/limit.ts";
import { verifyPassword } from "../../lib/accounts/password.ts";
import { type FormState, networkOf, waitState } from "./network.ts";
import type { Visit } from "./visit.ts";

/** By the form's field "current"; `state` says what the form shows again. */
export async function proveOwner(
  visit: Visit,
  account: Account,
): Promise<{ readonly ok: true } | { readonly ok: false; readonly state: FormState }> {
  const { site, form, request } = visit;
  const tried = { address: account.email, network: networkOf(request.remoteAddress) };
  const waitMs = await site.store.read((tx) => readLoginWait(tx, tried, account.id));
  if (waitMs > 0) return { ok: false, state: waitState(waitMs) };
  const current = form.get("current") ?? "";
  const isRight = await site.hashInTurn(() =>
    verifyPassword(current, account.passwordHash, site.passwordCost),
  );
  if (isRight) return { ok: true };
  await site.store.write((tx) => noteFailedLogin(tx, tried));
  return { ok: false, state: { error: "The current password is wrong. Please try again." } };
}
