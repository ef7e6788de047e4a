/**
 * The authenticator app of an account: its secret is shown once, and it is on when a first code came back; then ten recovery
 * codes are shown, once, where there was no second factor before. Turning it on ends all other sessions. Everything takes the
 * password, and a code or a passkey where a second factor is on already.
 */
import { type Account, findAccount } from "../lib/accounts/account.ts";
import {
  beginFactor,
  confirmFactor,
  countCodes,
  endApp,
  type Factor,
  makeRecoveryCodes,
  openSecret,
  readCode,
  readFactor,
  replaceCodes,
  sealSecret,
} from "../lib/accounts/factor.ts";
import { endLoginTry } from "../lib/accounts/limit.ts";
import { composeFactor } from "../lib/accounts/notice.ts";
import { endOtherSessions } from "../lib/accounts/session.ts";
import { isLongAlone } from "../lib/accounts/strength.ts";
import { totpAddress } from "../lib/accounts/totp.ts";
import { enqueueMail } from "../lib/mail/outbox.ts";
import { pathOf } from "../lib/util/routes.ts";
import { respondCodes } from "./support/codes.ts";
import { type FormState, statusOf, triedFrom, waitState } from "./support/network.ts";
import { proofFields, proveOwner, sealKeys, shortAlone } from "./support/proof.ts";
import { drawQr } from "./support/qr.ts";
import type { Response } from "./support/response.ts";
import { beginTry, judgeTry } from "./support/tries.ts";
import { respondPage, type Visit, withAccount } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) => {
    if (visit.request.method !== "POST") return show(visit, account, {});
    if (visit.form.get("do") === "confirm") return confirm(visit, account);
    const wish = visit.form.get("do");
    if (wish === "begin" && sealKeys(visit.site).length === 0) return show(visit, account, {});
    const proof = await proveOwner(visit, account);
    if (!proof.ok) return show(visit, account, proof.state);
    switch (wish) {
      case "begin":
        return begin(visit, account);
      case "codes":
        return renewCodes(visit, account);
      case "off":
        return turnOff(visit, account);
      default:
        return show(visit, account, {});
    }
  });
}

async function begin(visit: Visit, account: Account): Promise<Response> {
  const { sealedSecret } = sealSecret(account.id, sealKeys(visit.site));
  const begun = await visit.site.store.write((tx) => beginFactor(tx, account.id, sealedSecret));
  if (!begun.ok) return show(visit, account, {});
  return showSecret(visit, { account: account.id, sealedSecret, isOn: false }, account, {});
}

async function confirm(visit: Visit, account: Account): Promise<Response> {
  const { site, form, request, cookie } = visit;
  const tried = triedFrom(request, account.email);
  const factor = await site.store.read((tx) => readFactor(tx, account.id));
  if (factor === undefined || factor.isOn) return show(visit, account, {});
  const counted = await beginTry(visit, tried, account.id);
  if (!counted.ok) return showSecret(visit, factor, account, waitState(counted.waitMs));
  const { begun } = counted;
  const options = { keys: sealKeys(site), nowMs: site.clock.now() };
  const code = await judgeTry(visit, begun, async () => readCode(factor, form.get("code") ?? "", options));
  const isRight = code?.kind === "app";
  await site.store.write((tx) => endLoginTry(tx, begun, isRight ? "right" : "wrong"));
  if (!isRight) {
    watch(visit, "proof-refused", account);
    const error =
      "That code is wrong. Wait for the next one, and look whether your telephone's clock is right.";
    return showSecret(visit, factor, account, { error });
  }
  // Whoever has a passkey has recovery codes too.
  const recoveryCodes = account.hasFactor ? [] : makeRecoveryCodes();
  const notice = composeFactor(visit.site, account, "on");
  const isDone = await site.store.write(async (tx) => {
    if (!(await confirmFactor(tx, factor, { code, recoveryCodes }))) return false;
    await endOtherSessions(tx, account.id, cookie.token);
    await enqueueMail(tx, notice);
    return true;
  });
  if (!isDone) return show(visit, account, {});
  watch(visit, "factor-on", account);
  return account.hasFactor
    ? show(visit, { ...account, hasApp: true }, {})
    : respondCodes(visit, recoveryCodes);
}

async function renewCodes(visit: Visit, account: Account): Promise<Response> {
  if (!account.hasFactor) return show(visit, account, {});
  const codes = makeRecoveryCodes();
  const notice = composeFactor(visit.site, account, "codes");
  await visit.site.store.write(async (tx) => {
    await replaceCodes(tx, account.id, codes);
    await enqueueMail(tx, notice);
  });
  watch(visit, "recovery-codes", account);
  return respondCodes(visit, codes);
}

async function turnOff(visit: Visit, account: Account): Promise<Response> {
  const mayBeAlone = isLongAlone(visit.form.get("current") ?? "");
  const after = await visit.site.store.write(async (tx) => {
    const isLast = (await findAccount(tx, account.id))?.hasPasskey !== true;
    if (isLast && !mayBeAlone) return undefined;
    await endApp(tx, account.id);
    await enqueueMail(tx, composeFactor(visit.site, account, isLast ? "off" : "app-off"));
    return { ...account, hasFactor: !isLast, hasApp: false };
  });
  if (after === undefined) return show(visit, account, { error: shortAlone });
  watch(visit, "factor-off", account);
  return show(visit, after, {});
}

async function show(visit: Visit, account: Account, state: FormState): Promise<Response> {
  const { error = "" } = state;
  const left = await visit.site.store.read((tx) => countCodes(tx, account.id));
  return respondPage(visit, {
    title: "Second factor",
    template: "factor",
    ...statusOf(state),
    data: {
      error,
      hasFactor: account.hasFactor,
      hasApp: account.hasApp,
      hasPasskey: account.hasPasskey,
      ...proofFields(visit, account),
      isOffered: sealKeys(visit.site).length > 0,
      codesLeft: left,
      isOneCode: left === 1,
      passkeys: pathOf("passkey"),
      settings: pathOf("settings"),
    },
  });
}

function showSecret(visit: Visit, factor: Factor, account: Account, state: FormState): Response {
  const { error = "" } = state;
  const { site } = visit;
  const secret = openSecret(factor, sealKeys(site));
  const qr = drawQr(totpAddress(secret, { issuer: site.settings.name, email: account.email }));
  return respondPage(visit, {
    title: "Second factor",
    template: "factor-new",
    ...statusOf(state),
    // In groups of four, as apps let it be typed.
    data: { error, secret: secret.replace(/(.{4})(?=.)/g, "$1 "), qrSize: qr.size, qrPath: qr.path },
  });
}
