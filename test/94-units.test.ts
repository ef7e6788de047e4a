// Goal of this test: what a build says to systemd and cron is right by their own checks, names what is in the release, and says the same
// in both; and where a site runs is said once, in etc/cluster.yaml, where what is wrong is told with its place.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildSite, formatFault } from "../build/build.ts";
import { readHostSettings } from "../build/host/place.ts";
import { listReaders, shareSecrets } from "../build/host/secrets.ts";
import { initSite } from "../build/init.ts";
import { systemClock } from "../lib/util/clock.ts";
import { jobNeeds } from "../lib/util/jobs.ts";
import { routes } from "../lib/util/routes.ts";
import { secretNames } from "../lib/util/settings.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-units-")));
  initSite(join(folder, "source"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const cluster = (text: string) => writeFileSync(join(folder, "source/etc/cluster.yaml"), text);
async function build(): Promise<readonly string[]> {
  const paths = { sourceFolder: join(folder, "source"), outFolder: join(folder, "dist") };
  const result = await buildSite({ ...paths, clock: systemClock });
  return result.ok ? [] : result.faults.map(formatFault);
}
const etc = (name = "") => join(folder, "dist/current/etc", name);
const read = (name: string) => readFileSync(etc(name), "utf8");
const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

describe("units and crontab", () => {
  it.skipIf(!hasSystemd)("are right by systemd's own check", async () => {
    expect(await build()).toEqual([]);
    const units = readdirSync(etc("systemd")).map((name) => etc(`systemd/${name}`));
    const check = (files: readonly string[]) => {
      const words = ["verify", "--man=no", "--recursive-errors=no", ...files];
      const { status, stdout, stderr } = spawnSync("systemd-analyze", words, { encoding: "utf8" });
      // A machine that has no lighttpd says so of each unit that starts it.
      const said = `${stdout}${stderr}`
        .split("\n")
        .filter((line) => line !== "" && !/is not executable/.test(line));
      return { status, said };
    };
    expect(check(units)).toMatchObject({ said: [] });
    for (const name of units.filter((unit) => unit.endsWith(".timer"))) {
      const [, calendar = ""] = /^OnCalendar=(.*)$/m.exec(readFileSync(name, "utf8")) ?? [];
      expect([name, spawnSync("systemd-analyze", ["calendar", calendar]).status]).toEqual([name, 0]);
    }
    // The check finds what is wrong.
    writeFileSync(join(folder, "site-odd.service"), `${read("systemd/site-bill.service")}Typ=oneshot\n`);
    expect(check([join(folder, "site-odd.service")]).said.join()).toContain("Typ");
  });

  it("say the same of each job, and name those of the release", async () => {
    expect(await build()).toEqual([]);
    const lines = read("crontab")
      .split("\n")
      .filter((line) => /^[\d*]/.test(line));
    const byCron = lines.map((line) => {
      const [minute = "", hour = ""] = line.split(/\s+/);
      return { job: /jobs\/(\w+)/.exec(line)?.[1] ?? "", minute, hour };
    });
    const timers = readdirSync(etc("systemd")).filter((name) => name.endsWith(".timer"));
    expect(timers.map((name) => name.slice(5, -6)).sort()).toEqual(byCron.map(({ job }) => job).sort());
    for (const [n, { job, minute, hour }] of byCron.entries()) {
      const [user, name] = job === "mail" ? ["site-mail", "mail"] : ["site-jobs", "jobs"];
      expect(lines[n]).toContain(` ${user} `);
      expect(lines[n]).toContain(` umask 007; SITE_SECRETS=/srv/site/keys/${name} node `);
      const service = read(`systemd/site-${job}.service`);
      expect(service).toContain(`User=${user}\nGroup=accounts\nUMask=0007\n`);
      expect(service).toContain(` SITE_SECRETS=/srv/site/keys/${name}\n`);
      expect(readdirSync(join(folder, "dist/current/jobs"))).toContain(job);
      const two = (word: string): string => (word === "*" ? "*" : word.padStart(2, "0"));
      expect(read(`systemd/site-${job}.timer`)).toContain(` ${two(hour)}:${two(minute)}:00 UTC\n`);
      expect(read(`systemd/site-${job}.service`)).toContain(`/srv/site/dist/current/jobs/${job}\n`);
    }
    // The night's own order.
    const at = (job: string) => Number(byCron.find((line) => line.job === job)?.minute);
    expect([at("bill") < at("recharge"), at("recharge") < at("warn"), at("warn") < at("close")]).toEqual([
      true,
      true,
      true,
    ]);
  });
});

describe("the front", () => {
  it("has whoever speaks to Stripe wait apart from all others, and whoever hashes too", async () => {
    expect(await build()).toEqual([]);
    const socketOf = (path: string): string | undefined => {
      const rule = /\$HTTP\["url"\] =~ "(\^[^"]*)" \{\n {2}proxy\.server[^\n]*\/run\/(\w+)\.sock/g;
      const rules = [...read("front.conf").matchAll(rule)];
      return rules.find(([, form = "-"]) => new RegExp(form).test(path))?.[2];
    };
    for (const { path, secrets, pool } of routes.filter(({ setting }) => setting === undefined)) {
      expect([path, socketOf(path)]).toEqual([path, pool]);
      expect([path, secrets.includes("stripe_key")]).toEqual([path, pool === "paying"]);
    }
    expect(["login", "signup"].map((name) => socketOf(`/account/${name}.cgi`))).toEqual([
      "hashing",
      "hashing",
    ]);
  });
});

