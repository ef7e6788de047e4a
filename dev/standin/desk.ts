/**
 * The desk in front of the API: is the key right, was this asked before, and only then the call itself, in
 * Stripe's order. Called by dev/stripe for every request that is no checkout page.
 */
import type { IncomingHttpHeaders } from "node:http";
import { sameSecret, sha256Hex } from "../../lib/util/digest.ts";
import type { Reply } from "../listen.ts";
import { type ApiAnswer, type ApiError, reusedKey, unknownAddress, wrongKey } from "./answer.ts";
import { answerCall } from "./api.ts";
import type { StandInBooks } from "./books.ts";
import { readForm } from "./form.ts";
import { makeId } from "./object.ts";

export interface Desk {
  readonly key: string;
  readonly apiVersion: string;
  readonly books: StandInBooks;
  /** Seconds since the epoch. */
  readonly now: () => number;
  /** Answers by idempotency key, each with the print of what was asked. */
  readonly replays: Map<
    string,
    { readonly asked: string; readonly answer: ApiAnswer; readonly requestId: string }
  >;
}

export interface DeskRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

export function answerApi(desk: Desk, request: DeskRequest): Reply {
  const { method, path, headers } = request;
  const requestId = makeId("req_", 14);
  const version = headers["stripe-version"];
  const common = {
    "Request-Id": requestId,
    "Stripe-Version": typeof version === "string" ? version : desk.apiVersion,
  };
  const key = readKey(headers.authorization);
  if (key === undefined || !sameSecret(key, desk.key))
    return errorReply({ ...common, "WWW-Authenticate": 'Basic realm="Stripe"' }, wrongKey(key));
  if (method === "GET" || method === "DELETE") return answerOnce(desk, request, common);
  if (method !== "POST") return errorReply(common, unknownAddress(method, path));
  const repeatKey = headers["idempotency-key"];
  if (typeof repeatKey !== "string") return answerOnce(desk, request, common);
  return answerRepeatable(desk, request, { ...common, "Idempotency-Key": repeatKey }, repeatKey);
}

function answerRepeatable(
  desk: Desk,
  request: DeskRequest,
  headers: Reply["headers"] & { readonly "Request-Id": string },
  repeatKey: string,
): Reply {
  const asked = sha256Hex(`${request.path}\n${canonical(request.body)}`);
  const known = desk.replays.get(repeatKey);
  if (known === undefined) {
    const result = callBooks(desk, request);
    // A call that was refused did not begin, so its key stays free (docs.stripe.com/api/idempotent_requests).
    if ("ok" in result) return errorReply(headers, result);
    desk.replays.set(repeatKey, { asked, answer: result, requestId: headers["Request-Id"] });
    return jsonReply(headers, result);
  }
  if (known.asked !== asked) return errorReply(headers, reusedKey(repeatKey));
  const replayed = { "Idempotent-Replayed": "true", "Original-Request": known.requestId };
  return jsonReply({ ...headers, ...replayed }, known.answer);
}

function answerOnce(desk: Desk, request: DeskRequest, headers: Reply["headers"]): Reply {
  const result = callBooks(desk, request);
  return "ok" in result ? errorReply(headers, result) : jsonReply(headers, result);
}

function callBooks(desk: Desk, request: DeskRequest): ApiAnswer | ApiError {
  const { method, path, query, body } = request;
  const parameters = readForm(method === "POST" ? body : query);
  return answerCall(desk.books, { method, path, parameters }, desk.now());
}

/** The secret key, as a bearer or as the user name of basic authentication. */
function readKey(header: string | undefined): string | undefined {
  const [scheme = "", value = ""] = (header ?? "").split(" ");
  if (value === "") return undefined;
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return undefined;
  return Buffer.from(value, "base64").toString().split(":")[0];
}

/** The same parameters in another order are the same parameters. */
function canonical(body: string): string {
  return JSON.stringify([...new URLSearchParams(body)].sort());
}

function errorReply(headers: Reply["headers"], fault: ApiError): Reply {
  return jsonReply(headers, { status: fault.status, body: { error: fault.error } });
}

function jsonReply(headers: Reply["headers"], { status, body }: ApiAnswer): Reply {
  const types = { "Content-Type": "application/json", "Cache-Control": "no-store" };
  return { status, headers: { ...headers, ...types }, body: `${JSON.stringify(body, null, 2)}\n` };
}
