/**
 * What happens to access, for the operator's log (OWASP ASVS 5.0 16.3): who got in, who did not, and what was changed. Accounts by
 * their id, networks, and times in UTC; never an address, a password, or a token. One line each:
 * `2026-11-23T08:00:00Z security: login acct_... from 192.0.2.1`.
 */
import type { Account } from "../../lib/accounts/account.ts";
import { formatUtc } from "../../lib/util/clock.ts";
import { networkOf } from "./network.ts";
import type { Visit } from "./visit.ts";

export type Watched =
  | "login"
  | "login-refused"
  | "login-waiting"
  | "confirm-refused"
  | "confirm-waiting"
  | "proof-refused"
  | "proof-waiting"
  | "logout"
  | "password-changed"
  | "password-reset"
  | "address-changed"
  | "address-undone"
  | "factor-on"
  | "factor-off"
  | "recovery-codes"
  | "passkey-added"
  | "passkey-removed"
  | "passkey-shown"
  | "passkey-refused"
  | "token-made"
  | "token-refused"
  | "service-refused"
  | "machine-token"
  | "machine-retired"
  | "exported"
  | "closed"
  | "reopened"
  | "payment-begun"
  | "card-page"
  | "recharge-on"
  | "recharge-off";

/** `account`: whose it is, where that is known; a stranger's guess at an address is none. */
export function watch({ site, request }: Visit, what: Watched, account?: Pick<Account, "id">): void {
  site.log(
    watchLine({
      now: site.clock.now(),
      what,
      account: account?.id ?? "-",
      remoteAddress: request.remoteAddress,
    }),
  );
}

export function watchLine(event: {
  readonly now: number;
  readonly what: string;
  readonly account: string;
  readonly remoteAddress: string;
}): string {
  const { now, what, account, remoteAddress } = event;
  return `${formatUtc(now)} security: ${what} ${account} from ${networkOf(remoteAddress)}`;
}
