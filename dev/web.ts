/**
 * The development web server's dispatch: host, mailbox, account programs, pages and other files, in that order. Programs are
 * those of the release, which is found anew for each request, so that a finished build is served at once and no request
 * sees half of one; pages are made of their sources as these are now.
 */
import type { ChildProcess } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { assert } from "../lib/util/failure.ts";
import { findRoute, type Route } from "../lib/util/routes.ts";
import { runCgi } from "./cgi.ts";
import { answerFile, bareReply, errorReply, type Files, filesOf } from "./files.ts";
import { type Reply, readLimited, sendReply } from "./listen.ts";
import { isLastGood, type Live } from "./live.ts";
import { answerMailbox } from "./mailbox.ts";

export interface WebOptions {
  readonly outFolder: string;
  readonly mailFolder: string;
  readonly port: () => number;
  /** The environment of programs, besides the request's. */
  readonly environment: () => Readonly<Record<string, string>>;
  /** Why nothing can be served yet; undefined once it can. */
  readonly notReady: () => string | undefined;
  readonly log: (line: string) => void;
  readonly live: Live;
  /** Pages as their sources are now; undefined where those of the release are shown. */
  readonly preview: Files | undefined;
  readonly running: Set<ChildProcess>;
  readonly programLimitMs: number;
}

// What a web server lets through (lighttpd's server.max-request-size), or what the program takes, if that is more; a program
// answers what is over its own limit with a page in the site's layout.
const bodyLimitBytes = 524_288;

export function makeWebServer(options: WebOptions): Server {
  return createServer(async (request, response) => {
    try {
      if (isListening(options, request, response)) return;
      sendReply(request, response, await answer(options, request));
    } catch (cause) {
      options.log(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  });
}

/** The address of this server alone, as for all else: the stream tells when somebody works on the site. */
function isListening(
  { live, port }: WebOptions,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { url = "", headers, method } = request;
  if (method !== "GET" || checkHost(port(), headers.host ?? "", url) !== undefined) return false;
  return live.answer(url.split("?")[0] ?? "", response);
}

async function answer(options: WebOptions, request: IncomingMessage): Promise<Reply> {
  const target = request.url ?? "";
  if (!target.startsWith("/")) return bareReply(400, "The address of the request begins with a slash.");
  const { pathname, search, searchParams } = new URL(`http://127.0.0.1${target}`);
  const elsewhere = checkHost(options.port(), request.headers.host ?? "", target);
  if (elsewhere !== undefined) return elsewhere;
  const mail = answerMailbox(options.mailFolder, pathname, searchParams);
  if (mail !== undefined) return mail;
  const route = findRoute(pathname);
  const isPreviewed = route === undefined && options.preview !== undefined && !isLastGood(search);
  const waiting = options.notReady();
  if (waiting !== undefined && !isPreviewed) return waitingReply(waiting);
  const release = isPreviewed ? undefined : realpathSync(join(options.outFolder, "current"));
  if (route !== undefined && release !== undefined)
    return answerProgram(options, request, route, { release, query: search.slice(1) });
  const files = release === undefined ? options.preview : filesOf(release);
  assert(files !== undefined, "without a preview there is a release");
  const answer = await answerFile(files, { method: request.method ?? "", path: pathname, search });
  const reply = "faults" in answer ? options.live.faultReply(answer.faults, pathname, search) : answer;
  return options.live.dress(reply);
}

/** One host name only: cookies belong to it, and a foreign name that leads here must find nothing. */
function checkHost(port: number, host: string, target: string): Reply | undefined {
  if (host === `127.0.0.1:${port}` || (port === 80 && host === "127.0.0.1")) return undefined;
  const own = `http://127.0.0.1:${port}`;
  if (host === `localhost:${port}` || (port === 80 && host === "localhost"))
    return { status: 307, headers: { Location: own + target, "Cache-Control": "no-store" }, body: "" };
  return bareReply(421, `This address is not served here; use ${own}/.`);
}

async function answerProgram(
  options: WebOptions,
  request: IncomingMessage,
  route: Route,
  place: { readonly release: string; readonly query: string },
): Promise<Reply> {
  const { release, query } = place;
  const files = filesOf(release);
  const program = join(release, "cgi", route.path);
  if (!existsSync(program)) return errorReply(files, 404, "There is no such page.");
  const body = await readLimited(request, Math.max(bodyLimitBytes, route.bodyLimitBytes));
  if (body === undefined)
    return errorReply(
      files,
      413,
      "The request is longer than this site takes; shorten it, and send it again.",
    );
  const outcome = await runCgi({
    request,
    route,
    program,
    documentRoot: join(release, "www"),
    body,
    query,
    port: options.port(),
    place: options.environment(),
    log: options.log,
    running: options.running,
    limitMs: options.programLimitMs,
  });
  if (outcome.ok) return outcome.reply;
  options.log(`${route.name}.cgi: ${outcome.detail}`);
  return outcome.why === "too-slow"
    ? errorReply(files, 504, "The page took too long; try again in a while.")
    : errorReply(files, 500, "The page could not be made; the terminal of site serve says why.");
}

function waitingReply(why: string): Reply {
  const headers = {
    "Content-Type": "text/plain; charset=utf-8",
    "Retry-After": "1",
    "Cache-Control": "no-store",
  };
  return { status: 503, headers: { ...headers, "X-Content-Type-Options": "nosniff" }, body: `${why}\n` };
}
