/**
 * One question to another host: is there something at this address? HEAD, and GET where that is not understood; only
 * the first bytes of an answer are taken. The address that a name leads to is looked at before it is asked, and it is
 * that very one which is asked. Called by external.ts.
 */
import { lookup } from "node:dns/promises";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { isPrivateAddress, isPrivateHost } from "./address.ts";

export interface AskOptions {
  readonly userAgent: string;
  readonly timeoutMs: number;
  /** Only where the site itself lies on such an address. */
  readonly mayAskPrivate: boolean;
  /** Addresses of a name; the system's resolver unless a test says otherwise. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

export type Reply =
  | {
      readonly kind: "answer";
      readonly status: number;
      /** Where a redirect leads to, as it was written. */
      readonly location: string | undefined;
      readonly retryAfter: string | undefined;
    }
  | { readonly kind: "private" }
  | { readonly kind: "failure"; readonly why: string };

type Method = "HEAD" | "GET";

/** Asks once by one method. Redirects are not followed. */
export async function askOnce(url: URL, method: Method, options: AskOptions): Promise<Reply> {
  const { mayAskPrivate } = options;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!mayAskPrivate && isPrivateHost(host)) return { kind: "private" };
  try {
    const [address] = await within(options.timeoutMs, (options.resolve ?? resolveHost)(host));
    if (address === undefined) return { kind: "failure", why: "there is no host of this name" };
    if (!mayAskPrivate && isPrivateAddress(address)) return { kind: "private" };
    const { statusCode, headers } = await send(url, method, address, options);
    const { location } = headers;
    return { kind: "answer", status: statusCode ?? 0, location, retryAfter: headers["retry-after"] };
  } catch (error) {
    return { kind: "failure", why: explain(error, options.timeoutMs) };
  }
}

async function resolveHost(host: string): Promise<readonly string[]> {
  // IPv4 first: many machines have an IPv6 address that leads nowhere.
  const found = await lookup(host, { all: true, order: "ipv4first" });
  return found.map(({ address }) => address);
}

function send(url: URL, method: Method, address: string, options: AskOptions): Promise<IncomingMessage> {
  const isSecure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    const request = (isSecure ? requestHttps : requestHttp)(
      {
        method,
        // The address itself, so that no second look-up can lead elsewhere; names are for the host's eyes.
        host: address,
        port: url.port === "" ? undefined : Number(url.port),
        path: `${url.pathname}${url.search}`,
        headers: { Host: url.host, "User-Agent": options.userAgent, Accept: "*/*" },
        agent: false,
        signal: AbortSignal.timeout(options.timeoutMs),
        ...(isSecure && isIP(host) === 0 ? { servername: host } : {}),
      },
      (response) => {
        resolve(response);
        // What follows the head is not wanted.
        response.on("error", () => undefined).destroy();
      },
    );
    request.on("error", reject);
    request.end();
  });
}

const timedOut = "ABORT_ERR";

function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(Object.assign(new Error(), { code: timedOut })), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: "there is no host of this name",
  EAI_AGAIN: "its name cannot be looked up now",
  ECONNREFUSED: "it takes no connection",
  ECONNRESET: "it breaks the connection off",
  EHOSTUNREACH: "it cannot be reached",
  ENETUNREACH: "it cannot be reached",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
};

function explain(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) throw error;
  const code = "code" in error ? String(error.code) : "";
  if (code === timedOut) return `it does not answer within ${timeoutMs / 1000} s`;
  return reasons[code] ?? `it cannot be asked: ${code || error.message}`;
}
