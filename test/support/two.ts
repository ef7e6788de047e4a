/**
 * Two web servers and the machine of their books, each in a network namespace of its own: real lighttpd, hitch, spiped, PostgreSQL, and
 * PgBouncer if wanted, by the very lines of content/docs/production.html with the test's addresses in them.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canHost, type Host, startHost } from "./host.ts";
import { canConnect, type Network, openNetwork } from "./network.ts";
import { eventually, projectFolder } from "./served.ts";
import { askServer, type Cluster, makeCluster, serverPrograms } from "./server.ts";

const isThere = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

export const canBeTwo =
  canHost && serverPrograms !== undefined && ["ip", "spiped", "pgbouncer"].every(isThere) && canConnect();

export const webServers = ["web1", "web2"] as const;
export type WebServer = (typeof webServers)[number];

export interface Two {
  readonly network: Network;
  readonly hosts: Readonly<Record<WebServer, Host>>;
  readonly cluster: Cluster;
  readonly keyFile: string;
  /** Where the machine of the books listens, for a web server. */
  readonly port: number;
  /** Plain SQL past all of our code. */
  readonly raw: (sql: string) => unknown[];
  /** Starts the night's lock and a write on a web server that both go on for ever; ready when it has both. */
  readonly hold: (name: WebServer, sql: string) => Promise<unknown>;
  /** A job of a web server's release, as its timer runs it. */
  readonly job: (name: WebServer, ...words: readonly string[]) => { status: number | null; said: string };
  readonly end: () => Promise<void>;
}

export interface TwoOptions {
  /** How many connections PgBouncer has; undefined: there is none. */
  readonly poolSize: number | undefined;
  readonly programsAre: "cgi" | "resident";
}

/** What runs PostgreSQL in tests, and here spiped and PgBouncer too. */
const nobody = 65_534;
const asNobody = ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"];

const documented = readFileSync(join(projectFolder, "content/docs/production.html"), "utf8");

/** A line of the documented units, with other places. */
export function unitLine(start: string, places: Readonly<Record<string, string>>): string {
  const line = documented.split("\n").find((each) => each.replace("<pre><code>", "").startsWith(start));
  if (line === undefined) throw new Error(`production.html has no line ${start}`);
  return replaceAll(line.slice(line.indexOf("=") + 1).replace("</code></pre>", ""), places);
}

function replaceAll(text: string, places: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [from, to] of Object.entries(places)) {
    if (!result.includes(from)) throw new Error(`${text} does not say ${from}`);
    result = result.replaceAll(from, to);
  }
  return result;
}

export async function startTwo({ poolSize, programsAre }: TwoOptions): Promise<Two> {
  const ends: (() => unknown)[] = [];
  const end = async (): Promise<void> => {
    for (const each of ends.reverse()) await each();
  };
  try {
    return { ...(await start({ poolSize, programsAre }, ends)), end };
  } catch (cause) {
    await end();
    throw cause;
  }
}

