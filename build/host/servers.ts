/** The servers of a host: which files of a release each reads, so that those alone are told of which something is another one. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TryLater } from "../../lib/util/failure.ts";
import { pools } from "../../lib/util/routes.ts";
import { compareText } from "../fault.ts";
import { runFirst } from "./finding.ts";

interface Server {
  readonly unit: string;
  /** What it reads when it is told to, and no sooner. */
  readonly reads: readonly string[];
  /** For a process that stays: what it has in it, so that it must end and begin anew. */
  readonly holds: readonly string[];
}

/** The programs before the front, which hands them its requests. */
const servers: readonly Server[] = [
  ...pools.map((pool) => ({
    unit: `site-${pool}`,
    reads: [`etc/${pool}.conf`],
    holds: ["servers/programs"],
  })),
  { unit: "site-front", reads: ["etc/front.conf", "etc/lighttpd.conf"], holds: [] },
  { unit: "site-hitch", reads: ["etc/hitch.conf"], holds: [] },
];

/** Files below etc/, and of servers that stay, that two releases do not have alike. */
export function findChanged(before: string | undefined, after: string): readonly string[] {
  const list = (release: string): readonly string[] =>
    ["etc", "servers"]
      .filter((name) => existsSync(join(release, name)))
      .flatMap((name) => readdirSync(join(release, name), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(release.length + 1));
  const read = (release: string, path: string): string | undefined =>
    existsSync(join(release, path)) ? readFileSync(join(release, path), "utf8") : undefined;
  const earlier = before === undefined ? [] : list(before);
  const paths = [...new Set([...earlier, ...list(after)])].sort(compareText);
  return paths.filter((path) => before === undefined || read(before, path) !== read(after, path));
}

/** What a person must do something about who has no units: not what systemd reads, nor what the release was made from. */
export function isServers(path: string): boolean {
  return servers.some(({ reads, holds }) => [...reads, ...holds].includes(path));
}

/**
 * Tells servers that run; answers which were told, "site-front".
 * @param control words that a verb and a unit are put behind, "systemctl"
 * @throws TryLater naming the first that did not take it
 */
export function tellServers(changed: readonly string[], control: readonly string[]): readonly string[] {
  const [program = "", ...words] = control;
  const told: string[] = [];
  for (const { unit, reads, holds } of servers) {
    const verb = holds.some((path) => changed.includes(path))
      ? "restart"
      : reads.some((path) => changed.includes(path))
        ? "reload"
        : undefined;
    if (verb === undefined || runFirst([program], [...words, "is-active", unit])?.said !== "active") continue;
    const ran = runFirst([program], [...words, verb, unit]);
    if (ran?.status !== 0) throw new TryLater(`${unit} did not take it: ${ran?.said ?? `no ${program}`}`);
    told.push(unit);
  }
  return told;
}
