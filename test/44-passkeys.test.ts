// Goal of this test: a passkey lets its owner in, and nobody without it: each answer opens once, in the browser that was asked,
// within minutes, for this site alone; beside it a password opens nothing; and what its owner loses is not left open.
import { generateKeyPairSync } from "node:crypto";
import { TOTP } from "otpauth";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formTokenOf } from "../cgi/support/visit.ts";
import type { AccountId } from "../lib/accounts/account.ts";
import {
  challengeLifeMs,
  mostPasskeys,
  passkeyHost,
  readChallenge,
  setChallenge,
} from "../lib/accounts/passkey.ts";
import { passkeyFreshMs, sessionIdleMs } from "../lib/accounts/session.ts";
import {
  type Authenticator,
  addPasskey,
  makeAuthenticator,
  questionOf,
  type Twist,
} from "./support/authenticator.ts";
import { testUrl } from "./support/site.ts";
import { type Answer, makeVisitor, passwordOf, type Visitor } from "./support/visitor.ts";

const address = "ada@example.org";
const current = passwordOf(address);
const short = "horse hey";

let visitor: Visitor;
let device: Authenticator;
let ada: AccountId;
beforeEach(async () => {
  visitor = await makeVisitor();
  device = makeAuthenticator({ origin: testUrl });
  ada = await visitor.become(address);
});
afterEach(() => visitor.end());

const question = (who = visitor) => questionOf(who);
const rows = (sql: string) => visitor.test.raw(sql);
const notices = (id: string) =>
  rows(`SELECT recipient, body FROM outbox WHERE id LIKE '${id}/%' ORDER BY rowid`) as {
    recipient: string;
    body: string;
  }[];
const codes = () => (visitor.given.get("account/factor-codes") as { codes: string[] }).codes;

/** Makes a passkey of `device`. */
const add = (name: string, change: { who?: Visitor; twist?: Twist; code?: string } = {}) => {
  const { who = visitor, twist = {}, code = "" } = change;
  return addPasskey(who, { name, current, code }, device, twist);
};

/** Another browser, at the point where it is asked for a passkey. */
async function stranger(): Promise<Visitor> {
  const other = await visitor.again();
  await other.get("login");
  await other.post("passkey", { do: "login" });
  return other;
}

async function signIn(twist: Twist = {}, who?: Visitor): Promise<Answer> {
  const other = who ?? (await stranger());
  return other.post("passkey", { do: "in", answer: device.get(question(other), twist) });
}

async function logIn(password: string, code = ""): Promise<number> {
  const other = await visitor.again();
  await other.get("login");
  return (await other.post("login", { email: address, password, code })).status;
}

