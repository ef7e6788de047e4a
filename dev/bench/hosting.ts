/**
 * A host for the bench: front and pools with the configuration that a build makes, and with the niceness that their units say, without hitch
 * and all as one user. Called by crowd.ts.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { buildSite } from "../../build/build.ts";
import { initSite } from "../../build/init.ts";
import { warmRelease } from "../../build/warm.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { assert } from "../../lib/util/failure.ts";
import { type Pool, pools } from "../../lib/util/routes.ts";
import { inheritedPath } from "../../lib/util/settings.ts";
import { makeCustomer } from "./programs.ts";

export type Kind = "cgi" | "resident";

export interface CrowdHost {
  /** Where the front listens for hitch. */
  readonly socket: string;
  readonly name: string;
  /** Of a customer who is logged in. */
  readonly cookie: string;
  readonly poolPids: readonly number[];
  readonly end: () => Promise<void>;
}

export const lighttpd = ["/usr/sbin/lighttpd", "/usr/local/sbin/lighttpd"].find(existsSync);

/** Whether what the generated configuration needs is installed. */
export const canHostCrowd =
  lighttpd !== undefined &&
  ["/usr/lib", "/usr/local/lib", "/usr/lib64"].some((folder) =>
    existsSync(join(folder, "lighttpd/mod_magnet.so")),
  );

export async function startCrowdHost(home: string, kind: Kind, port: number): Promise<CrowdHost> {
  const folder = join(home, kind);
  const [source, outFolder, data] = ["source", "dist", "data"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  initSite(source);
  const path = `${dirname(process.execPath)}:/usr/bin:/bin`;
  const where = { home: folder, path, address: "127.0.0.1", http: port, programs: kind };
  writeFileSync(join(source, "etc", "cluster.yaml"), JSON.stringify(where));
  const built = await buildSite({ sourceFolder: source, outFolder, clock: systemClock });
  assert(built.ok, "the starter builds");
  await warmRelease({ outFolder, clock: systemClock });
  for (const name of ["run", "log", "upload", "data"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "secrets"), "", { mode: 0o600 });
  const token = await makeCustomer(join(data, "books.sqlite"));
  const etc = join(outFolder, "current", "etc");
  const children = [...pools, "front" as const].map((name) => startUnit(folder, etc, name));
  const end = async (): Promise<void> => {
    for (const child of children)
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, "exit");
        // Whatever it is in the middle of.
        child.kill("SIGKILL");
        await ended;
      }
    // Programs that their server had started end by themselves.
    await wait(500);
  };
  const socket = join(folder, "run", "tls.sock");
  for (
    let tries = 0;
    ![...pools, "tls"].every((name) => existsSync(join(folder, "run", `${name}.sock`)));
    tries += 1
  ) {
    if (tries > 200 || children.some(({ exitCode }) => exitCode !== null)) {
      await end();
      throw new Error(`a server of ${etc} does not start`);
    }
    await wait(50);
  }
  const poolPids = children.slice(0, 2).map(({ pid = 0 }) => pid);
  return { socket, name: "storage.example.com", cookie: `__Host-session=${token}`, poolPids, end };
}

/** What a unit starts, as nice as the unit says. */
function startUnit(folder: string, etc: string, name: "front" | Pool): ChildProcess {
  const unit = readFileSync(join(etc, "systemd", `site-${name}.service`), "utf8");
  const read = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, "m").exec(unit)?.[1];
  const command = (read("ExecStart") ?? "").replace(/^\/usr\/bin\/env node/, process.execPath);
  const nice = ["-n", read("Nice") ?? "0"];
  const log = openSync(join(folder, "log", "programs.log"), "a");
  return spawn("nice", [...nice, ...command.replace(/^\/usr\/sbin\/lighttpd/, lighttpd ?? "").split(" ")], {
    stdio: ["ignore", "ignore", log],
    cwd: "/",
    env: {
      PATH: inheritedPath(),
      SITE_DATA: join(folder, "data"),
      SITE_SECRETS: join(folder, "secrets"),
    },
  });
}
