/**
 * Closing an account: what happens to the money that is left is said and chosen first; the password is shown, and a box is
 * ticked. For a week the link in the mail undoes it. Export comes before (cgi/export).
 */
import type { Account } from "../lib/accounts/account.ts";
import { closeAccount, closingWaitDays, readClosingLink, reopenAccount } from "../lib/accounts/closing.ts";
import { readBalance } from "../lib/ledger/transfer.ts";
import { composeMail } from "../lib/mail/compose.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import { type Amount, formatExact, zero } from "../lib/money/amount.ts";
import { formatUtc } from "../lib/util/clock.ts";
import { randomToken } from "../lib/util/random.ts";
import { pathOf } from "../lib/util/routes.ts";
import { type FormState, statusOf } from "./support/network.ts";
import { proofFields, proveOwner } from "./support/proof.ts";
import type { Response } from "./support/response.ts";
import { endedCookie, respondPage, type Visit, withAccount } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

export async function handle(visit: Visit): Promise<Response> {
  const isPost = visit.request.method === "POST";
  const token = (isPost ? visit.form : visit.query).get("token");
  if (token !== undefined) return isPost ? reopen(visit, token) : showReopen(visit, token);
  return withAccount(visit, async (account) => (isPost ? close(visit, account) : show(visit, account, {})));
}

async function close(visit: Visit, account: Account): Promise<Response> {
  const { site, form } = visit;
  const balance = await site.store.read((tx) => readBalance(tx, account.id));
  const money = form.get("money") ?? "";
  const hasChosen = money === "refund" || money === "leave";
  if (balance > zero && !hasChosen)
    return show(visit, account, { error: "Say what we do with the money that is left." });
  if (form.get("sure") !== "yes") return show(visit, account, { error: "Tick the box if you are sure." });
  const proof = await proveOwner(visit, account);
  if (!proof.ok) return show(visit, account, proof.state);
  const token = randomToken();
  const mail = composeClosing(visit, account, token);
  await site.store.write(async (tx) => {
    // Where nothing was left, nothing was asked, and what comes all the same was left to nobody: it is given back.
    const closed = await closeAccount(tx, account.id, {
      money: money === "leave" ? "leave" : "refund",
      token,
    });
    if (closed.ok) await enqueueMail(tx, mail);
  });
  watch(visit, "closed", account);
  visit.found.isLoggedIn = false;
  return respondPage(visit, {
    title: "Your account is closed",
    template: "close-done",
    headers: [endedCookie(site.settings.url)],
    data: { days: closingWaitDays, email: account.email },
  });
}

function composeClosing({ site }: Visit, account: Account, token: string) {
  return composeMail(site.renderer, {
    id: `closing/${account.id}/${formatUtc(site.clock.now())}`,
    to: account.email,
    template: "closing",
    data: {
      site: site.settings.name,
      at: formatUtc(site.clock.now()),
      days: closingWaitDays,
      undoUrl: `${site.settings.url}${pathOf("close")}?token=${token}`,
    },
    hasToken: true,
  });
}

async function showReopen(visit: Visit, token: string): Promise<Response> {
  const account = await visit.site.store.read((tx) => readClosingLink(tx, token));
  if (account === undefined) return showUsed(visit);
  const data = { token, email: account.email };
  return respondPage(visit, { title: "Open the account again", template: "close-undo", data });
}

async function reopen(visit: Visit, token: string): Promise<Response> {
  const opened = await visit.site.store.write(async (tx) => {
    const account = await readClosingLink(tx, token);
    return account !== undefined && (await reopenAccount(tx, account.id)) ? account : undefined;
  });
  if (opened === undefined) return showUsed(visit);
  watch(visit, "reopened", opened);
  const data = { login: pathOf("login"), reset: pathOf("reset") };
  return respondPage(visit, { title: "Your account is open again", template: "close-undone", data });
}

function showUsed(visit: Visit): Response {
  const data = { login: pathOf("login") };
  return respondPage(visit, {
    title: "This link no longer works",
    template: "close-used",
    status: 410,
    data,
  });
}

async function show(visit: Visit, account: Account, state: FormState): Promise<Response> {
  const { error = "" } = state;
  const balance: Amount = await visit.site.store.read((tx) => readBalance(tx, account.id));
  return respondPage(visit, {
    title: "Close your account",
    template: "close",
    ...statusOf(state),
    data: {
      error,
      balance: formatExact(balance),
      isLeft: balance > zero,
      isOwed: balance < zero,
      days: closingWaitDays,
      // What was chosen before something was wrong.
      isRefund: visit.form.get("money") === "refund",
      isKept: visit.form.get("money") === "leave",
      isSure: visit.form.get("sure") === "yes",
      ...proofFields(visit, account),
      exportPath: pathOf("export"),
      settings: pathOf("settings"),
    },
  });
}