describe("a passkey", () => {
  it("is asked for as two factors in one, by this site's name alone", async () => {
    await add("telephone");
    expect(JSON.parse(question())).toMatchObject({
      rp: { id: "picodollar.example" },
      user: { name: address, id: Buffer.from(ada).toString("base64url") },
      attestation: "none",
      excludeCredentials: [],
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
    });
    await add("laptop", { code: codes()[0] ?? "" });
    expect(JSON.parse(question()).excludeCredentials).toHaveLength(1);
    const other = await stranger();
    expect(JSON.parse(question(other))).toMatchObject({
      rpId: "picodollar.example",
      userVerification: "required",
      allowCredentials: [],
    });
    const first = JSON.parse(question(other)).challenge as string;
    expect(Buffer.from(first, "base64url")).toHaveLength(32);
    await other.post("passkey", { do: "login" });
    expect(JSON.parse(question(other)).challenge).not.toBe(first);
  });

  it("lets its owner in without a password, under a new token; then a password alone opens nothing", async () => {
    expect((await add("telephone")).body).toContain("Recovery codes");
    expect(codes()).toHaveLength(10);
    const other = await stranger();
    const before = other.cookie();
    visitor.moveTo("192.0.2.1");
    expect(await signIn({}, other)).toMatchObject({ status: 303 });
    expect(other.cookie()).not.toBe(before);
    expect((await other.get("account")).status).toBe(200);
    expect(await logIn(current)).toBe(422);
    expect(await logIn(current, codes()[0])).toBe(303);
    expect(await logIn(current, codes()[0])).toBe(422);
    expect(notices("passkey")).toMatchObject([{ recipient: address }]);
    expect(notices("passkey")[0]?.body).toMatch(/was added\. Its name is\n\ntelephone\n\nFrom now on/);
    expect(notices("new-place")).toEqual([]);
    const far = await stranger();
    far.moveTo("198.51.100.7");
    expect(await signIn({}, far)).toMatchObject({ status: 303 });
    expect(notices("new-place")).toHaveLength(1);
    expect(other.logged.join()).toContain(`security: login ${ada}`);
    expect(visitor.logged.join()).toContain(`security: passkey-added ${ada}`);
  });

  it("ends every other session when it is added, and when it is removed", async () => {
    const other = await visitor.again();
    await other.logIn(address);
    await add("telephone");
    expect((await other.get("account")).status).toBe(303);
    expect((await visitor.get("account")).status).toBe(200);
    const found = await stranger();
    await signIn({}, found);
    const [line] = rows("SELECT id FROM passkey") as { id: string }[];
    await visitor.post("passkey", { do: "remove", passkey: line?.id ?? "", current, code: codes()[0] ?? "" });
    expect((await found.get("account")).status).toBe(303);
    expect((await visitor.get("account")).status).toBe(200);
  });

  const otherKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  it.each<[string, Twist]>([
    ["to another challenge", { challenge: Buffer.alloc(32).toString("base64url") }],
    ["on another site", { origin: "https://picodollar.example.evil.example" }],
    ["without https", { origin: "http://picodollar.example" }],
    ["for another site's name", { rpId: "example" }],
    ["by nobody's finger", { flags: 1 }],
    ["with nobody there", { flags: 4 }],
    ["of the other kind", { type: "webauthn.create" }],
    ["by another key", { signer: otherKey }],
    ["by a key that is not known", { id: "AAAA" }],
    ["by a key of another account", { userHandle: Buffer.from("acct_other").toString("base64url") }],
    ["by a key that does not say whose it is", { userHandle: undefined }],
  ])("does not let in who answers %s; the question is void then", async (_what, twist) => {
    await add("telephone");
    const other = await stranger();
    expect((await signIn(twist, other)).status).toBe(422);
    expect((await signIn({}, other)).status).toBe(422);
    expect((await signIn()).status).toBe(303);
    expect(other.logged.join()).toContain("security: login-refused - from");
  });

  it("opens once, in the browser that was asked, within minutes", async () => {
    await add("telephone");
    const other = await stranger();
    const answer = device.get(question(other));
    const thief = await stranger();
    expect((await thief.post("passkey", { do: "in", answer })).status).toBe(422);
    const cookie = other.cookie();
    expect((await other.post("passkey", { do: "in", answer })).status).toBe(303);
    other.setCookie(cookie);
    expect((await other.post("passkey", { do: "in", answer })).status).toBe(422);
    const late = await stranger();
    visitor.test.clock.ms += challengeLifeMs;
    expect((await signIn({}, late)).status).toBe(422);
    const never = await visitor.again();
    await never.get("login");
    expect((await never.post("passkey", { do: "in", answer })).status).toBe(422);
    // Two of the same at the same moment.
    const twin = await stranger();
    const second = await visitor.again();
    second.setCookie(twin.cookie());
    const twice = device.get(question(twin));
    const both = await Promise.all(
      [twin, second].map((who) => who.post("passkey", { do: "in", answer: twice })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([303, 422]);
  });

  it("is asked for by one account's session, and not for long", async () => {
    const asked = { purpose: "show", challenge: "c", account: ada, name: "" } as const;
    await visitor.test.store.write((tx) => setChallenge(tx, "cookie", asked));
    const read = (account: AccountId | undefined) =>
      visitor.test.store.read((tx) => readChallenge(tx, "cookie", "show", account));
    expect(await read(ada)).toEqual(asked);
    expect([await read("acct_other" as AccountId), await read(undefined)]).toEqual([undefined, undefined]);
    visitor.test.clock.ms += challengeLifeMs;
    expect(await read(ada)).toBeUndefined();
  });

  it("ends the session that the browser had", async () => {
    await add("telephone");
    const before = visitor.cookie();
    await visitor.post("passkey", { do: "login" });
    expect((await signIn({}, visitor)).status).toBe(303);
    const old = await visitor.again();
    old.setCookie(before);
    expect((await old.get("account")).status).toBe(303);
    expect(rows("SELECT account FROM session")).toHaveLength(1);
  });

  it("that was copied by somebody is found out by its count", async () => {
    await add("telephone", { twist: { counter: 5 } });
    expect((await signIn({ counter: 6 })).status).toBe(303);
    expect((await signIn({ counter: 6 })).status).toBe(422);
    expect((await signIn({ counter: 7 })).status).toBe(303);
  });

  it("opens no closed account", async () => {
    await add("telephone");
    await visitor.post("close", { current, code: codes()[0] ?? "", money: "leave", sure: "yes" });
    expect(rows("SELECT account FROM closing")).toHaveLength(1);
    expect((await signIn()).status).toBe(422);
  });

  it.each(["", "null", "[]", '{"id":1}', '{"id":"x","response":null}', "{", `{"id":"${"x".repeat(9000)}"}`])(
    "is not %s",
    async (answer) => {
      await add("telephone");
      const other = await stranger();
      expect((await other.post("passkey", { do: "in", answer })).status).toBe(422);
      expect(
        (await visitor.post("passkey", { do: "new", name: "b", current, code: codes()[0] ?? "" })).status,
      ).toBe(200);
      expect((await visitor.post("passkey", { do: "add", answer })).status).toBe(422);
      expect(rows("SELECT name FROM passkey")).toEqual([{ name: "telephone" }]);
    },
  );

  it.each<[string, Twist]>([
    ["to another challenge", { challenge: Buffer.alloc(32).toString("base64url") }],
    ["on another site", { origin: "https://evil.example" }],
    ["for another site's name", { rpId: "example" }],
    ["by nobody's finger", { flags: 1 }],
    ["of the other kind", { type: "webauthn.get" }],
  ])("is not made by an answer %s", async (_what, twist) => {
    expect((await add("telephone", { twist })).status).toBe(422);
    expect(rows("SELECT name FROM passkey")).toEqual([]);
    expect(await logIn(current)).toBe(303);
  });

  it("is made by whoever shows the password, and names each once", async () => {
    await visitor.get("passkey");
    expect((await visitor.post("passkey", { do: "new", name: "a", current: "not it at all" })).status).toBe(
      422,
    );
    expect(
      (await visitor.post("passkey", { do: "add", answer: device.create('{"challenge":"AAAA"}') })).status,
    ).toBe(422);
    await add("telephone");
    expect((await add("telephone", { code: codes()[0] ?? "" })).body).toContain("passkey of this name");
    expect((await add("", { code: codes()[1] ?? "" })).status).toBe(422);
    // One that another account has is not taken over.
    const { credential } = rows("SELECT credential FROM passkey")[0] as { credential: string };
    const bob = await visitor.again();
    await bob.become("eve@example.org");
    expect((await add("mine", { who: bob, twist: { id: credential } })).body).toContain("known here already");
    for (let n = 1; n < mostPasskeys; n += 1)
      visitor.test.raw(
        `INSERT INTO passkey VALUES ('key_${n}', '${ada}', 'n${n}', 'c${n}', 'AA', 0, 0, 1, NULL)`,
      );
    expect((await add("one more", { code: codes()[2] ?? "" })).body).toContain("There are 20 passkeys");
  });
});

describe("a passkey that is shown", () => {
  const show = async (who = visitor, back = "tokens", on = device, twist: Twist = {}) => {
    await who.post("passkey", { do: "show", back });
    return who.post("passkey", { do: "shown", back, answer: on.get(question(who), twist) });
  };

  it("stands in for a code for some minutes, and never for the password", async () => {
    await add("telephone");
    expect((await visitor.get("tokens")).body).toContain('href="/account/passkey.cgi?back&#x3D;tokens"');
    expect((await visitor.post("tokens", { name: "a", current })).status).toBe(422);
    expect((await visitor.get("passkey", { back: "tokens" })).status).toBe(200);
    const before = visitor.cookie();
    const shown = await show();
    expect([shown.status, shown.headers.get("Location")]).toEqual([303, "/account/tokens.cgi"]);
    expect(visitor.cookie()).not.toBe(before);
    const old = await visitor.again();
    old.setCookie(before);
    expect((await old.get("account")).status).toBe(303);
    expect((await visitor.get("tokens")).body).not.toContain('name="code"');
    expect((await visitor.post("tokens", { name: "a", current: "not it at all" })).status).toBe(422);
    expect((await visitor.post("tokens", { name: "a", current })).status).toBe(200);
    visitor.test.clock.ms += passkeyFreshMs;
    expect((await visitor.post("tokens", { name: "b", current })).status).toBe(422);
    expect(rows("SELECT name FROM access_token")).toEqual([{ name: "a" }]);
    expect(visitor.logged.join()).toContain(`security: passkey-shown ${ada}`);
  });

  it("at a login counts as well", async () => {
    await add("telephone");
    const other = await stranger();
    await signIn({}, other);
    expect((await other.post("tokens", { name: "a", current })).status).toBe(200);
  });

  it("is one of this account, for this session, and leads to pages of ours alone", async () => {
    await add("telephone");
    const eve = await visitor.again();
    await eve.become("eve@example.org");
    const hers = makeAuthenticator({ origin: testUrl });
    await eve.post("passkey", { do: "show" });
    expect(eve.given.get("account/passkey-show")).toMatchObject({ error: "This account has no passkey." });
    await addPasskey(eve, { name: "e", current: passwordOf("eve@example.org") }, hers);
    await visitor.get("account");
    expect((await show(visitor, "tokens", hers)).status).toBe(422);
    // A question for a login, or for a new one, is none for this, and the other way round.
    await visitor.post("passkey", { do: "new", name: "b", current, code: codes()[0] ?? "" });
    expect((await visitor.post("passkey", { do: "shown", answer: device.get(question()) })).status).toBe(422);
    await visitor.post("passkey", { do: "login" });
    expect((await visitor.post("passkey", { do: "shown", answer: device.get(question()) })).status).toBe(422);
    await visitor.post("passkey", { do: "show" });
    expect((await visitor.post("passkey", { do: "in", answer: device.get(question()) })).status).toBe(422);
    for (const back of ["https://evil.ex", "//evil.example", "logout", "", "login"])
      expect((await show(visitor, back)).headers.get("Location"), back).toBe("/account/settings.cgi");
    await visitor.post("passkey", { do: "show" });
    const answer = device.get(question());
    visitor.test.clock.ms += sessionIdleMs;
    expect((await visitor.post("passkey", { do: "shown", answer })).headers.get("Location")).toBe(
      "/account/login.cgi",
    );
    expect(visitor.logged.join()).toContain(`security: passkey-refused ${ada}`);
  });
});

describe("a passkey that is removed", () => {
  const idOf = (name: string) =>
    (rows(`SELECT id FROM passkey WHERE name = '${name}'`)[0] as { id: string } | undefined)?.id ?? "";
  const remove = (passkey: string, word = current, code = codes()[0] ?? "") =>
    visitor.post("passkey", { do: "remove", passkey, current: word, code });

  it("opens nothing any more; the last one takes the recovery codes with it", async () => {
    await add("telephone");
    const first = codes();
    await add("laptop", { code: first[0] ?? "" });
    expect(codes()).toBe(first);
    expect((await remove(idOf("telephone"), current, "")).status).toBe(422);
    await remove(idOf("telephone"), current, first[1]);
    expect((await signIn()).status).toBe(303);
    expect(rows("SELECT count(*) AS n FROM recovery_code")).toEqual([{ n: 10n }]);
    const { href } = (visitor.given.get("account/passkeys") as { passkeys: { href: string }[] })
      .passkeys[0] ?? {
      href: "",
    };
    expect(href).toBe(`/account/passkey.cgi?passkey=${idOf("laptop")}`);
    expect((await visitor.get("passkey", { passkey: idOf("laptop") })).body).toContain("only second factor");
    await remove(idOf("laptop"), current, first[2]);
    expect((await signIn()).status).toBe(422);
    expect(rows("SELECT * FROM recovery_code")).toEqual([]);
    expect(await logIn(current)).toBe(303);
    expect(notices("passkey").map(({ body }) => /was (added|removed)/.exec(body)?.[1])).toEqual([
      "added",
      "added",
      "removed",
      "removed",
    ]);
    expect(notices("passkey").at(-1)?.body).toContain("the password alone is enough");
    expect(notices("passkey").at(-2)?.body).not.toContain("alone");
    expect(visitor.logged.join()).toContain(`security: passkey-removed ${ada}`);
  });

  it("leaves no short password alone", async () => {
    await add("telephone");
    const own = codes();
    await visitor.post("password", { current, code: own[0] ?? "", password: short });
    expect((await remove(idOf("telephone"), short, own[1])).body).toContain("too short to be alone");
    expect(rows("SELECT name FROM passkey")).toHaveLength(1);
    await visitor.post("password", { current: short, code: own[2] ?? "", password: current });
    await remove(idOf("telephone"), current, own[3]);
    expect(rows("SELECT name FROM passkey")).toEqual([]);
  });

  it("is the owner's alone", async () => {
    await add("telephone");
    const eve = await visitor.again();
    await eve.become("eve@example.org");
    const passkey = idOf("telephone");
    for (const id of [passkey, "key_none"])
      expect((await eve.get("passkey", { passkey: id })).status, id).toBe(404);
    await eve.post("passkey", { do: "remove", passkey, current: passwordOf("eve@example.org") });
    await visitor.post("passkey", { do: "remove", passkey: "key_none", current, code: codes()[0] ?? "" });
    expect(idOf("telephone")).toBe(passkey);
    expect(notices("passkey")).toHaveLength(1);
  });
});

describe("passkeys and an authenticator app", () => {
  it("share their recovery codes; either may go while the other is there", async () => {
    const appCode = () => {
      const { secret } = visitor.given.get("account/factor-new") as { secret: string };
      visitor.test.clock.ms += 60_000;
      return new TOTP({ secret: secret.replaceAll(" ", "") }).generate({ timestamp: visitor.test.clock.ms });
    };
    await add("telephone");
    const own = codes();
    await visitor.post("factor", { do: "begin", current, code: own[0] ?? "" });
    // Until its first code came back, the app opens nothing.
    expect(await logIn(current, appCode())).toBe(422);
    const on = await visitor.post("factor", { do: "confirm", code: appCode() });
    expect(on.body).toContain("a code of your app, or one of");
    expect(codes()).toBe(own);
    expect(await logIn(current, appCode())).toBe(303);
    expect(await logIn(current, own[1])).toBe(303);
    await visitor.post("password", { current, code: appCode(), password: short });
    const off = await visitor.post("factor", { do: "off", current: short, code: appCode() });
    expect(off.body).toContain("It is on: a login takes one of");
    expect(notices("factor").at(-1)?.body).toContain("taken off");
    expect(await logIn(short, appCode())).toBe(422);
    expect(await logIn(short, own[2])).toBe(303);
    expect((await signIn()).status).toBe(303);
  });
});

describe("where browsers have none", () => {
  it.each([
    ["https://example.org", "example.org"],
    ["https://www.example.org:8443", "www.example.org"],
    ["http://localhost:8080", "localhost"],
    ["http://example.org", undefined],
    ["https://192.0.2.1", undefined],
    ["https://[2001:db8::1]", undefined],
    ["http://127.0.0.1:8080", undefined],
  ])("at %s: %s", (url, host) => {
    expect(passkeyHost(url)).toBe(host);
  });

  it("passkeys are not offered, and can be removed", async () => {
    await add("telephone");
    const [own, token] = [codes(), visitor.cookie()];
    const url = "https://192.0.2.1";
    const bare = await visitor.again({ settings: { url } });
    const send = (name: string, fields?: Record<string, string>) => {
      const body = Buffer.from(new URLSearchParams({ form_token: formTokenOf(token), ...fields }).toString());
      const environment = {
        REQUEST_METHOD: fields === undefined ? "GET" : "POST",
        HTTP_HOST: "192.0.2.1",
        HTTP_COOKIE: `__Host-session=${token}`,
        HTTP_ORIGIN: url,
        CONTENT_TYPE: "application/x-www-form-urlencoded",
        CONTENT_LENGTH: String(body.length),
      };
      return bare.hand(name, environment, fields === undefined ? Buffer.of() : body);
    };
    expect((await send("passkey")).body).toContain("not offered here");
    expect((await send("login")).body).not.toContain("passkey");
    expect((await send("tokens")).body).not.toContain("Show a passkey");
    expect((await send("passkey", { do: "login" })).headers.get("Location")).toBe("/account/login.cgi");
    for (const wish of ["show", "new", "shown", "add"])
      expect((await send("passkey", { do: wish, name: "b", current })).body, wish).toContain(
        "not offered here",
      );
    const [line] = rows("SELECT id FROM passkey") as { id: string }[];
    await send("passkey", { do: "remove", passkey: line?.id ?? "", current, code: own[0] ?? "" });
    expect(rows("SELECT id FROM passkey")).toEqual([]);
  });
});

describe("the only script", () => {
  it("may run on the page that asks for a passkey, and comes from its own address", async () => {
    await visitor.get("passkey");
    const asked = await visitor.post("passkey", { do: "new", name: "a", current });
    const policy = asked.headers.get("Content-Security-Policy") ?? "";
    expect(policy).toContain(
      "default-src 'none'; script-src https://picodollar.example/account/passkey.cgi;",
    );
    expect(policy).not.toContain("unsafe");
    expect(asked.body.match(/<script[^>]*>[^<]*/g)).toEqual([
      '<script src="/account/passkey.cgi?script=1" defer>',
    ]);
    const script = await visitor.get("passkey", { script: "1" });
    expect(script.headers.get("Content-Type")).toBe("text/javascript; charset=utf-8");
    // It refers to nothing but what it is given.
    expect(() => new Function(script.body)).not.toThrow();
    for (const name of ["login", "account", "passkey", "factor"]) {
      const page = await visitor.get(name);
      expect(page.headers.get("Content-Security-Policy")).not.toContain("script-src");
      expect(page.body).not.toContain("<script");
    }
  });
});
