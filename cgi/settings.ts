/** What a customer can change, with how it stands now. Reads only. */
import { listPasskeys } from "../lib/accounts/passkey.ts";
import { listSessions } from "../lib/accounts/session.ts";
import { listTokens } from "../lib/accounts/token.ts";
import { readRule } from "../lib/payments/recharge.ts";
import { pathOf } from "../lib/util/routes.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit, withAccount } from "./support/visit.ts";

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) => {
    const { sessions, tokens, passkeys, rule } = await visit.site.store.read(async (tx) => ({
      sessions: await listSessions(tx, account.id, visit.cookie.token),
      tokens: await listTokens(tx, account.id),
      passkeys: await listPasskeys(tx, account.id),
      rule: await readRule(tx, account.id),
    }));
    return respondPage(visit, {
      title: "Settings",
      template: "settings",
      data: {
        email: account.email,
        sessionCount: sessions.length,
        address: pathOf("address"),
        password: pathOf("password"),
        hasFactor: account.hasFactor,
        passkeyCount: passkeys.length,
        passkeys: pathOf("passkey"),
        factor: pathOf("factor"),
        close: pathOf("close"),
        machines: pathOf("machines"),
        recharge: pathOf("recharge"),
        isRecharged: rule?.isOn === true,
        sessions: pathOf("sessions"),
        tokenCount: tokens.length,
        tokens: pathOf("tokens"),
        warnings: pathOf("warnings"),
        account: pathOf("account"),
      },
    });
  });
}
