/**
 * Responses, and the headers that each of them carries. The programs send their own Content-Security-Policy;
 * the web server sets one for static files only.
 */
import { writeSync } from "node:fs";

export type Header = readonly [name: string, value: string];

export interface Response {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: string | Uint8Array;
}

export interface SecurityOptions {
  /** Base URL of the site; Strict-Transport-Security only goes with https. */
  readonly url: string;
  /** Another origin that the page's form leads to in the end (Stripe's checkout page), or "". */
  readonly formTarget?: string;
  /** The one address that a script may come from, or "". */
  readonly script?: string;
}

/** The headers of every answer of a program, redirects and errors included. */
export function securityHeaders(options: SecurityOptions): readonly Header[] {
  const target = options.formTarget ? ` ${options.formTarget}` : "";
  const script = options.script ? ` script-src ${options.script};` : "";
  const policy = `default-src 'none';${script} style-src 'self'; img-src 'self'; form-action 'self'${target}; frame-ancestors 'none'; base-uri 'none'`;
  const headers: Header[] = [
    ["Content-Security-Policy", policy],
    ["X-Content-Type-Options", "nosniff"],
    // Not "no-referrer": under it browsers send "Origin: null" with a form, and the origin check would fail.
    ["Referrer-Policy", "same-origin"],
    ["Cross-Origin-Opener-Policy", "same-origin"],
    ["Cross-Origin-Resource-Policy", "same-origin"],
    ["Cache-Control", "no-store"],
  ];
  if (options.url.startsWith("https:"))
    headers.push(["Strict-Transport-Security", "max-age=31536000; includeSubDomains"]);
  return headers;
}

/** A redirect that turns a POST into a GET. `location` is a path of ours, or a URL that Stripe gave us. */
export function redirectTo(location: string, headers: readonly Header[]): Response {
  return { status: 303, headers: [["Location", location], ...headers], body: "" };
}

/**
 * The response as a CGI program writes it (RFC 3875 section 6), with its length: the web server ends us after it. To HEAD the length is told
 * that GET would have (RFC 9110 section 8.6), and no body follows.
 */
export function formatCgi(response: Response, method: string): Uint8Array {
  const body = Buffer.from(response.body);
  const lines = [
    `Status: ${response.status}`,
    ...response.headers.map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${body.length}`,
  ];
  for (const line of lines)
    if (/[\r\n]/.test(line)) throw new Error(`assertion failed: header "${line}" is one line`);
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), ...(method === "HEAD" ? [] : [body])]);
}

/** Writes everything to standard output before it returns. */
export function writeAll(bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      // A full pipe that was made non-blocking: try again until the web server has read some of it.
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
  }
}
