/**
 * Requests at the socket at which hitch speaks to the front, and the visitor of a static page, a process of its own, so that it waits for the
 * server alone and not for whoever is the crowd. Prints how long it waited as JSON. Arguments: socket, name of the site,
 * seconds. Started by crowd.ts.
 */
import { Agent, get } from "node:http";
import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import type { Duplex } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { quantileOf } from "./figures.ts";

export interface Waits {
  readonly count: number;
  /** Milliseconds. */
  readonly p50: number | undefined;
  readonly p99: number | undefined;
}

interface Site {
  readonly name: string;
  readonly cookie: string;
}

/** The line of the PROXY protocol that begins a connection. */
const line = "PROXY TCP4 127.0.0.1 127.0.0.1 1024 443\r\n";
/** As one who reads: without a pause it would be a crowd of its own. */
const pauseMs = 5;

class Proxied extends Agent {
  readonly #socket: string;
  constructor(socket: string, most: number) {
    super({ keepAlive: most > 1, maxSockets: most });
    this.#socket = socket;
  }
  override createConnection(): Duplex {
    const connection = connect(this.#socket);
    connection.write(line);
    return connection;
  }
}

/** `most` connections, which are kept, or one after another, each for one request. */
export function makeProxied(socket: string, most: number): Agent {
  return new Proxied(socket, most);
}

export function ask({ name, cookie }: Site, agent: Agent, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: name, path, agent, headers: { host: name, cookie } }, (answer) => {
      answer.resume();
      answer.once("end", () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`${path}: ${answer.statusCode}`)),
      );
      answer.once("error", reject);
    }).once("error", reject);
  });
}

async function visit(socket: string, name: string, limitMs: number): Promise<Waits> {
  const agent = makeProxied(socket, 1);
  const waits: number[] = [];
  const endsAt = performance.now() + limitMs;
  while (performance.now() < endsAt) {
    const startedAt = performance.now();
    await ask({ name, cookie: "" }, agent, "/docs/");
    waits.push(performance.now() - startedAt);
    await wait(pauseMs);
  }
  return { count: waits.length, p50: quantileOf(waits, 0.5), p99: quantileOf(waits, 0.99) };
}

const [, program = "", socket, name, seconds] = process.argv;
if (/[\\/]visitor\.[jt]s$/.test(program) && socket !== undefined && name !== undefined)
  console.log(JSON.stringify(await visit(socket, name, Number(seconds) * 1000)));
