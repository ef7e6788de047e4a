// Goal of this test: `site serve` starts all that a site needs, tells what stands in its way, builds again when a
// source changes, keeps the last good site while there are faults, and ends all that it started.
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { endServer, listen } from "../dev/listen.ts";
import { linkHtml } from "../dev/mailbox.ts";
import { type Development, type DevelopmentOptions, startDevelopment } from "../dev/serve.ts";
import { systemClock } from "../lib/util/clock.ts";
import { readSecrets } from "../lib/util/settings.ts";
import {
  ask,
  describeRelease,
  idleJobs,
  isAlive,
  type MadeSite,
  makeSite,
  until,
} from "./support/release.ts";

type Build = NonNullable<DevelopmentOptions["build"]>;

/** Says what it was started with, in the data folder; whole, since it is read while it is written anew. */
const tellingSender = `
const fs = require("node:fs");
const file = process.env.SITE_DATA + "/sender";
const note = { pid: process.pid, words: process.argv.slice(2), env: process.env };
fs.writeFileSync(file + ".new", JSON.stringify(note));
fs.renameSync(file + ".new", file);
setInterval(() => {}, 1000);
`;

let site: MadeSite;
let said: string[];
let servers: Development[];

beforeEach(() => {
  site = makeSite();
  said = [];
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await server.close();
  site.remove();
});

/** Builds content/index.html as it stands; a page that says "fault" is one. */
function makeBuild(
  jobs: Readonly<Record<string, string>> = idleJobs,
): Build & { readonly count: () => number } {
  let count = 0;
  const build: Build = async () => {
    count += 1;
    const page = join(site.sourceFolder, "content", "index.html");
    const text = existsSync(page) ? readFileSync(page, "utf8") : "first";
    if (text.includes("fault"))
      return { ok: false, faults: [{ file: "content/index.html", line: 3, column: 7, message: "a fault" }] };
    const releaseId = `r${count}`;
    site.release(releaseId, { ...jobs, "www/index.html": text });
    return describeRelease(releaseId, join(site.outFolder, "releases", releaseId));
  };
  return Object.assign(build, { count: () => count });
}

async function start(build: Build, port = 0): Promise<Development> {
  const { sourceFolder, outFolder, dataFolder } = site;
  const log = (line: string): void => {
    said.push(line);
  };
  const options = { sourceFolder, outFolder, dataFolder, port, clock: systemClock, log, build };
  const server = await startDevelopment(options);
  servers.push(server);
  return server;
}

function readNote(name: string): unknown {
  return JSON.parse(readFileSync(join(site.dataFolder, name), "utf8"));
}

async function pageOf(server: Development): Promise<string> {
  return (await ask(server.url, { path: "/" })).text;
}

