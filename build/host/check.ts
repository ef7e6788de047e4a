/**
 * Whether a host is as its configuration says: every checker that the machine has looks at the files of the release, and what none of
 * them sees is looked at here: the certificate, and who may read what. Run on the host. Called by cli/config.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../lib/util/clock.ts";
import { formatFault } from "../fault.ts";
import { readSettings } from "../settings.ts";
import type { Cluster } from "./cluster.ts";
import { type Finding, right, runFirst, skipped, wrong } from "./finding.ts";
import { judgeAge, judgePair } from "./pair.ts";

export type { Finding } from "./finding.ts";

export function checkHost(options: {
  readonly sourceFolder: string;
  readonly outFolder: string;
  readonly clock: Clock;
}): readonly Finding[] {
  const { settings, cluster, faults } = readSettings(options.sourceFolder);
  if (faults.length > 0) return faults.map((fault) => wrong("etc/", formatFault(fault)));
  const etc = join(options.outFolder, "current", "etc");
  if (!existsSync(join(etc, "front.conf")))
    return [
      wrong("dist/", `${etc} has no front.conf; build the site, with an https address in etc/site.yaml`),
    ];
  return [
    ...["front.conf", "pages.conf", "hashing.conf"]
      .filter((name) => existsSync(join(etc, name)))
      .map((name) => checkLighttpd(etc, name)),
    checkHitch(etc, cluster),
    checkUnits(etc),
    checkLogrotate(etc),
    ...checkCertificate(cluster.pemFile, new URL(settings.url).hostname, options.clock.now()),
    ...checkModes(cluster),
  ];
}

/** It takes an unknown key with a warning, and ends with 0: so nothing may be said. */
function checkLighttpd(etc: string, name: string): Finding {
  const ran = runFirst(["/usr/sbin/lighttpd", "/usr/local/sbin/lighttpd"], ["-tt", "-f", join(etc, name)]);
  if (ran === undefined) return skipped(name, "lighttpd is not installed");
  return ran.status === 0 && ran.said === "" ? right(name) : wrong(name, ran.said);
}

function checkHitch(etc: string, { home }: Cluster): Finding {
  const name = "hitch.conf";
  if (!existsSync(join(home, "run", "tls.sock")))
    return skipped(name, "the front is not running: start it first");
  const ran = runFirst(
    ["/usr/sbin/hitch", "/usr/local/sbin/hitch"],
    ["--test", `--config=${join(etc, name)}`],
  );
  if (ran === undefined) return skipped(name, "hitch is not installed");
  return ran.status === 0 ? right(name) : wrong(name, ran.said);
}

function checkUnits(etc: string): Finding {
  const units = readdirSync(join(etc, "systemd")).map((name) => join(etc, "systemd", name));
  const ran = runFirst(["systemd-analyze"], ["verify", "--man=no", "--recursive-errors=no", ...units]);
  if (ran === undefined) return skipped("systemd/", "systemd is not installed");
  return ran.said === "" ? right("systemd/") : wrong("systemd/", ran.said);
}

function checkLogrotate(etc: string): Finding {
  const ran = runFirst(["/usr/sbin/logrotate"], ["--debug", join(etc, "logrotate.conf")]);
  if (ran === undefined) return skipped("logrotate.conf", "logrotate is not installed");
  return ran.status === 0 ? right("logrotate.conf") : wrong("logrotate.conf", ran.said);
}

/** The file that hitch reads: whether it is a pair, for this site, still good for a while, and nobody else's to read. */
function checkCertificate(file: string, host: string, now: number): readonly Finding[] {
  const what = "the certificate";
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    const detail = `${file} cannot be read; run: site tls sync, or put key, certificate, and its chain there`;
    return [wrong(what, detail)];
  }
  const others =
    (statSync(file).mode & 0o077) === 0 ? [] : [`others may read the key; run: chmod 600 ${file}`];
  const all = [...others, ...judgePair(text, host, now), ...judgeAge(text, now)];
  return all.length === 0 ? [right(what)] : all.map((detail) => wrong(what, `${file}: ${detail}`));
}

/** Whoever may read the data or the secrets is who runs the programs, and nobody else. */
function checkModes({ home }: Cluster): readonly Finding[] {
  const look = (name: string, most: number, fix: string): Finding => {
    const found = statSync(join(home, name), { throwIfNoEntry: false });
    if (found === undefined) return wrong(`${name}`, `${join(home, name)} is not there; ${fix}`);
    const over = found.mode & 0o777 & ~most;
    return over === 0
      ? right(name)
      : wrong(name, `${join(home, name)}: more than its owner may look at it; ${fix}`);
  };
  const make = `run: systemd-tmpfiles --create ${home}/dist/current/etc/tmpfiles.conf`;
  return [
    look("data", 0o700, make),
    look("secrets", 0o600, `make it with mode 600, and ${make}`),
    ...["run", "log", "upload"].map((name) => look(name, 0o770, make)),
  ];
}
