/**
 * What of a release's configuration lies outside of the site's home, because systemd, logrotate, and nft look for it there: put in place
 * where it is another one, each file whole; units that are no more are taken away. Called by cli/install, and by take.ts.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { NeedsHuman } from "../../lib/util/failure.ts";
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

/** Puts them below `root`, "/" but in tests; answers what was changed there, "etc/logrotate.d/site". */
export function installFiles(release: string, root: string): readonly string[] {
  const files = listFiles(release);
  const changed = files.flatMap(([from, to]) => {
    const [text, place] = [readFileSync(join(release, from), "utf8"), join(root, to)];
    if (existsSync(place) && readFileSync(place, "utf8") === text) return [];
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(`${place}.new`, text, { mode: 0o644 });
    renameSync(`${place}.new`, place);
    return [to];
  });
  const kept = new Set(files.map(([, to]) => to));
  const gone = listOurs(join(root, units))
    .map((name) => `${units}/${name}`)
    .filter((path) => !kept.has(path));
  for (const path of gone) rmSync(join(root, path));
  return [...changed, ...gone];
}

function listOurs(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /^site-[a-z]+\.(?:service|socket|timer)$/.test(name));
  return names.filter((name) => readFileSync(join(folder, name), "utf8").startsWith("# Made by site build."));
}

/** Has the system read them: folders are made, and systemd knows the units. */
export function settle(changed: readonly string[], root: string): void {
  const run = (program: string, words: readonly string[]): void => {
    const ran = runFirst([program], words);
    if (ran?.status !== 0)
      throw new NeedsHuman(`${[program, ...words].join(" ")}: ${ran?.said ?? `there is no ${program}`}`);
  };
  if (changed.includes("etc/tmpfiles.d/site.conf"))
    run("systemd-tmpfiles", ["--create", join(root, "etc/tmpfiles.d/site.conf")]);
  if (changed.some((path) => path.startsWith(units))) run("systemctl", ["daemon-reload"]);
}

/**
 * Starts every unit of the release now and with the machine, the front before what it leads to; hitch only where it has a certificate.
 * Answers which.
 */
export function startUnits(release: string, hasCertificate: boolean): readonly string[] {
  const all = readdirSync(join(release, "etc/systemd"));
  const sockets = all.filter((name) => name.endsWith(".socket"));
  const timers = all.filter((name) => name.endsWith(".timer"));
  const servers = ["pages", "hashing", "front", ...(hasCertificate ? ["hitch"] : [])];
  const units = [...sockets, ...servers.map((name) => `site-${name}.service`), ...timers];
  const ran = runFirst(["systemctl"], ["enable", "--now", ...units]);
  if (ran?.status !== 0) throw new NeedsHuman(`systemctl: ${ran?.said ?? "systemd is not installed"}`);
  return units;
}
