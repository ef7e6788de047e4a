/**
 * From a request to a response, whatever happens: the guard, the handler, and the one place where failures are
 * caught. A customer learns what to do; the operator's log gets the cause under the same reference.
 */
import type { Clock } from "../../lib/util/clock.ts";
import { NeedsHuman, TryLater } from "../../lib/util/failure.ts";
import { randomToken } from "../../lib/util/random.ts";
import type { Route } from "../../lib/util/routes.ts";
import type { Settings } from "../../lib/util/settings.ts";
import type { Renderer } from "../../lib/util/templates.ts";
import { keepKnown } from "./form.ts";
import { type GuardRefusal, guardRequest, refusalPages } from "./guard.ts";
import type { Request } from "./request.ts";
import { type Header, type Response, securityHeaders } from "./response.ts";
import { respondJson } from "./service.ts";
import type { Handler, Site } from "./visit.ts";
import { watchLine } from "./watch.ts";

/** What an error page needs: it must work where the store does not. */
export interface Frame {
  readonly settings: Settings;
  readonly renderer: Renderer;
  readonly log: (line: string) => void;
  readonly clock: Clock;
}

/** Refusals that somebody may have meant: a form of another site, or of another browser, or a name that is not ours. */
const forgeries: readonly string[] = ["wrong-host", "foreign-origin", "wrong-form-token"];

/** Answers one request. `openSite` may fail: then the failure is answered. */
export async function answerRequest(
  route: Route,
  handler: Handler,
  request: Request,
  frame: Frame,
  openSite: () => Site,
): Promise<Response> {
  const found = { isLoggedIn: false, isPasskeyFresh: false };
  try {
    const guarded = guardRequest(route, request, frame.settings.url);
    if (!guarded.ok) {
      if (forgeries.includes(guarded.why)) {
        const { remoteAddress } = request;
        frame.log(watchLine({ now: frame.clock.now(), what: guarded.why, account: "-", remoteAddress }));
      }
      return refusalPage(route, frame, guarded, keepKnown(request.query, route.query));
    }
    const { query, form, cookie } = guarded;
    return await handler({
      site: openSite(),
      route,
      request,
      query,
      form,
      cookie,
      found,
    });
  } catch (cause) {
    return failurePage(route, frame, cause, found.isLoggedIn || "unknown");
  }
}

/** `query` is of the address that the page leads back to. */
export function refusalPage(route: Route, frame: Frame, refusal: GuardRefusal, query = ""): Response {
  const [status, sentence] = refusalPages[refusal.why];
  const headers: Header[] = status === 405 ? [["Allow", route.methods.join(", ")]] : [];
  return errorPage(route, frame, { status, title: "That did not work", sentence, headers, query });
}

/** The answer to a failure or a bug; it tells nothing of the cause but a reference to look for in the log. */
export function failurePage(
  route: Route,
  frame: Frame,
  cause: unknown,
  isLoggedIn: true | "unknown" = "unknown",
): Response {
  const reference = randomToken(6);
  frame.log(`${route.name} [${reference}] ${describe(cause)}`);
  if (!(cause instanceof TryLater || cause instanceof NeedsHuman)) {
    const sentence = `This is a fault of ours; nothing was changed. If it stays, write to us and name ${reference}.`;
    return errorPage(route, frame, {
      status: 500,
      title: "A fault of ours",
      sentence,
      headers: [],
      isLoggedIn,
    });
  }
  const seconds = cause instanceof TryLater ? 10 : 300;
  const what = route.hasAccounts ? "The accounts cannot be reached" : "This page cannot be made";
  const sentence = `${what} just now; nothing was changed. Please try again in a while. If it stays, write to us and name ${reference}.`;
  const headers: Header[] = [["Retry-After", String(seconds)]];
  return errorPage(route, frame, {
    status: 503,
    title: "Please try again later",
    sentence,
    headers,
    isLoggedIn,
  });
}

/** Where an answer was waited for in vain: what was asked for may be done all the same. */
export function latePage(route: Route, frame: Frame, seconds: number): Response {
  const reference = randomToken(6);
  frame.log(`${route.name} [${reference}] no answer within ${seconds} seconds`);
  const sentence = `It is not known whether it was done: look before you try again. If it stays, write to us and name ${reference}.`;
  return errorPage(route, frame, { status: 504, title: "That took too long", sentence, headers: [] });
}

/** While the operator works on the site: nobody's fault, and not worth a line of the log. */
export function maintenancePage(route: Route, frame: Frame): Response {
  const sentence = "We are working on the accounts; nothing was changed. Please try again in some minutes.";
  const headers: Header[] = [["Retry-After", "300"]];
  return errorPage(route, frame, { status: 503, title: "Back in some minutes", sentence, headers });
}

function errorPage(
  route: Route,
  frame: Frame,
  error: {
    readonly status: number;
    readonly title: string;
    readonly sentence: string;
    readonly headers: readonly Header[];
    readonly query?: string;
    readonly isLoggedIn?: true | "unknown";
  },
): Response {
  const { settings, renderer } = frame;
  if (route.speaks === "json") {
    const besides = error.status >= 500 ? route.unavailable : undefined;
    return respondJson(settings.url, error.status, { error: error.sentence, ...besides }, error.headers);
  }
  const content = renderer.render("account/error", {
    title: error.title,
    sentence: error.sentence,
    path: route.path + (error.query ?? ""),
  });
  const body = renderer.frame({
    layout: "page",
    title: error.title,
    description: "",
    path: route.path,
    content,
    // A program without accounts never knows, and is like a page of the content.
    isLoggedIn: route.hasAccounts ? (error.isLoggedIn ?? "unknown") : false,
  });
  const type: Header = ["Content-Type", "text/html; charset=utf-8"];
  return {
    status: error.status,
    headers: [type, ...securityHeaders({ url: settings.url }), ...error.headers],
    body,
  };
}

/** A failure with its causes; stacks only for bugs. One line, so that no text can forge another line of the log. */
function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return JSON.stringify(String(cause));
  const known = cause instanceof TryLater || cause instanceof NeedsHuman;
  const own = known ? `${cause.name}: ${cause.message}` : (cause.stack ?? cause.message);
  const below = cause.cause instanceof Error ? ` <- ${cause.cause.message}` : "";
  return `${own}${below}`.replace(/\s*\p{Cc}+\s*/gu, " | ");
}
