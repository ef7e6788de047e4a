/**
 * Another address for an account: whoever is logged in shows the password and names it, whoever reads it presses a button, and
 * whoever reads the old one can undo it for a week. Opening a link changes nothing. What the page says does not tell whether
 * the new address is a customer's.
 */
import type { Account } from "../lib/accounts/account.ts";
import {
  confirmAddress,
  proposeAddress,
  readAddressChange,
  readAddressUndo,
  undoAddress,
} from "../lib/accounts/address.ts";
import { type Email, parseEmail } from "../lib/accounts/email.ts";
import { admitMail, noteMail } from "../lib/accounts/limit.ts";
import { composeNotice } from "../lib/accounts/notice.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import { randomToken } from "../lib/util/random.ts";
import { pathOf } from "../lib/util/routes.ts";
import { composeConfirm, composeMoved, composeTaken } from "./support/moving.ts";
import { enoughMails, type FormState, statusOf, triedFrom, waitState } from "./support/network.ts";
import { proofFields, proveOwner } from "./support/proof.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit, withAccount } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

export async function handle(visit: Visit): Promise<Response> {
  const isPost = visit.request.method === "POST";
  const given = isPost ? visit.form : visit.query;
  const [token, undo] = [given.get("token"), given.get("undo")];
  if (token !== undefined) return isPost ? confirm(visit, token) : showConfirm(visit, token);
  if (undo !== undefined) return isPost ? takeBack(visit, undo) : showUndo(visit, undo);
  return withAccount(visit, async (account) =>
    isPost ? propose(visit, account) : showForm(visit, account, {}),
  );
}

async function propose(visit: Visit, account: Account): Promise<Response> {
  const { site, form, request } = visit;
  const typed = form.get("email") ?? "";
  const email = parseEmail(typed);
  const again = (state: FormState): Response => showForm(visit, account, { ...state, email: typed });
  if (email === undefined) return again({ error: "That is no address we can write to. Please check it." });
  if (email === account.email) return again({ error: "That is your address already." });
  const proof = await proveOwner(visit, account);
  if (!proof.ok) return again(proof.state);
  const token = randomToken();
  const asked = { to: email, token };
  const [waiting, taken] = [composeConfirm(visit, account, asked), composeTaken(visit, account, asked)];
  const tried = triedFrom(request, email);
  const admitted = await site.inEvenTime(() =>
    site.store.write(async (tx) => {
      const answer = await admitMail(tx, tried, undefined);
      if (answer !== "yes") return answer;
      await noteMail(tx, tried);
      const outcome = await proposeAddress(tx, account.id, { email, token });
      await enqueueMail(tx, outcome === "waiting" ? waiting : taken);
      return answer;
    }),
  );
  if (typeof admitted === "number") return again(waitState(admitted));
  if (admitted === "silent") return again(enoughMails);
  return respondPage(visit, { title: "Look into your mailbox", template: "address-sent", data: { email } });
}

async function confirm(visit: Visit, token: string): Promise<Response> {
  const undoToken = randomToken();
  const { store } = visit.site;
  const found = await store.read((tx) => readAddressChange(tx, token));
  if (found === undefined) return showUsed(visit);
  const mail = composeMoved(visit, found.account, { email: found.email, undoToken });
  const done = await store.write(async (tx) => {
    const result = await confirmAddress(tx, token, undoToken);
    if (result.ok) await enqueueMail(tx, mail);
    return result;
  });
  if (!done.ok) return showUsed(visit);
  watch(visit, "address-changed", done.before);
  return showDone(visit, done.email);
}

async function takeBack(visit: Visit, token: string): Promise<Response> {
  const { site } = visit;
  const { store } = site;
  const found = await store.read((tx) => readAddressUndo(tx, token));
  if (found === undefined) return showUsed(visit);
  const mail = composeNotice(site, { ...found.account, email: found.email }, "address-undone", {});
  const done = await store.write(async (tx) => {
    const result = await undoAddress(tx, token);
    if (result.ok) await enqueueMail(tx, mail);
    return result;
  });
  if (!done.ok) return showUsed(visit);
  watch(visit, "address-undone", done.before);
  return respondPage(visit, {
    title: "The change is undone",
    template: "address-undone",
    data: { email: done.email, reset: pathOf("reset") },
  });
}

async function showConfirm(visit: Visit, token: string): Promise<Response> {
  const found = await visit.site.store.read((tx) => readAddressChange(tx, token));
  if (found === undefined) return showUsed(visit);
  return respondPage(visit, {
    title: "Confirm your new address",
    template: "address-confirm",
    data: { token, email: found.email },
  });
}

async function showUndo(visit: Visit, undo: string): Promise<Response> {
  const found = await visit.site.store.read((tx) => readAddressUndo(tx, undo));
  if (found === undefined) return showUsed(visit);
  return respondPage(visit, {
    title: "Undo the change of address",
    template: "address-undo",
    data: { undo, email: found.email },
  });
}

function showForm(visit: Visit, account: Account, shown: FormState): Response {
  const { email = "", error = "" } = shown;
  return respondPage(visit, {
    title: "Change your address",
    template: "address",
    ...statusOf(shown),
    data: {
      email,
      error,
      current: account.email,
      ...proofFields(visit, account),
      settings: pathOf("settings"),
    },
  });
}

function showDone(visit: Visit, email: Email): Response {
  const data = { email, account: pathOf("account") };
  return respondPage(visit, { title: "Your address is changed", template: "address-done", data });
}

function showUsed(visit: Visit): Response {
  return respondPage(visit, {
    title: "This link no longer works",
    template: "address-used",
    status: 410,
    data: { address: pathOf("address") },
  });
}
