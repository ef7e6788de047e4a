/**
 * A release tried before it counts. Its configuration leads to `current`, so that what is looked at is a copy that leads to the release
 * itself. Called by take.ts.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pools } from "../../lib/util/routes.ts";
import type { Cluster } from "./cluster.ts";
import { runFirst } from "./finding.ts";

const lighttpd = ["/usr/sbin/lighttpd", "/usr/local/sbin/lighttpd"];
const hitch = ["/usr/sbin/hitch", "/usr/local/sbin/hitch"];

/** What the servers' own checks say against it, a line each; those that are not installed here say nothing. */
export function tryConfiguration(release: string, { home }: Cluster): readonly string[] {
  const place = mkdtempSync(join(tmpdir(), "picodollar-trial-"));
  try {
    const copy = (name: string): string => {
      const text = readFileSync(join(release, "etc", name), "utf8");
      writeFileSync(join(place, name), text.replaceAll(`${home}/dist/current/`, `${release}/`));
      return join(place, name);
    };
    const wrong = ["front", ...pools]
      .map((name) => `${name}.conf`)
      .filter((name) => existsSync(join(release, "etc", name)))
      .flatMap((name) => {
        const ran = runFirst(lighttpd, ["-tt", "-f", copy(name)]);
        // It takes an unknown key with a warning, and ends with 0.
        return ran === undefined || (ran.status === 0 && ran.said === "") ? [] : [`${name}: ${ran.said}`];
      });
    // hitch looks for the front's socket.
    if (!existsSync(join(home, "run", "tls.sock")) || !existsSync(join(release, "etc/hitch.conf")))
      return wrong;
    const ran = runFirst(hitch, ["--test", `--config=${copy("hitch.conf")}`]);
    return ran === undefined || ran.status === 0 ? wrong : [...wrong, `hitch.conf: ${ran.said}`];
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
