/**
 * What the programs for the service itself have in common: a bearer token of their own instead of a cookie, and answers in
 * JSON. No page links to them, and a browser has nothing to show them.
 */
import { sameSecret } from "../../lib/util/digest.ts";
import { NeedsHuman } from "../../lib/util/failure.ts";
import { type Header, type Response, securityHeaders } from "./response.ts";
import type { Visit } from "./visit.ts";
import { watch } from "./watch.ts";

export function respondJson(
  url: string,
  status: number,
  value: object,
  headers: readonly Header[] = [],
): Response {
  const type: Header = ["Content-Type", "application/json"];
  return {
    status,
    headers: [type, ...securityHeaders({ url }), ...headers],
    body: `${JSON.stringify(value)}\n`,
  };
}

/**
 * Runs `work` for whoever shows the service's token (RFC 6750); both tokens are good while one is being replaced.
 * @throws NeedsHuman where the site has no such token
 */
export async function withService(visit: Visit, work: () => Promise<Response>): Promise<Response> {
  const { secrets, settings } = visit.site;
  const tokens = [secrets.usage_token, secrets.usage_token_old].filter((token) => token !== undefined);
  if (tokens.length === 0)
    throw new NeedsHuman(
      "usage_token is not set in the secrets file; the service cannot be told from others",
    );
  const shown = /^Bearer ([\w~+/.=-]+)$/i.exec(visit.request.authorization)?.[1] ?? "";
  // Both are compared, whichever fits, so that the time tells nothing.
  const fits = tokens.map((token) => sameSecret(shown, token));
  if (fits.includes(true)) return work();
  watch(visit, "service-refused");
  const error = "show the service's token: Authorization: Bearer TOKEN";
  return respondJson(settings.url, 401, { error }, [["WWW-Authenticate", 'Bearer realm="service"']]);
}
