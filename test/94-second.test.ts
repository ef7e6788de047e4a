// Goal of this test: a second web server shares the keys of the first. It answers https at once, with nothing asked of an authority; each
// host's own `site tls sync` brings what was renewed to its own hitch; and what one host does never harms what another one did.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { get } from "node:https";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { syncCertificate } from "../build/host/tls.ts";
import { systemClock } from "../lib/util/clock.ts";
import {
  type Authority,
  askFirst,
  canAsk,
  lookAt,
  renewWith,
  runCertbot,
  serialIn,
  startAuthority,
  syncCommand,
} from "./support/authority.ts";
import { type Host, hostName, startHost } from "./support/host.ts";
import { sendPlain } from "./support/secure.ts";

describe.skipIf(!canAsk)("a second host on shared keys", () => {
  let first: Host;
  let second: Host;
  let authority: Authority;
  /** What the authority had said when the second host was started. */
  let saidBefore = "";

  beforeAll(async () => {
    first = await startHost();
    authority = await startAuthority(first);
    const asked = askFirst(authority, acme(), syncCommand(first));
    expect(await certbot(asked)).toMatch(/^0: /);
    // Its last words about that come by another pipe than certbot's end.
    await wait(300);
    saidBefore = authority.said();
    // The first host's folders stand for one that is mounted on both.
    second = await startHost((source) => {
      const file = join(source, "etc/cluster.yaml");
      const kept = readFileSync(file, "utf8").replace(/^(?:pem|lineage|acme): .*\n/gm, "");
      writeFileSync(file, `${kept}pem: ${pem()}\nlineage: ${lineage()}\nacme: ${acme()}\n`);
    });
  }, 90_000);
  afterAll(async () => {
    authority?.end();
    await second?.end();
    await first?.end();
  });

  const pem = () => join(first.folder, "site.pem");
  const acme = () => join(first.folder, "acme");
  const lineage = () => join(first.folder, "authority/config/live", hostName);
  const given = () => serialIn(lineage());
  const certbot = (words: readonly string[]) => runCertbot(authority, join(first.folder, "authority"), words);
  const sync = (host: Host, reload?: string) =>
    spawnSync("sh", ["-c", syncCommand(host, reload)], { encoding: "utf8" });
  /** Each host's serial number; what the authority's root does not stand for fails. */
  const served = () => Promise.all([first, second].map(({ httpsPort }) => lookAt(httpsPort, authority.root)));
  /** As `site tls sync` on the second host, in this process. */
  const syncHere = (reload = `kill -HUP ${second.hitchPid}`) =>
    syncCertificate({
      sourceFolder: join(second.folder, "source"),
      clock: systemClock,
      reload: ["sh", "-c", reload],
    });

  it("answers https that a browser believes, before anything was asked of the authority from it", async () => {
    const status = await new Promise((resolve, reject) => {
      const agent = { ca: authority.root, servername: hostName, headers: { host: hostName } };
      get({ host: "127.0.0.1", port: second.httpsPort, path: "/docs/", ...agent }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).once("error", reject);
    });
    expect(status).toBe(200);
    expect(await served()).toEqual([given(), given()]);
    expect(sync(second)).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(saidBefore).toContain("POST /finalize-order/");
    expect(authority.said()).toBe(saidBefore);
    expect(readdirSync(second.folder)).not.toContain("authority");
  });

  it("answers an authority's question, whichever host was asked for the certificate", async () => {
    const question = "/.well-known/acme-challenge/a-token_of-some-host";
    mkdirSync(join(acme(), ".well-known/acme-challenge"), { recursive: true });
    writeFileSync(join(acme(), question), "a-token.thumbprint");
    for (const { httpPort } of [first, second]) {
      const request = `GET ${question} HTTP/1.1\r\nHost: ${hostName}\r\nConnection: close\r\n\r\n`;
      const answer = await sendPlain(httpPort, request);
      expect([answer?.status, answer?.body]).toEqual([200, "a-token.thumbprint"]);
    }
  });

  it("serves what was renewed when its own sync has run, and one whose reload failed is mended by the next", async () => {
    const old = given();
    expect(await certbot(renewWith(syncCommand(first)))).toMatch(/^0: /);
    expect(given()).not.toBe(old);
    expect(await served()).toEqual([given(), old]);
    const placed = statSync(pem()).mtimeMs;
    expect(sync(second, "false")).toMatchObject({
      status: 111,
      stderr: expect.stringContaining("hitch was not told"),
    });
    expect(await served()).toEqual([given(), old]);
    expect(sync(second)).toMatchObject({ status: 0, stdout: `tls: reloaded, and served: ${given()}\n` });
    expect(await served()).toEqual([given(), given()]);
    // What the first host had put in place was good, and is left.
    expect(statSync(pem()).mtimeMs).toBe(placed);
  }, 60_000);

  it("may be the one that comes first, or come at the same time", async () => {
    expect(await certbot(renewWith("false"))).toMatch(/^0: /);
    expect(sync(second)).toMatchObject({ status: 0, stdout: `tls: installed, and served: ${given()}\n` });
    expect(sync(first)).toMatchObject({ status: 0, stdout: `tls: reloaded, and served: ${given()}\n` });
    expect(await served()).toEqual([given(), given()]);
    expect(await certbot(renewWith("false"))).toMatch(/^0: /);
    const both = `${syncCommand(first)} & one=$!; ${syncCommand(second)}; two=$?; wait $one; echo $? $two`;
    expect(spawnSync("sh", ["-c", both], { encoding: "utf8" })).toMatchObject({
      stdout: expect.stringMatching(/^0 0$/m),
      stderr: "",
    });
    expect(await served()).toEqual([given(), given()]);
  }, 60_000);

  it("lets be what another host, whose process has the same number, is writing", async () => {
    expect(await certbot(renewWith("false"))).toMatch(/^0: /);
    const unfinished = `${pem()}.${process.pid}`;
    writeFileSync(unfinished, "half of a k");
    expect(await syncHere()).toEqual({ outcome: "installed", serial: given() });
    expect(existsSync(unfinished)).toBe(true);
    rmSync(unfinished);
    expect(readdirSync(first.folder).filter((name) => name.includes(hostname()))).toEqual([]);
    expect(sync(first).status).toBe(0);
  }, 60_000);

  it("waits where another host's certbot has put one of the two files in place", async () => {
    const key = join(lineage(), "privkey.pem");
    renameSync(key, `${key}.kept`);
    cpSync(join(authority.folder, "key.pem"), key);
    const synced = syncHere();
    await wait(300);
    renameSync(`${key}.kept`, key);
    expect(await synced).toEqual({ outcome: "same", serial: given() });
  });
});
