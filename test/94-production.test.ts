// Goal of this test: the configuration that content/docs/production.html shows works on the real lighttpd, and a
// stranger becomes a customer behind it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildSite } from "../build/build.ts";
import { initSite } from "../build/init.ts";
import { systemClock } from "../lib/util/clock.ts";
import {
  type Lighttpd,
  lighttpdProgram,
  type RawAnswer,
  sendRaw,
  startLighttpd,
} from "./support/lighttpd.ts";
import { readRows } from "./support/store.ts";

const host = "storage.example.com"; // That of the starter's etc/site.yaml, and of the documented redirect.
const wait = 30_000;

const redirects = `/old.html: /docs/paying.html#top
"/alt/m\u00fcll%20(1)+$.html": https://other.example/a%20b?x=%31&y=$1
/old/: /news/
`;
const inlinePage = `---
title: Inline
---
<h1>Inline</h1>
<p style="margin: 0">x<a href="/docs/">d</a></p>
<img src="https://pictures.example/a.png" alt="">
<script>document.title = "\u00fc";</script>
`;

describe.skipIf(lighttpdProgram === undefined)("behind lighttpd as documented", () => {
  let folder: string;
  let server: Lighttpd;

  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-lighttpd-")));
    initSite(join(folder, "source"));
    const paths = { sourceFolder: join(folder, "source"), outFolder: join(folder, "dist") };
    writeFileSync(join(folder, "source", "etc", "redirects.yaml"), redirects);
    writeFileSync(join(folder, "source", "content", "inline.html"), inlinePage);
    expect(await buildSite({ ...paths, clock: systemClock })).toMatchObject({ ok: true });
    mkdirSync(join(folder, "data"));
    const migrate = join(folder, "dist", "current", "jobs", "migrate");
    spawnSync(process.execPath, [migrate], { env: { SITE_DATA: join(folder, "data") } });
    writeFileSync(join(folder, "secrets"), "usage_token = service-token\n", { mode: 0o600 });
    server = await startLighttpd(folder);
  });
  afterAll(async () => {
    await server?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = async (method: string, path: string, headers = "", body = ""): Promise<RawAnswer> => {
    const length = body === "" ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    const request = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${headers}${length}\r\n${body}`;
    const answer = await sendRaw(server.port, request, true);
    if (answer === undefined) throw new Error(`${path} was not answered`);
    return answer;
  };

  it("the configuration is taken without a word", () => {
    expect(server.complaints).toBe("");
  });

  it.each([
    ["GET", "/", 200, "A quiet place for your files"],
    ["GET", "/docs/", 200, "Help"],
    ["GET", "/docs/paying.html", 200, "Paying"],
    ["GET", "/style.css", 200, "color-scheme"],
    ["GET", "/no/such/page", 404, "There is no such page"],
    ["GET", "/account/no-such.cgi", 404, "There is no such page"],
    ["GET", "/.env", 403, "This cannot be shown"],
    ["GET", "/%2e%65nv", 403, "This cannot be shown"],
    ["GET", "/account/", 403, "This cannot be shown"],
    ["GET", "/account/login", 403, "This cannot be shown"],
    ["POST", "/docs/", 403, "This cannot be shown"],
    ["GET", "/account/login.cgi", 200, 'name="password"'],
    ["GET", "/account/account.cgi", 303, ""],
    ["GET", "/account/stripe-webhook.cgi", 405, "cannot be asked in that way"],
    ["GET", "/search.cgi", 200, 'name="q"'],
    ["GET", "/search.cgi?q=paying", 200, '<a href="/docs/paying.html"><mark>Paying</mark></a>'],
    ["GET", "/search.cgi?q=%22xyzzy+OR+*", 200, "No page has any of these words"],
    ["GET", "/search.cgi?q=%22%27*", 400, "type a word"],
    ["GET", "/search.cgi?q=", 200, 'name="q"'],
    ["GET", "/search.cgi?q=%ff%00", 400, ""],
    ["POST", "/search.cgi", 405, "cannot be asked in that way"],
    ["GET", "/search.cgi/x", 404, "There is no such page"],
    ["GET", "/search", 404, "There is no such page"],
    ["GET", "/search/pages.sqlite", 404, "There is no such page"],
    ["GET", "/account/search.cgi", 404, "There is no such page"],
    ["GET", "/account/login.cgi?x=1", 400, "a field that this page does not know"],
  ])("%s %s is answered with %i", async (method, path, status, text) => {
    const answer = await ask(method, path, "", method === "POST" ? "x" : "");
    expect([answer.status, answer.body.includes(text)]).toEqual([status, true]);
  });

  it("each answer has each of its guarding headers once", async () => {
    for (const path of ["/", "/search.cgi", "/account/login.cgi", "/account/account.cgi"]) {
      const { headers } = await ask("GET", path);
      for (const name of ["content-security-policy", "x-content-type-options", "strict-transport-security"])
        expect([path, name, headers.get(name)?.length]).toEqual([path, name, 1]);
      expect(headers.get("server")).toBeUndefined();
    }
  });

  it.each([
    ["/old.html", "/docs/paying.html#top"],
    ["/old.html?x=1", "/docs/paying.html#top"],
    ["/alt/m%C3%BCll%20(1)+$.html", "https://other.example/a%20b?x=%31&y=$1"],
    ["/old/", "/news/"],
  ])("%s has moved", async (path, to) => {
    const { status, headers } = await ask("GET", path);
    expect([status, headers.get("location")]).toEqual([301, [to]]);
  });

  it("files are sent with the policy that the site needs, and those named by their content may be kept", async () => {
    const page = await ask("GET", "/inline.html");
    const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    const policy = page.headers.get("content-security-policy")?.[0]?.split("; ") ?? [];
    expect(policy).toContain("img-src 'self' https://pictures.example");
    expect(policy).toContain(`script-src ${hash('document.title = "\u00fc";')}`);
    expect(policy).toContain(`style-src 'self' ${hash("margin: 0")} 'unsafe-hashes'`);
    expect(policy).toContain("default-src 'none'");
    expect(page.headers.get("cache-control")).toBeUndefined();
    const [, sheet = ""] = /href="(\/style\.[0-9a-f]{10}\.css)"/.exec(page.body) ?? [];
    const kept = await ask("GET", sheet);
    expect([kept.status, kept.headers.get("cache-control")]).toEqual([
      200,
      ["public, max-age=31536000, immutable"],
    ]);
    expect(kept.headers.get("content-security-policy")).toHaveLength(1);
  });

  it("plain http is led to https, and the port of hitch believes nobody without its line", async () => {
    const request = `GET /docs/?x=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`;
    const moved = await sendRaw(server.plainPort, request, false);
    expect([moved?.status, moved?.headers.get("location")]).toEqual([308, [`https://${host}/docs/?x=1`]]);
    expect(await sendRaw(server.port, request, false)).toBeUndefined();
  });

  it("the service hands in two megabytes with its token, and asks for a standing", async () => {
    const bearer = "Authorization: Bearer service-token\r\n";
    const row = JSON.stringify({
      day: "2026-11-22",
      account: "acct_none",
      machine: "m",
      meter: "storage",
      quantity: 1,
    });
    const answer = await ask("POST", "/account/usage.cgi", bearer, `${row}\n`.repeat(20_000));
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([422, { more: 19_950 }]);
    expect((await ask("POST", "/account/usage.cgi", "", `${row}\n`)).status).toBe(401);
    expect((await ask("GET", "/account/standing.cgi?account=acct_none", bearer)).status).toBe(404);
  });

  it("a body over a program's limit gets the program's own page", async () => {
    const form = "Content-Type: application/x-www-form-urlencoded\r\n";
    const answer = await ask("POST", "/account/login.cgi", form, "a".repeat(9000));
    expect([answer.status, answer.body.includes("Shorten what you typed")]).toEqual([413, true]);
  });

  it(
    "a stranger signs up, confirms, and logs in, under a __Host- cookie",
    async () => {
      let cookie = "";
      let shown = "";
      const visit = async (method: string, path: string, fields: Record<string, string> = {}) => {
        const hidden = [...shown.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
        const form = { ...Object.fromEntries(hidden.map((found) => [found[1], found[2]])), ...fields };
        const type = `Content-Type: application/x-www-form-urlencoded\r\nOrigin: https://${host}\r\n`;
        const body = method === "POST" ? new URLSearchParams(form).toString() : "";
        const answer = await ask(method, path, `Cookie: ${cookie}\r\n${method === "POST" ? type : ""}`, body);
        cookie = answer.headers.get("set-cookie")?.[0]?.split(";")[0] ?? cookie;
        shown = answer.body;
        return answer;
      };
      const [email, password] = ["mira@example.com", "four words are enough"];
      await visit("GET", "/account/signup.cgi");
      expect(cookie).toMatch(/^__Host-session=/);
      await visit("POST", "/account/signup.cgi", { email, password });
      const rows = readRows(join(folder, "data", "books.sqlite"), "SELECT body FROM outbox");
      const link = /https:\/\/storage\.example\.com(\/account\/confirm\.cgi\?token=[\w-]+)/.exec(
        (rows[0] as { body: string }).body,
      );
      await visit("GET", link?.[1] ?? "");
      await visit("POST", "/account/confirm.cgi");
      await visit("GET", "/account/login.cgi");
      const login = await visit("POST", "/account/login.cgi", { email, password });
      expect([login.status, login.headers.get("location")]).toEqual([303, ["/account/account.cgi"]]);
      expect((await visit("GET", "/account/account.cgi")).body).toContain('<p class="balance">$0.00</p>');
    },
    wait,
  );

  it("the access log knows the client that hitch named, and no token", async () => {
    await server.end();
    const log = readFileSync(join(folder, "log", "access.log"), "utf8");
    expect(log).toContain("192.0.2.7 ");
    expect(log).toContain('"GET /account/confirm.cgi" 200');
    expect(log).toContain('"GET /search.cgi" 200');
    for (const secret of ["token", "paying HTTP", "q="]) expect(log).not.toContain(secret);
    const said = readFileSync(join(folder, "log", "programs.log"), "utf8")
      .trimEnd()
      .split("\n");
    const form = /^[\dTZ:-]{20} security: (service-refused -|login acct_[a-z2-7]{16}) from 192\.0\.2\.7$/;
    expect(said).toHaveLength(2);
    for (const line of said) expect(line).toMatch(form);
  });
});
