// Goal of this test: a customer sees where the account is logged in, ends one or all others, and is told of a login from a new
// place; nobody ends, or sees, another customer's.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeBrowser } from "../cgi/support/browser.ts";
import { TryLater } from "../lib/util/failure.ts";
import { pathOf, routes } from "../lib/util/routes.ts";
import { testUrl } from "./support/site.ts";
import { makeVisitor, type Visitor } from "./support/visitor.ts";

const address = "ada@example.org";
const password = `the password of ${address.length}`;

let visitor: Visitor;
beforeEach(async () => {
  visitor = await makeVisitor();
  await visitor.become(address);
});
afterEach(() => visitor.end());

const shown = (from = visitor) =>
  (from.given.get("account/sessions") as { sessions: { id: string; isThis: boolean; network: string }[] })
    .sessions;

async function logIn(network: string): Promise<Visitor> {
  const other = await visitor.again();
  other.moveTo(network);
  await other.get("login");
  await other.post("login", { email: address, password });
  return other;
}
const notices = () =>
  visitor.test.raw("SELECT recipient, body FROM outbox WHERE id LIKE 'new-place/%' ORDER BY rowid") as {
    recipient: string;
    body: string;
  }[];

describe("the list of sessions", () => {
  it("shows each, and ends one or all others", async () => {
    const phone = await logIn("198.51.100.7");
    const laptop = await logIn("203.0.113.9");
    await visitor.get("sessions");
    expect(
      shown()
        .map(({ network, isThis }) => [network, isThis])
        .sort(),
    ).toEqual([
      ["192.0.2.1", true],
      ["198.51.100.7", false],
      ["203.0.113.9", false],
    ]);
    const end = shown().find(({ network }) => network === "198.51.100.7")?.id ?? "";
    for (const time of ["once", "twice"]) {
      expect((await visitor.post("sessions", { end })).status, time).toBe(200);
      expect((await phone.get("account")).status).toBe(303);
      expect((await laptop.get("account")).status).toBe(200);
    }
    await visitor.post("sessions", { end: "others" });
    expect((await laptop.get("account")).status).toBe(303);
    expect((await visitor.get("account")).status).toBe(200);
    expect(shown()).toHaveLength(1);
  });

  it("is of one's own account alone", async () => {
    const bob = await visitor.again();
    await bob.become("bob@example.com");
    await bob.get("sessions");
    expect(shown(bob)).toHaveLength(1);
    await visitor.get("sessions");
    for (const end of [shown()[0]?.id ?? "", "others", "", "x".repeat(16)])
      await bob.post("sessions", { end });
    expect((await visitor.get("account")).status).toBe(200);
    // The id in the page is not what is in the cookie, or in the file.
    const id = shown()[0]?.id ?? "";
    expect(JSON.stringify(visitor.test.raw("SELECT token_hash FROM session"))).not.toContain(id);
  });

  it("has no session that ended for want of use, and use is noted", async () => {
    await logIn("198.51.100.7");
    visitor.test.clock.ms += 50 * 60_000;
    await visitor.get("account");
    visitor.test.clock.ms += 50 * 60_000;
    await visitor.get("sessions");
    expect(shown().map(({ isThis }) => isThis)).toEqual([true]);
  });
});

it("a login from a new place is told to the owner, once for each place, and not the first of all", async () => {
  expect(notices()).toEqual([]);
  await logIn("192.0.2.1");
  expect(notices()).toEqual([]);
  await logIn("198.51.100.7");
  await logIn("198.51.100.7");
  expect(notices()).toHaveLength(1);
  expect(notices()[0]).toMatchObject({ recipient: address, body: expect.stringContaining("198.51.100.7") });
});

it("every page of whoever is logged in has the way out, and no other page", async () => {
  const hasWayOut = (body: string) =>
    /<nav aria-label="Account">[\s\S]*logout\.cgi[\s\S]*?<\/nav>/.test(body);
  for (const { name, methods, speaks } of routes) {
    if (!methods.includes("GET") || speaks === "json" || ["search", "export"].includes(name)) continue;
    const { status, body } = await visitor.get(name);
    const isForEverybody = ["signup", "confirm", "login", "reset", "second"].includes(name);
    if (status !== 303) expect([name, hasWayOut(body)]).toEqual([name, !isForEverybody]);
  }
  const stranger = await visitor.again();
  expect(hasWayOut((await stranger.get("login")).body)).toBe(false);
  expect(hasWayOut((await stranger.get("logout")).body)).toBe(false);
});

