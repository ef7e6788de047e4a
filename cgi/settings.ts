/** What a customer can change, with how it stands now. Reads only. */
import { listSessions } from "../lib/accounts/session.ts";
import { pathOf } from "../lib/util/routes.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit, withAccount } from "./support/visit.ts";

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) => {
    const sessions = await visit.site.store.read((tx) => listSessions(tx, account.id, visit.cookie.token));
    return respondPage(visit, {
      title: "Settings",
      template: "settings",
      data: {
        email: account.email,
        sessionCount: sessions.length,
        address: pathOf("address"),
        password: pathOf("password"),
        hasFactor: account.hasFactor,
        factor: pathOf("factor"),
        sessions: pathOf("sessions"),
        warnings: pathOf("warnings"),
        account: pathOf("account"),
      },
    });
  });
}
