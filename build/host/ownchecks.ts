/** What the servers' own checks say of files that they are to read. Called by check.ts, on a host, and by trial.ts, before a release counts. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pools } from "../../lib/util/routes.ts";
import type { Cluster } from "./cluster.ts";
import { type Finding, right, runFirst, skipped, wrong } from "./finding.ts";

const lighttpd = ["/usr/sbin/lighttpd", "/usr/local/sbin/lighttpd"];
const hitch = ["/usr/sbin/hitch", "/usr/local/sbin/hitch"];

/** The files of a release's etc/ that a lighttpd reads by itself, "front.conf". */
export function listLighttpds(etc: string): readonly string[] {
  return ["front", ...pools].map((name) => `${name}.conf`).filter((name) => existsSync(join(etc, name)));
}

/** It takes an unknown key with a warning, and ends with 0: so nothing may be said. */
export function checkLighttpd(name: string, file: string): Finding {
  const ran = runFirst(lighttpd, ["-tt", "-f", file]);
  if (ran === undefined) return skipped(name, "lighttpd is not installed");
  return ran.status === 0 && ran.said === "" ? right(name) : wrong(name, ran.said);
}

/** It looks for the front's socket. */
export function checkHitch(file: string, { home }: Cluster): Finding {
  const name = "hitch.conf";
  if (!existsSync(join(home, "run", "tls.sock")))
    return skipped(name, "the front is not running: start it first");
  const ran = runFirst(hitch, ["--test", `--config=${file}`]);
  if (ran === undefined) return skipped(name, "hitch is not installed");
  return ran.status === 0 ? right(name) : wrong(name, ran.said);
}
