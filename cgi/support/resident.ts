/**
 * The programs of a pool as one process that stays, for the day when starting one for each request is too slow: the same handlers, the
 * same answers, on the same kind of socket, at which the front web server asks by HTTP instead of another web server that
 * runs them. Nobody else can open the socket, so that what the front says of a client is believed. An answer is given in time, or
 * given up, and with it what waits to be hashed for it.
 */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { chooseBooks, openBooks } from "../../lib/store/open.ts";
import type { Store } from "../../lib/store/store.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { answerSeconds, findRoute, type Route } from "../../lib/util/routes.ts";
import { applyPlace, inheritedSocket, readPlace } from "../../lib/util/settings.ts";
import { type Baked, makeRenderer } from "../../lib/util/templates.ts";
import { failurePage, latePage } from "./answer.ts";
import type { Request } from "./request.ts";
import type { Response } from "./response.ts";
import { type Ground, hashingWaitMs, logLine, type ProgramFiles, serveRequest } from "./serve.ts";
import { makeTurns, type TakeTurn } from "./turns.ts";
import type { Handler } from "./visit.ts";
import { watchProcess } from "./watchdog.ts";

const usualHashing = 2;

/**
 * `programs SOCKET [HASHING] [SECONDS]`: serves there until it is told to end; so many passwords are hashed at once. Where systemd listens at the
 * socket, whoever asks while one process makes way for the next waits there, and is answered.
 */
export function runResident(
  handlers: Readonly<Record<string, Handler>>,
  baked: Baked,
  files: ProgramFiles,
): void {
  const [socket, hashing, given] = process.argv.slice(2);
  if (socket === undefined) throw new Error("say the path of a socket");
  const ground = makeGround(baked, files, Number(hashing ?? usualHashing));
  const seconds = Number(given ?? answerSeconds);
  watchProcess(seconds);
  const server = createServer(
    (request, response) => void serve({ handlers, ground, seconds }, request, response),
  );
  const inherited = inheritedSocket();
  if (inherited !== undefined) server.listen({ fd: inherited });
  else {
    // A process before this one may have died with it.
    rmSync(socket, { force: true });
    server.listen(socket, () => chmodSync(socket, 0o660));
  }
  process.once("SIGTERM", () => {
    // What was begun is answered.
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}

/** What all requests share; each takes its turns by itself, since it may be given up. */
type SharedGround = Omit<Ground, "hashInTurn"> & { readonly takeTurn: TakeTurn };

function makeGround(baked: Baked, files: ProgramFiles, hashing: number): SharedGround {
  const place = readPlace();
  const settings = applyPlace(baked.settings, place);
  let store: Store | undefined;
  return {
    settings,
    place,
    renderer: makeRenderer(baked),
    log: logLine,
    files,
    openAccounts: () => {
      const own = { clock: systemClock, addonFile: files.addonFile };
      store ??= openBooks(chooseBooks(settings, place, own));
      return store;
    },
    takeTurn: makeTurns({ count: hashing, waitMs: hashingWaitMs }),
  };
}

interface Service {
  readonly handlers: Readonly<Record<string, Handler>>;
  readonly ground: SharedGround;
  /** How long an answer may take. */
  readonly seconds: number;
}

async function serve(
  { handlers, ground: shared, seconds }: Service,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const [path = "", query = ""] = splitTarget(incoming.url ?? "");
  const route = findRoute(path);
  const handler = route === undefined ? undefined : handlers[route.name];
  outgoing.sendDate = false;
  if (route === undefined || handler === undefined) {
    outgoing.writeHead(404, { "Content-Length": "0" }).end();
    return;
  }
  const head = readHead(incoming, path, query);
  const gone = new AbortController();
  // Also behind an answer, when there is nothing left to give up.
  outgoing.once("close", () => gone.abort());
  const ground: Ground = { ...shared, hashInTurn: (work) => shared.takeTurn(work, gone.signal) };
  const answer = await Promise.race([
    serveRequest(route, handler, head, () => readWhole(incoming, head, route), ground).catch((cause) =>
      failurePage(route, { ...ground, clock: systemClock }, cause),
    ),
    giveUp(route, ground, seconds, outgoing),
  ]);
  // What was given up and has not begun is not begun any more.
  gone.abort();
  const body = Buffer.from(answer.body);
  const headers = [...answer.headers, ["Content-Length", String(body.length)] as const];
  outgoing.writeHead(answer.status, headers.flat()).end(body);
}

/** The answer where there is none in time; the timer ends with the request. */
function giveUp(route: Route, ground: Ground, seconds: number, outgoing: ServerResponse): Promise<Response> {
  return new Promise((resolve) => {
    const timer = setTimeout(
      () => resolve(latePage(route, { ...ground, clock: systemClock }, seconds)),
      seconds * 1000,
    );
    outgoing.once("close", () => clearTimeout(timer));
  });
}

/** As CGI has it: the query is what follows the first "?". */
function splitTarget(target: string): readonly [string, string] {
  const cut = target.indexOf("?");
  return cut < 0 ? [target, ""] : [target.slice(0, cut), target.slice(cut + 1)];
}

/** What the environment is to a program that is started for a request (request.ts). */
function readHead({ method = "", headers }: IncomingMessage, path: string, query: string): Request {
  const read = (name: string): string => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(", ") : (value ?? "");
  };
  const length = read("content-length");
  return {
    method,
    path,
    query,
    host: read("host"),
    contentType: read("content-type"),
    contentLength: /^\d{1,12}$/.test(length) ? Number(length) : undefined,
    origin: read("origin"),
    fetchSite: read("sec-fetch-site"),
    cookie: read("cookie"),
    stripeSignature: read("stripe-signature"),
    authorization: read("authorization"),
    contentEncoding: read("content-encoding").trim().toLowerCase(),
    // The front takes away what a client says, and says who it is.
    remoteAddress: read("x-forwarded-for"),
    userAgent: read("user-agent"),
    body: new Uint8Array(0),
  };
}

/** The body as announced, or less where the client stopped early. */
async function readWhole(incoming: IncomingMessage, head: Request, route: Route): Promise<Request> {
  const announced = head.contentLength ?? 0;
  if (head.method !== "POST" || announced === 0 || announced > route.bodyLimitBytes) return head;
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return { ...head, body: Buffer.concat(chunks).subarray(0, announced) };
}
