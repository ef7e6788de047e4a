/**
 * Passkeys: made and removed by whoever is logged in, shown to log in, and shown once more in place of a code. A program of its
 * own, since it carries a library that no other one needs, and has the only page of the site with a script
 * (cgi/support/ceremony.ts). Each question to the browser is the answer to a form, and the browser's answer comes with the next.
 */
import { type Account, findAccount } from "../lib/accounts/account.ts";
import { makeRecoveryCodes, replaceCodes } from "../lib/accounts/factor.ts";
import {
  addPasskey,
  judgeNew,
  listCredentials,
  listPasskeys,
  mostPasskeys,
  passkeyHost,
  readChallenge,
  removePasskey,
  setChallenge,
  takeChallenge,
} from "../lib/accounts/passkey.ts";
import { endOtherSessions } from "../lib/accounts/session.ts";
import { isLongAlone } from "../lib/accounts/strength.ts";
import { askForNew, judgeNewPasskey } from "../lib/accounts/webauthn.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import { formatUtc } from "../lib/util/clock.ts";
import { randomToken } from "../lib/util/random.ts";
import { pathOf } from "../lib/util/routes.ts";
import { respondCeremony, respondScript } from "./support/ceremony.ts";
import { respondCodes } from "./support/codes.ts";
import { nameError, readName } from "./support/name.ts";
import { type FormState, statusOf } from "./support/network.ts";
import { composePasskey } from "./support/notice.ts";
import { proofFields, proveOwner, shortAlone } from "./support/proof.ts";
import type { Response } from "./support/response.ts";
import { askToLogIn, askToShow, logInByPasskey, noteShown, showShowing } from "./support/signature.ts";
import { respondPage, respondRedirect, type Visit, withAccount } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

interface Shown extends Omit<FormState, "email"> {
  readonly name?: string;
  /** One that was just made. */
  readonly added?: string;
}

export async function handle(visit: Visit): Promise<Response> {
  const { query, form, site } = visit;
  if (query.has("script")) return respondScript(site.settings);
  const wish = form.get("do") ?? "";
  const isOffered = passkeyHost(site.settings.url) !== undefined;
  if (wish === "login" || wish === "in") {
    if (!isOffered) return respondRedirect(visit, pathOf("login"));
    return wish === "login" ? askToLogIn(visit) : logInByPasskey(visit);
  }
  return withAccount(visit, async (account) => {
    if (!isOffered && wish !== "remove") return showList(visit, account, {});
    if (wish === "new") return askToAdd(visit, account);
    if (wish === "add") return add(visit, account);
    if (wish === "show") return askToShow(visit, account);
    if (wish === "shown") return noteShown(visit, account);
    if (wish === "remove") return remove(visit, account);
    const passkey = query.get("passkey");
    if (passkey !== undefined) return showRemoval(visit, account, passkey, {});
    const back = query.get("back");
    return back === undefined ? showList(visit, account, {}) : showShowing(visit, back, {});
  });
}

async function askToAdd(visit: Visit, account: Account): Promise<Response> {
  const { site, form, cookie } = visit;
  const name = readName(visit);
  if (name === undefined) return showList(visit, account, { name: form.get("name") ?? "", error: nameError });
  const proof = await proveOwner(visit, account);
  if (!proof.ok) return showList(visit, account, { ...proof.state, name });
  const challenge = randomToken();
  const { fit, known } = await site.store.write(async (tx) => {
    const fit = await judgeNew(tx, account.id, name);
    const asked = { purpose: "add", challenge, account: account.id, name } as const;
    if (fit.ok) await setChallenge(tx, cookie.token, asked);
    return { fit, known: await listCredentials(tx, account.id) };
  });
  if (!fit.ok) return showList(visit, account, { name, error: unfit[fit.why] });
  const question = await askForNew(site.settings, account, { challenge, known });
  return respondCeremony(visit, {
    title: "A new passkey",
    kind: "create",
    question,
    next: "add",
    back: "",
    away: pathOf("passkey"),
  });
}

const noneMade = "Your browser made no passkey, or it took too long. Please try again.";
const unfit = {
  "too-many": `There are ${mostPasskeys} passkeys. Remove one that is not used any more.`,
  "name-taken": "There is a passkey of this name. Choose another one, or remove it first.",
  known: "That passkey is known here already.",
} as const;

