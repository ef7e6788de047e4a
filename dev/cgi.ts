/**
 * Runs the account programs as the real web server will (RFC 3875, lighttpd's mod_cgi): one process a request, an
 * environment of its own, the body on standard input, and SIGTERM right after the last byte of the answer, so
 * that work left for later is lost here as it would be there.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { IncomingMessage } from "node:http";
import { dirname } from "node:path";
import type { Route } from "../lib/util/routes.ts";
import type { Reply } from "./listen.ts";
import { parseOutput } from "./output.ts";

export interface CgiCall {
  readonly request: IncomingMessage;
  readonly route: Route;
  /** Absolute path of the program. */
  readonly program: string;
  readonly documentRoot: string;
  readonly body: Uint8Array;
  /** The query string without its "?". */
  readonly query: string;
  readonly port: number;
  /** What the place gives to every program: SITE_DATA and the like. */
  readonly place: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
  /** Programs that run; the server ends them when it ends. */
  readonly running: Set<ChildProcess>;
  readonly limitMs: number;
}

/** Why a program gave no answer. */
export type CgiOutcome =
  | { readonly ok: true; readonly reply: Reply }
  | { readonly ok: false; readonly why: "too-slow" | "bad-output"; readonly detail: string };

// lighttpd's SIGTERM follows 2 to 3 ms after the last byte.
const endAfterMs = 2;
const killAfterMs = 2000;

export function runCgi(call: CgiCall): Promise<CgiOutcome> {
  const { program, route, request, body, log, running, limitMs } = call;
  const child = spawn(process.execPath, [program], {
    cwd: dirname(program),
    env: { ...call.place, ...cgiEnvironment(call) },
    stdio: [body.length > 0 ? "pipe" : "ignore", "pipe", "pipe"],
  });
  running.add(child);
  passErrors(child, route.name, log);
  // A program that refuses early closes its input unread; its answer tells why.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(body);

  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let settled = false;
    const settle = (outcome: CgiOutcome, afterMs: number): void => {
      if (settled) return;
      settled = true;
      clearTimeout(limit);
      resolve(outcome);
      endChild(child, afterMs);
    };
    const limit = setTimeout(() => {
      settle({ ok: false, why: "too-slow", detail: `no answer within ${limitMs / 1000} s` }, 0);
    }, limitMs);
    child.stdout?.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      const parsed = parseOutput(Buffer.concat(chunks), request.method ?? "GET");
      if (parsed.ok && parsed.complete) settle({ ok: true, reply: parsed.reply }, endAfterMs);
    });
    child.on("error", (cause) => settle({ ok: false, why: "bad-output", detail: cause.message }, 0));
    child.on("close", (exitCode, signal) => {
      running.delete(child);
      const parsed = parseOutput(Buffer.concat(chunks), request.method ?? "GET");
      const how = signal === null ? `exit code ${exitCode}` : `ended by ${signal}`;
      if (!parsed.ok) settle({ ok: false, why: "bad-output", detail: `${parsed.why} (${how})` }, 0);
      else if (parsed.cut) settle({ ok: false, why: "bad-output", detail: `it broke off (${how})` }, 0);
      else settle({ ok: true, reply: parsed.reply }, 0);
    });
  });
}

/** SIGTERM after a while, SIGKILL long after that; nothing for a program that has ended by then. */
export function endChild(child: ChildProcess, afterMs: number): void {
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  if (hasEnded()) return;
  const term = setTimeout(() => child.kill("SIGTERM"), afterMs);
  const kill = setTimeout(() => child.kill("SIGKILL"), afterMs + killAfterMs);
  child.once("exit", () => {
    clearTimeout(term);
    clearTimeout(kill);
  });
}

function passErrors(child: ChildProcess, name: string, log: (line: string) => void): void {
  let rest = "";
  child.stderr?.setEncoding("utf8");
  child.stderr?.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) log(`${name}.cgi: ${line}`);
  });
  child.stderr?.on("end", () => {
    if (rest !== "") log(`${name}.cgi: ${rest}`);
  });
}

/** The variables of RFC 3875 section 4.1, and the request's headers. */
function cgiEnvironment(call: CgiCall): Readonly<Record<string, string>> {
  const { request, route, body, port } = call;
  const { headers, socket } = request;
  const known: Record<string, string> = {
    GATEWAY_INTERFACE: "CGI/1.1",
    SERVER_SOFTWARE: "picodollar-development",
    SERVER_NAME: "127.0.0.1",
    SERVER_ADDR: "127.0.0.1",
    SERVER_PORT: String(port),
    SERVER_PROTOCOL: `HTTP/${request.httpVersion}`,
    REQUEST_METHOD: request.method ?? "GET",
    REQUEST_SCHEME: "http",
    REQUEST_URI: request.url ?? route.path,
    QUERY_STRING: call.query,
    SCRIPT_NAME: route.path,
    SCRIPT_FILENAME: call.program,
    DOCUMENT_ROOT: call.documentRoot,
    REMOTE_ADDR: socket.remoteAddress ?? "127.0.0.1",
    REMOTE_PORT: String(socket.remotePort ?? 0),
  };
  const { "content-type": contentType, "content-length": contentLength } = headers;
  if (contentType !== undefined) known.CONTENT_TYPE = contentType;
  // A chunked body has its length by now.
  if (contentLength !== undefined || headers["transfer-encoding"] !== undefined)
    known.CONTENT_LENGTH = String(body.length);
  return { ...headerVariables(headers), ...known };
}

const notPassed: readonly string[] = ["proxy", "content-type", "content-length", "transfer-encoding"];

/**
 * HTTP_* variables. `Proxy` would become HTTP_PROXY, which some libraries obey (httpoxy, CVE-2016-5385); a name
 * with an underscore could pass for another one.
 */
function headerVariables(headers: IncomingMessage["headers"]): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || notPassed.includes(name) || !/^[a-z0-9-]+$/.test(name)) continue;
    const text = typeof value === "string" ? value : value.join(", ");
    variables[`HTTP_${name.toUpperCase().replaceAll("-", "_")}`] = text;
  }
  return variables;
}
