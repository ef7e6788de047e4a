// Goal of this test: whoever learnt a password keeps nothing from its owner, who reads the mail: an older change of address is
// undone whatever was changed since, and what the thief left waiting opens nothing any more.

import { TOTP } from "otpauth";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cookieName, formTokenOf, type Handler } from "../cgi/support/visit.ts";
import { addPasskey } from "./support/authenticator.ts";
import { testUrl } from "./support/site.ts";
import { type Answer, makeVisitor, passwordOf, type Visitor } from "./support/visitor.ts";

const own = "ada@example.org";
const current = passwordOf(own);

let owner: Visitor;
let thief: Visitor;
beforeEach(async () => {
  owner = await makeVisitor();
  await owner.become(own);
  thief = await owner.again();
  await thief.logIn(own);
});
afterEach(() => owner.end());

const addresses = () => owner.test.raw("SELECT email FROM account");

/** The newest link of a kind that was mailed to an address. */
function linkTo(recipient: string, kind: "token" | "undo"): string {
  const mails = owner.test.raw(
    `SELECT body FROM outbox WHERE recipient = '${recipient}' ORDER BY rowid DESC`,
  ) as {
    body: string;
  }[];
  const links = mails.map(({ body }) => new RegExp(`${kind}=([\\w-]+)`).exec(body)?.[1]);
  return links.find((link) => link !== undefined) ?? "no link";
}

/** The thief asks for another address, and confirms it there. */
async function moveTo(email: string): Promise<void> {
  await thief.get("address");
  await thief.post("address", { email, current });
  expect((await thief.post("address", { token: linkTo(email, "token") })).status).toBe(200);
}

describe("an owner's link that undoes a change of address", () => {
  it.each([0, 1000])("outlives a later change that a thief undoes %i ms after it", async (afterMs) => {
    await moveTo("thief@example.net");
    const link = linkTo(own, "undo");
    owner.test.clock.ms += afterMs;
    await moveTo("another@example.net");
    owner.test.clock.ms += afterMs;
    const later = linkTo("thief@example.net", "undo");
    expect((await thief.post("address", { undo: later })).status).toBe(200);
    expect(addresses()).toEqual([{ email: "thief@example.net" }]);
    expect((await owner.post("address", { undo: link })).status).toBe(200);
    expect(addresses()).toEqual([{ email: own }]);
    expect(owner.test.raw("SELECT * FROM address_undo")).toEqual([]);
  });

  it.each(["this release", "an earlier one"])(
    "ends what a thief made since the change, written by %s, was asked for",
    async (writer) => {
      await owner.post("tokens", { name: "own", current });
      owner.test.clock.ms += 1000;
      await thief.get("address");
      await thief.post("address", { email: "thief@example.net", current });
      owner.test.clock.ms += 1000;
      await thief.post("tokens", { name: "theirs", current });
      await addPasskey(thief, { name: "theirs", current });
      owner.test.clock.ms += 1000;
      await thief.post("address", { token: linkTo("thief@example.net", "token") });
      if (writer !== "this release")
        await owner.test.store.write((tx) => tx.run("UPDATE address_undo SET asked_at = NULL"));
      expect((await owner.post("address", { undo: linkTo(own, "undo") })).status).toBe(200);
      const names = (table: string) => owner.test.raw(`SELECT name FROM ${table}`);
      const left = writer === "this release" ? [] : [{ name: "theirs" }];
      expect([names("passkey"), names("access_token")]).toEqual([left, [{ name: "own" }, ...left]]);
    },
  );
});

describe("a new password", () => {
  const next = "quite another set of words";
  const change = async () => {
    await owner.get("password");
    return (await owner.post("password", { current, password: next })).status;
  };
  const reset = async () => {
    await owner.get("reset");
    await owner.post("reset", { email: own });
    return (await owner.post("reset", { token: linkTo(own, "token"), password: next })).status;
  };

  it.each([
    ["changed by who knows it", change, 303, 200],
    ["set by a link in the mail", reset, 200, 401],
  ])("that is %s ends what a thief left waiting", async (_what, set, status, read) => {
    await thief.get("address");
    await thief.post("address", { email: "thief@example.net", current });
    await thief.post("warnings", { days: "", dollars: "", second: "second@example.net" });
    await thief.post("machines", { name: "theirs", current });
    const { token: machine } = thief.given.get("account/machines") as { token: string };
    await thief.post("tokens", { name: "theirs", current });
    const { token } = thief.given.get("account/tokens") as { token: string };
    await thief.post("recharge", { below: "5", amount: "20", cap: "20", current, do: "card" });
    expect(owner.test.raw("SELECT account FROM card_page")).toHaveLength(1);
    expect(await set()).toBe(status);
    const late = await thief.again();
    await late.get("login");
    const links = [linkTo("thief@example.net", "token"), linkTo("second@example.net", "token")] as const;
    expect(links).not.toContain("no link");
    expect((await late.post("address", { token: links[0] })).status).toBe(410);
    expect((await late.post("second", { token: links[1] })).status).toBe(410);
    const body = Buffer.from(JSON.stringify({ token: machine }));
    expect((await owner.ask("machine", "service-token", { body })).status).toBe(404);
    expect(owner.test.raw("SELECT account FROM card_page")).toEqual([]);
    expect(addresses()).toEqual([{ email: own }]);
    // Tokens of programs are the owner's own affair where the password was known; the page leads to them.
    expect((await owner.ask("data", token, {})).status).toBe(read);
  });

  it("says on its page what becomes of tokens", async () => {
    expect((await owner.get("password")).body).toMatch(/Tokens of your programs stay: <a href="[^"]*tokens/);
    await reset();
    expect(owner.given.get("account/reset-done")).toBeDefined();
  });
});

