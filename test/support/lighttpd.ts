/** The real lighttpd with the configuration that content/docs/production.html shows, on ports and paths of a test. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { eventually, findPort, projectFolder } from "./served.ts";

/** Whether it has the module by which compressed files are sent. */
export const lighttpdHasLua = ["/usr/lib/lighttpd", "/usr/local/lib/lighttpd", "/usr/lib64/lighttpd"].some(
  (folder) => existsSync(join(folder, "mod_magnet.so")),
);

export const lighttpdProgram = ["/usr/sbin/lighttpd", "/usr/local/sbin/lighttpd"].find(existsSync);

export interface Lighttpd {
  /** What `lighttpd -tt` printed; nothing, where the configuration is right. */
  readonly complaints: string;
  /** Port that redirects to https. */
  readonly plainPort: number;
  /** Port behind hitch. */
  readonly port: number;
  readonly end: () => Promise<void>;
}

/** Starts it for a site whose dist/ and data/ are in `folder`; `compressed`: with what is said of compressed files. */
export async function startLighttpd(folder: string, compressed = false): Promise<Lighttpd> {
  if (lighttpdProgram === undefined) throw new Error("lighttpd is not installed");
  for (const name of ["log", "upload"]) mkdirSync(join(folder, name), { recursive: true });
  const [plainPort, port] = [await findPort(), await findPort()];
  const file = join(folder, "lighttpd.conf");
  const plain = readDocumented("lighttpd-conf");
  const text = compressed ? addCompressed(plain) : plain;
  writeFileSync(file, adapt(text, { folder, plainPort, port }));
  writeFileSync(join(folder, "compressed.lua"), readDocumented("lighttpd-lua"));
  const check = spawnSync(lighttpdProgram, ["-tt", "-f", file], { encoding: "utf8" });
  const child = spawn(lighttpdProgram, ["-D", "-f", file], { stdio: "ignore" });
  await eventually("lighttpd", () => {
    if (child.exitCode !== null) throw new Error(`lighttpd ended: ${check.stderr}`);
    return existsSync(join(folder, "log", "error.log")) ? true : undefined;
  });
  const end = (): Promise<void> =>
    new Promise((resolve) => {
      if (child.exitCode !== null) return resolve();
      child.once("exit", () => resolve());
      child.kill("SIGTERM");
    });
  return { complaints: `${check.stdout}${check.stderr}`, plainPort, port, end };
}

/** As the page says that it is done. */
function addCompressed(text: string): string {
  return text
    .replace('"mod_cgi"', '"mod_magnet", "mod_cgi"')
    .replace(/(\n.*GET\|HEAD.*\n)/, `$1${readDocumented("lighttpd-magnet")}\n`);
}

/** What content/docs/production.html shows under an id. */
export function readDocumented(id: string): string {
  const page = readFileSync(join(projectFolder, "content", "docs", "production.html"), "utf8");
  const text = new RegExp(`<pre id="${id}"><code>([\\s\\S]*?)</code></pre>`).exec(page)?.[1];
  if (text === undefined) throw new Error(`production.html shows no ${id}`);
  return text.replaceAll("&gt;", ">").replaceAll("&lt;", "<").replaceAll("&amp;", "&");
}

/** Another folder, other ports, this Node, and no change of user: everything else stays as it is documented. */
function adapt(
  text: string,
  place: { readonly folder: string; readonly plainPort: number; readonly port: number },
): string {
  return text
    .replace(/^server\.(?:username|groupname) .*\n/gm, "")
    .replaceAll("/srv/site", place.folder)
    .replaceAll('"0.0.0.0:80"', `"127.0.0.1:${place.plainPort}"`)
    .replace('server.bind = "0.0.0.0"', 'server.bind = "127.0.0.1"')
    .replace("server.port = 80\n", `server.port = ${place.plainPort}\n`)
    .replace("127.0.0.1:8081", `127.0.0.1:${place.port}`)
    .replaceAll('"/usr/local/bin:/usr/bin:/bin"', `"${dirname(process.execPath)}:/usr/bin:/bin"`);
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
}

/** One request with its own bytes; `proxy` puts the line of the PROXY protocol before it, as hitch does. */
export function sendRaw(port: number, request: string, proxy: boolean): Promise<RawAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", (error) =>
      "code" in error && error.code === "ECONNRESET" ? undefined : reject(error),
    );
    socket.on("close", () => resolve(parse(Buffer.concat(chunks).toString())));
    socket.write(`${proxy ? "PROXY TCP4 192.0.2.7 127.0.0.1 50000 443\r\n" : ""}${request}`);
  });
}

function parse(text: string): RawAnswer | undefined {
  if (text === "") return undefined;
  const cut = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, cut).split("\r\n");
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(":")).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(name.length + 1).trim()]);
  }
  return { status: Number(first.split(" ")[1]), headers, body: text.slice(cut + 4) };
}
