/**
 * Log in, in one step: a code of a second factor is asked for on the same form, so that nobody learns from it that a password was
 * right. A wrong password, a wrong code, and an unknown address are answered alike, in the same time; a login begins a new
 * session under a new token, and ends the one that the browser had.
 */
import {
  type Account,
  type AccountId,
  findAccount,
  findAccountByEmail,
  replaceHash,
} from "../lib/accounts/account.ts";
import { type Email, parseEmail } from "../lib/accounts/email.ts";
import type { Factor } from "../lib/accounts/factor.ts";
import { endLoginTry, noteGoodLogin } from "../lib/accounts/limit.ts";
import { passkeyHost } from "../lib/accounts/passkey.ts";
import { hashPassword, isOutdated, verifyPassword } from "../lib/accounts/password.ts";
import { beginSession, endSession } from "../lib/accounts/session.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import type { WriteTx } from "../lib/store/store.ts";
import { randomToken } from "../lib/util/random.ts";
import { pathOf } from "../lib/util/routes.ts";
import { placeOf } from "./support/browser.ts";
import { type FormState, statusOf, triedFrom, waitState } from "./support/network.ts";
import { composeNewPlace, composeWrongCode } from "./support/notice.ts";
import { passFactor, readFactorOf, readTypedCode, type ShownCode } from "./support/proof.ts";
import type { Response } from "./support/response.ts";
import { beginTry, judgeTry } from "./support/tries.ts";
import { respondPage, respondRedirect, sessionCookie, type Visit } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

export async function handle(visit: Visit): Promise<Response> {
  if (visit.request.method !== "POST") return showForm(visit, {});
  const { site, form, request, cookie } = visit;
  const typed = form.get("email") ?? "";
  const email = parseEmail(typed);
  const tried = triedFrom(request, email ?? typed);
  const { account, factor } = await site.store.read(async (tx) => {
    const found = email === undefined ? undefined : await findAccountByEmail(tx, email);
    return { account: found, factor: await readFactorOf(tx, found) };
  });
  // The same for an address that is nobody's: the counters are of what was typed.
  const counted = await beginTry(visit, tried, account?.id);
  if (!counted.ok) {
    watch(visit, "login-waiting", account);
    return showForm(visit, { email: typed, ...waitState(counted.waitMs) });
  }
  const { begun } = counted;
  const password = form.get("password") ?? "";
  const isRight = await judgeTry(visit, begun, () =>
    site.hashInTurn(() => verifyPassword(password, account?.passwordHash, site.passwordCost)),
  );
  // From here on the same is done whether the password was right or not: time must not tell what words do not.
  const place = placeOf(request);
  const whom = account ?? nobody;
  const shown = await judgeTry(visit, begun, async () => readAnyCode(visit, whom, factor, isRight));
  const [newPlace, wrongCode] = [composeNewPlace(visit, whom, place), composeWrongCode(visit, whom, place)];
  const token = randomToken();
  const letIn = async (tx: WriteTx): Promise<"in" | "wrong" | "wrong-code"> => {
    const now = await findAccount(tx, whom.id);
    // Changed while it was hashed: the old one lets nobody in any more.
    if (!isRight || now === undefined || now.isClosed || now.passwordHash !== whom.passwordHash)
      return "wrong";
    if (!(await passFactor(tx, now, shown))) return "wrong-code";
    await endSession(tx, cookie.token);
    await beginSession(tx, now.id, token, place);
    if ((await noteGoodLogin(tx, tried, now.id)) === "new-place") await enqueueMail(tx, newPlace);
    return "in";
  };
  const outcome = await site.store.write(async (tx) => {
    const outcome = await letIn(tx);
    await endLoginTry(tx, begun, outcome === "in" ? "right" : "wrong");
    if (outcome === "wrong-code") await enqueueMail(tx, wrongCode);
    return outcome;
  });
  if (outcome === "in") {
    watch(visit, "login", whom);
    await renewHash(visit, whom, password);
    return respondRedirect(visit, pathOf("account"), [sessionCookie(site.settings.url, token)]);
  }
  watch(visit, "login-refused", account);
  return showForm(visit, { email: typed, error: "Address, password, or code is wrong. Please try again." });
}

/** Stands in where an address is nobody's, so that as much is done for it. */
const nobody: Account = {
  id: "acct_aaaaaaaaaaaaaaaa" as AccountId,
  email: "nobody@invalid.invalid" as Email,
  passwordHash: "",
  hasFactor: false,
  hasApp: false,
  hasPasskey: false,
  isClosed: false,
};

/** The typed code; a key that is missing is told to whoever knows the password, and to nobody else. */
function readAnyCode(
  visit: Visit,
  account: Account,
  factor: Factor | undefined,
  isRight: boolean,
): ShownCode {
  try {
    return readTypedCode(visit, account, factor);
  } catch (error) {
    if (isRight) throw error;
    return { code: undefined, notice: undefined };
  }
}

/** The password is at hand at a login alone: then a hash of another cost is made anew (OWASP ASVS 5.0 11.4.2). */
async function renewHash({ site }: Visit, account: Account, password: string): Promise<void> {
  if (!isOutdated(account.passwordHash, site.passwordCost)) return;
  const renewed = await site.hashInTurn(() => hashPassword(password, site.passwordCost));
  await site.store.write((tx) => replaceHash(tx, account, renewed));
}

function showForm(visit: Visit, shown: FormState): Response {
  const { email = "", error = "" } = shown;
  return respondPage(visit, {
    title: "Log in",
    template: "login",
    ...statusOf(shown),
    data: {
      email,
      error,
      passkey: passkeyHost(visit.site.settings.url) === undefined ? "" : pathOf("passkey"),
      signup: pathOf("signup"),
      reset: pathOf("reset"),
    },
  });
}
