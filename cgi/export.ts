/** Everything that is kept of an account, in one archive: JSON for programs, CSV for people. Reads only. */
import { archivePortrait } from "../lib/staff/archive.ts";
import { readPortrait } from "../lib/staff/portrait.ts";
import { dayOf } from "../lib/util/clock.ts";
import { type Response, securityHeaders } from "./support/response.ts";
import { type Visit, withAccount } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

export async function handle(visit: Visit): Promise<Response> {
  return withAccount(visit, async (account) => {
    const { store, settings, clock } = visit.site;
    watch(visit, "exported", account);
    const portrait = await store.read((tx) => readPortrait(tx, account, settings));
    return {
      status: 200,
      headers: [
        ["Content-Type", "application/zip"],
        ["Content-Disposition", `attachment; filename="${account.id}-${dayOf(clock.now())}.zip"`],
        ...securityHeaders({ url: settings.url }),
      ],
      body: archivePortrait(portrait, settings.meters, clock.now()),
    };
  });
}
