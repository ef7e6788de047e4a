/**
 * `npm run bench -- cgi`: how long a program takes that answers one request and ends, beside an empty Node; and the same through
 * lighttpd, beside programs of one line. All take turns, and what counts is each round's ratio. Then comes the crowd (crowd.ts). Called by main.ts.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { inheritedPath } from "../../lib/util/settings.ts";
import { serverPrograms } from "./cluster.ts";
import { benchCrowd, type CrowdResult, showCrowd } from "./crowd.ts";
import { alignRows, medianOf, showNumber, spreadOf } from "./figures.ts";
import { canHostCrowd, lighttpd } from "./hosting.ts";
import { makeProgramSite, makeServerSite, type ProgramSite, type ServerSite } from "./programs.ts";

export interface Timed {
  readonly name: string;
  /** Milliseconds, of each round. */
  readonly ms: readonly number[];
  /** To the first of the table, in the same round; the median. */
  readonly ratio: number | undefined;
  /** What is aimed at. */
  readonly aim: number | undefined;
}

export interface CgiResult {
  readonly starts: readonly Timed[];
  /** Empty where there is no lighttpd. */
  readonly served: readonly Timed[];
  /** Requests a second of a signed-in page, eight at once: by CGI, and by a process that stays. */
  readonly flood: { readonly cgi: number; readonly resident: number } | undefined;
  /** Of 200 clients at once, by CGI and resident; empty where the generated configuration cannot be served. */
  readonly crowd: readonly CrowdResult[];
}

interface Contender {
  readonly name: string;
  readonly aim?: number;
  /** Does it once. */
  readonly run: () => Promise<void> | void;
}

export async function benchCgi(home: string, rounds: number, port: number): Promise<CgiResult> {
  const site = await makeProgramSite(home, port);
  const starts = await benchStarts(site, home, rounds, port);
  const seconds = Math.min(crowdSeconds, Math.ceil(rounds / 3));
  if (lighttpd === undefined) return { starts, served: [], flood: undefined, crowd: [] };
  const socket = join(home, "resident.sock");
  const resident = spawn(process.execPath, [join(site.release, "servers", "programs"), socket], {
    env: { PATH: inheritedPath(), ...site.environment },
    stdio: "inherit",
  });
  const server = await startServer(lighttpd, site, { home, port, socket });
  let served: CgiResult["served"];
  let flooded: CgiResult["flood"];
  try {
    served = await takeTurns(listServed(site, port), rounds);
    const [cgi, stays] = [await flood(site, port, seconds), await flood(site, port + 1, seconds)];
    flooded = { cgi, resident: stays };
  } finally {
    server.kill();
    resident.kill();
  }
  const crowd = canHostCrowd ? await benchCrowd(join(home, "crowd"), seconds, port + 2) : [];
  return { starts, served, flood: flooded, crowd };
}

/** Where PostgreSQL is installed, also with the books on a server of the bench's own, over a UNIX socket. */
async function benchStarts(site: ProgramSite, home: string, rounds: number, port: number) {
  if (serverPrograms === undefined) return takeTurns(listStarts(site, []), rounds);
  const servers: Awaited<ReturnType<typeof makeServerSite>>[] = [];
  try {
    for (const login of ["trust", "scram-sha-256"] as const)
      servers.push(await makeServerSite(home, login, port));
    const sites = servers.map((server) => server.site);
    return await takeTurns(listStarts(site, sites), rounds);
  } finally {
    for (const { end } of servers) end();
  }
}

/** Less where few rounds are asked for. */
const crowdSeconds = 10;

/** How many are answered in a second where eight ask without a pause. */
async function flood(site: ProgramSite, port: number, seconds: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const until = performance.now() + seconds * 1000;
  let answered = 0;
  const ask = async (): Promise<void> => {
    while (performance.now() < until) {
      await getPage(site, { port, path: "/account/account.cgi", agent });
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, ask));
  agent.destroy();
  return answered / seconds;
}

function getPage(
  site: ProgramSite,
  { port, path, agent }: { readonly port: number; readonly path: string; readonly agent: Agent },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { host: site.host, cookie: site.cookie };
    get({ host: "127.0.0.1", port, path, agent, headers }, (answer) => {
      answer.resume();
      answer.once("end", () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`${path}: ${answer.statusCode}`)),
      );
    }).once("error", reject);
  });
}

export function showCgi({ starts, served, flood: many, crowd }: CgiResult): string {
  const table = (title: string, timed: readonly Timed[]): string => {
    const rows = timed.map(({ name, ms, ratio, aim }) => {
      const spread = spreadOf(ms);
      const cells = [spread?.median, spread?.least].map((value) => showNumber(value, 1));
      return [name, ...cells, showNumber(ratio, 2), aim === undefined ? "" : showNumber(aim, 2)];
    });
    return alignRows([[title, "ms", "least", "ratio", "aim"], ...rows]);
  };
  const [first, second] = [table("by itself", starts), table("through lighttpd", served)];
  if (served.length === 0 || many === undefined) return `${first}\nlighttpd is not installed`;
  const { cgi, resident } = many;
  const rates = `eight at once: ${cgi.toFixed(0)} pages a second by CGI, ${resident.toFixed(0)} by a process that stays: ${(resident / cgi).toFixed(0)} times (aim 100)`;
  const last = crowd.length === 0 ? "200 clients: lighttpd-modules-lua is not installed" : showCrowd(crowd);
  return `${first}\n\n${second}\n\n${rates}\n\n${last}`;
}

