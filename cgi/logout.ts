/** Log out: ends the session on the server, not only in the browser. A GET only shows the button. */
import { endSession, readSession } from "../lib/accounts/session.ts";
import { pathOf } from "../lib/util/routes.ts";
import type { Response } from "./support/response.ts";
import { endedCookie, respondPage, respondRedirect, type Visit } from "./support/visit.ts";
import { watch } from "./support/watch.ts";

export async function handle(visit: Visit): Promise<Response> {
  const { site, cookie, request } = visit;
  if (request.method !== "POST") {
    visit.found.isLoggedIn = (await site.store.read((tx) => readSession(tx, cookie.token))) !== undefined;
    return respondPage(visit, { title: "Log out", template: "logout" });
  }
  const session = await site.store.write(async (tx) => {
    const found = await readSession(tx, cookie.token);
    await endSession(tx, cookie.token);
    return found;
  });
  watch(visit, "logout", session?.account);
  return respondRedirect(visit, pathOf("login"), [
    endedCookie(site.settings.url),
    // Not "cookies": it would end those of every other site below the same domain, and ours ends by itself.
    ["Clear-Site-Data", '"cache", "storage"'],
  ]);
}
