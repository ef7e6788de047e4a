/**
 * The front door of the generated configuration: what the servers of a host are told, as files of a release below etc/. A site
 * that is not reached over https has none. Called by whole.ts.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pools } from "../../lib/util/routes.ts";
import type { Settings } from "../../lib/util/settings.ts";
import type { Cluster } from "./cluster.ts";
import { compressedLua } from "./compressed.ts";
import { writeFirewall } from "./firewall.ts";
import { writeHitch } from "./hitch.ts";
import { writeFront, writePool } from "./lighttpd.ts";
import { writeCrontab } from "./schedule.ts";
import { writeLogrotate, writeTmpfiles, writeUnits } from "./units.ts";

export interface HostFacts {
  readonly cluster: Cluster;
  /** Where customers reach the site, "https://storage.example.com". */
  readonly url: string;
  readonly search: boolean;
  /** Whether compressed files lie beside the texts. */
  readonly isCompressed: boolean;
}

export interface HostFile {
  /** Path in the release, "etc/front.conf". */
  readonly path: string;
  readonly text: string;
}

export function writeHost(
  cluster: Cluster,
  { url, search }: Settings,
  isCompressed: boolean,
  sourceFolder: string,
): readonly HostFile[] {
  if (!url.startsWith("https:")) return [];
  const facts: HostFacts = { cluster, url, search, isCompressed };
  const files: HostFile[] = [
    { path: "etc/front.conf", text: writeFront(facts) },
    ...(cluster.isResident
      ? []
      : pools.map((pool) => ({ path: `etc/${pool}.conf`, text: writePool(facts, pool) }))),
    { path: "etc/hitch.conf", text: writeHitch(facts) },
    { path: "etc/crontab", text: writeCrontab(facts) },
    { path: "etc/nftables.conf", text: writeFirewall(facts) },
    { path: "etc/tmpfiles.conf", text: writeTmpfiles(facts) },
    { path: "etc/logrotate.conf", text: writeLogrotate(facts) },
    ...writeUnits(facts),
    ...readSources(sourceFolder),
  ];
  return isCompressed ? [...files, { path: "etc/compressed.lua", text: compressedLua }] : files;
}

/** The settings that it was made from, as they are: commands on the host read them there. */
function readSources(sourceFolder: string): readonly HostFile[] {
  return ["etc/site.yaml", "etc/prices.yaml", "etc/cluster.yaml"].flatMap((path) => {
    const file = join(sourceFolder, path);
    return existsSync(file) ? [{ path, text: readFileSync(file, "utf8") }] : [];
  });
}
