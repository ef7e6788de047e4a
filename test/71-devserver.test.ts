// Goal of this test: the development server runs programs as the real web server will: one process a request, in the
// environment of RFC 3875, and ended after the last byte.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Development, startDevelopment } from "../dev/serve.ts";
import { systemClock } from "../lib/util/clock.ts";
import { ask, idleJobs, isAlive, type MadeSite, makeSite, until } from "./support/release.ts";

/** What the programs do, chosen by the query string. */
const behaviours = `
const fs = require("node:fs");
const mark = process.env.SITE_DATA + "/mark";
const body = process.env.CONTENT_LENGTH ? fs.readFileSync(0, "utf8") : "";
const say = (text) => fs.writeSync(1, text);
const acts = {
  "": () => {
    const text = JSON.stringify({ env: process.env, cwd: process.cwd(), body });
    say("Status: 200\\r\\nContent-Type: application/json\\r\\nContent-Length: " + Buffer.byteLength(text) + "\\r\\n\\r\\n" + text);
  },
  cookies: () => say("Status: 303\\nLocation: /elsewhere\\nSet-Cookie: a=1; Path=/\\nSet-Cookie: b=2; Path=/\\n\\n"),
  plain: () => say("Content-Type: text/plain\\n\\nno length"),
  moved: () => say("Location: https://example.org/\\n\\n"),
  nothing: () => {},
  garbage: () => say("<h1>Hello</h1>\\n\\n"),
  wrongstatus: () => say("Status: 999\\n\\n"),
  cut: () => say("Content-Type: text/plain\\nContent-Length: 100\\n\\nshort"),
  crash: () => { throw new Error("this is on stderr"); },
  slow: () => { fs.writeFileSync(mark, String(process.pid)); setInterval(() => {}, 1000); },
  after: () => {
    say("Content-Type: text/plain\\nContent-Length: 4\\n\\ndone");
    setTimeout(() => fs.writeFileSync(mark, "work left for later"), 400);
  },
};
acts[process.env.QUERY_STRING]();
`;

let site: MadeSite;
let server: Development;
let said: string[];

beforeAll(async () => {
  said = [];
  site = makeSite();
  site.release("one", {
    ...idleJobs,
    "cgi/account/login.cgi": behaviours,
    "cgi/account/account.cgi": behaviours,
    "cgi/search.cgi": behaviours,
    "cgi/account/stripe-webhook.cgi": behaviours,
    "www/index.html": "<title>First page</title>",
    "www/404.html": "<title>Nothing here</title>",
  });
  server = await startDevelopment({
    sourceFolder: site.sourceFolder,
    outFolder: site.outFolder,
    dataFolder: site.dataFolder,
    port: 0,
    clock: systemClock,
    log: (line) => said.push(line),
    build: async () => ({ ok: false, faults: [] }),
    programLimitMs: 1500,
  });
});

afterAll(async () => {
  await server.close();
  site.remove();
});

beforeEach(() => {
  said.length = 0;
});

