/** The site asked for pages as a visitor would, on this host, whatever its certificate. Called by take.ts. */
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { readMaintenance } from "../../lib/util/maintenance.ts";
import { readSettings } from "../settings.ts";
import type { Cluster } from "./cluster.ts";

const patienceMs = 6000;
const stepMs = 250;

/**
 * Whether what is served now is the release: its first page byte for byte, and a program, which during maintenance says that there is
 * some; undefined where all is well, or nobody listens.
 */
export async function findUnserved(release: string, dataFolder: string): Promise<string | undefined> {
  const { settings, cluster, faults } = readSettings(release);
  if (faults.length > 0 || !settings.url.startsWith("https:")) return undefined;
  const host = new URL(settings.url).hostname;
  const wanted = readFileSync(join(release, "www", "index.html"));
  const look = async (): Promise<string | undefined> => {
    const home = await askSite(cluster, host, "/");
    if (home === undefined) return undefined;
    if (home.status !== 200 || !home.body.equals(wanted))
      return `asked for its first page the site answers with ${home.status} and another page than the release has`;
    const login = await askSite(cluster, host, "/account/login.cgi");
    // A web server whose programs are gone says 503 by itself, and not when to come back.
    const isClosed = login?.status === 503 && login.comeBack && readMaintenance(dataFolder) === "on";
    return login?.status === 200 || isClosed
      ? undefined
      : `the site answers with ${login?.status ?? "nothing"} to a login`;
  };
  let fault = await look();
  // lighttpd looks again at a file that it knows after two seconds, and at a server that was not there after one.
  for (let waited = 0; waited < patienceMs && fault !== undefined; waited += stepMs) {
    await wait(stepMs);
    fault = await look();
  }
  return fault;
}

interface Served {
  readonly status: number;
  readonly body: Buffer;
  /** Whether it says when to ask again. */
  readonly comeBack: boolean;
}

/** Undefined where nobody listens. */
function askSite(cluster: Cluster, host: string, path: string): Promise<Served | undefined> {
  return new Promise((resolve, reject) => {
    const { address, httpsPort } = cluster;
    const asked = request(
      {
        host: address === "0.0.0.0" ? "127.0.0.1" : address,
        port: httpsPort,
        servername: host,
        path,
        headers: { host },
        rejectUnauthorized: false,
        timeout: 10_000,
        agent: false,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.once("end", () =>
          resolve({
            status: answer.statusCode ?? 0,
            body: Buffer.concat(chunks),
            comeBack: answer.headers["retry-after"] !== undefined,
          }),
        );
        answer.once("error", reject);
      },
    );
    asked.once("timeout", () => asked.destroy(new Error("no answer within ten seconds")));
    asked.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNREFUSED" ? resolve(undefined) : reject(error),
    );
    asked.end();
  });
}
