/**
 * Second factors: a code of an authenticator app, or one of ten recovery codes, beside the password; passkeys are another one
 * (passkey.ts). A code of the app is taken once, and so is a recovery code (OWASP ASVS 5.0 6.5.1). What a code is, is found before
 * the transaction; it is spent in the one that lets somebody in.
 */
import type { ReadTx, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";
import { type Refusal, refuse } from "../util/failure.ts";
import { randomLetters } from "../util/random.ts";
import { openSealed, type SealKeys, sealText } from "../util/sealed.ts";
import type { AccountId } from "./account.ts";
import { findTotpStep, makeTotpSecret } from "./totp.ts";

export interface Factor {
  readonly account: AccountId;
  readonly sealedSecret: string;
  /** False while no code has shown that an app has it: nobody is asked for one then. */
  readonly isOn: boolean;
}

/** What a typed code may be: one of the app, of so many half minutes since 1970, or a recovery code. */
export type FactorCode =
  | { readonly kind: "app"; readonly step: number }
  | { readonly kind: "recovery"; readonly hash: string };

/** How long a factor waits for its first code. */
export const factorWaitMs = 3_600_000;
export const recoveryCount = 10;
const recoveryLetters = 24;

export async function readFactor(tx: ReadTx, account: AccountId): Promise<Factor | undefined> {
  const row = await tx.get<{ sealedSecret: string; confirmed: bigint | null }>(
    `SELECT sealed_secret AS sealedSecret, confirmed_at AS confirmed FROM factor
     WHERE account = ? AND (confirmed_at IS NOT NULL OR created_at > ?)`,
    [account, tx.now - factorWaitMs],
  );
  return row && { account, sealedSecret: row.sealedSecret, isOn: row.confirmed !== null };
}

/** A new secret for an account, as it is kept. */
export function sealSecret(account: AccountId, keys: SealKeys): { secret: string; sealedSecret: string } {
  const secret = makeTotpSecret();
  return { secret, sealedSecret: sealText(secret, aboutOf(account), keys) };
}

/** A secret that is known, as it is kept. */
export function sealAgain(account: AccountId, secret: string, keys: SealKeys): string {
  return sealText(secret, aboutOf(account), keys);
}

/** @throws NeedsHuman where no key opens it */
export function openSecret({ account, sealedSecret }: Omit<Factor, "isOn">, keys: SealKeys): string {
  return openSealed(sealedSecret, aboutOf(account), keys);
}

/** Ten codes for whoever lost the app: 120 bits each, in groups that can be written down. */
export function makeRecoveryCodes(): readonly string[] {
  return Array.from({ length: recoveryCount }, () =>
    randomLetters(recoveryLetters).replace(/(.{6})(?=.)/g, "$1-"),
  );
}

/**
 * What a typed code may be; blanks and hyphens are for people. Whether it is a code of this account that was not used
 * before shows when it is spent. Without an app (`factor` undefined) a recovery code is all that it may be.
 * @throws NeedsHuman where no key opens the secret
 */
export function readCode(
  factor: Factor | undefined,
  typed: string,
  { keys, nowMs }: { readonly keys: SealKeys; readonly nowMs: number },
): FactorCode | undefined {
  const code = typed.replace(/[\s-]/g, "").toLowerCase();
  if (new RegExp(`^[a-z2-7]{${recoveryLetters}}$`).test(code))
    return { kind: "recovery", hash: sha256Hex(`recovery ${code}`) };
  if (factor === undefined || !/^\d{6}$/.test(code)) return undefined;
  const step = findTotpStep(openSecret(factor, keys), code, nowMs);
  return step === undefined ? undefined : { kind: "app", step };
}

/** Takes a code; false where it was taken before, is of the past, or is none. */
export async function spendCode(tx: WriteTx, account: AccountId, code: FactorCode): Promise<boolean> {
  const changed =
    code.kind === "app"
      ? await tx.run("UPDATE factor SET last_step = ? WHERE account = ? AND last_step < ?", [
          code.step,
          account,
          code.step,
        ])
      : await tx.run(
          "UPDATE recovery_code SET used_at = ? WHERE code_hash = ? AND account = ? AND used_at IS NULL",
          [tx.now, code.hash, account],
        );
  return changed === 1;
}

/** A secret that waits for its first code; it takes the place of one that waits. */
export async function beginFactor(
  tx: WriteTx,
  account: AccountId,
  sealedSecret: string,
): Promise<{ readonly ok: true } | Refusal<"is-on">> {
  await tx.run("DELETE FROM factor WHERE account = ? AND confirmed_at IS NULL", [account]);
  if ((await readFactor(tx, account)) !== undefined) return refuse("is-on");
  await tx.run("INSERT INTO factor (account, sealed_secret, created_at) VALUES (?, ?, ?)", [
    account,
    sealedSecret,
    tx.now,
  ]);
  return { ok: true };
}

/**
 * Turns a waiting factor on, by its first code; false where it does not wait any more, or is another one. `recoveryCodes` is
 * empty where there are some already, with a passkey.
 */
export async function confirmFactor(
  tx: WriteTx,
  { account, sealedSecret }: Factor,
  first: { readonly code: FactorCode; readonly recoveryCodes: readonly string[] },
): Promise<boolean> {
  const changed = await tx.run(
    "UPDATE factor SET confirmed_at = ? WHERE account = ? AND sealed_secret = ? AND confirmed_at IS NULL",
    [tx.now, account, sealedSecret],
  );
  if (changed !== 1) return false;
  await spendCode(tx, account, first.code);
  if (first.recoveryCodes.length > 0) await replaceCodes(tx, account, first.recoveryCodes);
  return true;
}

export async function replaceCodes(tx: WriteTx, account: AccountId, codes: readonly string[]): Promise<void> {
  await tx.run("DELETE FROM recovery_code WHERE account = ?", [account]);
  for (const code of codes)
    await tx.run("INSERT INTO recovery_code (code_hash, account) VALUES (?, ?)", [
      sha256Hex(`recovery ${code.replaceAll("-", "")}`),
      account,
    ]);
}

/** Ends the app; the recovery codes stay while there is a passkey. */
export async function endApp(tx: WriteTx, account: AccountId): Promise<void> {
  await tx.run("DELETE FROM factor WHERE account = ?", [account]);
  await dropIdleCodes(tx, account);
}

/** Ends every second factor of an account. */
export async function endFactors(tx: WriteTx, account: AccountId): Promise<void> {
  for (const table of ["factor", "passkey", "passkey_challenge", "recovery_code"])
    await tx.run(`DELETE FROM ${table} WHERE account = ?`, [account]);
}

/** Recovery codes go with the last factor that they stand in for. */
export async function dropIdleCodes(tx: WriteTx, account: AccountId): Promise<void> {
  await tx.run(
    `DELETE FROM recovery_code WHERE account = ?
       AND NOT EXISTS (SELECT 1 FROM factor f WHERE f.account = recovery_code.account AND f.confirmed_at IS NOT NULL)
       AND NOT EXISTS (SELECT 1 FROM passkey p WHERE p.account = recovery_code.account)`,
    [account],
  );
}

/** How many recovery codes are left. */
export async function countCodes(tx: ReadTx, account: AccountId): Promise<number> {
  const row = await tx.get<{ n: bigint }>(
    "SELECT count(*) AS n FROM recovery_code WHERE account = ? AND used_at IS NULL",
    [account],
  );
  return Number(row?.n ?? 0n);
}

function aboutOf(account: AccountId): string {
  return `factor of ${account}`;
}
