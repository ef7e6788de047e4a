/** A passkey that is shown: to log in, or by whoever is logged in, in place of a code. */
import { type Account, type AccountId, findAccount } from "../../lib/accounts/account.ts";
import { noteGoodLogin } from "../../lib/accounts/limit.ts";
import {
  type Challenge,
  findPasskey,
  listCredentials,
  type NewPasskey,
  notePasskey,
  type Passkey,
  type Purpose,
  readChallenge,
  setChallenge,
  takeChallenge,
} from "../../lib/accounts/passkey.ts";
import { beginSession, endSession, renewSession } from "../../lib/accounts/session.ts";
import { askForOne, credentialOf, judgeSignature } from "../../lib/accounts/webauthn.ts";
import { enqueueMail } from "../../lib/mail/outbox.ts";
import type { WriteTx } from "../../lib/store/store.ts";
import { randomToken } from "../../lib/util/random.ts";
import { pathOf, routes } from "../../lib/util/routes.ts";
import { placeOf } from "./browser.ts";
import { respondCeremony } from "./ceremony.ts";
import { type FormState, statusOf, triedFrom } from "./network.ts";
import { composeNewPlace } from "./notice.ts";
import type { Response } from "./response.ts";
import { respondPage, respondRedirect, sessionCookie, type Visit } from "./visit.ts";
import { watch } from "./watch.ts";

/** Asks for any passkey that the browser has for this site: no address is typed, and none is told. */
export async function askToLogIn(visit: Visit): Promise<Response> {
  const { site, cookie } = visit;
  const challenge = randomToken();
  await site.store.write((tx) =>
    setChallenge(tx, cookie.token, { purpose: "login", challenge, account: undefined, name: "" }),
  );
  const question = await askForOne(site.settings, { challenge, known: [] });
  return respondCeremony(visit, {
    title: "Log in",
    kind: "get",
    question,
    next: "in",
    back: "",
    away: pathOf("login"),
  });
}

/**
 * A signature cannot be guessed, so that no wait stands before it: an owner with a passkey gets in whatever strangers try with
 * the password.
 */
export async function logInByPasskey(visit: Visit): Promise<Response> {
  const { site, request, cookie } = visit;
  const signed = await judge(visit, "login", undefined);
  const place = placeOf(request);
  const token = randomToken();
  const account = await site.store.write(async (tx) => {
    const account = signed && (await findAccount(tx, signed.passkey.account));
    if (signed === undefined || !(await spend(tx, cookie.token, signed))) return undefined;
    if (account === undefined || account.isClosed) return undefined;
    await endSession(tx, cookie.token);
    await beginSession(tx, account.id, token, place, "passkey");
    const tried = triedFrom(request, account.email);
    if ((await noteGoodLogin(tx, tried, account.id)) === "new-place")
      await enqueueMail(tx, composeNewPlace(visit, account, place));
    return account;
  });
  if (account === undefined) {
    watch(visit, "login-refused");
    return respondPage(visit, {
      title: "Log in",
      template: "passkey-refused",
      status: 422,
      data: { login: pathOf("login") },
    });
  }
  watch(visit, "login", account);
  return respondRedirect(visit, pathOf("account"), [sessionCookie(site.settings.url, token)]);
}

/** The page from which a passkey is shown; `back` is the program that asked for it, by its name. */
export function showShowing(visit: Visit, back: string, state: FormState): Response {
  const { error = "" } = state;
  const to = findAsking(back);
  return respondPage(visit, {
    title: "Show a passkey",
    template: "passkey-show",
    ...statusOf(state),
    data: { error, back: to.name, backPath: to.path },
  });
}

export async function askToShow(visit: Visit, account: Account): Promise<Response> {
  const { site, form, cookie } = visit;
  const challenge = randomToken();
  const known = await site.store.write(async (tx) => {
    await setChallenge(tx, cookie.token, { purpose: "show", challenge, account: account.id, name: "" });
    return listCredentials(tx, account.id);
  });
  const { name: back, path: away } = findAsking(form.get("back") ?? "");
  if (known.length === 0) return showShowing(visit, back, { error: "This account has no passkey." });
  const question = await askForOne(site.settings, { challenge, known });
  return respondCeremony(visit, {
    title: "Show a passkey",
    kind: "get",
    question,
    next: "shown",
    back,
    away,
  });
}

/** The session goes on under a new token (OWASP ASVS 5.0 7.2.4), and knows of the passkey for some minutes. */
export async function noteShown(visit: Visit, account: Account): Promise<Response> {
  const { site, form, cookie } = visit;
  const back = findAsking(form.get("back") ?? "");
  const signed = await judge(visit, "show", account.id);
  const token = randomToken();
  const isShown = await site.store.write(async (tx) => {
    if (signed === undefined || !(await spend(tx, cookie.token, signed))) return false;
    return renewSession(tx, cookie.token, token);
  });
  if (!isShown) {
    watch(visit, "passkey-refused", account);
    return showShowing(visit, back.name, {
      error: "Your browser showed no passkey of this account, or too late.",
    });
  }
  watch(visit, "passkey-shown", account);
  return respondRedirect(visit, back.path, [sessionCookie(site.settings.url, token)]);
}

interface Signed {
  readonly asked: Challenge;
  readonly passkey: Passkey;
  readonly use: Pick<NewPasskey, "counter" | "isSynced">;
}

/** What the form's field "answer" proves of the challenge that this browser has; a challenge is void once it was answered wrongly. */
async function judge(
  { site, form, cookie }: Visit,
  purpose: Purpose,
  account: AccountId | undefined,
): Promise<Signed | undefined> {
  const answer = form.get("answer") ?? "";
  const { asked, passkey } = await site.store.read(async (tx) => ({
    asked: await readChallenge(tx, cookie.token, purpose, account),
    passkey: await findPasskey(tx, credentialOf(answer) ?? ""),
  }));
  if (asked === undefined) return undefined;
  const { challenge } = asked;
  const isFound = account === undefined;
  const use =
    passkey === undefined || (account !== undefined && passkey.account !== account)
      ? undefined
      : await judgeSignature(site.settings, answer, { challenge, passkey, isFound });
  if (passkey !== undefined && use !== undefined) return { asked, passkey, use };
  await site.store.write((tx) => takeChallenge(tx, cookie.token, asked));
  return undefined;
}

/** Takes the challenge and notes the use; false where either was done before. */
async function spend(tx: WriteTx, token: string, { asked, passkey, use }: Signed): Promise<boolean> {
  return (await takeChallenge(tx, token, asked)) && (await notePasskey(tx, passkey, use));
}

/** The program that asked for a passkey: one that asks for a code. Every other name leads to the settings. */
function findAsking(name: string): { readonly name: string; readonly path: string } {
  const asks = routes.find(
    (route) => route.name === name && route.fields.some((field) => field.name === "current"),
  );
  return { name: asks?.name ?? "", path: asks?.path ?? pathOf("settings") };
}
