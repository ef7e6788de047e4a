/**
 * A site as it is in production: built with a cluster.yaml of the test's folder and ports, and served by the real hitch and three
 * real lighttpds with the configuration that the build made. Started by root, each runs as a user of its own, as it should.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildSite } from "../../build/build.ts";
import { readHostSettings } from "../../build/host/place.ts";
import { shareSecrets } from "../../build/host/secrets.ts";
import { initSite } from "../../build/init.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { pools } from "../../lib/util/routes.ts";
import { eventually, findPort } from "./served.ts";
import { readRows } from "./store.ts";

const findProgram = (names: readonly string[]): string | undefined => names.find((name) => existsSync(name));
const lighttpdProgram = findProgram(["/usr/sbin/lighttpd", "/usr/local/sbin/lighttpd"]);
const hitchProgram = findProgram(["/usr/sbin/hitch", "/usr/local/sbin/hitch"]);
const hasLua = ["/usr/lib/lighttpd", "/usr/local/lib/lighttpd", "/usr/lib64/lighttpd"].some((folder) =>
  existsSync(join(folder, "mod_magnet.so")),
);

/** Whether lighttpd with its module for compressed files, hitch, and what makes a certificate are installed. */
export const canHost =
  lighttpdProgram !== undefined &&
  hitchProgram !== undefined &&
  hasLua &&
  spawnSync("openssl", ["version"]).status === 0;

/** That of the starter's etc/site.yaml. */
export const hostName = "storage.example.com";

