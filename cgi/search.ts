/**
 * Searches the site's pages; only a site with `search: yes` has this program. It needs neither accounts nor a cookie,
 * changes nothing, and works without the accounts' database. What people look for is written nowhere.
 */
import { type Found, longestQueryBytes, resultsPerPage, searchPages } from "../lib/search/query.ts";
import { unreachable } from "../lib/util/failure.ts";
import type { Response } from "./support/response.ts";
import { respondPage, type Visit } from "./support/visit.ts";

export async function handle(visit: Visit): Promise<Response> {
  const typed = visit.query.get("q") ?? "";
  if (typed.trim() === "") return show(visit, { title: "Search" });
  const page = readPage(visit.query.get("page") ?? "1");
  const found = searchPages(visit.site.search, typed, page);
  if (found.ok) return show(visit, { title: `Search: ${typed}`, typed, found, page });
  switch (found.why) {
    case "no-such-page":
      return show(visit, { title: "Search", typed, status: 404, error: "There are no more results." });
    case "too-long":
    case "no-words":
    case "too-many-words":
      return show(visit, { title: "Search", typed, status: 400, error: found.detail ?? found.why });
    default:
      return unreachable(found);
  }
}

/** NaN, which is no page, for anything but a whole number. */
function readPage(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

interface Shown {
  readonly title: string;
  readonly status?: number;
  readonly typed?: string;
  readonly error?: string;
  readonly found?: Found;
  readonly page?: number;
}

function show(visit: Visit, shown: Shown): Response {
  const { title, status = 200, typed = "", error = "", found, page = 1 } = shown;
  const linkTo = (number: number): string =>
    `${visit.route.path}?${new URLSearchParams({ q: typed, page: String(number) })}`;
  const last = page * resultsPerPage;
  const data = {
    typed,
    error,
    longest: longestQueryBytes,
    isAsked: found !== undefined,
    results: found?.pages ?? [],
    total: found?.total ?? 0,
    isOne: found?.total === 1,
    isMore: found?.isMore ?? false,
    isPartial: found?.isPartial ?? false,
    first: last - resultsPerPage + 1,
    previous: found !== undefined && page > 1 ? linkTo(page - 1) : "",
    next: found !== undefined && last < found.total ? linkTo(page + 1) : "",
  };
  // Search engines have no use for each other's results.
  return respondPage(visit, {
    title,
    template: "search",
    status,
    data,
    headers: [["X-Robots-Tag", "noindex"]],
  });
}