async function add(visit: Visit, account: Account): Promise<Response> {
  const { site, form, cookie } = visit;
  const asked = await site.store.read((tx) => readChallenge(tx, cookie.token, "add", account.id));
  const made = asked && (await judgeNewPasskey(site.settings, form.get("answer") ?? "", asked.challenge));
  if (asked === undefined || made === undefined) return showList(visit, account, { error: noneMade });
  const { name } = asked;
  const codes = makeRecoveryCodes();
  const added = await site.store.write(async (tx) => {
    if (!(await takeChallenge(tx, cookie.token, asked))) return { ok: false, error: noneMade } as const;
    const isFirst = (await findAccount(tx, account.id))?.hasFactor !== true;
    const result = await addPasskey(tx, account.id, { ...made, name });
    if (!result.ok) return { ok: false, error: unfit[result.why] } as const;
    if (isFirst) await replaceCodes(tx, account.id, codes);
    await endOtherSessions(tx, account.id, cookie.token);
    await enqueueMail(tx, composePasskey(visit, account, { name, isAdded: true, isAlone: isFirst }));
    return { ok: true, isFirst } as const;
  });
  if (!added.ok) return showList(visit, account, { error: added.error });
  watch(visit, "passkey-added", account);
  return added.isFirst ? respondCodes(visit, codes) : showList(visit, account, { added: name });
}

/** A lost passkey may have been found by somebody: what was begun with it ends too. */
async function remove(visit: Visit, account: Account): Promise<Response> {
  const { site, form, cookie } = visit;
  const id = form.get("passkey") ?? "";
  const proof = await proveOwner(visit, account);
  if (!proof.ok) return showRemoval(visit, account, id, proof.state);
  const mayBeAlone = isLongAlone(form.get("current") ?? "");
  const outcome = await site.store.write(async (tx) => {
    const isLast = !account.hasApp && (await listPasskeys(tx, account.id)).length === 1;
    if (isLast && !mayBeAlone) return "short";
    const name = await removePasskey(tx, account.id, id);
    if (name === undefined) return "none";
    await endOtherSessions(tx, account.id, cookie.token);
    await enqueueMail(tx, composePasskey(visit, account, { name, isAdded: false, isAlone: isLast }));
    return "removed";
  });
  if (outcome === "short") return showRemoval(visit, account, id, { error: shortAlone });
  if (outcome === "removed") watch(visit, "passkey-removed", account);
  // One that is not there was removed: whoever pressed twice is told the same.
  return showList(visit, account, {});
}

async function showList(visit: Visit, account: Account, shown: Shown): Promise<Response> {
  const { error = "", name = "", added = "" } = shown;
  const lines = await visit.site.store.read((tx) => listPasskeys(tx, account.id));
  const { path } = visit.route;
  return respondPage(visit, {
    title: "Passkeys",
    template: "passkeys",
    ...statusOf(shown),
    data: {
      error,
      name,
      added,
      isOffered: passkeyHost(visit.site.settings.url) !== undefined,
      ...proofFields(visit, account),
      passkeys: lines.map((line) => ({
        name: line.name,
        isSynced: line.isSynced,
        made: formatUtc(line.createdAt),
        used: line.usedAt === undefined ? "" : formatUtc(line.usedAt),
        href: `${path}?passkey=${line.id}`,
      })),
      settings: pathOf("settings"),
    },
  });
}

async function showRemoval(visit: Visit, account: Account, id: string, state: FormState): Promise<Response> {
  const lines = await visit.site.store.read((tx) => listPasskeys(tx, account.id));
  const line = lines.find((candidate) => candidate.id === id);
  if (line === undefined)
    return showList(visit, account, { error: "There is no such passkey.", status: 404 });
  const { error = "" } = state;
  return respondPage(visit, {
    title: "Remove a passkey",
    template: "passkey-remove",
    ...statusOf(state),
    data: {
      error,
      id,
      name: line.name,
      isLast: lines.length === 1 && !account.hasApp,
      ...proofFields(visit, account),
      passkeys: visit.route.path,
    },
  });
}
