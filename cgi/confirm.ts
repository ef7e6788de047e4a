/**
 * Where the link in the confirmation mail leads. A GET only shows a form: mail scanners follow links, and must not confirm
 * anything. The password of the sign-up makes the account: the link alone would give it to whoever signed up with the address of
 * somebody who then presses the button.
 */
import { confirmSignup, readSignups } from "../lib/accounts/account.ts";
import type { Email } from "../lib/accounts/email.ts";
import { confirmations, takeAttempt } from "../lib/accounts/limit.ts";
import { verifyPassword } from "../lib/accounts/password.ts";
import { pathOf } from "../lib/util/routes.ts";
import { type FormState, statusOf, waitState } from "./support/network.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

/** A link that works, and whose address it proves. */
interface Link {
  readonly token: string;
  readonly email: Email;
}

export async function handle(visit: Visit): Promise<Response> {
  const isPost = visit.request.method === "POST";
  const token = (isPost ? visit.form : visit.query).get("token") ?? "";
  const waiting = await visit.site.store.read((tx) => readSignups(tx, token));
  if (waiting === undefined) return showUsed(visit);
  const link = { token, email: waiting.email };
  if (!isPost) return showForm(visit, link, {});
  const waitMs = await countTry(visit, link);
  if (waitMs === 0) return confirm(visit, link, waiting.passwordHashes);
  watch(visit, "confirm-waiting");
  return showForm(visit, link, waitState(waitMs));
}

/**
 * Counts a try before it is looked at, so that of many at once no more are hashed than are free; or says how long to wait. A right one
 * uses the link up, and its counter with it.
 */
async function countTry({ site }: Visit, { token }: Link): Promise<number> {
  return site.store.write((tx) => takeAttempt(tx, confirmations, token));
}

async function confirm(visit: Visit, link: Link, passwordHashes: readonly string[]): Promise<Response> {
  const { site, form } = visit;
  const passwordHash = await findHash(visit, form.get("password") ?? "", passwordHashes);
  if (passwordHash === undefined) {
    watch(visit, "confirm-refused");
    return showForm(visit, link, { error: "This is not the password of the sign-up. Please try again." });
  }
  const confirmed = await site.store.write((tx) => confirmSignup(tx, link.token, passwordHash));
  if (!confirmed.ok) return showUsed(visit);
  const data = { login: pathOf("login") };
  return respondPage(visit, { title: "Your account is ready", template: "confirmed", data });
}

/** The hash of the sign-up that the password is of. */
async function findHash(
  { site }: Visit,
  password: string,
  passwordHashes: readonly string[],
): Promise<string | undefined> {
  for (const hash of passwordHashes)
    if (await site.hashInTurn(() => verifyPassword(password, hash, site.passwordCost))) return hash;
  return undefined;
}

function showForm(visit: Visit, { token, email }: Link, state: FormState): Response {
  const { error = "" } = state;
  return respondPage(visit, {
    title: "Confirm your address",
    template: "confirm",
    ...statusOf(state),
    data: { token, email, error, signup: pathOf("signup") },
  });
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
