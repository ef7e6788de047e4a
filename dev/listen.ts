/**
 * Small things that the development servers share: listening on this machine only, ending, reading a body no
 * longer than its limit, and sending a reply. Called by dev/web and dev/stripe.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { assert, NeedsHuman } from "../lib/util/failure.ts";

/**
 * Listens on 127.0.0.1 and answers the port; `port` 0 takes any that is free.
 * @throws NeedsHuman naming the port if it cannot be had
 */
export async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(portError(port, cause)));
    server.listen(port, "127.0.0.1", resolve);
  });
  return portOf(server);
}

function portOf(server: Server): number {
  const address = server.address() as AddressInfo | string | null;
  assert(address !== null && typeof address === "object", "a listening server has a port");
  return address.port;
}

function portError(port: number, cause: NodeJS.ErrnoException): NeedsHuman {
  const other = `choose another: PORT=${port + 1} npm start, or site serve --port ${port + 1}`;
  if (cause.code === "EADDRINUSE")
    return new NeedsHuman(
      `port ${port} is in use, perhaps by another site serve; end that program, or ${other}`,
      { cause },
    );
  return new NeedsHuman(`port ${port} cannot be listened on (${cause.code ?? cause.message}); ${other}`, {
    cause,
  });
}

/** Ends a server at once, open connections included. */
export async function endServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** The body, or undefined if it is longer than the limit; the rest of such a body is read and dropped. */
export async function readLimited(
  request: IncomingMessage,
  limitBytes: number,
): Promise<Uint8Array | undefined> {
  const announced = Number(request.headers["content-length"] ?? "0");
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  if (announced <= limitBytes)
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      const bytes = chunk as Buffer;
      sizeBytes += bytes.length;
      if (sizeBytes > limitBytes) break;
      chunks.push(bytes);
    }
  if (announced <= limitBytes && sizeBytes <= limitBytes) return Buffer.concat(chunks);
  request.resume();
  return undefined;
}

/** An answer made in memory. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array;
}

/** Sends a reply; a HEAD request gets its headers alone, and the length that a program told. */
export function sendReply(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  response.statusCode = reply.status;
  for (const [name, value] of Object.entries(reply.headers)) response.setHeader(name, value);
  const isHead = request.method === "HEAD";
  if (!isHead || !response.hasHeader("Content-Length"))
    response.setHeader("Content-Length", Buffer.byteLength(reply.body));
  response.end(isHead ? "" : reply.body);
}