it("a page that tells of a fault offers nobody to sign up who may be logged in", async () => {
  const links = (body: string) => {
    const shown = /<nav aria-label="Account">([\s\S]*?)<\/nav>/.exec(body)?.[1] ?? "";
    return [...shown.matchAll(/>([^<>]+)<\/a>/g)].map(([, label]) => label);
  };
  const refused = await visitor.get("account", { x: "1" });
  expect([refused.status, links(refused.body)]).toEqual([400, ["Your account"]]);
  const failing = await visitor.hand(
    "account",
    {
      REQUEST_METHOD: "GET",
      SCRIPT_NAME: pathOf("account"),
      HTTP_HOST: new URL(testUrl).host,
      HTTP_COOKIE: `__Host-session=${visitor.cookie()}`,
      REMOTE_ADDR: "192.0.2.1",
    },
    new Uint8Array(0),
    (own) => async (visit) => {
      await own(visit);
      throw new TryLater("planted");
    },
  );
  expect([failing.status, links(failing.body)]).toEqual([503, ["Your account", "Log out"]]);
});

describe("what the log says of access", () => {
  it("is who got in, who did not, and what was changed, with no address and no secret", async () => {
    const before = visitor.logged.length;
    await visitor.get("login");
    await visitor.post("login", { email: address, password: "not the password at all" });
    await visitor.post("login", { email: "nobody@example.org", password: "not the password at all" });
    await visitor.logIn(address);
    await visitor.post("password", { current: "wrong", password: "five words are enough too" });
    await visitor.post("password", { current: password, password: "five words are enough too" });
    await visitor.post("logout", {});
    const [row] = visitor.test.raw("SELECT id FROM account") as { id: string }[];
    const lines = visitor.logged.slice(before);
    expect(
      lines.map((line) => line.replace(/^[\dTZ:-]{20} /, "").replace(row?.id ?? "?", "ACCOUNT")),
    ).toEqual([
      "security: login-refused ACCOUNT from 192.0.2.1",
      "security: login-refused - from 192.0.2.1",
      "security: login ACCOUNT from 192.0.2.1",
      "security: proof-refused ACCOUNT from 192.0.2.1",
      "security: password-changed ACCOUNT from 192.0.2.1",
      "security: logout ACCOUNT from 192.0.2.1",
    ]);
    expect(lines.join("\n")).not.toMatch(/@|password at all|five words/);
  });

  it("is also a form of somebody else's making", async () => {
    const before = visitor.logged.length;
    const cookie = visitor.cookie();
    visitor.setCookie("b".repeat(43));
    await visitor.get("warnings");
    visitor.setCookie(cookie);
    const environment = {
      REQUEST_METHOD: "POST",
      SCRIPT_NAME: "/account/warnings.cgi",
      HTTP_HOST: new URL(testUrl).host,
      HTTP_ORIGIN: "https://evil.example",
      CONTENT_TYPE: "application/x-www-form-urlencoded",
      CONTENT_LENGTH: "6",
      REMOTE_ADDR: "2001:db8::1\nsecurity: login",
    };
    await visitor.hand("warnings", environment, Buffer.from("days=7"));
    const [line] = visitor.logged.slice(before);
    expect(line).toMatch(/Z security: foreign-origin - from /);
    expect(line).not.toContain("\n");
  });
});

describe("a browser", () => {
  it.each([
    ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"],
    [
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
      "Edge on Windows",
    ],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
      "Safari on iOS",
    ],
    [
      "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
      "Chrome on Android",
    ],
    ["curl/7.88.1", "curl"],
    ["<script>alert(1)</script>", ""],
    ["", ""],
  ])("that says %j is shown as %j", (userAgent, words) => {
    expect(describeBrowser(userAgent)).toBe(words);
  });
});
