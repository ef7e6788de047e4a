// Goal of this test: to a PostgreSQL server on another machine the books go encrypted, and to that server alone: one whose certificate nobody
// vouches for, or that is another's, gets nothing, not even the password.
import { spawnSync } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bench, job, openBench } from "./support/killing.ts";
import { findPort } from "./support/served.ts";
import { type Cluster, makeCluster, runServerProgram, serverPrograms } from "./support/server.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

describe.skipIf(serverPrograms === undefined || !hasOpenssl)("a server that is reached over TLS", () => {
  let folder: string;
  let cluster: Cluster;
  let bench: Bench;
  let port: number;
  const at = (name: string) => join(folder, name);
  const openssl = (...words: readonly string[]): void => {
    const { status, stderr } = spawnSync("openssl", words, { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  };
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  /** An authority, and a certificate of it for a name. */
  const vouch = (authority: string, name: string): void => {
    const own = ["-keyout", at(`${authority}.key`), "-out", at(`${authority}.pem`), "-days", "2"];
    openssl("req", "-x509", ...ec, ...own, "-subj", `/CN=${authority}`);
    openssl("req", ...ec, "-keyout", at("server.key"), "-out", at("server.csr"), "-subj", `/CN=${name}`);
    const ext = [
      "-CA",
      at(`${authority}.pem`),
      "-CAkey",
      at(`${authority}.key`),
      "-CAcreateserial",
      "-days",
      "2",
    ];
    writeFileSync(at("names"), `subjectAltName=DNS:${name}\n`);
    openssl(
      "x509",
      "-req",
      "-in",
      at("server.csr"),
      "-out",
      at("server.pem"),
      ...ext,
      "-extfile",
      at("names"),
    );
  };
  const migrate = (believed: string, host = "localhost") =>
    bench.run({
      ...job("migrate"),
      environment: { NODE_EXTRA_CA_CERTS: at(`${believed}.pem`), PGHOST: host, PGPORT: String(port) },
    });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "picodollar-secured-"));
    vouch("other", "nobody.example");
    vouch("ours", "localhost");
    port = await findPort();
    const tls = ["ssl_cert_file", "ssl_key_file"].map(
      (name, n) => `${name} = '${at(n === 0 ? "server.pem" : "server.key")}'`,
    );
    if (process.getuid?.() === 0) {
      spawnSync("chmod", ["755", folder]);
      chownSync(at("server.key"), 65_534, 65_534);
    }
    cluster = makeCluster({
      login: "scram-sha-256",
      settings: [
        "listen_addresses = '127.0.0.1'",
        `port = ${port}`,
        "ssl = on",
        ...tls,
        "log_connections = on",
        "log_min_messages = info",
      ],
    });
    // Nobody gets in by TCP without TLS.
    const rules = join(cluster.data, "pg_hba.conf");
    expect(readFileSync(rules, "utf8")).toContain("127.0.0.1/32");
    bench = openBench(`store: "postgres://pico@/books?sslmode=verify-full"\n`);
    bench.keepSecrets({ store_password: "right" });
    mkdirSync(bench.data, { recursive: true });
  }, 120_000);
  afterAll(() => {
    bench?.end();
    cluster?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is spoken to where the certificate is right, and told what is wrong where it is not", async () => {
    const log = () => readFileSync(join(cluster.folder, "log"), "utf8");
    for (const ran of [await migrate("other"), await migrate("ours", "127.0.0.1")])
      expect(ran).toMatchObject({
        code: 100,
        out: expect.stringMatching(/certificate is not believed.*because: /s),
      });
    expect(log()).not.toContain("connection authenticated");
    expect(await migrate("ours")).toMatchObject({
      code: 100,
      out: expect.stringContaining("no such database"),
    });
    expect(log()).toContain('connection authenticated: identity="pico" method=scram-sha-256');
    const words = ["-h", cluster.folder, "-p", String(port), "-U", "pico", "books"];
    runServerProgram("createdb", words, cluster.folder, { PGPASSWORD: "right" });
    expect(await migrate("ours")).toMatchObject({
      code: 0,
      out: expect.stringContaining("applied first, seals"),
    });
    expect(log()).toMatch(
      /connection authorized: user=pico database=books .*SSL enabled \(protocol=TLSv1\.3/,
    );
  }, 60_000);
});
