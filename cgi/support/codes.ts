/** Recovery codes, on the one page that ever shows them. */
import { pathOf } from "../../lib/util/routes.ts";
import type { Response } from "./response.ts";
import { respondPage, type Visit } from "./visit.ts";

export function respondCodes(visit: Visit, codes: readonly string[]): Response {
  return respondPage(visit, {
    title: "Recovery codes",
    template: "factor-codes",
    data: { codes, settings: pathOf("settings") },
  });
}
