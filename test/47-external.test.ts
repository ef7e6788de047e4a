// Goal of this test: other hosts are asked politely (HEAD before GET, pauses, Retry-After, a cache) and never on private
// addresses unless that is allowed; each answer is told for what it is. A real server on loopback answers.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWorkshop, type Workshop } from "./sites/workshop.ts";
import { checkWorkshop } from "./support/checked.ts";

let workshop: Workshop;
let server: Server;
let at: string;
let asked: { what: string; ms: number; agent: string }[];
let busy = 0;
beforeEach(async () => {
  workshop = openWorkshop();
  workshop.write(
    "site/etc/check.yaml",
    "rules: {orphan-page: off}\nexternal: {ignore: [elsewhere.example]}\n",
  );
  asked = [];
  busy = 1;
  server = createServer((request, response) => {
    const { method, url = "", headers } = request;
    asked.push({ what: `${method} ${url}`, ms: performance.now(), agent: headers["user-agent"] ?? "" });
    const status = Number(/\d{3}/.exec(url)?.[0] ?? 200);
    if (url === "/hangs") return;
    if (url === "/get-only") response.statusCode = method === "HEAD" ? 405 : 200;
    else if (url === "/busy") {
      if (busy > 0) response.writeHead(429, { "Retry-After": "1" });
      busy -= 1;
    } else if (status === 301 || status === 302) response.writeHead(status, { Location: "/new" });
    else response.statusCode = status;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  at = `http://other.example:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  workshop.end();
  server.closeAllConnections();
  server.close();
});

const ask = async (paths: readonly string[], change: object = {}) => {
  const links = paths.map((path) => `<p><a href="${at}${path}">x</a></p>`).join("\n");
  workshop.write("site/content/x.html", `<h1>X</h1>\n${links}\n`);
  const resolve = async () => ["127.0.0.1"];
  return checkWorkshop(workshop, {
    clock: { now: () => workshop.clock.ms + performance.now() },
    external: { resolve, pauseMs: 0, timeoutMs: 300, mayAskPrivate: true, ...change },
  });
};
const link = (path: string) => `content/x.html:2:13: link "${at}${path}"`;

describe("a link to another host", () => {
  it.each([
    ["/fine", [], ["HEAD /fine"]],
    ["/get-only", [], ["HEAD /get-only", "GET /get-only"]],
    ["/404", [": the answer is 404 [external-link]"], ["HEAD /404", "GET /404"]],
    [
      "/403",
      [": other.example:PORT does not let a program in (403); look at it yourself [external-unsure]"],
      ["HEAD /403", "GET /403"],
    ],
    ["/301", [': moved for good; write "AT/new" [external-moved]'], ["HEAD /301", "HEAD /new"]],
    ["/302", [], ["HEAD /302", "HEAD /new"]],
    ["/429", [": other.example:PORT wants to be asked later (429) [external-unsure]"], ["HEAD /429"]],
    ["/hangs", [": it does not answer within 0.3 s [external-link]"], ["HEAD /hangs"]],
    ["/busy", [], ["HEAD /busy", "HEAD /busy"]],
  ])("to %s is judged", async (path, found, requests) => {
    const { told, external } = await ask([path]);
    const expected = found.map((text) =>
      text.replace("AT", at).replace("other.example:PORT", new URL(at).host),
    );
    const isWarning = /moved|unsure/.test(found[0] ?? "");
    expect(told).toEqual(expected.map((text) => `${isWarning ? "warn " : ""}${link(path)}${text}`));
    expect(asked.map(({ what }) => what)).toEqual(requests);
    expect(asked[0]?.agent).toBe("picodollar/0.0.1 (site check; +https://good.example)");
    expect(external).toEqual({ links: 3, asked: 1 });
    if (path === "/busy") expect((asked[1]?.ms ?? 0) - (asked[0]?.ms ?? 0)).toBeGreaterThan(900);
  });

  it("waits between two requests to one host", async () => {
    await ask(["/a", "/b"], { pauseMs: 300 });
    expect((asked[1]?.ms ?? 0) - (asked[0]?.ms ?? 0)).toBeGreaterThan(280);
  });

  it("is not asked on a private address", async () => {
    const { told } = await ask(["/a"], { mayAskPrivate: false });
    expect(told).toEqual([
      `warn ${link("/a")}: ${new URL(at).host} lies on this machine or a private network, and is not asked [external-unsure]`,
    ]);
    expect(asked).toEqual([]);
  });

  it("is not asked again for a week if it was right, for an hour if it was wrong", async () => {
    const hour = 3_600_000;
    await ask(["/fine", "/404"]);
    expect((await ask(["/fine", "/404"])).external).toEqual({ links: 4, asked: 0 });
    workshop.clock.ms += 2 * hour;
    expect((await ask(["/fine", "/404"])).external).toEqual({ links: 4, asked: 1 });
    workshop.clock.ms += 7 * 24 * hour;
    expect((await ask(["/fine", "/404"])).external).toEqual({ links: 4, asked: 2 });
  });

  it("is not asked if its host is ignored", async () => {
    workshop.write(
      "site/etc/check.yaml",
      "rules: {orphan-page: off}\nexternal:\n  ignore: [elsewhere.example, other.example]\n",
    );
    expect((await ask(["/404"])).told).toEqual([]);
  });
});

describe("site check", () => {
  it("keeps what it found by content, forgives a damaged cache, and builds nothing", async () => {
    expect(await checkWorkshop(workshop)).toMatchObject({ ok: true, validated: 8, told: [] });
    expect(await checkWorkshop(workshop)).toMatchObject({ validated: 0 });
    workshop.write("site/content/x.html", "<h1>X</h1><p><img src='/pictures/my%20dot.svg'></p>");
    const wrong = await checkWorkshop(workshop);
    expect(wrong).toMatchObject({ ok: false, validated: 1 });
    expect(await checkWorkshop(workshop)).toEqual({ ...wrong, validated: 0 });
    workshop.write("out/.cache/check.json", '{"a":[1], "b"');
    expect(await checkWorkshop(workshop)).toEqual({ ...wrong, validated: 9 });
    workshop.remove("site/content/x.html");
    await workshop.built();
  });

  it("tells what a build refuses, a misspelt rule, and a layout's fault once", async () => {
    workshop.write("site/etc/check.yaml", "rules:\n  orphan-pages: off\n  missing-alt: no\n");
    workshop.write("site/content/docs/x.html", "<h1>X</h1>\n<a href='/gone'>x</a>\n<div>");
    workshop.write(
      "site/layouts/footer.html",
      "<footer>\n<p>{{site.name}} <img src='/style.css'></p></footer>\n",
    );
    const { told } = await checkWorkshop(workshop);
    expect(told.filter((line) => !line.includes("orphan-page]"))).toEqual([
      'content/docs/x.html:2:10: link "/gone": there is no page and no file /gone [build]',
      "content/docs/x.html:3:1: <div> is never closed [build]",
      'etc/check.yaml:2:3: there is no rule "orphan-pages"; did you mean "orphan-page"? [build]',
      'etc/check.yaml:3:3: "rules.missing-alt" is "no"; it must be one of error, warn, off [build]',
      'layouts/footer.html:2:18: <img> has no alt; write what the picture says, or alt="" if it only decorates [missing-alt]',
    ]);
  });
});
