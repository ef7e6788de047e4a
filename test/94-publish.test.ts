// Goal of this test: what is built on one machine is sent to another over the real ssh and rsync, tried there, and served; what is wrong
// with it leaves the release before in service; and nobody who asks meanwhile, behind the real hitch and lighttpd, notices but by the words.

import { spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Sent } from "../build/host/send.ts";
import { cacheName, readLauncher } from "../build/launcher.ts";
import { sha256Hex } from "../lib/util/digest.ts";
import { setMaintenance } from "../lib/util/maintenance.ts";
import { canHost, type Host, hostName, startHost } from "./support/host.ts";
import { type Load, startLoad } from "./support/load.ts";
import { sendBytes, type Wire } from "./support/secure.ts";
import { projectFolder } from "./support/served.ts";
import { canLogIn, type Sshd, startSshd } from "./support/sshd.ts";

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** What systemctl is to a host with systemd; it writes down what it was told, and does it. */
const controlOf = (host: Host): string => `#!/bin/sh
case "$2" in
${Object.entries(host.pids)
  .map(([unit, pid]) => `${unit}) pid=${pid}; signal=${unit === "site-hitch" ? "HUP" : "USR1"} ;;`)
  .join("\n")}
esac
case "$1" in
is-active) echo active ;;
reload)
  echo "$1 $2" >> ${host.folder}/told
  test -e ${host.folder}/deaf && { echo "it is deaf" >&2; exit 1; }
  kill -$signal "$pid" ;;
esac
`;

