/** Where the books of a site are: in the home of a site over https, and else where commands run by hand look for them. */
import { join } from "node:path";
import { resolveDataFolder } from "../../lib/util/settings.ts";
import { readSettings } from "../settings.ts";

export function findDataFolder(sourceFolder: string): string {
  const { settings, cluster } = readSettings(sourceFolder);
  return settings.url.startsWith("https:") ? join(cluster.home, "data") : resolveDataFolder(sourceFolder);
}