async function takeTurns(contenders: readonly Contender[], rounds: number): Promise<readonly Timed[]> {
  const times = contenders.map((): number[] => []);
  // One more, which does not count: files are read from the disk then.
  for (let round = -1; round < rounds; round += 1)
    for (const [index, { run }] of contenders.entries()) {
      const startedAt = performance.now();
      await run();
      if (round >= 0) times[index]?.push(performance.now() - startedAt);
    }
  return contenders.map(({ name, aim }, index) => {
    const ms = times[index] ?? [];
    const ratio = medianOf(ms.map((value, round) => value / (times[0]?.[round] ?? Number.NaN)));
    return { name, ms, ratio, aim };
  });
}

function listStarts(site: ProgramSite, servers: readonly ServerSite[]): readonly Contender[] {
  // Nothing that is set for the bench itself may slow Node down.
  const clean = { PATH: inheritedPath() };
  const start = (name: string, command: readonly string[], environment = {}, aim?: number): Contender => ({
    name,
    ...(aim === undefined ? {} : { aim }),
    run: () => {
      const [program = "", ...words] = command;
      const { status, error } = spawnSync(program, words, {
        env: { ...clean, ...environment },
        stdio: "ignore",
      });
      if (status !== 0)
        throw new Error(`${name} ended with ${status}${error === undefined ? "" : `: ${error}`}`);
    },
  });
  const request = (name: string, { environment, cookie }: Omit<ServerSite, "release"> = site) => ({
    ...environment,
    REQUEST_METHOD: "GET",
    SCRIPT_NAME: `/account/${name}.cgi`,
    HTTP_HOST: site.host,
    HTTP_COOKIE: cookie,
    REMOTE_ADDR: "127.0.0.1",
  });
  const program = (release: string, name: string) => [join(release, "cgi", "account", `${name}.cgi`)];
  const isNew = Number(process.versions.node.split(".")[0]) >= 24;
  return [
    start("an empty Node", [process.execPath, "-e", "0"]),
    start("account", program(site.release, "account"), request("account"), isNew ? 1.08 : 1.15),
    start("account, not warmed", program(site.coldRelease, "account"), request("account")),
    ...servers.map((server, n) =>
      start(
        `account on PostgreSQL${n === 0 ? "" : ", by a password"}`,
        program(server.release, "account"),
        request("account", server),
      ),
    ),
    start("login form", program(site.release, "login"), request("login")),
    start("pay, with Stripe", program(site.release, "pay"), request("pay"), 1.7),
  ];
}

function listServed(site: ProgramSite, port: number): readonly Contender[] {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (name: string, path: string, aim?: number, at = port): Contender => ({
    name,
    ...(aim === undefined ? {} : { aim }),
    run: () => getPage(site, { port: at, path, agent }),
  });
  const hasPython = spawnSync("python3", ["--version"]).status === 0;
  return [
    ask("hello, world in Node", "/hello/node.cgi"),
    ask("account", "/account/account.cgi", 1),
    ask("account, by a process that stays", "/account/account.cgi", undefined, port + 1),
    ask("a static page", "/"),
    ...(hasPython ? [ask("hello, world in Python", "/hello/python.cgi")] : []),
  ];
}

async function startServer(
  program: string,
  site: ProgramSite,
  { home, port, socket }: { readonly home: string; readonly port: number; readonly socket: string },
): Promise<ChildProcess> {
  const folder = join(home, "lighttpd");
  mkdirSync(folder);
  const variables = Object.entries({ ...site.environment, PATH: inheritedPath() });
  const file = join(folder, "lighttpd.conf");
  writeFileSync(
    file,
    `server.modules = ("mod_alias", "mod_setenv", "mod_proxy", "mod_cgi")
server.document-root = "${join(site.release, "www")}"
server.bind = "127.0.0.1"
server.port = ${port}
server.errorlog = "${join(folder, "error.log")}"
index-file.names = ("index.html")
mimetype.assign = (".html" => "text/html; charset=utf-8")
alias.url = ("/account/" => "${join(site.release, "cgi", "account")}/", "/hello/" => "${join(home, "hello")}/")
cgi.assign = (".cgi" => "")
$SERVER["socket"] == "127.0.0.1:${port + 1}" { proxy.server = ("" => (("host" => "${socket}"))) }
setenv.set-environment = (${variables.map(([name, value]) => `"${name}" => "${value}"`).join(", ")})
`,
  );
  const child = spawn(program, ["-D", "-f", file], { stdio: "inherit" });
  for (let tries = 0; !existsSync(join(folder, "error.log")) || !existsSync(socket); tries += 1) {
    if (tries > 200 || child.exitCode !== null) throw new Error("lighttpd does not start");
    await wait(50);
  }
  return child;
}
