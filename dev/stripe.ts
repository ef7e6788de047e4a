/**
 * A small stand-in for Stripe on this machine, for development and tests: it speaks the part of the API that the
 * site uses to the official library, shows a checkout page, and sends signed events. No money moves, and none of
 * it can get into dist/: only dev/serve and tests start it.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { Clock } from "../lib/util/clock.ts";
import { assert } from "../lib/util/failure.ts";
import { endServer, listen, type Reply, readLimited, sendReply } from "./listen.ts";
import { makeBooks, type StandInBooks } from "./standin/books.ts";
import { deliverEvent } from "./standin/delivery.ts";
import { answerApi, type Desk } from "./standin/desk.ts";
import { happenLater, isLater } from "./standin/later.ts";
import { checkoutPage, closedPage, pageHeaders, returnUrl, unknownPage } from "./standin/page.ts";
import { type CardButton, cardButtons } from "./standin/wallet.ts";

export interface StandInOptions {
  /** 0 takes any that is free. */
  readonly port: number;
  /** The only key that is let in, `sk_test_...`. */
  readonly key: string;
  readonly webhookSecret: string;
  readonly webhookUrl: string;
  readonly clock: Clock;
  /** API version of the events, as an endpoint at Stripe has one. */
  readonly apiVersion: string;
  readonly log?: (line: string) => void;
  /** Waits between attempts to deliver an event. */
  readonly retryDelaysMs?: readonly number[];
  /** How much later the money of a delayed method comes. */
  readonly lateMs?: number;
}

export interface StandIn {
  readonly url: string;
  /** For tests: what happens to payments afterwards. */
  readonly books: StandInBooks;
  readonly close: () => Promise<void>;
}

/** The desk, and what a checkout page needs besides. */
interface Counter extends Desk {
  readonly url: () => string;
  readonly lateMs: number;
  readonly ended: AbortSignal;
}

const bodyLimitBytes = 262_144;
// A customer waits for the first delivery about as long as Stripe would let one wait.
const firstDeliveryMs = 3000;

/** Starts the stand-in; `close` ends it and all deliveries under way. */
export async function startStripe(options: StandInOptions): Promise<StandIn> {
  const { key, apiVersion, clock, log = () => undefined } = options;
  assert(key.startsWith("sk_test_"), "the stand-in has a test key");
  const ending = new AbortController();
  const { retryDelaysMs = [1000, 5000, 30_000], lateMs = 1000 } = options;
  const delivery = { ...options, log, retryDelaysMs, ended: ending.signal };
  const now = (): number => Math.floor(clock.now() / 1000);
  let url = "";
  const books = makeBooks({
    apiVersion,
    now,
    pageUrl: () => `${url}/c/pay/`,
    tell: (event) => deliverEvent(event, delivery),
  });
  const replays: Desk["replays"] = new Map();
  const counter = {
    key,
    apiVersion,
    books,
    now,
    replays,
    url: () => url,
    lateMs,
    ended: ending.signal,
  };
  const server = createServer(async (request, response) => {
    try {
      sendReply(request, response, await answer(counter, request));
    } catch (cause) {
      log(`stripe stand-in: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  });
  url = `http://127.0.0.1:${await listen(server, options.port)}`;
  const close = async (): Promise<void> => {
    ending.abort();
    await endServer(server);
  };
  return { url, books, close };
}

async function answer(counter: Counter, request: IncomingMessage): Promise<Reply> {
  const { method = "", headers } = request;
  const { pathname, search } = new URL(`http://127.0.0.1${request.url ?? "/"}`);
  // Another name for this machine would let a foreign web page in (DNS rebinding).
  if (headers.host !== new URL(counter.url()).host) return page(421, unknownPage());
  const bytes = await readLimited(request, bodyLimitBytes);
  if (bytes === undefined) return page(413, unknownPage());
  const body = Buffer.from(bytes).toString();
  const session = /^\/c\/pay\/([A-Za-z0-9_]+)$/.exec(pathname)?.[1];
  if (session !== undefined) return answerCheckout(counter, method, session, body);
  return answerApi(counter, { method, path: pathname, query: search.slice(1), body, headers });
}

async function answerCheckout(counter: Counter, method: string, id: string, body: string): Promise<Reply> {
  const { books } = counter;
  const session = books.findSession(id);
  if (session === undefined) return page(404, unknownPage());
  const order = books.findOrder(id);
  const headers = pageHeaders(order);
  if (method !== "GET" && method !== "HEAD" && method !== "POST")
    return { status: 405, headers: { ...headers, Allow: "GET, HEAD, POST" }, body: closedPage(session) };
  if (session.status !== "open") {
    const later = method === "POST" ? new URLSearchParams(body).get("outcome") : null;
    const intent = session.payment_status === "paid" ? session.payment_intent : null;
    const said = isLater(later) && intent !== null ? happenLater(books, intent, later) : "";
    return { status: 200, headers, body: closedPage(session, said) };
  }
  if (method !== "POST") return { status: 200, headers, body: checkoutPage(session, order, "") };
  const outcome = new URLSearchParams(body).get("outcome");
  if (outcome === "cancel" && order.cancelUrl !== null) return redirect(order.cancelUrl);
  if (outcome === "decline")
    return {
      status: 402,
      headers,
      body: checkoutPage(session, order, "Your card was declined. Try another one."),
    };
  if (isCardButton(outcome) === (order.mode === "payment"))
    return { status: 400, headers, body: checkoutPage(session, order, "Press one of the buttons.") };
  if (isCardButton(outcome)) {
    await inTime(books.saveCard(id, outcome));
    return redirect(returnUrl(books.findSession(id) ?? session));
  }
  if (outcome !== "pay" && outcome !== "late")
    return { status: 400, headers, body: checkoutPage(session, order, "Press one of the buttons.") };
  await completeInTime(counter, id, outcome === "late");
  return redirect(returnUrl(books.findSession(id) ?? session));
}

function isCardButton(outcome: string | null): outcome is CardButton {
  return outcome !== null && Object.hasOwn(cardButtons, outcome);
}

/** The customer goes on when the site has heard of it, or after a while. */
async function inTime(told: Promise<void>): Promise<void> {
  let waiting: NodeJS.Timeout | undefined;
  const longEnough = new Promise<void>((resolve) => {
    waiting = setTimeout(resolve, firstDeliveryMs);
  });
  await Promise.race([told, longEnough]);
  clearTimeout(waiting);
}

async function completeInTime(counter: Counter, id: string, delayed: boolean): Promise<void> {
  const { books, ended, lateMs } = counter;
  await inTime(books.complete(id, delayed));
  if (!delayed || ended.aborted) return;
  const timer = setTimeout(() => {
    void books.succeed(id);
  }, lateMs);
  ended.addEventListener("abort", () => clearTimeout(timer), { once: true });
}

function redirect(location: string): Reply {
  return { status: 303, headers: { Location: location, "Cache-Control": "no-store" }, body: "" };
}

function page(status: number, body: string): Reply {
  return { status, headers: pageHeaders(undefined), body };
}
