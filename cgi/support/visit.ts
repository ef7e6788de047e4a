/**
 * A visit: one guarded request together with what a handler may use. Handlers are functions from a visit to a
 * response, so that the same ones run as CGI programs, in tests, and resident.
 */
import type { Account } from "../../lib/accounts/account.ts";
import type { PasswordCost } from "../../lib/accounts/password.ts";
import { noteSession, readSession } from "../../lib/accounts/session.ts";
import type { PlainOptions } from "../../lib/store/plain.ts";
import type { Store, WriteTx } from "../../lib/store/store.ts";
import type { Clock } from "../../lib/util/clock.ts";
import { sha256Hex } from "../../lib/util/digest.ts";
import { NeedsHuman, TryLater } from "../../lib/util/failure.ts";
import { pathOf, type Route } from "../../lib/util/routes.ts";
import type { Secrets, Settings } from "../../lib/util/settings.ts";
import type { Renderer } from "../../lib/util/templates.ts";
import type { Fields } from "./form.ts";
import type { Request } from "./request.ts";
import { type Header, type Response, redirectTo, securityHeaders } from "./response.ts";

/** What a program has besides the request. */
export interface Site {
  readonly settings: Settings;
  readonly secrets: Secrets;
  /** The accounts; nothing may be asked of it where the route says that the program has none. */
  readonly store: Store;
  /** The index of the pages; there only where the site has a search. */
  readonly search: PlainOptions;
  readonly renderer: Renderer;
  readonly clock: Clock;
  readonly passwordCost: PasswordCost;
  /** Runs the hashing of a password when its turn has come: each takes 128 MiB, and strangers can ask for many. */
  readonly hashInTurn: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Runs what must not tell by its time what it did: it answers no sooner than always. */
  readonly inEvenTime: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** One line for the operator's error log; never a password, a token, or a customer's text. */
  readonly log: (line: string) => void;
}

export interface Visit {
  readonly site: Site;
  readonly route: Route;
  readonly request: Request;
  readonly query: Fields;
  readonly form: Fields;
  readonly cookie: SessionCookie;
  /** What is found out on the way. */
  readonly found: {
    isLoggedIn: boolean;
    /** A passkey was shown in this session just now. */
    isPasskeyFresh: boolean;
  };
}

export type Handler = (visit: Visit) => Promise<Response>;

/** The browser's token. Before login it is bound to nothing but the forms of this browser. */
export interface SessionCookie {
  readonly token: string;
  /** Made just now: the response must set it. */
  readonly fresh: boolean;
}

export interface PageRequest {
  readonly title: string;
  /** Template below layouts/account/. */
  readonly template: string;
  readonly data?: object;
  readonly status?: number;
  readonly headers?: readonly Header[];
  readonly formTarget?: string;
  readonly script?: string;
}

/** A page in the site's layout. Its template also gets `path`, `site`, and where there are accounts `formToken`. */
export function respondPage(visit: Visit, page: PageRequest): Response {
  const { settings, renderer } = visit.site;
  const token = visit.route.hasAccounts ? { formToken: formTokenOf(visit.cookie.token) } : {};
  const own = { site: settings.name, path: visit.route.path, ...token };
  const content = renderer.render(`account/${page.template}`, { ...own, ...page.data });
  const { title } = page;
  const body = renderer.frame({
    layout: "page",
    title,
    description: "",
    path: visit.route.path,
    content,
    isLoggedIn: visit.found.isLoggedIn,
  });
  const cookies: Header[] = visit.cookie.fresh ? [sessionCookie(settings.url, visit.cookie.token)] : [];
  const { formTarget = "", script = "" } = page;
  const security = securityHeaders({ url: settings.url, formTarget, script });
  const headers: Header[] = [
    ["Content-Type", "text/html; charset=utf-8"],
    ...security,
    ...cookies,
    ...(page.headers ?? []),
  ];
  return { status: page.status ?? 200, headers, body };
}

/** Sends the browser to another program of ours, or to a URL from Stripe. */
export function respondRedirect(visit: Visit, location: string, headers: readonly Header[] = []): Response {
  return redirectTo(location, [...securityHeaders({ url: visit.site.settings.url }), ...headers]);
}

/** Runs `work` for whoever is logged in; sends everybody else to the login page. */
export async function withAccount(
  visit: Visit,
  work: (account: Account) => Promise<Response>,
): Promise<Response> {
  const { store } = visit.site;
  const session = await store.read((tx) => readSession(tx, visit.cookie.token));
  if (session === undefined) return respondRedirect(visit, pathOf("login"));
  if (session.isDue) await noteUse(store, (tx) => noteSession(tx, visit.cookie.token));
  visit.found.isLoggedIn = true;
  visit.found.isPasskeyFresh = session.isPasskeyFresh;
  return work(session.account);
}

/** Notes that something was used, where that can be done at once: what is only looked at is shown where nothing can be written. */
export async function noteUse(store: Store, note: (tx: WriteTx) => Promise<void>): Promise<void> {
  try {
    await store.write(note, "hasty");
  } catch (cause) {
    // The next use notes it; a bug is one all the same.
    if (!(cause instanceof TryLater || cause instanceof NeedsHuman)) throw cause;
  }
}

/** The value that each form of this browser must carry: nobody can derive it without the cookie. */
export function formTokenOf(cookieToken: string): string {
  return sha256Hex(`form_token ${cookieToken}`);
}

export function sessionCookie(url: string, token: string): Header {
  const secure = url.startsWith("https:") ? "; Secure" : "";
  return ["Set-Cookie", `${cookieName(url)}=${token}; Path=/; HttpOnly; SameSite=Lax${secure}`];
}

export function endedCookie(url: string): Header {
  const [name, value] = sessionCookie(url, "");
  return [name, `${value}; Max-Age=0`];
}

/** `__Host-` keeps subdomains and plain http from setting it; browsers accept that prefix over https only. */
export function cookieName(url: string): string {
  return url.startsWith("https:") ? "__Host-session" : "session";
}
