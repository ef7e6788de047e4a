/**
 * Limits on attempts (OWASP ASVS 5.0 6.3.1, 2.4.1): a few are free, then each must wait, longer each time. Counters are kept by a
 * hash, and committed apart, so that a refusal cannot undo them. A login is counted as a wrong one before its password is looked
 * at, and taken back when it was right: of many that come at once no more are looked at than are free.
 *
 * A stranger who tries an address from many networks slows down all networks from which its owner never logged in, and none
 * from which the owner did, or set a password by mail: nobody can be locked out.
 */
import type { ReadTx, WriteTx } from "../store/store.ts";
import { sha256Hex } from "../util/digest.ts";
import type { AccountId } from "./account.ts";

export interface Limit {
  readonly name: string;
  /** Attempts without a wait; they are forgotten when none came for `windowMs`. */
  readonly free: number;
  readonly windowMs: number;
  /** The first wait; it doubles up to `mostMs`. */
  readonly firstMs: number;
  readonly mostMs: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Wrong passwords for one address from one network, from one network, and for one address from everywhere. */
export const loginPair: Limit = {
  name: "login-pair",
  free: 5,
  windowMs: hourMs,
  firstMs: minuteMs,
  mostMs: hourMs,
};
export const loginNetwork: Limit = {
  name: "login-network",
  free: 60,
  windowMs: hourMs,
  firstMs: minuteMs,
  mostMs: hourMs,
};
export const loginAddress: Limit = {
  name: "login-address",
  free: 30,
  windowMs: hourMs,
  firstMs: minuteMs,
  mostMs: hourMs,
};
/**
 * Mails that strangers can cause: to one address, which is to be an account's or a second one, and by one network. Whether an address
 * has had enough of them says nothing of accounts, so that pages may say it.
 */
export const mailAddress: Limit = {
  name: "mail-address",
  free: 3,
  windowMs: 24 * hourMs,
  firstMs: hourMs,
  mostMs: 24 * hourMs,
};
export const mailNetwork: Limit = {
  name: "mail-network",
  free: 20,
  windowMs: hourMs,
  firstMs: 5 * minuteMs,
  mostMs: 6 * hourMs,
};
/** Mails to one address that sign-ups cause. Apart from the others, so that whoever gets none has the link of one within the day. */
export const mailSignup: Limit = { ...mailAddress, name: "mail-signup" };
/** Mails to one address that tell how to set a new password. Only an account's gets any: apart, and never told. */
export const mailReset: Limit = { ...mailAddress, name: "mail-reset" };
/** Wrong passwords for one link that confirms a sign-up: only a reader of its mail can type any. */
export const confirmations: Limit = { ...loginPair, name: "confirm" };
/** Checkouts of one account: stolen cards are tried by the dozen. */
export const checkouts: Limit = {
  name: "checkouts",
  free: 10,
  windowMs: hourMs,
  firstMs: 10 * minuteMs,
  mostMs: 6 * hourMs,
};

/** Milliseconds until the next attempt; 0 where it may be made now. */
export async function readWait(tx: ReadTx, limit: Limit, key: string): Promise<number> {
  const counter = await readCounter(tx, limit, key);
  return Math.max(0, Number(counter?.until ?? 0n) - tx.now);
}

/** A counter as it stands. */
interface Counter {
  readonly count: bigint;
  readonly last: bigint;
  readonly until: bigint;
}

/** An attempt that was counted: what its counter was before, and became by it. */
export interface Counted {
  readonly limit: Limit;
  readonly key: string;
  readonly before: Counter | undefined;
  readonly after: Counter;
}

/** Counts an attempt, and sets the wait before the next one. */
export async function noteAttempt(tx: WriteTx, limit: Limit, key: string): Promise<Counted> {
  const { free, windowMs, firstMs, mostMs } = limit;
  await tx.run("DELETE FROM attempt WHERE last_at < ?", [tx.now - 2 * 24 * hourMs]);
  const before = await readCounter(tx, limit, key);
  const isOver = before === undefined || Number(before.last) < tx.now - windowMs - mostMs;
  const count = isOver ? 1 : Number(before.count) + 1;
  const wait = count < free ? 0 : Math.min(mostMs, firstMs * 2 ** Math.min(count - free, 30));
  const after = { count: BigInt(count), last: BigInt(tx.now), until: BigInt(tx.now + wait) };
  await writeCounter(tx, limit, key, after);
  return { limit, key, before, after };
}

/** Counts an attempt that may be made now, and answers 0; or else how long to wait. */
export async function takeAttempt(tx: WriteTx, limit: Limit, key: string): Promise<number> {
  const waitMs = await readWait(tx, limit, key);
  if (waitMs === 0) await noteAttempt(tx, limit, key);
  return waitMs;
}

/** Leaves a counter as if the attempt had not been; what others counted meanwhile stays. */
async function takeBackAttempt(tx: WriteTx, { limit, key, before, after }: Counted): Promise<void> {
  const now = await readCounter(tx, limit, key);
  if (now === undefined) return;
  const isOurs = now.count === after.count && now.last === after.last;
  const count = now.count - 1n;
  const others = { ...now, count, until: count < BigInt(limit.free) ? now.last : now.until };
  const left = isOurs ? before : others;
  if (left !== undefined && left.count > 0n) return writeCounter(tx, limit, key, left);
  await tx.run("DELETE FROM attempt WHERE name = ? AND key_hash = ?", [limit.name, sha256Hex(key)]);
}

async function readCounter(tx: ReadTx, { name }: Limit, key: string): Promise<Counter | undefined> {
  return tx.get<Counter>(
    "SELECT count, last_at AS last, wait_until AS until FROM attempt WHERE name = ? AND key_hash = ?",
    [name, sha256Hex(key)],
  );
}

async function writeCounter(tx: WriteTx, { name }: Limit, key: string, counter: Counter): Promise<void> {
  await tx.run(
    `INSERT INTO attempt (name, key_hash, count, last_at, wait_until) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (name, key_hash) DO UPDATE SET
       count = excluded.count, last_at = excluded.last_at, wait_until = excluded.wait_until`,
    [name, sha256Hex(key), counter.count, counter.last, counter.until],
  );
}

/** What a log-in is tried for, and from where. */
export interface Tried {
  /** As it was read, or as it was typed where it is none. */
  readonly address: string;
  readonly network: string;
}

const pairOf = ({ address, network }: Tried): string => `${address} ${network}`;

/** `account` is whose address it is, if anybody's: from where its owner was seen, strangers cannot make it wait. */
export async function readLoginWait(
  tx: ReadTx,
  tried: Tried,
  account: AccountId | undefined,
): Promise<number> {
  const address = await readWait(tx, loginAddress, tried.address);
  return Math.max(
    await readWait(tx, loginPair, pairOf(tried)),
    await readWait(tx, loginNetwork, tried.network),
    (await isSeen(tx, tried, account)) ? 0 : address,
  );
}

/** A login, or a proof of one, that is counted and not judged yet. */
export interface LoginTry {
  readonly tried: Tried;
  readonly counted: readonly Counted[];
}

/** Counts a try as a wrong one; or says how long to wait before the next. */
export async function beginLoginTry(
  tx: WriteTx,
  tried: Tried,
  account: AccountId | undefined,
): Promise<
  { readonly ok: true; readonly begun: LoginTry } | { readonly ok: false; readonly waitMs: number }
> {
  const waitMs = await readLoginWait(tx, tried, account);
  if (waitMs > 0) return { ok: false, waitMs };
  return { ok: true, begun: { tried, counted: await noteFailedLogin(tx, tried) } };
}

/** A try that was right, or was never judged, is not counted; the wait behind a wrong one begins now. */
export async function endLoginTry(
  tx: WriteTx,
  { tried, counted }: LoginTry,
  outcome: "right" | "wrong" | "not-judged",
): Promise<void> {
  for (const attempt of counted) await takeBackAttempt(tx, attempt);
  if (outcome === "wrong") await noteFailedLogin(tx, tried);
}

async function noteFailedLogin(tx: WriteTx, tried: Tried): Promise<readonly Counted[]> {
  return [
    await noteAttempt(tx, loginPair, pairOf(tried)),
    await noteAttempt(tx, loginNetwork, tried.network),
    await noteAttempt(tx, loginAddress, tried.address),
  ];
}

/** "new-place" where the account was logged in to before, and never from this network. */
export async function noteGoodLogin(
  tx: WriteTx,
  tried: Tried,
  account: AccountId,
): Promise<"known-place" | "first" | "new-place"> {
  const isKnown = await isSeen(tx, tried, account);
  const any = await tx.get("SELECT 1 AS one FROM known_network WHERE account = ?", [account]);
  await noteOwner(tx, tried, account);
  if (isKnown) return "known-place";
  return any === undefined ? "first" : "new-place";
}

/**
 * Whoever logged in, or set a password by a link in the mail, is the owner: the mistakes made from there are forgotten, and no
 * stranger's make that network wait. Who reads the mailbox needs no guesses.
 */
export async function noteOwner(tx: WriteTx, tried: Tried, account: AccountId): Promise<void> {
  await tx.run("DELETE FROM attempt WHERE name = ? AND key_hash = ?", [
    loginPair.name,
    sha256Hex(pairOf(tried)),
  ]);
  await tx.run(
    `INSERT INTO known_network (account, network_hash, seen_at) VALUES (?, ?, ?)
     ON CONFLICT (account, network_hash) DO UPDATE SET seen_at = excluded.seen_at`,
    [account, sha256Hex(tried.network), tx.now],
  );
}

/**
 * Whether a mail may go that a stranger asked for: "yes", "silent" where the address has had enough (at a sign-up and a reset the
 * page answers as always), or how long the network must wait. From where its owner was seen, an address never has enough.
 */
export async function admitMail(
  tx: WriteTx,
  tried: Tried,
  account: AccountId | undefined,
  limit = mailAddress,
): Promise<"yes" | "silent" | number> {
  const waitMs = await takeAttempt(tx, mailNetwork, tried.network);
  if (waitMs > 0) return waitMs;
  const isEnough = (await readWait(tx, limit, tried.address)) > 0;
  return isEnough && !(await isSeen(tx, tried, account)) ? "silent" : "yes";
}

/** A mail that a stranger may have asked for goes to an address. */
export async function noteMail(tx: WriteTx, { address }: Tried, limit = mailAddress): Promise<void> {
  await noteAttempt(tx, limit, address);
}

/** Whether an account was logged in to from a network before. */
async function isSeen(tx: ReadTx, { network }: Tried, account: AccountId | undefined): Promise<boolean> {
  const row = await tx.get("SELECT 1 AS one FROM known_network WHERE account = ? AND network_hash = ?", [
    account ?? "",
    sha256Hex(network),
  ]);
  return row !== undefined;
}
