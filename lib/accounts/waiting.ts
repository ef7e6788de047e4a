/**
 * What somebody asked for with an account's password, or by mail, and waits: links, a token for a machine, a card that is being
 * saved. It ends where the account closes or gets another password, and where a change of its address is undone, since it may be a
 * thief's: a link that waited would open the account to whoever knew the old password.
 */
import type { WriteTx } from "../store/store.ts";
import type { AccountId } from "./account.ts";

const waiting = ["password_reset", "address_change", "second_address", "machine_token", "card_page"] as const;

/** What is done already stays, and so does each link by which an owner takes an address back (address.ts). */
export async function endWaiting(tx: WriteTx, account: AccountId): Promise<void> {
  for (const table of waiting) await tx.run(`DELETE FROM ${table} WHERE account = ?`, [account]);
}