describe("what happens while a new password is hashed", () => {
  const [theirs, next] = ["the thief has chosen this", "the owner has chosen this"];

  /** Sends a form, and does something else when the program has hashed so many times. */
  function sendWhile(
    from: Visitor,
    name: string,
    fields: Readonly<Record<string, string>>,
    { hashes, meanwhile }: { readonly hashes: number; readonly meanwhile: () => Promise<void> },
  ): Promise<Answer> {
    const form = new URLSearchParams({ form_token: formTokenOf(from.cookie()), ...fields });
    const body = Buffer.from(form.toString());
    let count = 0;
    const wrap =
      (own: Handler): Handler =>
      (visit) =>
        own({
          ...visit,
          site: {
            ...visit.site,
            hashInTurn: async (work) => {
              const result = await work();
              count += 1;
              if (count === hashes) await meanwhile();
              return result;
            },
          },
        });
    const environment = {
      REQUEST_METHOD: "POST",
      SCRIPT_NAME: `/account/${name}.cgi`,
      HTTP_HOST: new URL(testUrl).host,
      HTTP_COOKIE: `${cookieName(testUrl)}=${from.cookie()}`,
      HTTP_ORIGIN: testUrl,
      REMOTE_ADDR: "192.0.2.1",
      CONTENT_TYPE: "application/x-www-form-urlencoded",
      CONTENT_LENGTH: String(body.length),
    };
    return from.hand(name, environment, body, wrap);
  }

  const logIn = async (from: Visitor, password: string) => {
    await from.get("login");
    return (await from.post("login", { email: own, password })).status;
  };

  /** Turns an app's codes on, and gives the next one each time. */
  async function addApp(): Promise<() => string> {
    await owner.get("factor");
    await owner.post("factor", { do: "begin", current });
    const { secret } = owner.given.get("account/factor-new") as { secret: string };
    const code = () => {
      owner.test.clock.ms += 60_000;
      return new TOTP({ secret: secret.replaceAll(" ", "") }).generate({ timestamp: owner.test.clock.ms });
    };
    await owner.post("factor", { do: "confirm", code: code() });
    return code;
  }

  it("goes before it: a password that the owner sets by mail stays", async () => {
    const reader = await owner.again();
    await reader.get("reset");
    await reader.post("reset", { email: own });
    const fields = { token: linkTo(own, "token"), password: next };
    const meanwhile = async () => expect((await reader.post("reset", fields)).status).toBe(200);
    const answer = await sendWhile(
      thief,
      "password",
      { current, password: theirs },
      { hashes: 2, meanwhile },
    );
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, "/account/login.cgi"]);
    expect(owner.test.raw("SELECT account FROM session")).toEqual([]);
    expect([await logIn(reader, theirs), await logIn(reader, next)]).toEqual([422, 303]);
  });

  it.each([
    ["changed", 2],
    ["set by mail", 1],
  ])(
    "goes before it: one that is short beside a second factor is not %s when that is gone",
    async (what, hashes) => {
      const code = await addApp();
      const other = await owner.again();
      other.setCookie(owner.cookie());
      const meanwhile = async () =>
        expect((await other.post("factor", { do: "off", current, code: code() })).status).toBe(200);
      const short = "eight ch";
      await owner.post("reset", { email: own });
      const [name, fields] =
        what === "changed"
          ? (["password", { current, password: short, code: code() }] as const)
          : (["reset", { token: linkTo(own, "token"), password: short }] as const);
      const answer = await sendWhile(owner, name, fields, { hashes, meanwhile });
      expect([answer.status, answer.body.includes("changed meanwhile")]).toEqual([422, true]);
      expect([await logIn(other, short), await logIn(other, current)]).toEqual([422, 303]);
    },
  );
});