describe("secrets", () => {
  it("are shared out by what programs and jobs read, to each user its own", async () => {
    expect(await build()).toEqual([]);
    const { cluster } = readHostSettings(join(folder, "source"));
    const readers = listReaders(cluster).map(({ user, secrets }) => [user, secrets.join(" ")]);
    expect(readers).toEqual([
      [
        "accounts",
        "stripe_key stripe_webhook_secret stripe_webhook_secret_old usage_token usage_token_old account_key account_key_old store_password",
      ],
      ["site-jobs", "stripe_key store_password"],
      ["site-mail", "smtp_password store_password"],
    ]);
    // All but the one of development have a reader, and all jobs that have secrets are there.
    const read = readers.flatMap(([, names = ""]) => names.split(" "));
    expect(secretNames.filter((name) => !read.includes(name))).toEqual(["stripe_api"]);
    const jobs = readdirSync(join(folder, "dist/current/jobs"));
    expect(Object.keys(jobNeeds).filter((name) => !jobs.includes(name))).toEqual([]);
  });

  it("are refused where they are of development, or not there", () => {
    const { cluster } = readHostSettings(join(folder, "source"));
    const here = { ...cluster, home: folder };
    expect(() => shareSecrets(here, false)).toThrow(/secrets is not there; etc\/secrets\.example says/);
    writeFileSync(join(folder, "secrets"), "stripe_api = http://127.0.0.1:1\n", { mode: 0o600 });
    expect(() => shareSecrets(here, false)).toThrow(/stripe_api is for development alone/);
    writeFileSync(join(folder, "secrets"), "stripe_key = sk_live_1\nsmtp_password = x\n");
    expect(shareSecrets(here, false)).toEqual(["programs", "jobs", "mail"]);
    expect(shareSecrets(here, false)).toEqual([]);
    expect(readFileSync(join(folder, "keys/mail"), "utf8")).toBe("smtp_password = x\n");
    expect(readFileSync(join(folder, "keys/jobs"), "utf8")).toBe("stripe_key = sk_live_1\n");
    writeFileSync(join(folder, "secrets"), "stripe_key = sk_live_1\nsmtp_password = y\n");
    expect(shareSecrets(here, false)).toEqual(["mail"]);
  });
});

describe("etc/cluster.yaml", () => {
  it("says where everything lies, once for all files", async () => {
    cluster(
      "home: /home/shop\npath: /opt/node/bin:/usr/bin\nusers: { web: www, programs: shop, jobs: j, mail: m, hitch: tls }\nssh: 2222\npools: { pages: 7 }\n",
    );
    expect(await build()).toEqual([]);
    const all = readdirSync(etc(), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(?:conf|service|timer)$|crontab/.test(name))
      .map(read)
      .join("\n");
    expect(all).not.toMatch(/\/srv\/site|site-web|site-jobs|site-mail|accounts\n|_hitch/);
    expect(read("nftables.conf")).toContain("tcp dport 2222 accept\n");
    expect(all).toContain("server.max-connections = 7\n");
    expect(all).toContain('"PATH" => "/opt/node/bin:/usr/bin"');
    expect(read("hitch.conf")).toContain('user = "tls"\ngroup = "www"\n');
    expect(read("systemd/site-pages.service")).toContain("User=shop\nGroup=www\n");
  });

  it.each(["cgi", "resident"])("programs that are %s give way to files", async (kind) => {
    cluster(`programs: ${kind}\n`);
    expect(await build()).toEqual([]);
    const nice = (name: string) => /^Nice=(.*)$/m.exec(read(`systemd/site-${name}.service`))?.[1];
    expect(["front", "hitch", "pages", "paying", "hashing"].map(nice)).toEqual([
      undefined,
      undefined,
      "5",
      "5",
      "5",
    ]);
  });

  it.each([
    ["hom: /srv", 'etc/cluster.yaml:1:1: unknown key "hom"; did you mean "home"?'],
    ["home: srv/site", 'etc/cluster.yaml:1:1: "home" must be an absolute path'],
    ['home: "/srv/site; x"', '"home" must be an absolute path'],
    ['path: /usr/bin" => "x', '"path" must be absolute folders'],
    ["users: { web: root x }", '"web" must be the name of a user'],
    ["http: 70000", "from 1 to 65535"],
    ["address: everywhere", '"address" must be an IPv4 address'],
    ["pools: { pages: 0 }", "from 1 to 1000"],
    ["- a", '"key: value" lines are wanted here'],
  ])("%s is told", async (text, message) => {
    cluster(`${text}\n`);
    expect((await build()).join("\n")).toContain(message);
  });

  it("is of no use to a site without https, which has no configuration", async () => {
    const file = join(folder, "source/etc/site.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace(/^url: .*/m, "url: http://127.0.0.1:8080"));
    expect(await build()).toEqual([]);
    expect(readdirSync(etc())).toEqual(["lighttpd.conf"]);
  });
});
