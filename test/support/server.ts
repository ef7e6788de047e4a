/**
 * A PostgreSQL server of the tests' own (dev/bench/cluster.ts), and plain SQL on it past all of our code.
 */
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";

export {
  addressOf,
  type Cluster,
  makeCluster,
  runServerProgram,
  serverPrograms,
} from "../../dev/bench/cluster.ts";

/** Asks the driver in a thread of its own, so that a test can wait for the answer where it stands. */
const asker = `
const { parentPort, workerData } = require("node:worker_threads");
const { Client } = require("pg");
const read = (oid) => (text) =>
  oid === 16 ? (text === "t" ? 1n : 0n)
  : oid === 17 ? new Uint8Array(Buffer.from(text.slice(2), "hex"))
  : [20, 21, 23, 1700].includes(oid) && /^-?[0-9]+$/.test(text) ? BigInt(text) : text;
const clients = new Map();
async function ask({ host, user, database, sql, begin }) {
  const key = host + "/" + database;
  if (sql === undefined) { await clients.get(key)?.end(); clients.delete(key); return []; }
  if (!clients.has(key)) {
    const client = new Client({ host, user, database, password: "right", types: { getTypeParser: read } });
    client.on("error", () => clients.delete(key));
    await client.connect();
    await client.query(begin);
    clients.set(key, client);
  }
  const result = await clients.get(key).query(sql);
  return (Array.isArray(result) ? result.at(-1) : result).rows.map((row) => ({ ...row }));
}
parentPort.on("message", async ({ port, flag, question }) => {
  let answer;
  try { answer = { rows: await ask(question) }; } catch (error) { answer = { error: error.message }; }
  port.postMessage(answer);
  Atomics.store(new Int32Array(flag), 0, 1);
  Atomics.notify(new Int32Array(flag), 0);
});
`;

let worker: Worker | undefined;

const begin = [
  "search_path = picodollar",
  "standard_conforming_strings = on",
  "bytea_output = hex",
  // Somebody with all rights, who does as SQLite does for everybody.
  "client_min_messages = error",
].map((words) => `SET ${words}`);

/** Plain SQL past all of our code, and its rows; without a text, the connection is closed. */
export function askServer(
  place: { readonly folder: string; readonly user: string; readonly database: string },
  sql: string | undefined,
): unknown[] {
  worker ??= new Worker(asker, { eval: true, env: process.env });
  worker.unref();
  const flag = new SharedArrayBuffer(4);
  const { port1, port2 } = new MessageChannel();
  const { folder: host, user, database } = place;
  const question = { host, user, database, sql, begin: begin.join("; ") };
  worker.postMessage({ port: port2, flag, question }, [port2]);
  if (Atomics.wait(new Int32Array(flag), 0, 0, 30_000) === "timed-out") throw new Error(`no answer: ${sql}`);
  const { message } = receiveMessageOnPort(port1) as { message: { rows?: unknown[]; error?: string } };
  port1.close();
  if (message.error !== undefined) throw new Error(message.error);
  // Bytes come from the other thread without what makes them a Buffer.
  const revive = (cell: unknown): unknown => (cell instanceof Uint8Array ? Buffer.from(cell) : cell);
  return (message.rows ?? []).map((row) =>
    Object.fromEntries(Object.entries(row as object).map(([name, cell]) => [name, revive(cell)])),
  );
}