describe("a start", () => {
  it("says its addresses, and leaves the note and the secrets for jobs, readable by nobody else", async () => {
    const server = await start(makeBuild());
    const secretsFile = join(site.dataFolder, "development-secrets");
    expect(readNote("development.json")).toEqual({ pid: process.pid, url: server.url, secretsFile });
    for (const name of ["development.json", "development-secrets"])
      expect(statSync(join(site.dataFolder, name)).mode & 0o777).toBe(0o600);
    expect(statSync(site.dataFolder).mode & 0o777).toBe(0o700);
    const standIn = readSecrets(secretsFile, ["stripe_api"]).stripe_api ?? "";
    expect((await ask(standIn, { path: "/v1/events" })).status).toBe(401);
    expect(said).toEqual([
      "building the site ...",
      "built: 1 pages, 0 files, 0 programs, in 1 ms",
      "migrate: nothing to do",
      "",
      `site:    ${server.url}/`,
      `mailbox: ${server.url}/mailbox/`,
      `Stripe:  a local stand-in at ${standIn}; no money moves`,
      "Press Ctrl-C to end.",
    ]);
  });

  it("keeps the stand-in's key and webhook secret from start to start", async () => {
    const names = ["stripe_key", "stripe_webhook_secret"] as const;
    const secretsFile = join(site.dataFolder, "development-secrets");
    await (await start(makeBuild())).close();
    const first = readSecrets(secretsFile, names);
    await (await start(makeBuild())).close();
    expect(readSecrets(secretsFile, names)).toEqual(first);
    expect(first.stripe_key).toMatch(/^sk_test_standin_/);
  });

  it("is refused where another server is at work on the data folder", async () => {
    const note = { pid: process.ppid, url: "http://127.0.0.1:1", secretsFile: "x" };
    site.write("data/development.json", JSON.stringify(note));
    const named = `at work on this data folder already, at http://127.0.0.1:1 (process ${process.ppid})`;
    await expect(start(makeBuild())).rejects.toThrow(named);
    expect(readNote("development.json")).toEqual(note);
    // One that was killed stands in nobody's way.
    site.write("data/development.json", JSON.stringify({ ...note, pid: 99_999_999 }));
    await start(makeBuild());
  });

  it("leaves no note behind when it ends", async () => {
    const server = await start(makeBuild());
    await server.close();
    expect(existsSync(join(site.dataFolder, "development.json"))).toBe(false);
  });

  it("uses Stripe itself where the site has a test key", async () => {
    site.write("etc/secrets", "stripe_key = sk_test_of_my_own\n");
    chmodSync(join(site.sourceFolder, "etc", "secrets"), 0o600);
    const server = await start(makeBuild());
    expect(readNote("development.json")).toEqual({
      pid: process.pid,
      url: server.url,
      secretsFile: join(site.sourceFolder, "etc", "secrets"),
    });
    expect(existsSync(join(site.dataFolder, "development-secrets"))).toBe(false);
    expect(said.join("\n")).toContain(`stripe listen --forward-to ${server.url}/account/stripe-webhook.cgi`);
  });

  it("refuses a live key, naming the file", async () => {
    site.write("etc/secrets", "stripe_key = rk_live_x\n");
    chmodSync(join(site.sourceFolder, "etc", "secrets"), 0o600);
    const build = makeBuild();
    await expect(start(build)).rejects.toThrow(/etc\/secrets: stripe_key is a live key, .* put a test key/);
    expect(build.count()).toBe(0);
  });

  it("names a port that is taken before it builds anything", async () => {
    const taken = createServer();
    const port = await listen(taken, 0);
    const build = makeBuild();
    const message = `port ${port} is in use, perhaps by another site serve; end that program, or choose another: PORT=${port + 1} npm start, or site serve --port ${port + 1}`;
    await expect(start(build, port)).rejects.toThrow(message);
    expect(build.count()).toBe(0);
    await endServer(taken);
  });

  it("ends all again where the database cannot be made ready", async () => {
    const jobs = { ...idleJobs, "jobs/migrate": "console.error('disk is full'); process.exit(100);" };
    await expect(start(makeBuild(jobs))).rejects.toThrow(/database could not be made ready .*exit code 100/);
    expect(said).toContain("disk is full");
    const standIn =
      readSecrets(join(site.dataFolder, "development-secrets"), ["stripe_api"]).stripe_api ?? "";
    await expect(ask(standIn, { path: "/" })).rejects.toThrow("ECONNREFUSED");
  });
});

describe("the mail sender", () => {
  const readSender = () => readNote("sender") as { pid: number; words: string[]; env: object };
  const hasSender = (): boolean => existsSync(join(site.dataFolder, "sender"));

  it("is started with its place, started again when it dies, and ended with the server", async () => {
    const server = await start(makeBuild({ ...idleJobs, "jobs/mail": tellingSender }));
    await until("the sender runs", hasSender);
    const first = readSender();
    expect(first.words).toEqual(["--every", "1"]);
    expect(first.env).toEqual({
      PATH: process.env.PATH,
      SITE_DATA: site.dataFolder,
      SITE_SECRETS: join(site.dataFolder, "development-secrets"),
      SITE_URL: server.url,
      SITE_MAIL: "folder",
      SITE_STORE: "sqlite",
    });
    process.kill(first.pid, "SIGKILL");
    await until("it runs again", () => readSender().pid !== first.pid);
    expect(said).toContain("mail: ended (SIGKILL); started again in 1 s");
    await server.close();
    expect(isAlive(readSender().pid)).toBe(false);
  });

  it("is replaced when there is a new release", async () => {
    await start(makeBuild({ ...idleJobs, "jobs/mail": tellingSender }));
    await until("the sender runs", hasSender);
    const first = readSender();
    site.write("content/index.html", "second");
    await until("another one runs", () => readSender().pid !== first.pid);
    await until("the first has ended", () => !isAlive(first.pid));
  });
});

