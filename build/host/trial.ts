/**
 * A release tried before it counts. Its configuration leads to `current`, so that what is looked at is a copy that leads to the release
 * itself. Called by take.ts.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "./cluster.ts";
import { checkHitch, checkLighttpd, listLighttpds } from "./ownchecks.ts";

/** What the servers' own checks say against it, a line each; those that are not installed here say nothing. */
export function tryConfiguration(release: string, cluster: Cluster): readonly string[] {
  const place = mkdtempSync(join(tmpdir(), "picodollar-trial-"));
  const etc = join(release, "etc");
  try {
    const copy = (name: string): string => {
      const text = readFileSync(join(etc, name), "utf8");
      writeFileSync(join(place, name), text.replaceAll(`${cluster.home}/dist/current/`, `${release}/`));
      return join(place, name);
    };
    const found = listLighttpds(etc).map((name) => checkLighttpd(name, copy(name)));
    if (existsSync(join(etc, "hitch.conf"))) found.push(checkHitch(copy("hitch.conf"), cluster));
    return found.flatMap(({ what, state, detail }) => (state === "wrong" ? [`${what}: ${detail}`] : []));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
