// Goal of this test: the configuration that a build makes works on the real hitch and lighttpd, each server as a user of its own: what
// visitors ask for is answered, over HTTP/1.1 and HTTP/2, with every guard; and a stranger becomes a customer behind it.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canHost, type Host, hostName, startHost } from "./support/host.ts";
import { type Answer, sendBytes, sendPlain, sendStream, type Wire } from "./support/secure.ts";
import { eventually } from "./support/served.ts";

const wait = 30_000;
/** The same for all, so that forms have the same token. */
const cookie = `Cookie: __Host-session=${"T".repeat(43)}\r\n`;
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

/** Status, headers in their order, and body; without what is of the moment. */
function note(kind: string, request: string, { status, headers, body }: Answer): void {
  const own = answered.get(kind) ?? new Map<string, string>();
  const moment = ["date", "last-modified", "etag"];
  const lines = [...headers]
    .filter(([name]) => !moment.includes(name))
    .map(([name, values]) => `${name}: ${values.join(", ")}`);
  own.set(request, [status, ...lines, "", body].join("\n"));
  answered.set(kind, own);
}

/** What each kind of host answered, but for what differs each time: the other one must answer the same. */
const answered = new Map<string, Map<string, string>>();

describe.skipIf(!canHost).each(["cgi", "resident"] as const)(
  "a host whose programs are %s",
  (programsAre) => {
    let host: Host;
    let wire: Wire;

    beforeAll(async () => {
      host = await startHost((source) => {
        writeFileSync(join(source, "etc", "redirects.yaml"), redirects);
        writeFileSync(join(source, "content", "inline.html"), inlinePage);
      }, programsAre);
      wire = { port: host.httpsPort, host: hostName, from: "127.0.0.7" };
    }, 60_000);
    afterAll(() => host?.end());

    const ask = async (method: string, path: string, headers = "", body = ""): Promise<Answer> => {
      const length = body === "" ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
      const request = `${method} ${path} HTTP/1.1\r\nHost: ${hostName}\r\nConnection: close\r\n${headers}${length}\r\n${body}`;
      const answer = await sendBytes(wire, request);
      if (answer === undefined) throw new Error(`${path} was not answered`);
      return answer;
    };
    const header = (answer: Answer, name: string): string => answer.headers.get(name)?.join(", ") ?? "";

    it("takes its configuration without a word, and as root each server is a user of its own", () => {
      expect(host.complaints).toBe("");
      if (process.getuid?.() === 0) expect(host.isSeparate).toBe(true);
    });

    const table = [
      ["GET", "/", 200, "A quiet place for your files"],
      ["HEAD", "/", 200, ""],
      ["GET", "/docs/", 200, "Help"],
      ["GET", "/docs/paying.html", 200, "Paying"],
      ["GET", "/style.css", 200, "color-scheme"],
      ["GET", "/no/such/page", 404, "There is no such page"],
      ["GET", "/account/no-such.cgi", 404, "There is no such page"],
      ["GET", "/.env", 403, "This cannot be shown"],
      ["GET", "/%2e%65nv", 403, "This cannot be shown"],
      ["GET", "/docs/..%2f.env", 403, "This cannot be shown"],
      ["GET", "/../../../etc/passwd", 404, "There is no such page"],
      ["GET", "/docs/paying.html~", 403, "This cannot be shown"],
      ["GET", "/account/", 404, "There is no such page"],
      ["GET", "/account/login", 404, "There is no such page"],
      ["POST", "/docs/", 403, "This cannot be shown"],
      ["PUT", "/docs/paying.html", 403, "This cannot be shown"],
      ["DELETE", "/account/login.cgi", 405, "cannot be asked in that way"],
      ["GET", "/account/login.cgi", 200, 'name="password"'],
      ["HEAD", "/account/login.cgi", 200, ""],
      ["HEAD", "/account/login.cgi?x=1", 400, ""],
      ["GET", "/account/account.cgi", 303, ""],
      ["GET", "/account/stripe-webhook.cgi", 405, "cannot be asked in that way"],
      ["GET", "/search.cgi", 200, 'name="q"'],
      ["GET", "/search.cgi?q=paying", 200, '<a href="/docs/paying.html"><mark>Paying</mark></a>'],
      ["GET", "/search.cgi?q=%22xyzzy+OR+*", 200, "No page has any of these words"],
      ["GET", "/search.cgi?q=%22%27*", 400, "type a word"],
      ["GET", "/search.cgi?q=%ff%00", 400, ""],
      ["POST", "/search.cgi", 405, "cannot be asked in that way"],
      ["GET", "/search.cgi/x", 404, "There is no such page"],
      ["GET", "/search", 404, "There is no such page"],
      ["GET", "/search/pages.sqlite", 404, "There is no such page"],
      ["GET", "/account/search.cgi", 404, "There is no such page"],
      ["GET", "/account/login.cgi/x", 404, "There is no such page"],
      ["GET", "/account/login.cgi?x=1", 400, "a field that this page does not know"],
    ] as const;

    it.each(table)(
      "%s %s is answered with %i, by HTTP/1.1 and HTTP/2 alike",
      async (method, path, status, text) => {
        const body = method === "POST" || method === "PUT" ? "x" : "";
        const one = await ask(method, path, cookie, body);
        note(programsAre, `${method} ${path}`, one);
        const two = await sendStream(wire, { ":method": method, ":path": path }, body);
        for (const answer of [one, two])
          expect([answer.status, answer.body.includes(text)]).toEqual([status, true]);
      },
    );

    it("answers byte for byte as the other kind does", () => {
      const [own, other] = [answered.get(programsAre), answered.get("cgi")];
      expect(own?.size).toBe(table.length);
      expect(own).toEqual(other);
    });

    it("tells to HEAD the length that GET has", async () => {
      for (const path of ["/", "/account/login.cgi", "/account/login.cgi?x=1", "/search.cgi?q=paying"]) {
        const [head, got] = [await ask("HEAD", path), await ask("GET", path)];
        const length = Buffer.byteLength(got.body);
        expect([path, head.body, Number(header(head, "content-length"))]).toEqual([path, "", length]);
        expect([head.status, Number(header(got, "content-length"))]).toEqual([got.status, length]);
      }
    });

    it("sends each of its guarding headers once, and no name of a server", async () => {
      for (const path of ["/", "/search.cgi", "/account/login.cgi", "/account/account.cgi"])
        for (const { headers } of [await ask("GET", path), await sendStream(wire, { ":path": path })]) {
          for (const name of [
            "content-security-policy",
            "x-content-type-options",
            "strict-transport-security",
          ])
            expect([path, name, headers.get(name)?.length]).toEqual([path, name, 1]);
          expect(headers.get("server")).toBeUndefined();
        }
    });

    it.each([
      ["/old.html", "/docs/paying.html#top"],
      ["/old.html?x=1", "/docs/paying.html#top"],
      ["/alt/m%C3%BCll%20(1)+$.html", "https://other.example/a%20b?x=%31&y=$1"],
      ["/old/", "/news/"],
    ])("leads from %s to where it has moved", async (path, to) => {
      const { status, headers } = await ask("GET", path);
      expect([status, headers.get("location")]).toEqual([301, [to]]);
    });

    it("sends files with the policy that the site needs; those named by their content may be kept", async () => {
      const page = await ask("GET", "/inline.html");
      const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
      const policy = header(page, "content-security-policy").split("; ");
      expect(policy).toContain("img-src 'self' https://pictures.example");
      expect(policy).toContain(`script-src ${hash('document.title = "\u00fc";')}`);
      expect(policy).toContain(`style-src 'self' ${hash("margin: 0")} 'unsafe-hashes'`);
      expect(policy).toContain("default-src 'none'");
      expect(page.headers.get("cache-control")).toBeUndefined();
      const [, sheet = ""] = /href="(\/style\.[0-9a-f]{10}\.css)"/.exec(page.body) ?? [];
      const kept = await ask("GET", sheet);
      expect([kept.status, header(kept, "cache-control")]).toEqual([200, "max-age=31536000"]);
      expect(kept.headers.get("content-security-policy")).toHaveLength(1);
      // One that is not there yet, as of a release that comes: not for a year.
      const missing = await ask("GET", "/x.0123456789.css");
      expect([missing.status, missing.headers.get("cache-control")]).toEqual([404, undefined]);
    });

    const html = "text/html; charset=utf-8";
    it.each([
      ["/", "gzip, deflate, br", `br ${html}`, "index.html.br"],
      ["/docs/", "gzip", `gzip ${html}`, "docs/index.html.gz"],
      ["/docs/paying.html", "br;q=0, gzip;q=0.5", `gzip ${html}`, "docs/paying.html.gz"],
      ["/docs/paying.html", "", html, "docs/paying.html"],
      ["/docs/paying.html", "identity", html, "docs/paying.html"],
      ["/style.css", "br", "br text/css; charset=utf-8", "style.css.br"],
    ])("sends %s, asked for with %j, as %j", async (path, takes, sent, file) => {
      const answer = await ask("HEAD", path, takes === "" ? "" : `Accept-Encoding: ${takes}\r\n`);
      expect(`${header(answer, "content-encoding")} ${header(answer, "content-type")}`.trim()).toBe(sent);
      const { length } = readFileSync(join(host.folder, "dist/current/www", file));
      expect([answer.status, Number(header(answer, "content-length")), header(answer, "vary")]).toEqual([
        200,
        length,
        "Accept-Encoding",
      ]);
    });

    it("leads plain http to https, under its own name", async () => {
      const request = "GET /docs/?x=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
      const moved = await sendPlain(host.httpPort, request);
      expect([moved?.status, moved?.headers.get("location")]).toEqual([
        308,
        [`https://${hostName}/docs/?x=1`],
      ]);
      const post = request
        .replace("GET /docs/", "POST /account/login.cgi")
        .replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n");
      expect((await sendPlain(host.httpPort, post))?.status).toBe(308);
    });

    it("takes two megabytes of usage from the service, and tells it a standing", async () => {
      const bearer = "Authorization: Bearer service-token\r\n";
      const fields = { day: "2026-11-22", account: "acct_none", machine: "m", meter: "storage", quantity: 1 };
      const row = `${JSON.stringify(fields)}\n`;
      const answer = await ask("POST", "/account/usage.cgi", bearer, row.repeat(20_000));
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([422, { more: 19_950 }]);
      expect((await ask("POST", "/account/usage.cgi", "", row)).status).toBe(401);
      expect((await ask("GET", "/account/standing.cgi?account=acct_none", bearer)).status).toBe(404);
    });

    it(
      "lets a stranger sign up, confirm, and log in, under a __Host- cookie",
      async () => {
        let cookie = "";
        let shown = "";
        const visit = async (method: string, path: string, fields: Record<string, string> = {}) => {
          const hidden = [...shown.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
          const form = { ...Object.fromEntries(hidden.map((found) => [found[1], found[2]])), ...fields };
          const type = `Content-Type: application/x-www-form-urlencoded\r\nOrigin: https://${hostName}\r\n`;
          const body = method === "POST" ? new URLSearchParams(form).toString() : "";
          const answer = await ask(
            method,
            path,
            `Cookie: ${cookie}\r\n${method === "POST" ? type : ""}`,
            body,
          );
          cookie = answer.headers.get("set-cookie")?.[0]?.split(";")[0] ?? cookie;
          shown = answer.body;
          return answer;
        };
        const [email, password] = ["mira@example.com", "four words are enough"];
        await visit("GET", "/account/signup.cgi");
        expect(cookie).toMatch(/^__Host-session=/);
        await visit("POST", "/account/signup.cgi", { email, password });
        const [mail] = host.rows("SELECT body FROM outbox") as { body: string }[];
        const link = /https:\/\/storage\.example\.com(\/account\/confirm\.cgi\?token=[\w-]+)/.exec(
          mail?.body ?? "",
        );
        await visit("GET", link?.[1] ?? "");
        await visit("POST", "/account/confirm.cgi", { password });
        await visit("GET", "/account/login.cgi");
        const login = await visit("POST", "/account/login.cgi", { email, password });
        expect([login.status, login.headers.get("location")]).toEqual([303, ["/account/account.cgi"]]);
        expect((await visit("GET", "/account/account.cgi")).body).toContain('<p class="balance">$0.00</p>');
      },
      wait,
    );

    it("writes down who asked for what, and no token", async () => {
      // The log is written every few seconds.
      const log = await eventually("the access log", () => {
        const text = host.read("log/access.log");
        return text.includes("/account/confirm.cgi") && text.includes('/account/account.cgi" 200')
          ? text
          : undefined;
      });
      expect(log).toMatch(/^127\.0\.0\.7 storage\.example\.com - \[/m);
      expect(log).toContain('"GET /account/confirm.cgi" 200');
      for (const secret of ["token", "paying HTTP", "q="]) expect(log).not.toContain(secret);
      const said = host.read("log/programs.log").trimEnd().split("\n");
      const form = /^[\dTZ:-]{20} security: (service-refused -|login acct_[a-z2-7]{16}) from 127\.0\.0\.7$/;
      expect(said).toHaveLength(2);
      for (const line of said) expect(line).toMatch(form);
    });
  },
);
