/**
 * Forgotten password: an address, then a mail with a link, then a new password. Whether the address has an account shows in
 * nothing but the mail. Opening the link changes nothing; it works once, ends all sessions, and does not log in.
 */
import { type Account, findAccountByEmail } from "../lib/accounts/account.ts";
import { parseEmail } from "../lib/accounts/email.ts";
import { admitMail, mailReset, noteMail, noteOwner } from "../lib/accounts/limit.ts";
import { hashPassword } from "../lib/accounts/password.ts";
import { beginReset, readReset, resetLifeMs, resetPassword } from "../lib/accounts/reset.ts";
import { judgePassword } from "../lib/accounts/strength.ts";
import { composeMail } from "../lib/mail/compose.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import { sha256Hex } from "../lib/util/digest.ts";
import { randomToken } from "../lib/util/random.ts";
import { pathOf } from "../lib/util/routes.ts";
import { type FormState, statusOf, triedFrom, waitState } from "./support/network.ts";
import { composeChanged, composeClosed } from "./support/notice.ts";
import { changedMeanwhile } from "./support/proof.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

export async function handle(visit: Visit): Promise<Response> {
  const { request, query, form, site } = visit;
  const isPost = request.method === "POST";
  const token = (isPost ? form : query).get("token");
  // A customer's request writes a link and a mail, and a stranger's nothing.
  if (token === undefined) return isPost ? site.inEvenTime(() => sendLink(visit)) : showForm(visit, {});
  const account = await site.store.read((tx) => readReset(tx, token));
  if (account === undefined) return showUsed(visit);
  return isPost ? setPassword(visit, token, account) : showNew(visit, token, "");
}

async function sendLink(visit: Visit): Promise<Response> {
  const { site, form } = visit;
  const typed = form.get("email") ?? "";
  const email = parseEmail(typed);
  if (email === undefined)
    return showForm(visit, { email: typed, error: "That is no address we can write to. Please check it." });
  // The same work for every address: the mail is made whether it goes or not.
  const token = randomToken();
  const id = `reset/${sha256Hex(token)}`;
  const closed = composeClosed(visit, id, email);
  const mail = composeMail(site.renderer, {
    id,
    to: email,
    template: "reset",
    data: {
      site: site.settings.name,
      resetUrl: `${site.settings.url}${pathOf("reset")}?token=${token}`,
      minutes: resetLifeMs / 60_000,
    },
    hasToken: true,
  });
  const tried = triedFrom(visit.request, email);
  const admitted = await site.store.write(async (tx) => {
    const account = await findAccountByEmail(tx, email);
    // Where no link is kept, no pause goes by it: nobody is told of a closing more often than by strangers.
    const answer = await admitMail(
      tx,
      tried,
      account?.isClosed === true ? undefined : account?.id,
      mailReset,
    );
    if (answer !== "yes") return answer;
    const outcome = await beginReset(tx, { email, token });
    if (outcome === "silent") return answer;
    await noteMail(tx, tried, mailReset);
    await enqueueMail(tx, outcome === "mailed" ? mail : closed);
    return answer;
  });
  if (typeof admitted === "number") return showForm(visit, { email: typed, ...waitState(admitted) });
  return respondPage(visit, { title: "Look into your mailbox", template: "reset-sent", data: { email } });
}

async function setPassword(visit: Visit, token: string, account: Account): Promise<Response> {
  const { site, form, request } = visit;
  const password = form.get("password") ?? "";
  const fit = await judgePassword(password, {
    email: account.email,
    site: site.settings,
    hasFactor: account.hasFactor,
  });
  if (!fit.ok) return showNew(visit, token, fit.detail ?? fit.why);
  const passwordHash = await site.hashInTurn(() => hashPassword(password, site.passwordCost));
  const notice = composeChanged(visit, account);
  const done = await site.store.write(async (tx) => {
    const result = await resetPassword(tx, token, { passwordHash, hasFactor: account.hasFactor });
    if (!result.ok) return result;
    await noteOwner(tx, triedFrom(request, result.account.email), result.account.id);
    await enqueueMail(tx, notice);
    return result;
  });
  if (!done.ok)
    return done.why === "token-unknown" ? showUsed(visit) : showNew(visit, token, changedMeanwhile);
  watch(visit, "password-reset", account);
  return respondPage(visit, {
    title: "Your password is set",
    template: "reset-done",
    data: { login: pathOf("login") },
  });
}

function showForm(visit: Visit, shown: FormState): Response {
  const { email = "", error = "" } = shown;
  return respondPage(visit, {
    title: "Forgotten password",
    template: "reset",
    ...statusOf(shown),
    data: { email, error },
  });
}

function showNew(visit: Visit, token: string, error: string): Response {
  return respondPage(visit, {
    title: "A new password",
    template: "reset-new",
    ...statusOf({ error }),
    data: { token, error },
  });
}

function showUsed(visit: Visit): Response {
  return respondPage(visit, {
    title: "This link no longer works",
    template: "reset-used",
    status: 410,
    data: { reset: pathOf("reset") },
  });
}
