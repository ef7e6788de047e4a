/** The sessions of an account: which there are, and ending one or all others (OWASP ASVS 5.0 7.5.2). */
import type { Account } from "../lib/accounts/account.ts";
import {
  endNamedSession,
  endOtherSessions,
  listSessions,
  sessionIdleMs,
  sessionLifeMs,
} from "../lib/accounts/session.ts";
import { formatUtc } from "../lib/util/clock.ts";
import { pathOf } from "../lib/util/routes.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit, withAccount } from "./support/visit.ts";

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) => {
    if (visit.request.method !== "POST") return show(visit, account, "");
    const which = visit.form.get("end") ?? "";
    const { token } = visit.cookie;
    await visit.site.store.write(async (tx) => {
      if (which === "others") await endOtherSessions(tx, account.id, token);
      else await endNamedSession(tx, account.id, which);
    });
    // One that is not there has ended: whoever pressed twice is told the same. This one's own end shows at the next page.
    return show(visit, account, "yes");
  });
}

async function show(visit: Visit, account: Account, ended: string): Promise<Response> {
  const lines = await visit.site.store.read((tx) => listSessions(tx, account.id, visit.cookie.token));
  return respondPage(visit, {
    title: "Where you are logged in",
    template: "sessions",
    data: {
      ended,
      sessions: lines.map(({ id, browser, network, createdAt, seenAt, isThis }) => ({
        id,
        browser,
        network,
        began: formatUtc(createdAt),
        seen: formatUtc(seenAt),
        isThis,
      })),
      hasOthers: lines.length > 1,
      lifeHours: sessionLifeMs / 3_600_000,
      idleMinutes: sessionIdleMs / 60_000,
      settings: pathOf("settings"),
    },
  });
}