describe("a changed source", () => {
  it("is built and served at once; faults are told, and the last good site stays", async () => {
    const build = makeBuild();
    const server = await start(build);
    expect(await pageOf(server)).toBe("first");
    site.write("content/index.html", "second");
    await until("the second is served", async () => (await pageOf(server)) === "second");
    site.write("content/index.html", "a fault");
    await until("the fault is told", () => said.includes("content/index.html:3:7: a fault"));
    expect(said.at(-1)).toBe(
      "1 fault; save the mended file, and the site is built again (the last good site is served meanwhile)",
    );
    expect(await pageOf(server)).toBe("second");
    site.write("layouts/page.html", "a folder that was not there");
    await until("that was seen", () => build.count() === 4);
  });

  it("is awaited where there is no good site yet", async () => {
    site.write("content/index.html", "a fault");
    const server = await start(makeBuild());
    const answer = await ask(server.url, { path: "/" });
    expect(answer.status).toBe(503);
    expect(answer.text).toContain("content/index.html:3:7: a fault");
    site.write("content/index.html", "mended");
    await until("it is served", async () => (await pageOf(server)) === "mended");
  });

  it("during the first build is built after it", async () => {
    const inner = makeBuild();
    const server = await start(async (options) => {
      const result = await inner(options);
      if (inner.count() === 1) {
        site.write("content/index.html", "changed meanwhile");
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      return result;
    });
    await until("it is served", async () => (await pageOf(server)) === "changed meanwhile");
  });

  it("in content/.well-known/ is one", async () => {
    const build = makeBuild();
    await start(build);
    site.write("content/.well-known/security.txt", "Contact: us");
    await until("it is built", () => build.count() === 2);
  });

  it("is none where an editor writes its own files, or a build writes dist/", async () => {
    const build = makeBuild();
    await start(build);
    site.write("content/.index.html.swp", "x");
    site.write("content/index.html~", "x");
    site.write("dist/x.html", "x");
    site.write("README.md", "x");
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(build.count()).toBe(1);
  });

  it("during a build is built after it, and a burst is built once", async () => {
    const inner = makeBuild();
    let slow = false;
    const server = await start(async (options) => {
      if (slow) await new Promise((resolve) => setTimeout(resolve, 300));
      return inner(options);
    });
    slow = true;
    for (const text of ["a", "b", "c"]) writeFileSync(join(site.sourceFolder, "content", "index.html"), text);
    await until("a build is under way", () => said.filter((line) => line.includes("again")).length === 1);
    writeFileSync(join(site.sourceFolder, "content", "index.html"), "last");
    await until("the last is served", async () => (await pageOf(server)) === "last");
    expect(inner.count()).toBeLessThanOrEqual(3);
  });
});

describe("links in a mail's text", () => {
  it.each([
    [
      "see http://a.example/x?y=1&z=2.",
      'see <a href="http://a.example/x?y=1&amp;z=2">http://a.example/x?y=1&amp;z=2</a>.',
    ],
    ["<script>", "&lt;script&gt;"],
    ["javascript:alert(1) data:text/html,x", "javascript:alert(1) data:text/html,x"],
    ["https://a.example/'onclick=x", '<a href="https://a.example/">https://a.example/</a>&#39;onclick=x'],
  ])("%s", (text, html) => {
    expect(linkHtml(text)).toBe(html);
  });
});
