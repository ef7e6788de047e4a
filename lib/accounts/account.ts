/**
 * Accounts and how one comes to be: a sign-up waits under the hash of its token until somebody who reads the mail and knows
 * the sign-up's password confirms it; only then is there an account, with its ledger account. An address has one account at most.
 *
 * Both are asked for, since anybody may sign up with anybody's address: a mailbox alone would confirm a stranger's password. So a
 * link may confirm any sign-up of its address, and those that got no mail (limit.ts) are confirmed by the link of another.
 */
import { openLedgerAccount } from "../ledger/transfer.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";
import { type Refusal, refuse } from "../util/failure.ts";
import { randomId } from "../util/random.ts";
import { type Email, parseEmail } from "./email.ts";

/** `acct_` and 16 characters of base32; shown to the customer, and opaque. */
export type AccountId = string & { readonly brand: "AccountId" };

export interface Account {
  readonly id: AccountId;
  readonly email: Email;
  readonly passwordHash: string;
  /** Whether a second factor is on: an authenticator app (factor.ts), or a passkey (passkey.ts). */
  readonly hasFactor: boolean;
  readonly hasApp: boolean;
  readonly hasPasskey: boolean;
  /** Nobody can log in to it (closing.ts). */
  readonly isClosed: boolean;
}

/** How long the link in a confirmation mail works. */
export const signupLifeMs = 24 * 3_600_000;

/** Whether the address has an account, a closed one perhaps, and if not, a waiting sign-up under the token. May be repeated. */
export async function beginSignup(
  tx: WriteTx,
  signup: {
    readonly email: Email;
    readonly passwordHash: string;
    readonly token: string;
    /** The version that was accepted; "" where there are no terms. */
    readonly terms?: string;
  },
): Promise<"waiting" | "has-account" | "is-closed"> {
  await tx.run("DELETE FROM signup WHERE expires_at <= ?", [tx.now]);
  const known = await findAccountByEmail(tx, signup.email);
  if (known?.isClosed === true) return "is-closed";
  if (known === undefined && !(await isAddressFree(tx, signup.email, ""))) return "has-account";
  // One that moved in has no password yet (lib/staff/opening.ts): whoever reads its mail sets the first one.
  if (known !== undefined && known.passwordHash !== "") return "has-account";
  await tx.run(
    "INSERT INTO signup (token_hash, email, password_hash, expires_at, terms) VALUES (?, ?, ?, ?, ?)",
    [sha256Hex(signup.token), signup.email, signup.passwordHash, tx.now + signupLifeMs, signup.terms ?? ""],
  );
  return "waiting";
}

/** Besides a link's own sign-up, so many others of its address are looked at: each password takes a second. */
const mostOthers = 3;

/**
 * Whose address a token proves, and the hashed passwords of the sign-ups that wait for it, the token's own first, then the newest;
 * undefined for one that is none, was used, or has run out. Changes nothing (mail scanners follow links).
 */
export async function readSignups(
  tx: ReadTx,
  token: string,
): Promise<{ readonly email: Email; readonly passwordHashes: readonly string[] } | undefined> {
  const own = await tx.get<{ email: Email; hash: string }>(
    "SELECT email, password_hash AS hash FROM signup WHERE token_hash = ? AND expires_at > ?",
    [sha256Hex(token), tx.now],
  );
  if (own === undefined) return undefined;
  const others = await tx.all<{ hash: string }>(
    `SELECT password_hash AS hash FROM signup WHERE email = ? AND token_hash <> ? AND expires_at > ?
     ORDER BY expires_at DESC, token_hash LIMIT ?`,
    [own.email, sha256Hex(token), tx.now, mostOthers],
  );
  return { email: own.email, passwordHashes: [own, ...others].map(({ hash }) => hash) };
}

/**
 * Makes the account that a sign-up asked for: the one with this password hash, of the token's address. Every other sign-up of the
 * address ends with it, and every token.
 */
