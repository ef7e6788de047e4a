/**
 * Where things are on a host, for commands that are run there by hand. A site's folder is meant by `--source`: the one it is written in, or
 * a release, which carries the settings that it was built from. Called by the commands, and by doctor.ts and take.ts.
 */
import { existsSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { NeedsHuman } from "../../lib/util/failure.ts";
import { type Owner, umaskOfBooks } from "../../lib/util/files.ts";
import { resolveDataFolder, resolveSecretsFile, type Settings } from "../../lib/util/settings.ts";
import { formatFault } from "../fault.ts";
import { readSettings } from "../settings.ts";
import type { Cluster } from "./cluster.ts";
import { runnerOf } from "./schedule.ts";
import { findOwner, keysOf } from "./secrets.ts";

/** @throws NeedsHuman if they cannot be read, or the site is not reached over https and so has no host */
export function readHostSettings(sourceFolder: string): {
  readonly settings: Settings;
  readonly cluster: Cluster;
} {
  const { settings, cluster, faults } = readSettings(sourceFolder);
  if (faults.length > 0) throw new NeedsHuman(faults.map(formatFault).join("\n"));
  if (!settings.url.startsWith("https:"))
    throw new NeedsHuman(
      `${join(sourceFolder, "etc/site.yaml")}: a site that runs on a host has an https url`,
    );
  return { settings, cluster };
}

/** Where a site is built: what was said, or dist/ in its folder; a release lies in it. */
export function findOutFolder(sourceFolder: string, said: string | undefined): string {
  if (said !== undefined) return resolve(said);
  const real = existsSync(sourceFolder) ? realpathSync(sourceFolder) : resolve(sourceFolder);
  return basename(dirname(real)) === "releases" ? dirname(dirname(real)) : resolve(sourceFolder, "dist");
}

/** Where the books of a site are: in the home of a site over https, and else where commands run by hand look for them. */
export function findDataFolder(sourceFolder: string): string {
  const { settings, cluster } = readSettings(sourceFolder);
  return settings.url.startsWith("https:") ? join(cluster.home, "data") : resolveDataFolder(sourceFolder);
}

export interface JobPlace {
  readonly dataFolder: string;
  readonly secretsFile: string;
  /** As whom it is run; undefined: as whoever we are. */
  readonly owner: Owner | undefined;
  readonly umask: number | undefined;
}

/**
 * How a job is run by hand: on a host as its timer would, by root as the user whose work it is, so that nothing is left behind that
 * others cannot open; elsewhere with the data and the secrets of the folder.
 */
export function findJobPlace(sourceFolder: string, job: string): JobPlace {
  const usual = {
    dataFolder: resolveDataFolder(sourceFolder),
    secretsFile: resolveSecretsFile(sourceFolder),
    owner: undefined,
    umask: undefined,
  };
  if (!existsSync(join(sourceFolder, "etc", "site.yaml"))) return usual;
  const { settings, cluster } = readSettings(sourceFolder);
  const data = join(cluster.home, "data");
  if (!settings.url.startsWith("https:") || !existsSync(data)) return usual;
  const dataFolder = resolveDataFolder(sourceFolder, data);
  if (dataFolder !== data) return usual;
  const { user, name } = runnerOf(cluster, job);
  // Where they are root's own, the host has no other users.
  const [owner, group] = statSync(data).uid === 0 ? [] : [user, cluster.users.programs].map(findOwner);
  return {
    dataFolder,
    secretsFile: resolveSecretsFile(sourceFolder, keysOf(cluster, { name })),
    owner: owner === undefined || group === undefined ? undefined : { uid: owner.uid, gid: group.gid },
    umask: umaskOfBooks(join(data, "books.sqlite")),
  };
}
