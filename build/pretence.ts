/**
 * A PostgreSQL server that is not there: it answers whoever speaks its protocol, lets them in with a password, says that the schema is
 * right, and has no row. So the driver's code is run, and kept compiled, where no server may be asked. It stands in place of Node's
 * sockets. Called by warming.ts.
 */
import { EventEmitter } from "node:events";
import { programVersion } from "../lib/store/known.ts";

/** What warm.ts leaves in the secrets of its account. */
export const pretendedPassword = "warm";

/** What stands in place of Node's sockets; undefined for every other module. */
export function pretend(name: string, load: NodeJS.Require): object | undefined {
  const open = (): EventEmitter => makeSocket(load);
  // `new` gives the object that its function returns.
  const Socket = function Socket() {
    return open();
  };
  if (/^(?:node:)?net$/.test(name)) return { Socket, isIP: () => 1 };
  return /^(?:node:)?tls$/.test(name) ? { connect: open } : undefined;
}

function makeSocket(load: NodeJS.Require): EventEmitter {
  const socket = new EventEmitter();
  const answer = makeServer(load);
  const nothing = (): void => undefined;
  const silent = ["setNoDelay", "setKeepAlive", "ref", "unref", "end", "destroy"];
  return Object.assign(socket, Object.fromEntries(silent.map((name) => [name, nothing])), {
    writable: true,
    connect: () => void setImmediate(() => socket.emit("connect")),
    write: (bytes: Buffer) => {
      const answers = answer(bytes);
      if (answers.length > 0) setImmediate(() => socket.emit("data", Buffer.concat(answers)));
      return true;
    },
  });
}

const sslRequest = 80_877_103;

/** Hears what a client writes, and gives the messages of its answer (PostgreSQL's manual, "Message Formats"). */
function makeServer(load: NodeJS.Require): (bytes: Buffer) => readonly Buffer[] {
  let isGreeted = false;
  let first: Exchange | undefined;
  const ready = message("Z", Buffer.from("T"));
  const authenticate = (kind: number, text = ""): Buffer =>
    message("R", int32(kind), Buffer.from(text, "latin1"));
  const answerOne = (kind: string, body: Buffer): readonly Buffer[] => {
    if (kind === "Q") return [...answerText(body.toString()), ready];
    if (kind === "P") return [message("1"), message("2"), message("T", int16(0)), done("SELECT 0")];
    if (kind === "S") return [ready];
    if (kind !== "p") return [];
    if (first === undefined) {
      first = beginExchange(body.toString("latin1"));
      return [authenticate(11, first.challenge)];
    }
    const proof = endExchange(first, body.toString("latin1"), load("node:crypto"));
    return [authenticate(12, proof), authenticate(0), message("K", int32(1), int32(1)), ready];
  };
  return (bytes) => {
    if (!isGreeted) {
      if (bytes.readInt32BE(4) === sslRequest) return [Buffer.from("S")];
      isGreeted = true;
      return [authenticate(10, "SCRAM-SHA-256\0\0")];
    }
    const answers: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
      const body = bytes.subarray(at + 5, at + 1 + bytes.readInt32BE(at + 1));
      answers.push(...answerOne(String.fromCharCode(bytes[at] ?? 0), body));
    }
    return answers;
  };
}

/** To the beginning of a transaction what lib/store/postgres/store.ts asks there. */
function answerText(sql: string): readonly Buffer[] {
  if (!sql.startsWith("BEGIN")) return [done(sql.replace(/\W[\s\S]*$/, ""))];
  const version = String(programVersion);
  const cells = { version, oldest: version, encoding: "UTF8", server: "150000", kept: undefined };
  const [int8, text] = [20, 25];
  const fields = Object.keys(cells).map((name) =>
    Buffer.concat([
      Buffer.from(`${name}\0`),
      ...[int32(0), int16(0), int32(/^[ek]/.test(name) ? text : int8), int16(-1), int32(-1), int16(0)],
    ]),
  );
  const values = Object.values(cells).map((value) =>
    value === undefined ? int32(-1) : Buffer.concat([int32(value.length), Buffer.from(value)]),
  );
  const [head, row] = [
    message("T", int16(fields.length), ...fields),
    message("D", int16(values.length), ...values),
  ];
  return [head, row, done("SELECT 1")];
}

/** What both have said of the password so far (SCRAM, RFC 5802). */
interface Exchange {
  readonly bare: string;
  readonly challenge: string;
}

const [salt, iterations] = ["salt", 4096] as const;

function beginExchange(text: string): Exchange {
  const bare = text.replace(/^[\s\S]*n,,/, "");
  const nonce = /r=(.*)$/.exec(bare)?.[1] ?? "";
  return { bare, challenge: `r=${nonce}server,s=${Buffer.from(salt).toString("base64")},i=${iterations}` };
}

function endExchange(
  { bare, challenge }: Exchange,
  text: string,
  { createHmac, pbkdf2Sync }: typeof import("node:crypto"),
): string {
  const key = pbkdf2Sync(pretendedPassword, salt, iterations, 32, "sha256");
  const sign = (secret: Buffer, words: string): Buffer => createHmac("sha256", secret).update(words).digest();
  const said = [bare, challenge, text.replace(/,p=.*$/, "")].join(",");
  return `v=${sign(sign(key, "Server Key"), said).toString("base64")}`;
}

function done(command: string): Buffer {
  return message("C", Buffer.from(`${command}\0`));
}

function message(kind: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(kind), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}
