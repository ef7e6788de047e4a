/**
 * A try of a password or a code: counted before it is looked at, so that of many that are sent at once no more are looked at than
 * are free (lib/accounts/limit.ts). Whoever begins one ends it, in the transaction of what came of it.
 */
import type { AccountId } from "../../lib/accounts/account.ts";
import {
  beginLoginTry,
  endLoginTry,
  type LoginTry,
  readLoginWait,
  type Tried,
} from "../../lib/accounts/limit.ts";
import type { Visit } from "./visit.ts";

/** The try, or how long to wait; `account` is whose address it is, if anybody's. */
export async function beginTry(
  { site }: Visit,
  tried: Tried,
  account: AccountId | undefined,
): Promise<
  { readonly ok: true; readonly begun: LoginTry } | { readonly ok: false; readonly waitMs: number }
> {
  // Most of a flood must wait, and is told so without a writer's turn.
  const waitMs = await site.store.read((tx) => readLoginWait(tx, tried, account));
  if (waitMs > 0) return { ok: false, waitMs };
  return site.store.write((tx) => beginLoginTry(tx, tried, account));
}

/** Runs what judges a try. Where that fails nothing was guessed, and the try is not held against anybody. */
export async function judgeTry<Result>(
  { site }: Visit,
  begun: LoginTry,
  judge: () => Promise<Result>,
): Promise<Result> {
  try {
    return await judge();
  } catch (cause) {
    await site.store.write((tx) => endLoginTry(tx, begun, "not-judged"));
    throw cause;
  }
}
