/**
 * Debian packages that some tests need. As root on Debian (a container, CI) they are installed, after saying so;
 * elsewhere those tests are skipped, and the command that installs them is printed at the end. Called by
 * dev/test.mjs.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Package, the program by which it is known on other systems, and what needs it. */
export const packages = [
  { name: "age", program: "age", what: "sealed backups" },
  { name: "certbot", program: "certbot", what: "certificates of an authority" },
  { name: "chromium", program: "chromium", what: "the walk through the site in a browser" },
  { name: "cron", program: "crontab", what: "the crontab by cron's own check" },
  { name: "hitch", program: "hitch", what: "pages over https, and passkeys" },
  { name: "hledger", program: "hledger", what: "the ledger's export as another program reads it" },
  { name: "iproute2", program: "ip", what: "machines in networks of their own" },
  { name: "lighttpd", program: "lighttpd", what: "the documented configuration on the real web server" },
  { name: "logrotate", program: "logrotate", what: "logs turned over by logrotate itself" },
  { name: "nftables", program: "nft", what: "the firewall's rules in a kernel" },
  { name: "openssh-server", program: "sshd", what: "publishing to another machine" },
  { name: "pebble", program: "pebble", what: "an authority to ask for certificates" },
  {
    name: "pgbouncer",
    program: "pgbouncer",
    what: "two web servers that share few connections to their books",
  },
  { name: "postgresql", program: "postgres", what: "books and accounts on the other engine" },
  { name: "rsync", program: "rsync", what: "publishing to another machine" },
  { name: "spiped", program: "spiped", what: "two web servers with the books on a third machine" },
  { name: "strace", program: "strace", what: "jobs killed at each of their writes" },
  {
    name: "systemd",
    program: "systemd-tmpfiles",
    what: "servers of a host as users of their own; units by its own check",
  },
  { name: "lighttpd-modules-lua", program: "lighttpd", what: "compressed files on the real web server" },
];

export function installCommand() {
  return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.map(({ name }) => name).join(" ")}`;
}

/** Installs what is missing where that is possible; a failure is told and leaves tests to be skipped. */
export function installPackages() {
  const missing = packages.filter((wanted) => !isInstalled(wanted));
  if (missing.length === 0 || !existsSync("/etc/debian_version") || process.getuid?.() !== 0) return;
  const names = missing.map(({ name }) => name);
  console.log(`installing Debian packages that tests need: ${names.join(", ")}`);
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const lock = ["-o", "DPkg::Lock::Timeout=300"];
  for (const words of [
    ["update", "-q", ...lock],
    ["install", "-q", "-y", "--no-install-recommends", ...lock, ...names],
  ]) {
    const result = spawnSync("apt-get", words, { env: environment, encoding: "utf8" });
    if (result.status === 0) continue;
    console.log(`${result.stdout ?? ""}${result.stderr ?? ""}`.trimEnd().split("\n").slice(-15).join("\n"));
    console.log(
      `!!! apt-get ${words[0]} FAILED; going on without ${names.join(", ")}: their tests are skipped`,
    );
    return;
  }
}

function isInstalled({ name, program }) {
  const known = spawnSync("dpkg", ["-s", name], { encoding: "utf8" });
  if (known.status === 0 && known.stdout.includes("Status: install ok installed")) return true;
  // A part of a program is not there because the program is.
  if (known.error === undefined && name !== program) return false;
  return spawnSync("/bin/sh", ["-c", 'command -v "$1"', "sh", program], { stdio: "ignore" }).status === 0;
}
