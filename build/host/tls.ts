/**
 * The certificate that certbot was given, brought to hitch: put together in one file, looked at before it takes the old one's place,
 * and asked for afterwards, since what counts is what is served. May be run at any time, by certbot's hook and by cron alike: a hook
 * that failed is mended by the next run. Several hosts may share both places: each of them tells its own hitch. Called by cli/tls.
 */
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { connect } from "node:tls";
import type { Clock } from "../../lib/util/clock.ts";
import { NeedsHuman, TryLater } from "../../lib/util/failure.ts";
import { writePrivate } from "../../lib/util/files.ts";
import { readSettings } from "../settings.ts";
import type { Cluster } from "./cluster.ts";
import { runFirst } from "./finding.ts";
import { isTorn, judgePair, serialOf } from "./pair.ts";

export interface Synced {
  /** "same": it was in place and is served; "reloaded": hitch served an older one; "installed": it is new. */
  readonly outcome: "same" | "reloaded" | "installed";
  readonly serial: string;
}

const patienceMs = 10_000;
/** certbot puts the two files in place one behind the other, on another host perhaps. */
const tornMs = 1000;

/**
 * `reload`: the words of the command that makes hitch read the file again.
 * @throws NeedsHuman if there is no good certificate, and the old one stays; TryLater if another one is still served
 */
export async function syncCertificate(options: {
  readonly sourceFolder: string;
  readonly clock: Clock;
  readonly reload: readonly string[];
}): Promise<Synced> {
  const { settings, cluster } = readSettings(options.sourceFolder);
  const host = new URL(settings.url).hostname;
  const fresh = await readWholeLineage(cluster);
  const faults = judgePair(fresh, host, options.clock.now());
  if (faults.length > 0)
    throw new NeedsHuman(`${cluster.lineage}: ${faults.join("; ")}; what is served stays`);
  const serial = serialOf(fresh);
  const before = existsSync(cluster.pemFile) ? readFileSync(cluster.pemFile, "utf8") : undefined;
  if (before === fresh && (await readServed(cluster, host)) === serial) return { outcome: "same", serial };
  // Where hosts share the file, processes of two of them may have the same number.
  if (before !== fresh) writePrivate(cluster.pemFile, fresh, { mark: `${hostname()}.${process.pid}` });
  const [program = "", ...words] = options.reload;
  const ran = runFirst([program], words);
  if (ran?.status !== 0)
    throw new TryLater(
      `hitch was not told of the new certificate: ${options.reload.join(" ")}: ${ran?.said ?? "no such program"}`,
    );
  for (let waited = 0; waited < patienceMs; waited += 100) {
    if ((await readServed(cluster, host)) === serial)
      return { outcome: before === fresh ? "reloaded" : "installed", serial };
    await wait(100);
  }
  throw new TryLater(`hitch still serves another certificate than ${cluster.pemFile}; look at its log`);
}

async function readWholeLineage(cluster: Cluster): Promise<string> {
  for (let waited = 0; ; waited += 100) {
    const text = readLineage(cluster);
    if (!isTorn(text) || waited >= tornMs) return text;
    await wait(100);
  }
}

function readLineage({ lineage }: Cluster): string {
  try {
    return ["privkey.pem", "fullchain.pem"].map((name) => readFileSync(join(lineage, name), "utf8")).join("");
  } catch (cause) {
    throw new NeedsHuman(
      `${lineage} has no privkey.pem and fullchain.pem; run certbot, or say another "lineage" in etc/cluster.yaml`,
      {
        cause,
      },
    );
  }
}

/** The serial number of the certificate that is served on this machine; undefined where none is. */
function readServed({ address, httpsPort }: Cluster, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const at = address === "0.0.0.0" ? "127.0.0.1" : address;
    // Whether anybody should believe it was judged from the file.
    const socket = connect({
      host: at,
      port: httpsPort,
      servername: host,
      rejectUnauthorized: false,
      timeout: 3000,
    });
    socket.once("secureConnect", () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber);
      socket.destroy();
    });
    socket.once("timeout", () => socket.destroy(new Error("no answer")));
    socket.once("error", () => resolve(undefined));
  });
}
