// Goal of this test: `site config check` finds a running host right, and each thing that is wrong with one, by its name and with what to do.
import { spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, chownSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkHost } from "../build/host/check.ts";
import { systemClock } from "../lib/util/clock.ts";
import { canHost, type Host, hostName, startHost } from "./support/host.ts";
import { sendBytes } from "./support/secure.ts";
import { eventually, projectFolder } from "./support/served.ts";

const hourMs = 3_600_000;

describe.skipIf(!canHost)("a host that is looked at", () => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost();
  }, 60_000);
  afterAll(() => host?.end());

  const at = (path: string) => join(host.folder, path);
  const check = (laterMs = 0) =>
    checkHost({
      sourceFolder: at("source"),
      outFolder: at("dist"),
      clock: { now: () => systemClock.now() + laterMs },
    });
  const wrongs = (laterMs = 0) =>
    check(laterMs)
      .filter(({ state }) => state === "wrong")
      .map(({ what, detail }) => `${what}: ${detail}`);
  /** Changes a file, looks, and puts it back. */
  const withFile = (path: string, change: (file: string) => void): readonly string[] => {
    const [file, before] = [at(path), readFileSync(at(path))];
    try {
      change(file);
      return wrongs();
    } finally {
      writeFileSync(file, before);
    }
  };

  it("is right", () => {
    expect(wrongs()).toEqual([]);
    expect(check().map(({ what }) => what)).toEqual(
      "front.conf pages.conf paying.conf hashing.conf hitch.conf systemd/ logrotate.conf crontab nftables.conf"
        .split(" ")
        .concat("the certificate", "data", "books", "secrets", "run", "log", "upload")
        .concat("keys/programs", "keys/jobs", "keys/mail"),
    );
    expect(check().find(({ what }) => what === "hitch.conf")?.state).toBe("right");
    const site = (...words: readonly string[]) =>
      spawnSync(process.execPath, [join(projectFolder, "out/cli/site.cjs"), "config", "check", ...words], {
        encoding: "utf8",
        cwd: at("source"),
      });
    expect(site("--out", at("dist"))).toMatchObject({ status: 0, stderr: "" });
    expect(site()).toMatchObject({ status: 100, stderr: expect.stringContaining("build the site") });
  });

  it.each([
    [
      "a misspelt key",
      "dist/current/etc/front.conf",
      'server.tagg = "x"\n',
      /^front\.conf: .*unknown config-key: server\.tagg/,
    ],
    ["what cannot be read", "dist/current/etc/pages.conf", "server.port = (\n", /^pages\.conf: /],
    [
      "a misspelt line of a unit",
      "dist/current/etc/systemd/site-mail.service",
      "[Service]\nUsr=x\n",
      /^systemd\/: .*Usr/s,
    ],
    [
      "a day that no month has",
      "dist/current/etc/crontab",
      "1 1 32 * *  root  true\n",
      /^crontab: .*bad day/s,
    ],
    [
      "a rule that nobody knows",
      "dist/current/etc/nftables.conf",
      "table inet x { chain y { acept } }\n",
      /^nftables\.conf: .*acept/s,
    ],
    [
      "another secret",
      "secrets",
      "stripe_webhook_secret = whsec_1\n",
      /^keys\/programs: .*run: site secrets share/,
    ],
    [
      "a misspelt setting",
      "source/etc/cluster.yaml",
      "hom: /srv\n",
      /^etc\/: etc\/cluster\.yaml:\d+:1: unknown key "hom"/,
    ],
  ])("%s is told", (_what, path, text, message) => {
    // What root alone can see.
    if (["secrets", "dist/current/etc/nftables.conf"].includes(path) && !host.isSeparate) return;
    expect(withFile(path, (file) => appendFileSync(file, text))).toEqual([expect.stringMatching(message)]);
  });

  it("a certificate is told that runs out, is another's, for another name, or open to others", () => {
    // It is good for two days.
    expect(wrongs(30 * hourMs)).toEqual([]);
    expect(wrongs(40 * hourMs)).toEqual([
      expect.stringMatching(/0 days are left of it, less than a quarter; renew it/),
    ]);
    expect(wrongs(50 * hourMs)).toEqual([expect.stringMatching(/^the certificate: .*it was good from/)]);
    expect(withFile("site.pem", (file) => chmodSync(file, 0o644))).toEqual([
      expect.stringContaining("others may read the key"),
    ]);
    chmodSync(at("site.pem"), 0o600);
    /** hitch may have a word of its own. */
    const ofPem = (text: string) =>
      withFile("site.pem", (file) => writeFileSync(file, text)).filter((line) => line.startsWith("the cert"));
    expect(ofPem("nothing")).toEqual([expect.stringContaining("holds no key and certificate")]);
    const key = spawnSync("openssl", ["genrsa", "1024"], { encoding: "utf8" }).stdout;
    const own = /-----BEGIN PRIVATE[\s\S]*?-----END PRIVATE KEY-----\n/;
    expect(ofPem(readFileSync(at("site.pem"), "utf8").replace(own, key))).toEqual([
      expect.stringContaining("the key is another certificate's"),
      expect.stringContaining("its key has 1024 bits"),
    ]);
    const renamed = withFile("source/etc/site.yaml", (file) =>
      writeFileSync(file, readFileSync(file, "utf8").replace("storage.example.com", "other.example.com")),
    );
    expect(renamed).toEqual([expect.stringContaining("it is not for other.example.com")]);
    renameSync(at("site.pem"), at("away.pem"));
    const gone = wrongs().filter((line) => line.startsWith("the cert"));
    renameSync(at("away.pem"), at("site.pem"));
    expect(gone).toEqual([
      expect.stringContaining("cannot be read; run: site tls sync, or put key, certificate"),
    ]);
  });

  it("data, books, and secrets that others may read are told, and folders that are not there", () => {
    chmodSync(at("data"), 0o2775);
    chmodSync(at("data/books.sqlite"), 0o664);
    chmodSync(at("secrets"), 0o640);
    chmodSync(at("keys/mail"), 0o640);
    renameSync(at("log"), at("away"));
    const found = wrongs();
    renameSync(at("away"), at("log"));
    chmodSync(at("data"), 0o2770);
    chmodSync(at("data/books.sqlite"), 0o660);
    chmodSync(at("secrets"), 0o600);
    chmodSync(at("keys/mail"), 0o600);
    expect(found.filter((line) => /^(?:data|books|secrets|log|keys\/mail): /.test(line))).toEqual([
      expect.stringMatching(/^data: .*more may look at it than should; run: systemd-tmpfiles --create/),
      expect.stringMatching(/^books: .*more may look at it than should; run: site migrate/),
      expect.stringMatching(/^secrets: .*more may look at it than should/),
      expect.stringMatching(/^log: .* is not there; run:/),
      expect.stringMatching(/^keys\/mail: .*more may look at it than its owner; run: site secrets share/),
    ]);
    expect(wrongs()).toEqual([]);
  });

  it("logs are turned over, and written on", async () => {
    if (!host.isSeparate) return;
    const wire = { port: host.httpsPort, host: hostName };
    const ask = (path: string) =>
      sendBytes(wire, `GET ${path} HTTP/1.1\r\nHost: ${hostName}\r\nConnection: close\r\n\r\n`);
    await ask("/before");
    await ask("/account/standing.cgi");
    const wait = (name: string, words: string) =>
      eventually(words, () => (host.read(`log/${name}`).includes(words) ? true : undefined));
    await wait("access.log", "/before");
    const hup = ["site-front", "site-pages", "site-paying", "site-hashing"].map((unit) => host.pids[unit]);
    const conf = readFileSync(at("dist/current/etc/logrotate.conf"), "utf8");
    const told = conf.replace(/systemctl kill --signal=HUP [^\n]*/, `kill -HUP ${hup.join(" ")}`);
    expect(told).not.toContain("systemctl");
    writeFileSync(at("logrotate.conf"), told, { mode: 0o644 });
    const words = ["--force", "--state", at("logrotate.state"), at("logrotate.conf")];
    expect(spawnSync("/usr/sbin/logrotate", words, { encoding: "utf8" })).toMatchObject({
      status: 0,
      stderr: "",
    });
    await ask("/after");
    await ask("/account/standing.cgi");
    await wait("access.log", "/after");
    expect(host.read("log/access.log")).not.toContain("/before");
    expect(host.read("log/access.log.1")).toContain("/before");
    for (const name of ["programs.log", "programs.log.1"])
      expect(host.read(`log/${name}`).match(/service-refused/g)).toHaveLength(1);
  }, 60_000);

  it("secrets that are another user's are told", () => {
    if (!host.isSeparate) return;
    chownSync(at("keys/mail"), 0, 0);
    expect(wrongs()).toEqual([
      expect.stringMatching(/^keys\/mail: .* is not news's; run: site secrets share/),
    ]);
    const site = spawnSync(
      process.execPath,
      [join(projectFolder, "out/cli/site.cjs"), "secrets", "share", "--source", at("source")],
      { encoding: "utf8" },
    );
    expect([site.stderr, site.stdout]).toEqual(["", "secrets: new ones for mail\n"]);
    expect(wrongs()).toEqual([]);
  });
});