export interface Host {
  readonly folder: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** SHA-256 of the certificate's public key in base64, by which a browser can be told to believe it. */
  readonly keyHash: string;
  /** What the configuration checks printed; "" where all is right. */
  readonly complaints: string;
  /** Whether each server runs as a user of its own. */
  readonly isSeparate: boolean;
  readonly hitchPid: number;
  /** Processes of the units: those of the pools, site-front, site-hitch. */
  readonly pids: Readonly<Record<string, number>>;
  readonly read: (path: string) => string;
  readonly rows: (sql: string) => unknown[];
  /** Ends the servers of the programs, as if they had died. */
  readonly endPrograms: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** Users that every Debian has. */
const users = {
  web: "www-data",
  programs: "backup",
  jobs: "list",
  mail: "news",
  hitch: "_hitch",
} as const;

/** Which machine it is; this one unless told. */
export interface Place {
  /** Words before each command, that lead there. */
  readonly enter?: readonly string[];
  readonly address?: string;
  /** More lines of the secrets file. */
  readonly secrets?: string;
}

/** `prepare` changes the sources before they are built, and `tune` the release before it is served. */
export async function startHost(
  prepare: (source: string) => void = () => undefined,
  programsAre: "cgi" | "resident" = "cgi",
  tune: (release: string) => void = () => undefined,
  { enter = [], address = "127.0.0.1", secrets = "" }: Place = {},
): Promise<Host> {
  if (lighttpdProgram === undefined || hitchProgram === undefined) throw new Error("they are not installed");
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-host-")));
  const [httpPort, httpsPort] = [await findPort(), await findPort()];
  const pem = join(folder, "site.pem");
  const keyHash = makeCertificate(pem, hostName);
  const source = join(folder, "source");
  initSite(source);
  writeFileSync(
    join(source, "etc", "cluster.yaml"),
    `home: ${folder}
path: ${dirname(process.execPath)}:/usr/bin:/bin
address: ${address}
http: ${httpPort}
https: ${httpsPort}
pem: ${pem}
programs: ${programsAre}
lineage: ${folder}/authority/config/live/${hostName}
users: ${JSON.stringify(users)}
`,
  );
  prepare(source);
  const outFolder = join(folder, "dist");
  const built = await buildSite({ sourceFolder: source, outFolder, clock: systemClock });
  if (!built.ok) throw new Error(JSON.stringify(built.faults));
  const isSeparate = process.getuid?.() === 0 && canRunAs(users.programs);
  layOut(folder, isSeparate, secrets);
  tune(realpathSync(join(outFolder, "current")));
  const etc = join(outFolder, "current", "etc");
  const as = (user: string, group = users.web as string): readonly string[] =>
    isSeparate ? ["setpriv", `--reuid=${user}`, `--regid=${group}`, `--groups=${users.programs}`] : [];
  const asWeb = isSeparate
    ? ["setpriv", `--reuid=${users.web}`, `--regid=${users.web}`, "--clear-groups"]
    : [];
  const migrate = [
    ...enter,
    ...as(users.jobs, users.programs),
    process.execPath,
    join(outFolder, "current/jobs/migrate"),
  ];
  runSurely(migrate, { SITE_DATA: join(folder, "data"), SITE_SECRETS: join(folder, "keys", "jobs") });
  const hitchConf = join(folder, "hitch.conf");
  const hitchText = readFileSync(join(etc, "hitch.conf"), "utf8");
  const isRoot = process.getuid?.() === 0;
  writeFileSync(hitchConf, isRoot ? hitchText : hitchText.replace(/^(user|group) = .*/gm, '$1 = ""'));
  let complaints = "";
  // lighttpd says nothing of what is right; hitch always says something.
  const check = (command: readonly string[]): void => {
    const [program = "", ...words] = command;
    const { status, stdout, stderr } = spawnSync(program, words, { encoding: "utf8" });
    const isRight = status === 0 && (program === hitchProgram || stdout + stderr === "");
    if (!isRight) complaints += `${command.join(" ")}: ${status} ${stdout}${stderr}`;
  };
  const isResident = programsAre === "resident";
  for (const name of isResident ? ["front"] : [...pools, "front"])
    check([lighttpdProgram, "-tt", "-f", join(etc, `${name}.conf`)]);
  const start = (command: readonly string[]): ChildProcess => {
    const [program = "", ...words] = [...enter, ...command];
    return spawn(program, words, { stdio: "ignore", cwd: "/" });
  };
  const lighttpd = (name: string, words: readonly string[]): ChildProcess =>
    // As its unit has it.
    start([
      ...words,
      "sh",
      "-c",
      'umask 007; exec "$@"',
      "sh",
      lighttpdProgram,
      "-D",
      "-f",
      join(etc, `${name}.conf`),
    ]);
  const resident = (name: string): ChildProcess => {
    const unit = readFileSync(join(etc, "systemd", `site-${name}.service`), "utf8");
    const told = /^ExecStart=\/usr\/bin\/env node (.*)$/m.exec(unit)?.[1]?.split(" ") ?? [];
    const [program = "", ...words] = [...enter, ...as(users.programs), process.execPath, ...told];
    const env = { SITE_DATA: join(folder, "data"), SITE_SECRETS: join(folder, "keys", "programs") };
    const log = openSync(join(folder, "log", "programs.log"), "a");
    return spawn(program, words, {
      stdio: ["ignore", "ignore", log],
      cwd: "/",
      env: { PATH: "/usr/bin:/bin", ...env },
    });
  };
  const programs = pools.map((name) => (isResident ? resident(name) : lighttpd(name, as(users.programs))));
  for (const name of pools) await exists(join(folder, "run", `${name}.sock`), programs);
  const front = lighttpd("front", asWeb);
  await exists(join(folder, "run", "tls.sock"), [front]);
  // It looks for the front's socket.
  check([hitchProgram, "--test", `--config=${hitchConf}`]);
  const hitch = start([hitchProgram, `--config=${hitchConf}`]);
  for (let tries = 0; !(await isListening(httpsPort, address)); tries += 1) {
    if (tries > 200 || hitch.exitCode !== null) throw new Error(`hitch does not start: ${hitch.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const endPrograms = async (): Promise<void> => void (await Promise.all(programs.map(endProcess)));
  return {
    folder,
    httpPort,
    httpsPort,
    keyHash,
    complaints,
    isSeparate,
    hitchPid: hitch.pid ?? 0,
    pids: {
      ...Object.fromEntries(pools.map((pool, at) => [`site-${pool}`, programs[at]?.pid ?? 0])),
      "site-front": front.pid ?? 0,
      "site-hitch": hitch.pid ?? 0,
    },
    read: (path) => readFileSync(join(folder, path), "utf8"),
    rows: (sql) => readRows(join(folder, "data", "books.sqlite"), sql),
    endPrograms,
    end: async () => {
      await endProcess(hitch);
      await endProcess(front);
      await endPrograms();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What each user may write, and read. */
function layOut(folder: string, isSeparate: boolean, more: string): void {
  chmodSync(folder, 0o755);
  for (const name of ["run", "log", "upload", "data", "acme"]) mkdirSync(join(folder, name), { mode: 0o770 });
  const secrets = join(folder, "secrets");
  writeFileSync(secrets, `usage_token = service-token\n${more}`, { mode: 0o600 });
  // As production does it.
  const { cluster } = readHostSettings(join(folder, "source"));
  if (isSeparate) {
    const tmpfiles = join(folder, "dist/current/etc/tmpfiles.conf");
    const { status, stderr } = spawnSync("systemd-tmpfiles", ["--create", tmpfiles], { encoding: "utf8" });
    if (status !== 0) throw new Error(`systemd-tmpfiles: ${stderr}`);
  }
  shareSecrets(cluster, isSeparate);
}

/** Whether another user can start this Node at all. */
function canRunAs(user: string): boolean {
  const words = [`--reuid=${user}`, `--regid=${users.web}`, "--clear-groups", process.execPath, "-e", "0"];
  return (
    spawnSync("setpriv", words).status === 0 && spawnSync("systemd-tmpfiles", ["--version"]).status === 0
  );
}

function runSurely([program = "", ...words]: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, stderr } = spawnSync(program, words, {
    encoding: "utf8",
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", ...env },
  });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
}

function exists(file: string, children: readonly ChildProcess[]): Promise<true> {
  return eventually(file, () => {
    for (const { exitCode, spawnargs } of children)
      if (exitCode !== null) throw new Error(`${spawnargs.join(" ")} ended with ${exitCode}`);
    return existsSync(file) ? true : undefined;
  });
}

export function isListening(port: number, address = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

function endProcess(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}

/** A key and a certificate of its own; gives what a browser knows the key by. */
function makeCertificate(pem: string, host: string): string {
  const key = `${pem}.key`;
  const words = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
  ];
  const names = ["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`];
  const made = spawnSync("openssl", [...words, ...names, "-keyout", key, "-out", pem], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(made.stderr);
  const { publicKey } = new X509Certificate(readFileSync(pem));
  writeFileSync(pem, readFileSync(key, "utf8") + readFileSync(pem, "utf8"));
  chmodSync(pem, 0o600);
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
}
