/**
 * What stands before every handler. Checks run in the order of the list below, and the first that fails
 * answers; a handler only ever sees a request that passed all of them. Nothing is written here.
 */
import { sameSecret } from "../../lib/util/digest.ts";
import { type Refusal, refuse } from "../../lib/util/failure.ts";
import { randomToken } from "../../lib/util/random.ts";
import type { Route } from "../../lib/util/routes.ts";
import { type FieldRefusal, type Fields, parseFields } from "./form.ts";
import type { Request } from "./request.ts";
import { cookieName, formTokenOf, type SessionCookie } from "./visit.ts";

export type GuardRefusal =
  | Refusal<"wrong-host" | "wrong-method" | "no-length" | "body-too-long" | "body-cut" | "wrong-type">
  | FieldRefusal
  | Refusal<"foreign-origin" | "wrong-form-token">;

/** Status and sentence of each refusal; 4xx all of them (RFC 9110 section 15.5). */
export const refusalPages: Readonly<
  Record<GuardRefusal["why"], readonly [status: number, sentence: string]>
> = {
  "wrong-host": [421, "This address is not served here. Please use the site's own address."],
  "wrong-method": [405, "This page cannot be asked in that way. Open it from the site's navigation."],
  "no-length": [411, "The request does not say how long it is. Send the form again from the page."],
  "body-too-long": [
    413,
    "The request is longer than this page takes. Shorten what you typed, and send it again.",
  ],
  "body-cut": [400, "The request broke off on its way. Send the form again."],
  "wrong-type": [415, "This page takes its own form only. Open the page, and send the form from there."],
  "bad-encoding": [400, "The request is not in UTF-8. Open the page, and send the form from there."],
  "unknown-field": [
    400,
    "The request has a field that this page does not know. Open the page, and start again.",
  ],
  "repeated-field": [400, "The request has a field twice. Open the page, and send the form from there."],
  "field-too-long": [400, "A field is longer than this page takes. Shorten it, and send the form again."],
  "foreign-origin": [403, "The form was sent from another site. If you want to go on, open the page here."],
  "wrong-form-token": [
    403,
    "The form is too old, or your browser sent no cookie. Open the page, and try again.",
  ],
};

export interface Guarded {
  readonly ok: true;
  readonly query: Fields;
  readonly form: Fields;
  readonly cookie: SessionCookie;
}

/** Checks a request, its body included, against its route. `url` is the site's base URL. */
export function guardRequest(route: Route, request: Request, url: string): Guarded | GuardRefusal {
  const early = guardHead(route, request, url);
  if (early !== undefined) return early;
  const query = parseFields(request.query, route.query);
  if (!query.ok) return query;
  const cookie = route.hasAccounts ? readCookie(request.cookie, cookieName(url)) : noCookie;
  const guarded = { ok: true, query: query.fields, form: new Map<string, string>(), cookie } as const;
  if (request.method !== "POST" || route.body !== "form") return guarded;
  const text = decodeBody(request.body);
  if (text === undefined) return refuse("bad-encoding");
  const form = parseFields(text, [...route.fields, { name: "form_token", maxBytes: 64 }]);
  if (!form.ok) return form;
  if (isForeign(request, url)) return refuse("foreign-origin");
  // Without a cookie the token was made just now, and no form can have come with it.
  if (!sameSecret(form.fields.get("form_token") ?? "", formTokenOf(cookie.token)))
    return refuse("wrong-form-token");
  return { ...guarded, form: form.fields };
}

/** The checks that need no body; also run before the body is read. */
export function guardHead(route: Route, request: Request, url: string): GuardRefusal | undefined {
  if (request.host.toLowerCase() !== new URL(url).host) return refuse("wrong-host");
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (!route.methods.some((allowed) => allowed === method)) return refuse("wrong-method");
  if (method !== "POST") return undefined;
  if (request.contentLength === undefined) return refuse("no-length");
  if (request.contentLength > route.bodyLimitBytes) return refuse("body-too-long");
  if (route.body === "form" && !isFormType(request.contentType)) return refuse("wrong-type");
  if (request.body.length > 0 && request.body.length < request.contentLength) return refuse("body-cut");
  return undefined;
}

function isFormType(contentType: string): boolean {
  return /^application\/x-www-form-urlencoded(;\s*charset="?utf-8"?)?\s*$/i.test(contentType);
}

function decodeBody(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}

/** Browsers say where a form comes from; programs like curl say nothing, and have the token to show. */
function isForeign(request: Request, url: string): boolean {
  if (request.origin !== "" && request.origin !== url) return true;
  return request.fetchSite !== "" && request.fetchSite !== "same-origin";
}

const noCookie: SessionCookie = { token: "", fresh: false };

/** The browser's token if it sent exactly one of the right form; a fresh one otherwise. */
function readCookie(header: string, name: string): SessionCookie {
  const values = header
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${name}=`))
    .map((part) => part.slice(name.length + 1));
  const [value] = values;
  if (values.length === 1 && value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value))
    return { token: value, fresh: false };
  let made: string | undefined;
  // Made when it is asked for: the service's programs have no use for one, and Node's cryptography takes 2 ms to load.
  return {
    get token() {
      made ??= randomToken();
      return made;
    },
    fresh: true,
  };
}
