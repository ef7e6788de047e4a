/**
 * A request as the handlers see it, read from the environment and standard input as RFC 3875 has them. The
 * client's address is REMOTE_ADDR alone: what a client writes into X-Forwarded-For is never looked at.
 */
import { readSync } from "node:fs";
import type { Route } from "../../lib/util/routes.ts";

export interface Request {
  readonly method: string;
  /** Path of the program, "/account/login.cgi". */
  readonly path: string;
  /** Query string without its "?", still encoded. */
  readonly query: string;
  readonly host: string;
  readonly contentType: string;
  /** As announced; undefined if it was not, or is no whole number. */
  readonly contentLength: number | undefined;
  readonly origin: string;
  readonly fetchSite: string;
  readonly cookie: string;
  readonly stripeSignature: string;
  readonly authorization: string;
  /** In lower case, "gzip". */
  readonly contentEncoding: string;
  readonly remoteAddress: string;
  readonly userAgent: string;
  /** Empty until `readBody` was called for it. */
  readonly body: Uint8Array;
}

/** Reads all but the body: whether that may come is decided first. */
export function readRequest(environment: NodeJS.ProcessEnv = process.env): Request {
  const read = (name: string): string => environment[name] ?? "";
  const length = read("CONTENT_LENGTH");
  return {
    method: read("REQUEST_METHOD"),
    path: read("SCRIPT_NAME"),
    query: read("QUERY_STRING"),
    host: read("HTTP_HOST"),
    contentType: read("CONTENT_TYPE"),
    contentLength: /^\d{1,12}$/.test(length) ? Number(length) : undefined,
    origin: read("HTTP_ORIGIN"),
    fetchSite: read("HTTP_SEC_FETCH_SITE"),
    cookie: read("HTTP_COOKIE"),
    stripeSignature: read("HTTP_STRIPE_SIGNATURE"),
    authorization: read("HTTP_AUTHORIZATION"),
    contentEncoding: read("HTTP_CONTENT_ENCODING").trim().toLowerCase(),
    remoteAddress: read("REMOTE_ADDR"),
    userAgent: read("HTTP_USER_AGENT"),
    body: new Uint8Array(0),
  };
}

/** Reads CONTENT_LENGTH bytes of standard input, or fewer where the client stopped early. Nothing over the limit. */
export function readBody(request: Request, route: Route): Request {
  const announced = request.contentLength ?? 0;
  if (request.method !== "POST" || announced === 0 || announced > route.bodyLimitBytes) return request;
  const body = Buffer.alloc(announced);
  let filled = 0;
  while (filled < announced) {
    const count = readChunk(body, filled);
    if (count === 0) break;
    filled += count;
  }
  return { ...request, body: body.subarray(0, filled) };
}

function readChunk(body: Buffer, from: number): number {
  try {
    return readSync(0, body, from, body.length - from, null);
  } catch (error) {
    // Some systems say so at the end of a pipe instead of answering 0.
    if (error instanceof Error && "code" in error && error.code === "EOF") return 0;
    throw error;
  }
}
