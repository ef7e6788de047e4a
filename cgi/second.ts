/** Where the link to a second address leads: a button, since mail scanners follow links, and then warnings go there too. */
import { pathOf } from "../lib/util/routes.ts";
import { checkSecond, confirmSecond } from "../lib/warnings/second.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit } from "./support/visit.ts";

export async function handle(visit: Visit): Promise<Response> {
  const { site, request, query, form } = visit;
  if (request.method !== "POST") {
    const token = query.get("token") ?? "";
    if (!(await site.store.read((tx) => checkSecond(tx, token)))) return showUsed(visit);
    return respondPage(visit, { title: "Confirm this address", template: "second", data: { token } });
  }
  const confirmed = await site.store.write((tx) => confirmSecond(tx, form.get("token") ?? ""));
  if (!confirmed.ok) return showUsed(visit);
  return respondPage(visit, {
    title: "This address is confirmed",
    template: "second-done",
    data: { email: confirmed.email },
  });
}

function showUsed(visit: Visit): Response {
  return respondPage(visit, {
    title: "This link no longer works",
    template: "second-used",
    status: 410,
    data: { warnings: pathOf("warnings") },
  });
}
