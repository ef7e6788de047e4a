/** Requests over TLS with their own bytes (HTTP/1.1), or as streams (HTTP/2), from an address of this machine. */
import { connect as connectHttp2 } from "node:http2";
import { connect as connectPlain } from "node:net";
import { connect, type TLSSocket } from "node:tls";

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
}

export interface Wire {
  readonly port: number;
  readonly host: string;
  /** The server's address, 127.0.0.1 unless told. */
  readonly at?: string;
  /** The client's own address, 127.0.0.1 unless told. */
  readonly from?: string;
  /** How long it waits for the next byte; one that waited in vain has no answer. */
  readonly patienceMs?: number;
}

/** What a server answers to these bytes; undefined where it closes without a word. */
export function sendBytes(wire: Wire, request: string): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = openTls(wire, ["http/1.1"]);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", (error) =>
      "code" in error && error.code === "ECONNRESET" ? undefined : reject(error),
    );
    socket.on("close", () => resolve(parse(Buffer.concat(chunks).toString())));
    socket.setTimeout(wire.patienceMs ?? 0, () => socket.destroy());
    socket.write(request);
  });
}

/** As `sendBytes`, without TLS. */
export function sendPlain(port: number, request: string): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connectPlain(port, "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(parse(Buffer.concat(chunks).toString())));
    socket.write(request);
  });
}

/** One request as a stream of HTTP/2. */
export function sendStream(
  wire: Wire,
  headers: Readonly<Record<string, string>>,
  body = "",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`https://${wire.host}`, {
      createConnection: () => openTls(wire, ["h2"]),
    });
    session.on("error", reject);
    const length = body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const sent = { ":authority": wire.host, ...length, ...headers };
    const stream = session.request(sent, { endStream: body === "" });
    const found = new Map<string, readonly string[]>();
    const chunks: Buffer[] = [];
    let status = 0;
    stream.on("response", (given) => {
      status = Number(given[":status"]);
      for (const [name, value] of Object.entries(given))
        found.set(name, Array.isArray(value) ? value : [String(value)]);
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("end", () => {
      session.close();
      resolve({ status, headers: found, body: Buffer.concat(chunks).toString() });
    });
    if (body !== "") stream.end(body);
  });
}

/** The version of TLS that is agreed on, where at most `most` is offered; undefined where there is none. */
export function agreeOn(wire: Wire, most: "TLSv1.1" | "TLSv1.2" | "TLSv1.3"): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { minVersion: "TLSv1", maxVersion: most, ciphers: "DEFAULT@SECLEVEL=0" } as const;
    const socket = connect({ ...optionsOf(wire), ...options });
    socket.once("secureConnect", () => {
      resolve(socket.getProtocol() ?? undefined);
      socket.destroy();
    });
    socket.once("error", () => resolve(undefined));
  });
}

function optionsOf({ port, host, at = "127.0.0.1", from = at === "127.0.0.1" ? at : undefined }: Wire) {
  // The certificate is the test's own.
  const own = from === undefined ? {} : { localAddress: from };
  return { host: at, port, servername: host, ...own, rejectUnauthorized: false };
}

function openTls(wire: Wire, protocols: readonly string[]): TLSSocket {
  return connect({ ...optionsOf(wire), ALPNProtocols: [...protocols] });
}

function parse(text: string): Answer | undefined {
  if (text === "") return undefined;
  const cut = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, cut).split("\r\n");
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(":")).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(name.length + 1).trim()]);
  }
  return { status: Number(first.split(" ")[1]), headers, body: text.slice(cut + 4) };
}