describe.skipIf(!canHost || !canLogIn)("publishing", () => {
  let host: Host;
  let sshd: Sshd;
  let wire: Wire;
  let load: Load | undefined;
  const at = (path: string) => join(host.folder, path);
  /** The machine on which the site is written. */
  const here = (path: string) => at(`here/${path}`);
  const cli = join(projectFolder, "out/cli/site.cjs");
  const run = (...words: readonly string[]): Promise<Ended> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [cli, ...words]);
      const [out, error]: [Buffer[], Buffer[]] = [[], []];
      child.stdout.on("data", (chunk) => out.push(chunk));
      child.stderr.on("data", (chunk) => error.push(chunk));
      child.once("close", (code) =>
        resolve({ code, out: Buffer.concat(out).toString(), error: Buffer.concat(error).toString() }),
      );
    });
  /** With another name all programs are others, and are warmed first; with other words pages alone are. */
  const build = async (name: string, words = ""): Promise<string> => {
    const settings = readFileSync(here("etc/site.yaml"), "utf8");
    writeFileSync(here("etc/site.yaml"), settings.replace(/^name: .*/m, `name: ${name}`));
    appendFileSync(here("content/index.html"), words);
    // Releases are told apart by the second.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const built = await run("build", "--source", at("here"), "--out", here("dist"));
    expect(built.error).toBe("");
    return basename(realpathSync(here("dist/current")));
  };
  const publish = (...flags: readonly string[]): Promise<Ended> => {
    const site = `${process.execPath} ${cli}`;
    const there = ["--ssh", sshd.ssh, "--site", site, "--control", at("control")];
    const checked = flags.includes("--check") ? [] : ["--no-check"];
    const own = flags.filter((flag) => flag !== "--check");
    return run(
      "publish",
      sshd.host,
      "--source",
      at("here"),
      "--out",
      here("dist"),
      ...there,
      ...checked,
      ...own,
    );
  };
  const served = () => basename(realpathSync(at("dist/current")));
  const told = () => (existsSync(at("told")) ? readFileSync(at("told"), "utf8") : "");
  const ask = (path: string) =>
    sendBytes(wire, `GET ${path} HTTP/1.1\r\nHost: ${hostName}\r\nConnection: close\r\n\r\n`);
  /** A page as it is, or as it becomes by and by: lighttpd looks again at a file that it knows after two seconds. */
  const page = async (path: string, wanted: number | string = "") => {
    for (let tries = 0; ; tries += 1) {
      const answer = await ask(path);
      const isRight = typeof wanted === "number" ? answer?.status === wanted : answer?.body.includes(wanted);
      if (isRight === true || tries > 50) return answer;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  /** Changes a file of what was built, manifest and all. */
  const tamper = (path: string, change: (text: string) => string): void => {
    const file = here(`dist/current/${path}`);
    const text = change(readFileSync(file, "utf8"));
    // Not into the file itself, which may be a release before's too.
    const { mode } = statSync(file);
    rmSync(file);
    writeFileSync(file, text);
    chmodSync(file, mode);
    const manifest = here("dist/current/manifest.json");
    const listed = JSON.parse(readFileSync(manifest, "utf8"));
    for (const entry of listed.files)
      if (entry.path === path) {
        entry.sha256 = sha256Hex(text);
        entry.bytes = Buffer.byteLength(text);
      }
    rmSync(manifest);
    writeFileSync(manifest, JSON.stringify(listed));
  };

  beforeAll(async () => {
    host = await startHost();
    sshd = await startSshd(at("ssh"));
    wire = { port: host.httpsPort, host: hostName };
    cpSync(at("source"), at("here"), { recursive: true });
    writeFileSync(at("control"), controlOf(host), { mode: 0o755 });
    load = startLoad(wire, ["/", "/docs/paying.html", "/account/login.cgi", "/search.cgi?q=help"]);
  }, 60_000);
  afterAll(async () => {
    await load?.end();
    sshd?.end();
    await host?.end();
  });
  beforeEach(() => rmSync(at("told"), { force: true }));

  it("only tries at first, sends what is another, and says when there is nothing to do", async () => {
    const before = served();
    const ant = await build("Ant");
    const tried = await publish("--dry-run");
    expect([tried.error, tried.code]).toEqual(["", 0]);
    expect(tried.out).toMatch(new RegExp(`^${ant} would be sent to \\S+: \\d+ files, [\\d.]+ MB\n$`));
    expect([served(), existsSync(at("dist/incoming"))]).toEqual([before, false]);
    const sent = await publish("--check");
    expect([sent.error, sent.code]).toEqual(["", 0]);
    expect(sent.out).toContain(`${ant} is served; it was ${before}\n`);
    expect([served(), readdirSync(at("dist/incoming"))]).toEqual([ant, []]);
    expect((await page("/", "Ant"))?.body).toContain("Ant");
    // Warm before it was served.
    const launched = readLauncher(at("dist/current/cgi/account/login.cgi"));
    expect(readdirSync(at("dist/warm"))).toContain(cacheName(launched, process.version));
    expect(await publish()).toMatchObject({ code: 0, out: `${ant} is served by ${sshd.host} already\n` });
  }, 60_000);

  it("sends little of the next, as links to the one before, and tells those servers that read something else", async () => {
    rmSync(at("told"), { force: true });
    const bee = await build("Bee");
    const plain: Sent = JSON.parse((await publish("--json")).out);
    expect(plain).toMatchObject({ outcome: "taken", id: bee, taken: { ok: true, changedConfiguration: [] } });
    expect(told()).toBe("");
    const [ant = ""] = readdirSync(at("dist/releases")).slice(-2);
    const inode = (id: string) => statSync(at(`dist/releases/${id}/www/favicon.svg`)).ino;
    expect(inode(bee)).toBe(inode(ant));
    writeFileSync(here("etc/redirects.yaml"), "/old.html: /docs/paying.html\n");
    const [, sheet = ""] = /href="(\/style\.[0-9a-f]{10}\.css)"/.exec((await page("/"))?.body ?? "") ?? [];
    appendFileSync(here("content/style.css"), "/* another */ main { color: navy }\n");
    const cat = await build("Cat");
    const led: Sent = JSON.parse((await publish("--json")).out);
    expect(led).toMatchObject({
      taken: { changedConfiguration: ["etc/lighttpd.conf"], told: ["site-front"] },
    });
    expect([served(), told()]).toEqual([cat, "reload site-front\n"]);
    expect((await page("/old.html", 301))?.status).toBe(301);
    // Whoever has the page of before still gets what it looks like; but no page of before.
    expect(existsSync(at(`dist/current/www${sheet}`))).toBe(false);
    const kept = await page(sheet, 200);
    expect([kept?.status, kept?.headers.get("cache-control")?.[0]]).toEqual([200, "max-age=31536000"]);
    expect((await page(sheet.replace(/[0-9a-f]{10}/, "0123456789")))?.status).toBe(404);
    for (const path of ["/-/before/index.html", "/-/before/", "/-/before/../../secrets"])
      expect([path, [403, 404].includes((await page(path))?.status ?? 0)]).toEqual([path, true]);
  }, 60_000);

  it.each<readonly [string, () => void, RegExp]>([
    [
      "a file that came damaged",
      () => appendFileSync(here("dist/current/www/index.html"), "x"),
      /www\/index\.html is damaged/,
    ],
    [
      "a program that ends at its start",
      () => tamper("cgi/account/login.cgi", () => "throw new Error('planted')\n"),
      /\/account\/login\.cgi answers with nothing, not 200: .*login\.cgi:1/s,
    ],
    [
      "a configuration that lighttpd warns of",
      () => tamper("etc/front.conf", (text) => `${text}server.tagg = "x"\n`),
      /front\.conf: .*unknown config-key: server\.tagg/,
    ],
    [
      "a page that is not the one that is served",
      () =>
        tamper("etc/front.conf", (text) =>
          text.replace(/document-root = "[^"]*"/, 'document-root = "/var/empty"'),
        ),
      /asked for its first page the site answers with 40\d .* is served again/s,
    ],
    [
      "servers that do not take it",
      () => {
        tamper("etc/front.conf", (text) => `${text}\n`);
        writeFileSync(at("deaf"), "");
      },
      /site-front did not take it: it is deaf.* is served again.*but not all servers took it/s,
    ],
  ])(
    "%s is refused, and the one before goes on",
    async (_what, harm, message) => {
      const before = served();
      const id = await build("Cat", "<p>a dud</p>\n");
      harm();
      const { code, error } = await publish();
      rmSync(at("deaf"), { force: true });
      expect([code, message.test(error) || error]).toEqual([1, true]);
      expect(served()).toBe(before);
      // Nobody goes back to it.
      const { out } = await run("rollback", "--list", "--json", "--source", at("dist/current"));
      expect(JSON.parse(out).ids).not.toContain(id);
      expect(await page("/", "Cat")).toMatchObject({ status: 200, body: expect.stringContaining("Cat") });
      rmSync(here("dist"), { recursive: true });
    },
    60_000,
  );

  it("brings a newer schema only where it is told to, tried on a copy first", async () => {
    const before = served();
    const id = await build("Elk");
    const migrate = (isRight: boolean) =>
      tamper(
        "jobs/migrate",
        () => `const { existsSync, writeFileSync } = require("node:fs"), at = process.env.SITE_DATA + "/elk";
if (process.argv[2] === "--plan") console.log(existsSync(at) ? "" : "elk");
else if (${isRight} || process.env.SITE_DATA.endsWith("/data")) writeFileSync(at, String(process.getuid()));
else { console.error("planted"); process.exit(100); }
`,
      );
    migrate(false);
    const failed = await publish("--migrate");
    expect([failed.code, served(), existsSync(at("data/elk"))]).toEqual([100, before, false]);
    expect(failed.error).toMatch(/could not be brought to its schema: planted/);
    migrate(true);
    expect(await publish("--migrate")).toMatchObject({
      code: 0,
      out: expect.stringContaining("the books got elk\n"),
    });
    expect(served()).toBe(id);
    // As the user whose the books are, and without leaving anything.
    expect(Number(host.read("data/elk"))).toBe(statSync(at("data")).uid);
    expect(readdirSync(at("data")).filter((name) => name.startsWith("."))).toEqual([]);
  }, 60_000);

  it("is taken back, and that too, by one word on the host", async () => {
    const elk = served();
    const back = () => run("rollback", "--source", at("dist/current"), "--control", at("control"));
    expect(await back()).toMatchObject({ code: 0, error: "" });
    expect((await page("/", "Cat"))?.body).toContain("Cat");
    expect(await back()).toMatchObject({ code: 0, error: "" });
    expect((await page("/", "Bee"))?.body).toContain("Bee");
    // The redirect went with it.
    expect((await page("/old.html", 404))?.status).toBe(404);
    expect(
      await run("rollback", elk, "--source", at("dist/current"), "--control", at("control")),
    ).toMatchObject({ code: 0 });
    expect((await page("/old.html", 301))?.status).toBe(301);
  }, 60_000);

  it.each([
    [
      "a host that nobody can log in to",
      { host: "nobody@127.0.0.1" },
      /nobody@127\.0\.0\.1: nobody can log in: .*denied/,
    ],
    ["a word that is no host", { host: "-oProxyCommand=x" }, /is no host|unknown option/],
    ["a host without the command", { site: "/none/site" }, /\/none\/site is not there; install the package/],
  ])(
    "%s is told",
    async (_what, change: { host?: string; site?: string }, message) => {
      const words = ["--source", at("here"), "--out", here("dist"), "--ssh", sshd.ssh, "--no-check"];
      await build("Elk", "<p>a fox</p>\n");
      const { code, error } = await run(
        "publish",
        ...words,
        "--site",
        change.site ?? `${process.execPath} ${cli}`,
        "--",
        change.host ?? sshd.host,
      );
      expect([code, message.test(error) || error]).toEqual([100, true]);
    },
    60_000,
  );

  it("a site with faults is not sent", async () => {
    writeFileSync(here("content/faq.md"), "---\ntitle: F\n---\n![](/favicon.svg)\n");
    const id = await build("Elk", "<p>a gnu</p>\n");
    const { code, error } = await publish("--check");
    expect([code, served() === id]).toEqual([1, false]);
    expect(error).toContain("the site has faults; `site check` says which. Nothing was sent");
  }, 60_000);

  it("lost no request meanwhile, and mixed nothing", async () => {
    const counts = (await load?.end()) ?? new Map();
    load = undefined;
    const right = /^200 (?:Example Storage|Ant|Bee|Cat|Elk)$/;
    // The front that was led astray on purpose showed nobody's pages for a moment.
    const odd = [...counts.keys()].filter((answer) => !right.test(answer) && !/^40[34] /.test(answer));
    expect([odd, odd.length === 0 ? "" : host.read("log/programs.log")]).toEqual([[], ""]);
    expect(counts.get("200 Cat")).toBeGreaterThan(0);
  });

  it("goes on during maintenance, when all programs say that there is some", async () => {
    setMaintenance(at("data"), "on");
    expect((await page("/account/login.cgi", 503))?.status).toBe(503);
    const back = () => run("rollback", "--source", at("dist/current"), "--control", at("control"));
    expect(await back()).toMatchObject({ code: 0, error: "" });
    setMaintenance(at("data"), "off");
    expect((await page("/account/login.cgi", 200))?.status).toBe(200);
  }, 60_000);
});