async function start(
  { poolSize, programsAre }: TwoOptions,
  ends: (() => unknown)[],
): Promise<Omit<Two, "end">> {
  const folder = mkdtempSync(join(tmpdir(), "picodollar-two-"));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const network = openNetwork(
    [...webServers, "books"],
    webServers.flatMap((name) => [["here", name] as const, [name, "books"] as const]),
  );
  ends.push(() => network.end());
  const cluster = makeCluster({ login: "scram-sha-256", isSafe: true, enter: network.enter("books") });
  ends.push(() => cluster.end());
  const raw = (sql: string, database = "books") => askServer({ ...cluster, database }, sql);
  ends.push(() => {
    for (const database of ["books", "postgres"]) askServer({ ...cluster, database }, undefined);
  });
  raw("CREATE ROLE site LOGIN PASSWORD 'right'", "postgres");
  raw("CREATE DATABASE books OWNER site", "postgres");
  const keyFile = join(folder, "books.key");
  writeFileSync(keyFile, crypto.getRandomValues(new Uint8Array(32)), { mode: 0o600 });
  chownSync(keyFile, nobody, nobody);
  spawnSync("chmod", ["755", folder]);

  for (const [, file = "", seconds] of documented.matchAll(/^(?:<pre><code>)?net\.ipv4\.(\w+) = (\d+)/gm)) {
    // A fifth of what is documented, so that the test need not wait as long.
    const told = `echo ${Math.ceil(Number(seconds) / 5)} > /proc/sys/net/ipv4/${file}`;
    const [program = "", ...words] = [...network.enter("books"), "sh", "-c", told];
    if (spawnSync(program, words).status !== 0) throw new Error(`${told} failed`);
  }
  const run = (name: string, line: string): ChildProcess => {
    const [program = "", ...words] = [...network.enter(name), ...asNobody, ...line.split(" ")];
    return spawn(program, words, { stdio: "ignore", cwd: "/" });
  };
  const bouncerPort = 6432;
  if (poolSize !== undefined) {
    run("books", `/usr/sbin/pgbouncer ${writeBouncer(folder, cluster, poolSize)}`);
    await listens(network, "books", "127.0.0.1", bouncerPort);
  }
  const key = { "/etc/books.key": keyFile };
  const target =
    poolSize === undefined ? join(cluster.folder, ".s.PGSQL.5432") : `[127.0.0.1]:${bouncerPort}`;
  const port = 6433;
  const hosts: Partial<Record<WebServer, Host>> = {};
  for (const name of webServers) {
    const at = `[${network.at("books", name)}]:${port}`;
    const server = { ...key, "[10.0.0.3]:6433": at, "/run/postgresql/.s.PGSQL.5432": target };
    run("books", unitLine("ExecStart=/usr/bin/spiped -d", server));
    await listens(network, "books", network.at("books", name), port);
    run(name, unitLine("ExecStart=/usr/bin/spiped -e", { ...key, "[10.0.0.3]:6433": at }));
    await listens(network, name, "127.0.0.1", 6432);
    const host = await startHost(
      (source) => {
        const site = join(source, "etc/site.yaml");
        const store = "store: postgres://site@127.0.0.1:6432/books\n";
        writeFileSync(site, readFileSync(site, "utf8") + store);
        // The first one's file stands for the same on both.
        const file = join(source, "etc/cluster.yaml");
        const pem = join(hosts.web1?.folder ?? join(source, ".."), "site.pem");
        writeFileSync(file, readFileSync(file, "utf8").replace(/^pem: .*$/m, `pem: ${pem}`));
      },
      programsAre,
      undefined,
      {
        enter: network.enter(name),
        address: network.at(name, "here"),
        secrets: "store_password = right\n",
      },
    );
    hosts[name] = host;
    ends.push(() => host.end());
  }
  const { web1, web2 } = hosts;
  if (web1 === undefined || web2 === undefined) throw new Error("both were started");
  const both = { web1, web2 };
  return {
    network,
    hosts: both,
    cluster,
    keyFile,
    port,
    raw,
    hold: (name, sql) => {
      const script = holding(both[name].folder, sql);
      const [program = "", ...words] = [...network.enter(name), process.execPath, "--input-type=module"];
      const child = spawn(program, [...words, "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
      return new Promise((resolve) => child.stdout.once("data", resolve));
    },
    job: (name, job, ...words) => {
      const at = both[name].folder;
      const line = [process.execPath, join(at, "dist/current/jobs", job ?? ""), ...words];
      const [program = "", ...more] = [...network.enter(name), ...line];
      const env = { PATH: "/usr/bin:/bin", SITE_DATA: join(at, "data"), SITE_SECRETS: join(at, "keys/jobs") };
      const { status, stdout, stderr } = spawnSync(program, more, { encoding: "utf8", env });
      return { status, said: stdout + stderr };
    },
  };
}

/** The answer of its last statement comes when nobody takes it any more: a connection that is silent otherwise is looked after in another way. */
function holding(folder: string, sql: string): string {
  const module = (name: string): string => JSON.stringify(join(projectFolder, "out/lib/store", name));
  return `
    import { withBooksAlone } from ${module("alone.js")};
    import { openBooks } from ${module("open.js")};
    const postgres = { address: "postgres://site@127.0.0.1:6432/books", password: "right" };
    const books = { file: "", clock: { now: () => Date.now() }, postgres };
    await withBooksAlone(books, { folder: ${JSON.stringify(join(folder, "data"))}, name: "bill" }, () =>
      openBooks(books).write(async (tx) => {
        await tx.run(${JSON.stringify(sql)});
        process.stdout.write("held");
        await tx.run("SELECT pg_sleep(2)");
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      }),
    );`;
}

/** The documented file; answers where it is. */
function writeBouncer(folder: string, cluster: Cluster, poolSize: number): string {
  const text = /<pre><code>(\[databases\][^<]*)</.exec(documented)?.[1] ?? "";
  const users = join(folder, "userlist.txt");
  writeFileSync(users, '"site" "right"\n', { mode: 0o600 });
  const file = join(folder, "pgbouncer.ini");
  const places = {
    "host=/run/postgresql": `host=${cluster.folder}`,
    "/etc/pgbouncer/userlist.txt": users,
    "default_pool_size = 10": `default_pool_size = ${poolSize}`,
  };
  writeFileSync(file, `${replaceAll(text, places)}\n`);
  for (const path of [users, file]) chownSync(path, nobody, nobody);
  return file;
}

/** Until something listens there, by the machine's own list. */
function listens(network: Network, name: string, address: string, port: number): Promise<true> {
  const [program = "", ...words] = [...network.enter(name), "cat", "/proc/net/tcp"];
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, "0");
  const bytes = address.split(".").map((byte) => hex(Number(byte), 2));
  const sought = `: ${bytes.reverse().join("")}:${hex(port, 4)} 00000000:0000 0A`;
  return eventually(`${address}:${port} of ${name}`, () =>
    spawnSync(program, words, { encoding: "utf8" }).stdout.includes(sought) ? true : undefined,
  );
}
