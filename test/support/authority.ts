/** An authority for tests (Pebble), for which every name is this machine, the real certbot that asks it, and what is served then. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { canHost, type Host, hostName, isListening } from "./host.ts";
import { findPort, projectFolder } from "./served.ts";

/** Whether certbot and Pebble are installed, beside what a host needs. */
export const canAsk =
  canHost &&
  ["/usr/bin/certbot", "/usr/bin/pebble", "/usr/bin/pebble-challtestsrv"].every((program) =>
    existsSync(program),
  );

export interface Authority {
  /** With its own key.pem and cert.pem, which are no site's. */
  readonly folder: string;
  /** What certbot is told as --server. */
  readonly directory: string;
  /** What a browser must believe in, to believe its certificates. */
  readonly root: string;
  /** All that it said: each request to it, and each that it made. */
  readonly said: () => string;
  readonly end: () => void;
}

/** It asks the site at these ports, whoever asked it. */
export async function startAuthority(site: {
  readonly httpPort: number;
  readonly httpsPort: number;
}): Promise<Authority> {
  const folder = mkdtempSync(join(tmpdir(), "picodollar-authority-"));
  const at = (name: string) => join(folder, name);
  const [port, management, dns, testing] = [
    await findPort(),
    await findPort(),
    await findPort(),
    await findPort(),
  ];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const kind = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
  spawnSync("openssl", [...kind, ...subject, "-keyout", at("key.pem"), "-out", at("cert.pem")]);
  const settings = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: at("cert.pem"),
    privateKey: at("key.pem"),
    httpPort: site.httpPort,
    tlsPort: site.httpsPort,
    certificateValidityPeriod: 1_728_000,
    ocspResponderURL: "",
    externalAccountBindingRequired: false,
  };
  writeFileSync(at("pebble.json"), JSON.stringify({ pebble: settings }));
  const off = ["-http01", "", "-https01", "", "-tlsalpn01", ""];
  const names = ["-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", `127.0.0.1:${dns}`, ...off];
  const words = ["-config", at("pebble.json"), "-strict", "-dnsserver", `127.0.0.1:${dns}`];
  const pebble = spawn("pebble", words, { env: { PEBBLE_VA_NOSLEEP: "1" } });
  let said = "";
  for (const stream of [pebble.stdout, pebble.stderr])
    stream.on("data", (chunk) => {
      said += String(chunk);
    });
  const children: readonly ChildProcess[] = [
    spawn("pebble-challtestsrv", [...names, "-management", `127.0.0.1:${testing}`], { stdio: "ignore" }),
    pebble,
  ];
  for (const each of [port, management])
    for (let tries = 0; !(await isListening(each)); tries += 1) {
      if (tries > 200) throw new Error(`the authority does not start: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  return {
    folder,
    directory: `https://127.0.0.1:${port}/dir`,
    root: await fetchText(`https://127.0.0.1:${management}/roots/0`, readFileSync(at("cert.pem"), "utf8")),
    said: () => said,
    end: () => {
      for (const child of children) child.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function fetchText(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { ca }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => {
        text += String(chunk);
      });
      answer.once("end", () => resolve(text));
    }).once("error", reject);
  });
}

/** The command of a hook, or of a line of cron, on a host. */
export function syncCommand(host: Host, reload = `kill -HUP ${host.hitchPid}`): string {
  const site = `${process.execPath} ${join(projectFolder, "out/cli/site.cjs")}`;
  return `${site} tls sync --source ${join(host.folder, "source")} --reload '${reload}'`;
}

/** Runs certbot with its folders below `home`; gives its exit code and what it said. */
export function runCertbot(authority: Authority, home: string, words: readonly string[]): Promise<string> {
  mkdirSync(home, { recursive: true });
  const folders = ["config", "work", "logs"].flatMap((name) => [`--${name}-dir`, join(home, name)]);
  return new Promise((resolve) => {
    const child = spawn("certbot", [...folders, ...words, "-n"], {
      env: { PATH: "/usr/bin:/bin:/usr/sbin", REQUESTS_CA_BUNDLE: join(authority.folder, "cert.pem") },
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        said += String(chunk);
      });
    child.once("exit", (code) => resolve(`${code}: ${said}`));
  });
}

/** certbot's words for a first certificate that is asked for over plain http, and for another one before its time. */
export function askFirst({ directory }: Authority, acme: string, hook: string): readonly string[] {
  const asked = ["certonly", "--agree-tos", "--register-unsafely-without-email", "--server", directory];
  return [...asked, "--webroot", "-w", acme, "-d", hostName, "--deploy-hook", hook];
}
export function renewWith(hook: string): readonly string[] {
  return ["renew", "--force-renewal", "--no-random-sleep-on-renew", "--deploy-hook", hook];
}

/** The serial number of the certificate that a port serves; with a root, only of one that the root stands for. */
export function lookAt(port: number, root?: string): Promise<string | undefined> {
  const look = () =>
    new Promise<string | undefined>((resolve, reject) => {
      const trust = root === undefined ? { rejectUnauthorized: false } : { ca: root };
      const socket = connect({ host: "127.0.0.1", port, servername: hostName, ...trust });
      socket.once("secureConnect", () => {
        resolve(socket.getPeerX509Certificate()?.serialNumber);
        socket.destroy();
      });
      socket.once("error", reject);
    });
  // hitch closes a connection that it had just taken when it is told to read anew.
  return look().catch(look);
}

/** The serial number of the newest certificate of a lineage. */
export function serialIn(lineage: string): string {
  return new X509Certificate(readFileSync(join(lineage, "fullchain.pem"), "utf8")).serialNumber;
}
