/** The real hitch with the configuration that content/docs/production.html shows, and a certificate that was made for the test. */
import { spawn, spawnSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { readDocumented } from "./lighttpd.ts";
import { findPort } from "./served.ts";

const hitchProgram = ["/usr/sbin/hitch", "/usr/local/sbin/hitch"].find(existsSync);
export const hasHitch = hitchProgram !== undefined && spawnSync("openssl", ["version"]).status === 0;

export interface Hitch {
  /** Speaks https. */
  readonly port: number;
  /** SHA-256 of the certificate's public key in base64, by which a browser can be told to believe it. */
  readonly keyHash: string;
  readonly end: () => Promise<void>;
}

/** Ends TLS for `host` before the web server at `backendPort`. */
export async function startHitch(folder: string, host: string, backendPort: number): Promise<Hitch> {
  if (hitchProgram === undefined) throw new Error("hitch is not installed");
  const port = await findPort();
  const [pem, file] = [join(folder, "site.pem"), join(folder, "hitch.conf")];
  const keyHash = makeCertificate(pem, host);
  const isRoot = process.getuid?.() === 0;
  // As root it gives up its rights; anybody else has none to give up.
  const text = readDocumented("hitch-conf")
    .replace('"[*]:443"', `"[127.0.0.1]:${port}"`)
    .replace("[127.0.0.1]:8081", `[127.0.0.1]:${backendPort}`)
    .replace("/etc/hitch/site.pem", pem)
    .replace('user = "_hitch"', isRoot ? 'user = "_hitch"' : 'user = ""\ngroup = ""');
  writeFileSync(file, `${text}\nocsp-dir = ""\n`);
  chmodSync(folder, 0o755);
  const child = spawn(hitchProgram, [`--config=${file}`], { stdio: "ignore" });
  for (let tries = 0; !(await isListening(port)); tries += 1) {
    if (child.exitCode !== null || tries > 200) throw new Error(`hitch does not start: ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const end = (): Promise<void> =>
    new Promise((resolve) => {
      if (child.exitCode !== null) return resolve();
      child.once("exit", () => resolve());
      child.kill("SIGTERM");
    });
  return { port, keyHash, end };
}

function makeCertificate(pem: string, host: string): string {
  const key = `${pem}.key`;
  const words = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
  ];
  const names = ["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`];
  const made = spawnSync("openssl", [...words, ...names, "-keyout", key, "-out", pem], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(made.stderr);
  const { publicKey } = new X509Certificate(readFileSync(pem));
  writeFileSync(pem, readFileSync(key, "utf8") + readFileSync(pem, "utf8"));
  const der = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(der).digest("base64");
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
