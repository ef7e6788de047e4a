/**
 * What of a release's configuration lies outside of the site's home, because systemd, logrotate, and nft look for it there: put in place
 * where it is another one, each file whole; units that are no more are taken away. Called by cli/install, and by take.ts.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { NeedsHuman } from "../../lib/util/failure.ts";
import { pools } from "../../lib/util/routes.ts";
import { runFirst } from "./finding.ts";

const units = "etc/systemd/system";

/** Path in the release, and where it goes below the root. */
function listFiles(release: string): readonly (readonly [from: string, to: string])[] {
  const own = readdirSync(join(release, "etc/systemd")).sort();
  return [
    ...own.map((name) => [`etc/systemd/${name}`, `${units}/${name}`] as const),
    ["etc/tmpfiles.conf", "etc/tmpfiles.d/site.conf"],
    ["etc/logrotate.conf", "etc/logrotate.d/site"],
    ["etc/nftables.conf", "etc/nftables.d/site.conf"],
  ];
}

export interface Installed {
  /** What is another one there now, "etc/logrotate.d/site", units that are gone among them. */
  readonly changed: readonly string[];
  /** Units that are new there, "site-mail.timer", and those that are gone. */
  readonly added: readonly string[];
  readonly gone: readonly string[];
}

/** Puts them below `root`, "/" but in tests. */
export function installFiles(release: string, root: string): Installed {
  const files = listFiles(release);
  const before = listOurs(join(root, units));
  const changed = files.flatMap(([from, to]) => {
    const [text, place] = [readFileSync(join(release, from), "utf8"), join(root, to)];
    if (existsSync(place) && readFileSync(place, "utf8") === text) return [];
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(`${place}.new`, text, { mode: 0o644 });
    renameSync(`${place}.new`, place);
    return [to];
  });
  const kept = files.map(([, to]) => to);
  const gone = before.filter((name) => !kept.includes(`${units}/${name}`));
  for (const name of gone) removeUnit(join(root, units), name);
  const added = listOurs(join(root, units)).filter((name) => !before.includes(name));
  return { changed: [...changed, ...gone.map((name) => `${units}/${name}`)], added, gone };
}

/** The unit, and the links by which it is started with the machine. */
function removeUnit(folder: string, name: string): void {
  rmSync(join(folder, name));
  for (const wants of readdirSync(folder).filter((one) => one.endsWith(".wants")))
    rmSync(join(folder, wants, name), { force: true });
}

function listOurs(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /^site-[a-z]+\.(?:service|socket|timer)$/.test(name));
  return names.filter((name) => readFileSync(join(folder, name), "utf8").startsWith("# Made by site build."));
}

/** Has the system read them: folders are made, systemd knows the units, and where the site is in service, new ones are started. */
export function settle({ changed, added, gone }: Installed, root: string): void {
  const run = (program: string, words: readonly string[]): void => {
    const ran = runFirst([program], words);
    if (ran?.status !== 0)
      throw new NeedsHuman(`${[program, ...words].join(" ")}: ${ran?.said ?? `there is no ${program}`}`);
  };
  if (changed.includes("etc/tmpfiles.d/site.conf"))
    run("systemd-tmpfiles", ["--create", join(root, "etc/tmpfiles.d/site.conf")]);
  if (changed.some((path) => path.startsWith(units))) run("systemctl", ["daemon-reload"]);
  // Now that nothing needs them any more: a server that still needed its socket would be stopped with it.
  if (gone.length > 0) run("systemctl", ["stop", ...gone]);
  if (runFirst(["systemctl"], ["is-active", "site-front"])?.said !== "active") return;
  const ofKind = (kind: string): readonly string[] => added.filter((name) => name.endsWith(kind));
  // A socket begins with its server, which is restarted when it comes to have one.
  if (ofKind(".socket").length > 0) run("systemctl", ["enable", ...ofKind(".socket")]);
  if (ofKind(".timer").length > 0) run("systemctl", ["enable", "--now", ...ofKind(".timer")]);
}

/**
 * Starts every unit of the release now and with the machine, the front before what it leads to; hitch only where it has a certificate.
 * Answers which.
 */
export function startUnits(release: string, hasCertificate: boolean): readonly string[] {
  const all = readdirSync(join(release, "etc/systemd"));
  const sockets = all.filter((name) => name.endsWith(".socket"));
  const timers = all.filter((name) => name.endsWith(".timer"));
  const servers = [...pools, "front", ...(hasCertificate ? ["hitch"] : [])];
  const units = [...sockets, ...servers.map((name) => `site-${name}.service`), ...timers];
  const ran = runFirst(["systemctl"], ["enable", "--now", ...units]);
  if (ran?.status !== 0) throw new NeedsHuman(`systemctl: ${ran?.said ?? "systemd is not installed"}`);
  return units;
}
