// Goal of this test: the development server serves static files and nothing outside them, answers to one host name,
// and shows the mails that the site wrote.
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Development, startDevelopment } from "../dev/serve.ts";
import { makeTransport } from "../lib/mail/transport.ts";
import { systemClock } from "../lib/util/clock.ts";
import { ask, idleJobs, type MadeSite, makeSite } from "./support/release.ts";

const mailSettings = {
  from: '"Demo" <accounts@demo.example>',
  transport: "folder",
  sendmail: "",
  smtpHost: "",
  smtpPort: 0,
  smtpUser: "",
  smtpTls: "none",
} as const;

let site: MadeSite;
let server: Development;

beforeAll(async () => {
  site = makeSite();
  site.release("one", {
    ...idleJobs,
    "www/index.html": "<title>First page</title>",
    "www/404.html": "<title>Nothing here</title>",
    "www/docs/index.html": "<title>Docs</title>",
    "www/docs/a b.txt": "with a blank",
    "www/empty/picture.svg": "<svg/>",
    "www/style.css": "body {}",
    "www/data.unknown": "?",
    "www/.hidden": "hidden",
    "www/.well-known/security.txt": "Contact: us",
    "secret.txt": "outside the document root",
  });
  const www = join(site.outFolder, "current", "www");
  symlinkSync("../secret.txt", join(www, "leading-out.txt"));
  symlinkSync("docs", join(www, "leading-in"));
  server = await startDevelopment({
    sourceFolder: site.sourceFolder,
    outFolder: site.outFolder,
    dataFolder: site.dataFolder,
    port: 0,
    clock: systemClock,
    log: () => undefined,
    build: async () => ({ ok: false, faults: [] }),
  });
});

afterAll(async () => {
  await server.close();
  site.remove();
});

describe("a static file", () => {
  it.each([
    ["/", 200, "text/html; charset=utf-8", "First page"],
    ["/docs/", 200, "text/html; charset=utf-8", "Docs"],
    ["/docs/a%20b.txt?x=1", 200, "text/plain; charset=utf-8", "with a blank"],
    ["/leading-in/a%20b.txt", 200, "text/plain; charset=utf-8", "with a blank"],
    ["/empty/picture.svg", 200, "image/svg+xml", "<svg/>"],
    ["/data.unknown", 200, "application/octet-stream", "?"],
    ["/.well-known/security.txt", 200, "text/plain; charset=utf-8", "Contact"],
    ["/missing.html", 404, "text/html; charset=utf-8", "Nothing here"],
    ["/account/signup.cgi", 404, "text/html; charset=utf-8", "Nothing here"],
  ])("%s is answered with %i", async (path, status, type, text) => {
    const answer = await ask(server.url, { path });
    expect([answer.status, answer.headers["content-type"]]).toEqual([status, type]);
    expect(answer.text).toContain(text);
    expect(answer.headers).toMatchObject({
      "content-security-policy":
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      "x-content-type-options": "nosniff",
      "cache-control": "no-cache",
    });
  });

  it.each([
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/docs/..%2f..%2fsecret.txt",
    "/docs/%2e%2e%2f%2e%2e%2fsecret.txt",
    "/..%5csecret.txt",
    "/leading-out.txt",
    "/.hidden",
    "/%2ehidden",
    "//secret.txt",
    "/docs//index.html",
    "/style.css/",
    "/style.css/x",
    "/empty/",
    "/empty",
    "/%00",
    "/%",
    "/%ff",
    `/${"x".repeat(300)}`,
  ])("%s leads nowhere", async (path) => {
    const answer = await ask(server.url, { path });
    expect([answer.status, answer.text]).toEqual([404, "<title>Nothing here</title>"]);
  });

  it("of a folder is found by its slash", async () => {
    const answer = await ask(server.url, { path: "/docs?x=1" });
    expect([answer.status, answer.headers.location]).toEqual([301, "/docs/?x=1"]);
  });

  it("can be read only", async () => {
    const head = await ask(server.url, { method: "HEAD", path: "/style.css" });
    expect([head.status, head.text, head.headers["content-length"]]).toEqual([200, "", "7"]);
    const posted = await ask(server.url, { method: "POST", path: "/", body: "x" });
    expect([posted.status, posted.headers.allow]).toEqual([405, "GET, HEAD"]);
  });
});

