/**
 * Where the service asks whether an account may write. It may while its balance is more than nothing and it is not closed; deleting, reading,
 * and paying are never refused for money, so nobody asks for them here.
 *
 * While the books cannot be read, the answer is 503 with "mayWrite": true (`unavailable` in lib/util/routes.ts): a backup that
 * fails costs a customer more than a day unpaid costs us. The service bounds that: it goes by the last good answer until its
 * `goodUntil`, and by 503 for three days at most (INTERFACES.md).
 */
import { findAccount } from "../lib/accounts/account.ts";
import { formatExact } from "../lib/money/amount.ts";
import { mayWrite, readStanding } from "../lib/warnings/standing.ts";
import type { Response } from "./support/response.ts";
import { respondJson, withService } from "./support/service.ts";
import type { Visit } from "./support/visit.ts";

/** How long the service need not ask again. */
const goodForMs = 24 * 3_600_000;

export async function handle(visit: Visit): Promise<Response> {
  return withService(visit, async () => {
    const { settings, store } = visit.site;
    const asked = visit.query.get("account") ?? "";
    const found = await store.read(async (tx) => {
      const account = await findAccount(tx, asked);
      if (account === undefined) return undefined;
      return { ...(await readStanding(tx, account.id, settings)), isClosed: account.isClosed, now: tx.now };
    });
    if (found === undefined)
      return respondJson(settings.url, 404, { error: `there is no account "${asked}"` });
    const { facts, isClosed, now } = found;
    return respondJson(settings.url, 200, {
      account: asked,
      state: isClosed ? "closed" : found.state,
      mayWrite: mayWrite(facts, isClosed),
      balance: formatExact(facts.balance),
      asOf: new Date(now).toISOString(),
      goodUntil: new Date(now + goodForMs).toISOString(),
    });
  });
}