describe("a program", () => {
  const login = "/account/login.cgi";

  it("gets the environment of RFC 3875 and its place, and nothing else", async () => {
    const { port } = new URL(server.url);
    const answer = await ask(server.url, {
      method: "POST",
      path: `${login}?`,
      headers: {
        "Content-Type": "application/x-www-form-urlencoded",
        Cookie: ["session=1", "other=2"],
        Proxy: "http://evil.example",
        X_Forwarded_For: "1.2.3.4",
        "X-Forwarded-For": "5.6.7.8",
        Connection: "close",
      },
      body: "email=ada",
    });
    const { env, cwd, body } = JSON.parse(answer.text);
    const { PATH, SITE_SECRETS, REMOTE_PORT, ...others } = env;
    const release = join(site.outFolder, "releases", "one");
    expect(others).toEqual({
      GATEWAY_INTERFACE: "CGI/1.1",
      SERVER_SOFTWARE: "picodollar-development",
      SERVER_NAME: "127.0.0.1",
      SERVER_ADDR: "127.0.0.1",
      SERVER_PORT: port,
      SERVER_PROTOCOL: "HTTP/1.1",
      REQUEST_METHOD: "POST",
      REQUEST_SCHEME: "http",
      REQUEST_URI: `${login}?`,
      QUERY_STRING: "",
      SCRIPT_NAME: login,
      SCRIPT_FILENAME: join(release, "cgi", login),
      DOCUMENT_ROOT: join(release, "www"),
      REMOTE_ADDR: "127.0.0.1",
      CONTENT_TYPE: "application/x-www-form-urlencoded",
      CONTENT_LENGTH: "9",
      HTTP_HOST: `127.0.0.1:${port}`,
      HTTP_COOKIE: "session=1; other=2",
      HTTP_X_FORWARDED_FOR: "5.6.7.8",
      HTTP_CONNECTION: "close",
      SITE_DATA: site.dataFolder,
      SITE_URL: server.url,
      SITE_MAIL: "folder",
      SITE_STORE: "sqlite",
    });
    expect([PATH, SITE_SECRETS]).toEqual([process.env.PATH, join(site.dataFolder, "development-secrets")]);
    expect(Number(REMOTE_PORT)).toBeGreaterThan(0);
    expect([cwd, body]).toEqual([join(release, "cgi", "account"), "email=ada"]);
  });

  it("is run outside /account/ as well", async () => {
    const { env, cwd } = JSON.parse((await ask(server.url, { path: "/search.cgi" })).text);
    const release = join(site.outFolder, "releases", "one");
    expect([env.SCRIPT_NAME, env.SCRIPT_FILENAME]).toEqual(["/search.cgi", join(release, "cgi/search.cgi")]);
    expect(cwd).toBe(join(release, "cgi"));
  });

  it("gets a chunked body whole, with its length", async () => {
    const answer = await ask(server.url, { method: "POST", path: login, body: ["email=", "ada", "@x"] });
    const { env, body } = JSON.parse(answer.text);
    expect([env.CONTENT_LENGTH, body]).toEqual(["11", "email=ada@x"]);
    expect(env.HTTP_TRANSFER_ENCODING).toBeUndefined();
  });

  it("gets a body as large as its route takes", async () => {
    const large = "x".repeat(262_144);
    const answer = await ask(server.url, {
      method: "POST",
      path: "/account/stripe-webhook.cgi",
      body: large,
    });
    expect(JSON.parse(answer.text).body).toBe(large);
  });

  it.each([
    ["announced", "x".repeat(524_289)],
    ["chunked", ["x".repeat(524_000), "x".repeat(289)]],
  ])("is not started for a body over the server's limit, %s", async (_name, body) => {
    const answer = await ask(server.url, { method: "POST", path: `${login}?crash`, body });
    expect(answer.status).toBe(413);
    expect(said).toEqual([]);
  });

  it("answers with its status, its cookies one by one, and no body to HEAD", async () => {
    const moved = await ask(server.url, { path: `${login}?cookies` });
    expect([moved.status, moved.headers.location]).toEqual([303, "/elsewhere"]);
    expect(moved.headers["set-cookie"]).toEqual(["a=1; Path=/", "b=2; Path=/"]);
    const plain = await ask(server.url, { path: `${login}?plain` });
    expect([plain.status, plain.text]).toEqual([200, "no length"]);
    expect((await ask(server.url, { path: `${login}?moved` })).status).toBe(302);
    const head = await ask(server.url, { method: "HEAD", path: `${login}?plain` });
    expect([head.status, head.text]).toEqual([200, ""]);
    // A program writes none to HEAD, and tells the length that GET would have.
    const told = await ask(server.url, { method: "HEAD", path: `${login}?cut` });
    expect([told.status, told.headers["content-length"], told.text]).toEqual([200, "100", ""]);
  });

  it.each([
    ["nothing", "no output (exit code 0)"],
    ["garbage", 'no header: "<h1>Hello</h1>" (exit code 0)'],
    ["wrongstatus", 'no status: "999" (exit code 0)'],
    ["cut", "it broke off (exit code 0)"],
    ["crash", "no output (exit code 1)"],
  ])("that writes %s is answered with 500, and the terminal says why", async (query, why) => {
    const answer = await ask(server.url, { path: `${login}?${query}` });
    expect(answer.status).toBe(500);
    expect(said.at(-1)).toBe(`login.cgi: ${why}`);
    if (query === "crash") expect(said).toContain("login.cgi: Error: this is on stderr");
  });

  it("is ended after the time limit, and answered with 504", async () => {
    const answer = await ask(server.url, { path: "/account/account.cgi?slow" });
    expect(answer.status).toBe(504);
    const pid = Number(readFileSync(join(site.dataFolder, "mark"), "utf8"));
    await until("the program has ended", () => !isAlive(pid));
  });

  it("is ended after its last byte: what it left for later is lost", async () => {
    rmSync(join(site.dataFolder, "mark"), { force: true });
    const answer = await ask(server.url, { path: `${login}?after` });
    expect(answer.text).toBe("done");
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(existsSync(join(site.dataFolder, "mark"))).toBe(false);
  });
});
