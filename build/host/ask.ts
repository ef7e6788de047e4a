/** The site asked for a page as a visitor would, on this host, whatever its certificate. Called by take.ts. */
import { request } from "node:https";
import type { Cluster } from "./cluster.ts";

export interface Served {
  readonly status: number;
  readonly body: Buffer;
}

/** Undefined where nobody listens. */
export function askSite(cluster: Cluster, host: string, path: string): Promise<Served | undefined> {
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
        answer.once("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
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
