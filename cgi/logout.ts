/** Log out: ends the session on the server, not only in the browser. A GET only shows the button. */
import { endSession } from "../lib/accounts/session.ts";
import { pathOf } from "../lib/util/routes.ts";
import type { Response } from "./support/response.ts";
import { endedCookie, respondPage, respondRedirect, type Visit } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

export async function handle(visit: Visit): Promise<Response> {
  const { site, cookie, request } = visit;
  if (request.method !== "POST") return respondPage(visit, { title: "Log out", template: "logout" });
  await site.store.write((tx) => endSession(tx, cookie.token));
  watch(visit, "logout");
  return respondRedirect(visit, pathOf("login"), [
    endedCookie(site.settings.url),
    // Not "cookies": it would end those of every other site below the same domain, and ours ends by itself.
    ["Clear-Site-Data", '"cache", "storage"'],
  ]);
}
