/**
 * A PostgreSQL server of one's own: Debian's programs on a scratch folder, as a user without rights, on a UNIX socket and nothing else. It
 * is set up as awkwardly as a server may be: sorted by language, backslashes in texts, another time zone. Called by the bench and by
 * test/support/server.
 */
import { spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inheritedPath } from "../../lib/util/settings.ts";

const root = "/usr/lib/postgresql";
const nobody = 65_534;

/** Of the role that owns all. */
export const clusterPassword = "right";

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
  const id = String(nobody);
  const as = isRoot ? ["setpriv", "--reuid", id, "--regid", id, "--clear-groups"] : [];
  const [first = "", ...more] = [...enter, ...as, program, ...words];
  const options = {
    encoding: "utf8",
    cwd: folder,
    env: { PATH: inheritedPath(), TZ: "UTC", ...environment },
  } as const;
  const result = spawnSync(first, more, options);
  if (result.status !== 0) throw new Error(`${name}: ${result.stderr ?? ""}${result.stdout ?? ""}`);
  return result.stdout;
}

export interface ClusterOptions {
  /** How the server tells who somebody is; everybody who reaches its socket is believed unless told. */
  readonly login?: "trust" | "scram-sha-256";
  /** More lines of postgresql.conf. */
  readonly settings?: readonly string[];
  /** The folder in which it is made. */
  readonly place?: string;
  /** Words before the command that starts it, which lead to another machine. */
  readonly enter?: readonly string[];
  /** Whether a commit waits for the disk: not where nothing is cut. */
  readonly isSafe?: boolean;
}

export function makeCluster({
  login = "trust",
  settings = [],
  place = "/tmp",
  enter = [],
  isSafe = false,
}: ClusterOptions = {}): Cluster {
  const folder = mkdtempSync(join(place, "pico-pg-"));
  const data = join(folder, "data");
  mkdirSync(data, { mode: 0o700 });
  if (process.getuid?.() === 0) for (const path of [folder, data]) chownSync(path, nobody, nobody);
  const secret = join(folder, "password");
  writeFileSync(secret, `${clusterPassword}\n`);
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