describe("the host name", () => {
  it("is 127.0.0.1: localhost is led there, others find nothing", async () => {
    const { port } = new URL(server.url);
    const local = await ask(server.url, { path: "/docs/?x=1", headers: { Host: `localhost:${port}` } });
    expect([local.status, local.headers.location]).toEqual([307, `${server.url}/docs/?x=1`]);
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1:1", "127.0.0.1"])
      for (const path of ["/", "/mailbox/", "/account/login.cgi"])
        expect((await ask(server.url, { path, headers: { Host: host } })).status).toBe(421);
  });
});

describe("the mailbox", () => {
  const send = async (id: string, subject: string, body: string, createdAt: number): Promise<void> => {
    const folder = join(site.dataFolder, "mail");
    const transport = makeTransport({ mail: mailSettings, smtpPassword: "", folder });
    const mail = { id, to: "ada@example.org", subject, body, createdAt, attempts: 1 };
    expect(await transport(mail as Parameters<typeof transport>[0])).toEqual({ ok: true });
  };

  it("is empty at first, and found without its slash", async () => {
    expect((await ask(server.url, { path: "/mailbox" })).headers.location).toBe("/mailbox/");
    expect((await ask(server.url, { path: "/mailbox/" })).text).toContain("No mail yet");
  });

  it("lists the newest mail first and shows its text, escaped, with links that can be followed", async () => {
    const link = `${server.url}/account/confirm.cgi?token=${"A1-_".repeat(20)}`;
    const text = `Grüße <b>you</b>, & javascript:alert(1)\nsee ${link}.\n(https://x.example/?a=1&b="2)\n日本`;
    await send("m1", "Older", "first", Date.parse("2026-11-20T10:00:00Z"));
    await send(
      "m2",
      `Bestätigung <i>für</i> ${"ä".repeat(60)} Ende`,
      text,
      Date.parse("2026-11-21T10:00:00Z"),
    );
    const list = (await ask(server.url, { path: "/mailbox/" })).text;
    expect(list).toContain(`Bestätigung &lt;i&gt;für&lt;/i&gt; ${"ä".repeat(60)} Ende`);
    expect(list).toContain("Demo &lt;accounts@demo.example&gt;");
    expect(list).toContain("ada@example.org");
    expect(list).toContain("Sat, 21 Nov 2026 10:00:00 +0000");
    const names = [...list.matchAll(/href="\/mailbox\/([^"]+\.eml)"/g)].map((match) => match[1] ?? "");
    expect(names).toHaveLength(2);
    expect(names).toEqual([...names].sort().reverse());
    const shown = await ask(server.url, { path: `/mailbox/${names[0]}` });
    expect(shown.text).toContain(`<a href="${link}">${link}</a>.`);
    expect(shown.text).toContain("Grüße &lt;b&gt;you&lt;/b&gt;, &amp; javascript:alert(1)\n");
    expect(shown.text).toContain(
      '(<a href="https://x.example/?a=1&amp;b=">https://x.example/?a=1&amp;b=</a>&quot;2)',
    );
    expect(shown.text).toContain("日本");
    expect(shown.text).toContain('<link rel="stylesheet" href="/style.css">');
    expect(shown.headers["content-security-policy"]).toContain("default-src 'none'");
    const raw = await ask(server.url, { path: `/mailbox/${names[0]}?raw=1` });
    expect(raw.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(raw.text).toMatch(/^From: Demo <accounts@demo\.example>$/m);
  });

  it.each(["missing.eml", "..%2fmark", ".x.eml", "../data/mark", "a/b.eml"])(
    "has no mail named %s",
    async (name) => {
      site.write("data/mail/.x.eml", "Subject: unfinished\n\n");
      expect((await ask(server.url, { path: `/mailbox/${name}` })).status).toBe(404);
    },
  );
});