export async function confirmSignup(
  tx: WriteTx,
  token: string,
  passwordHash: string,
): Promise<{ readonly ok: true; readonly account: AccountId } | Refusal<"token-unknown">> {
  const signup = await tx.get<{ email: Email; terms: string }>(
    `SELECT email, terms FROM signup WHERE password_hash = ? AND expires_at > ?
       AND email = (SELECT email FROM signup WHERE token_hash = ? AND expires_at > ?)`,
    [passwordHash, tx.now, sha256Hex(token), tx.now],
  );
  if (signup === undefined) return refuse("token-unknown");
  const { email, terms } = signup;
  await tx.run("DELETE FROM signup WHERE email = ?", [email]);
  const known = await findAccountByEmail(tx, email);
  if (known === undefined && !(await isAddressFree(tx, email, ""))) return refuse("token-unknown");
  const account = known?.id ?? (await openAccount(tx, email, passwordHash));
  // An account that moved in gets its password by this; one that has one keeps it.
  await tx.run("UPDATE account SET password_hash = ? WHERE id = ? AND password_hash = ''", [
    passwordHash,
    account,
  ]);
  await tx.run("UPDATE account SET terms = ?, terms_at = ? WHERE id = ? AND terms_at = 0", [
    terms,
    tx.now,
    account,
  ]);
  return { ok: true, account };
}

/** A new account with its ledger account; no password ("") is one that nobody can log in with. */
export async function openAccount(tx: WriteTx, email: Email, passwordHash: string): Promise<AccountId> {
  const id = randomId("acct_") as AccountId;
  await openLedgerAccount(tx, id, "customer");
  await tx.run("INSERT INTO account (id, email, password_hash, created_at) VALUES (?, ?, ?, ?)", [
    id,
    email,
    passwordHash,
    tx.now,
  ]);
  return id;
}

export async function findAccountByEmail(tx: ReadTx, email: Email): Promise<Account | undefined> {
  return findBy(tx, "email", email);
}

/** Whether nobody but `account` ("" for nobody) has an address, or may have it back (address.ts). */
export async function isAddressFree(tx: ReadTx, email: Email, account: string): Promise<boolean> {
  const other = await tx.get(
    `SELECT 1 AS one FROM account WHERE email = ? AND id <> ?
     UNION ALL SELECT 1 FROM address_undo WHERE email = ? AND account <> ? AND expires_at > ?`,
    [email, account, email, account, tx.now],
  );
  return other === undefined;
}

export async function findAccount(tx: ReadTx, id: string): Promise<Account | undefined> {
  return findBy(tx, "id", id);
}

async function findBy(tx: ReadTx, column: "id" | "email", value: string): Promise<Account | undefined> {
  const row = await tx.get<
    Pick<Account, "id" | "email" | "passwordHash"> & { app: bigint; passkey: bigint; closed: bigint }
  >(
    `SELECT id, email, password_hash AS passwordHash,
       EXISTS (SELECT 1 FROM factor f WHERE f.account = account.id AND f.confirmed_at IS NOT NULL) AS app,
       EXISTS (SELECT 1 FROM passkey p WHERE p.account = account.id) AS passkey,
       EXISTS (SELECT 1 FROM closing c WHERE c.account = account.id) AS closed
     FROM account WHERE ${column} = ?`,
    [value],
  );
  if (row === undefined) return undefined;
  const { id, email, passwordHash } = row;
  const [hasApp, hasPasskey] = [row.app === 1n, row.passkey === 1n];
  return {
    id,
    email,
    passwordHash,
    hasFactor: hasApp || hasPasskey,
    hasApp,
    hasPasskey,
    isClosed: row.closed === 1n,
  };
}

/** By its id, or by its address, as people and usage files name it. */
export async function resolveAccount(tx: ReadTx, text: string): Promise<Account | undefined> {
  const email = parseEmail(text);
  return email === undefined ? findAccount(tx, text) : findAccountByEmail(tx, email);
}

/** The same password hashed anew; one that was changed meanwhile stays. */
export async function replaceHash(
  tx: WriteTx,
  { id, passwordHash }: Account,
  renewed: string,
): Promise<void> {
  await tx.run("UPDATE account SET password_hash = ? WHERE id = ? AND password_hash = ?", [
    renewed,
    id,
    passwordHash,
  ]);
}
