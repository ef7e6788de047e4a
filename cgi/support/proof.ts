/**
 * Whoever is logged in shows the password once more before what matters, and where a second factor is on a code, or a passkey
 * just before (OWASP ASVS 5.0 7.5.1, 7.5.3): a browser left open is not enough. Wrong ones count as failed logins.
 */
import { type Account, findAccount } from "../../lib/accounts/account.ts";
import { type Factor, type FactorCode, readCode, readFactor, spendCode } from "../../lib/accounts/factor.ts";
import { endLoginTry } from "../../lib/accounts/limit.ts";
import { passkeyHost } from "../../lib/accounts/passkey.ts";
import { verifyPassword } from "../../lib/accounts/password.ts";
import { enqueueMail, type NewMail } from "../../lib/mail/outbox.ts";
import type { ReadTx, WriteTx } from "../../lib/store/store.ts";
import { NeedsHuman } from "../../lib/util/failure.ts";
import { pathOf } from "../../lib/util/routes.ts";
import type { SealKeys } from "../../lib/util/sealed.ts";
import { type FormState, triedFrom, waitState } from "./network.ts";
import { composeRecoveryUsed } from "./notice.ts";
import { beginTry, judgeTry } from "./tries.ts";
import type { Site, Visit } from "./visit.ts";
import { watch } from "./watch.ts";

/** By the form's fields "current" and "code"; `state` says what the form shows again. */
export async function proveOwner(
  visit: Visit,
  account: Account,
): Promise<{ readonly ok: true } | { readonly ok: false; readonly state: FormState }> {
  const { site, form, request } = visit;
  const factor = await site.store.read((tx) => readFactorOf(tx, account));
  const counted = await beginTry(visit, triedFrom(request, account.email), account.id);
  if (!counted.ok) {
    watch(visit, "proof-waiting", account);
    return { ok: false, state: waitState(counted.waitMs) };
  }
  const { begun } = counted;
  const current = form.get("current") ?? "";
  const { isRight, shown } = await judgeTry(visit, begun, async () => {
    const isRight = await site.hashInTurn(() =>
      verifyPassword(current, account.passwordHash, site.passwordCost),
    );
    const { isPasskeyFresh } = visit.found;
    return {
      isRight,
      shown: isRight && !isPasskeyFresh ? readTypedCode(visit, account, factor) : undefined,
    };
  });
  // Everything is looked at again, since hashing takes a second.
  const isProved = await site.store.write(async (tx) => {
    const now = await findAccount(tx, account.id);
    const isOwner =
      isRight &&
      now?.passwordHash === account.passwordHash &&
      (shown === undefined || (await passFactor(tx, now, shown)));
    await endLoginTry(tx, begun, isOwner ? "right" : "wrong");
    return isOwner;
  });
  if (isProved) return { ok: true };
  watch(visit, "proof-refused", account);
  const what = account.hasFactor ? "The current password or the code" : "The current password";
  return { ok: false, state: { error: `${what} is wrong. Please try again.` } };
}

/** What layouts/account/proof.html is given. */
export function proofFields(
  { site, route, found }: Visit,
  account: Account,
): { readonly needsCode: boolean; readonly isPasskeyFresh: boolean; readonly showPasskey: string } {
  const isShowable = account.hasPasskey && passkeyHost(site.settings.url) !== undefined;
  return {
    needsCode: account.hasFactor && !found.isPasskeyFresh,
    isPasskeyFresh: account.hasFactor && found.isPasskeyFresh,
    showPasskey: isShowable ? `${pathOf("passkey")}?back=${route.name}` : "",
  };
}

export const changedMeanwhile =
  "Your password or your second factor was changed meanwhile, perhaps in another window. Please try again.";
export const shortAlone =
  "Your password is too short to be alone. Change it to one of 15 characters or more first.";

/** The app of an account where it is on. */
export async function readFactorOf(tx: ReadTx, account: Account | undefined): Promise<Factor | undefined> {
  if (account?.hasApp !== true) return undefined;
  return readFactor(tx, account.id);
}

/** A typed code, and the mail that its use causes. */
export interface ShownCode {
  readonly code: FactorCode | undefined;
  /** For a recovery code: its owner learns of it. */
  readonly notice: NewMail | undefined;
}

/** The code of the form's field "code". Called when the password was right: a key that is missing must not tell who has a factor. */
export function readTypedCode(visit: Visit, account: Account, factor: Factor | undefined): ShownCode {
  if (!account.hasFactor) return { code: undefined, notice: undefined };
  const { site, form } = visit;
  const keys = sealKeys(site);
  if (keys.length === 0 && factor !== undefined)
    throw new NeedsHuman("account_key is not in the secrets file, and an account has a second factor");
  const code = readCode(factor, form.get("code") ?? "", { keys, nowMs: site.clock.now() });
  const notice = code?.kind === "recovery" ? composeRecoveryUsed(visit, account) : undefined;
  return { code, notice };
}

/** Whether an account may go on: it has no second factor, or the code was good, and is spent now. */
export async function passFactor(tx: WriteTx, account: Account, shown: ShownCode): Promise<boolean> {
  if (!account.hasFactor) return true;
  if (shown.code === undefined || !(await spendCode(tx, account.id, shown.code))) return false;
  if (shown.notice !== undefined) await enqueueMail(tx, shown.notice);
  return true;
}

/** None where the site has no key: then it offers no second factor. */
export function sealKeys({ secrets }: Site): SealKeys {
  return [secrets.account_key, secrets.account_key_old].filter((key) => key !== undefined);
}
