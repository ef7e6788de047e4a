/**
 * Whether a host is as its configuration says: every checker that the machine has looks at the files of the release, and what none of
 * them sees is looked at here: the certificate, and who may read what. Run on the host. Called by cli/config.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../lib/util/clock.ts";
import { formatFault } from "../fault.ts";
import { readSettings } from "../settings.ts";
import { type Finding, right, runFirst, skipped, wrong } from "./finding.ts";
import { checkModes } from "./modes.ts";
import { checkHitch, checkLighttpd, listLighttpds } from "./ownchecks.ts";
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
    ...listLighttpds(etc).map((name) => checkLighttpd(name, join(etc, name))),
    checkHitch(join(etc, "hitch.conf"), cluster),
    checkUnits(etc),
    checkLogrotate(etc),
    checkCrontab(etc),
    checkFirewall(etc),
    ...checkCertificate(cluster.pemFile, new URL(settings.url).hostname, options.clock.now()),
    ...checkModes(cluster),
  ];
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

/** Its columns of time; what follows them it takes for a command. */
function checkCrontab(etc: string): Finding {
  const ran = runFirst(["/usr/bin/crontab"], ["-n", join(etc, "crontab")]);
  if (ran === undefined) return skipped("crontab", "cron is not installed");
  // Other crons have no such check.
  if (/(?:invalid|unknown|illegal) option/.test(ran.said))
    return skipped("crontab", "this cron has no check");
  return ran.status === 0 ? right("crontab") : wrong("crontab", ran.said);
}

/** Asks the kernel, as root alone may. */
function checkFirewall(etc: string): Finding {
  if (process.getuid?.() !== 0) return skipped("nftables.conf", "only root can have it looked at");
  const ran = runFirst(["/usr/sbin/nft"], ["-c", "-f", join(etc, "nftables.conf")]);
  if (ran === undefined) return skipped("nftables.conf", "nftables is not installed");
  return ran.status === 0 ? right("nftables.conf") : wrong("nftables.conf", ran.said);
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
