/**
 * A PostgreSQL server of the tests' own: Debian's programs on a scratch folder, as a user without rights, on a UNIX socket and nothing else. It
 * is set up as awkwardly as a server may be: sorted by language, backslashes in texts, another time zone.
 */
import { spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";

const root = "/usr/lib/postgresql";
const nobody = 65_534;

/** The folder of the newest server's programs; undefined where none is installed. */
export const serverPrograms: string | undefined = existsSync(root)
  ? readdirSync(root)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(root, version, "bin"))
      .find((folder) => existsSync(join(folder, "initdb")))
  : undefined;

export interface Cluster {
  /** Where its socket is. */
  readonly folder: string;
  readonly data: string;
  readonly user: string;
  readonly start: () => void;
  /** "immediate" is as if it had died. */
  readonly stop: (how?: "fast" | "immediate") => void;
  /** The number of the process that others are children of. */
  readonly end: () => void;
}

/** Runs one of the server's programs as somebody who may. */
export function runServerProgram(
  name: string,
  words: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>> = {},
  enter: readonly string[] = [],
): string {
  const program = join(serverPrograms ?? "", name);
  const isRoot = process.getuid?.() === 0;
  const start = [
    ...enter,
    "setpriv",
    "--reuid",
    String(nobody),
    "--regid",
    String(nobody),
    "--clear-groups",
    program,
    ...words,
  ];
  const options = {
    encoding: "utf8",
    cwd: folder,
    env: { PATH: process.env.PATH, TZ: "UTC", ...environment },
  } as const;
  const [first = "", ...more] = isRoot ? start : [...enter, program, ...words];
  const result = spawnSync(first, more, options);
  if (result.status !== 0) throw new Error(`${name}: ${result.stderr ?? ""}${result.stdout ?? ""}`);
  return result.stdout;
}

export interface ClusterOptions {
  /** How the server tells who somebody is; everybody who reaches its socket is believed unless told. */
  readonly login?: "trust" | "scram-sha-256";
  /** More lines of postgresql.conf. */
  readonly settings?: readonly string[];
  /** Words before the command that starts it, which lead to another machine. */
  readonly enter?: readonly string[];
  /** Whether a commit waits for the disk: not where nothing is cut. */
  readonly isSafe?: boolean;
}

export function makeCluster({
  login = "trust",
  settings = [],
  enter = [],
  isSafe = false,
}: ClusterOptions = {}): Cluster {
  const folder = mkdtempSync("/tmp/pico-pg-");
  const data = join(folder, "data");
  mkdirSync(data, { mode: 0o700 });
  if (process.getuid?.() === 0) for (const path of [folder, data]) chownSync(path, nobody, nobody);
  const secret = join(folder, "password");
  writeFileSync(secret, "right\n");
  if (process.getuid?.() === 0) chownSync(secret, nobody, nobody);
  runServerProgram(
    "initdb",
    [
      "-D",
      data,
      "-U",
      "pico",
      "-A",
      login,
      "--pwfile",
      secret,
      "-E",
      "UTF8",
      "--locale=C.UTF-8",
      "-N",
    ].concat("--locale-provider=icu", "--icu-locale=en-US"),
    folder,
  );
  const lines = [
    "listen_addresses = ''",
    `unix_socket_directories = '${folder}'`,
    "max_connections = 100",
    "shared_buffers = 32MB",
    "log_min_messages = error",
    ...(isSafe ? [] : ["fsync = off", "full_page_writes = off", "synchronous_commit = off"]),
    "standard_conforming_strings = off",
    "escape_string_warning = off",
    "bytea_output = 'escape'",
    "timezone = 'Pacific/Kiritimati'",
    "autovacuum = off",
    ...settings,
  ];
  writeFileSync(join(data, "postgresql.auto.conf"), `${lines.join("\n")}\n`);
  const control = (words: readonly string[]): void =>
    void runServerProgram("pg_ctl", ["-D", data, "-w", ...words], folder, {}, enter);
  const start = (): void => control(["-l", join(folder, "log"), "start"]);
  const stop = (how = "fast"): void => control(["-m", how, "stop"]);
  start();
  return {
    folder,
    data,
    user: "pico",
    start,
    stop,
    end: () => {
      try {
        stop("immediate");
      } catch {
        // It may have been ended by the test.
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As the setting says it. */
export function addressOf({ folder, user }: { folder: string; user: string }, database: string): string {
  return `postgres://${user}@/${database}?host=${folder}`;
}

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
