// Goal of this test: an address changes when the password was shown and its new reader has pressed a button; the old reader can
// undo it for a week, which ends what the thief had; nobody learns from it who is a customer.
import { TOTP } from "otpauth";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addPasskey } from "./support/authenticator.ts";
import { makeVisitor, type Visitor } from "./support/visitor.ts";

const [old, next] = ["ada@example.org", "ada@example.net"];
const current = `the password of ${old.length}`;
const dayMs = 24 * 3_600_000;

let visitor: Visitor;
beforeEach(async () => {
  visitor = await makeVisitor();
  await visitor.become(old);
  await visitor.get("address");
});
afterEach(() => visitor.end());

const addresses = () => visitor.test.raw("SELECT email FROM account ORDER BY created_at, rowid");
const mails = () =>
  visitor.test.raw(
    "SELECT recipient, subject, body, has_token FROM outbox WHERE id LIKE 'address%' ORDER BY rowid",
  ) as { recipient: string; subject: string; body: string; has_token: bigint }[];
const linkOf = (place: number) =>
  /(?:token|undo)=([\w-]+)/.exec(mails().at(place)?.body ?? "")?.[1] ?? "no link";
const ask = (email = next, from = visitor) => from.post("address", { email, current });

/** Asks, confirms as a stranger would who reads that mailbox, and gives the token for undoing. */
async function move(email = next): Promise<string> {
  await ask(email);
  const reader = await visitor.again();
  const token = linkOf(-1);
  await reader.get("address", { token });
  expect((await reader.post("address", { token })).status).toBe(200);
  return linkOf(-1);
}

describe("an address", () => {
  it("changes when its new reader presses the button, once, and no sooner", async () => {
    const answer = await ask("Ada@Example.NET");
    expect([answer.status, answer.body.includes(next)]).toEqual([200, true]);
    expect(mails()).toMatchObject([{ recipient: next, has_token: 1n }]);
    const reader = await visitor.again();
    const token = linkOf(0);
    expect((await reader.get("address", { token })).body).toContain(next);
    expect(addresses()).toEqual([{ email: old }]);
    expect((await reader.post("address", { token })).status).toBe(200);
    expect(addresses()).toEqual([{ email: next }]);
    for (const again of [await reader.get("address", { token }), await reader.post("address", { token })])
      expect(again.status).toBe(410);
    expect(mails()[1]).toMatchObject({ recipient: old, has_token: 1n });
    expect(mails()[1]?.body).toContain(next);
    // Who was logged in still is, and from now on logs in with the new one.
    expect((await visitor.get("account")).body).toContain(next);
    await reader.get("login");
    expect((await reader.post("login", { email: old, password: current })).status).toBe(422);
    expect((await reader.post("login", { email: next, password: current })).status).toBe(303);
  });

  it.each([
    [{ email: next, current: "not the password at all" }, "current password is wrong"],
    [{ email: next, current: "" }, "current password is wrong"],
    [{ email: old.toUpperCase(), current }, "your address already"],
    [{ email: "ada@", current }, "no address we can write to"],
  ])("does not change by %j", async (fields, sentence) => {
    const answer = await visitor.post("address", fields);
    expect([answer.status, answer.body.includes(sentence)]).toEqual([422, true]);
    expect(mails()).toEqual([]);
  });

  it("is asked for by whoever is logged in alone", async () => {
    const stranger = await visitor.again();
    await stranger.get("login");
    expect((await ask(next, stranger)).headers.get("Location")).toBe("/account/login.cgi");
    expect(mails()).toEqual([]);
  });

  it("that is a customer's is answered alike, and told to that customer", async () => {
    await (await visitor.again()).become("bob@example.com");
    const strip = (body: string, email: string) => body.replaceAll(email, "ADDRESS");
    const taken = await ask("bob@example.com");
    const free = await ask("eve@example.com");
    expect(strip(taken.body, "bob@example.com")).toBe(strip(free.body, "eve@example.com"));
    expect([taken.status, [...taken.headers.keys()]]).toEqual([free.status, [...free.headers.keys()]]);
    expect(mails()).toMatchObject(
      [
        { recipient: "bob@example.com", has_token: 0n, subject: /already/ },
        { recipient: "eve@example.com", has_token: 1n },
      ].map((mail) => ({ ...mail, subject: expect.any(String) })),
    );
    expect(linkOf(0)).toBe("no link");
  });

  it("is confirmed by the newest link alone, within a day, and not where somebody has it by then", async () => {
    await ask("one@example.com");
    await ask("two@example.com");
    expect((await visitor.get("address", { token: linkOf(0) })).status).toBe(410);
    await (await visitor.again()).become("two@example.com");
    expect((await visitor.post("address", { token: linkOf(1) })).status).toBe(410);
    await ask("three@example.com");
    visitor.test.clock.ms += dayMs;
    expect((await visitor.get("address", { token: linkOf(-1) })).status).toBe(410);
    expect(addresses()).toEqual([{ email: old }, { email: "two@example.com" }]);
  });

  it("that was asked for cannot be used to fill a mailbox", async () => {
    for (let time = 0; time < 8; time += 1)
      expect((await ask("victim@example.com")).status).toBe(time < 3 ? 200 : 429);
    expect(mails()).toHaveLength(3);
  });
});

describe("the old reader", () => {
  it("gives the account its address back, and ends all that the thief had", async () => {
    const undo = await move();
    const thief = await visitor.again();
    await thief.get("login");
    await thief.post("login", { email: next, password: current });
    await thief.get("reset");
    await thief.post("reset", { email: next });
    const owner = await visitor.again();
    expect((await owner.get("address", { undo })).body).toContain(old);
    expect(addresses()).toEqual([{ email: next }]);
    expect((await owner.post("address", { undo })).status).toBe(200);
    expect(addresses()).toEqual([{ email: old }]);
    expect(visitor.test.raw("SELECT * FROM session")).toEqual([]);
    expect(visitor.test.raw("SELECT * FROM password_reset")).toEqual([]);
    expect((await thief.get("account")).status).toBe(303);
    expect((await owner.post("address", { undo })).status).toBe(410);
    expect(mails().at(-1)).toMatchObject({ recipient: old, subject: expect.stringContaining("again") });
  });

  it("is not kept out by a second factor, a token, or a closing of the thief's", async () => {
    const undo = await move();
    const thief = await visitor.again();
    await thief.get("login");
    await thief.post("login", { email: next, password: current });
    await thief.get("factor");
    await thief.post("factor", { do: "begin", current });
    const { secret } = thief.given.get("account/factor-new") as { secret: string };
    const code = () => {
      visitor.test.clock.ms += 60_000;
      return new TOTP({ secret: secret.replaceAll(" ", "") }).generate({ timestamp: visitor.test.clock.ms });
    };
    await thief.post("factor", { do: "confirm", code: code() });
    await thief.post("tokens", { name: "mine", current, code: code() });
    await addPasskey(thief, { name: "mine", current, code: code() });
    await thief.post("close", { current, sure: "yes", code: code() });
    expect(visitor.test.raw("SELECT count(*) AS n FROM closing")).toEqual([{ n: 1n }]);
    const owner = await visitor.again();
    await owner.get("address", { undo });
    expect((await owner.post("address", { undo })).status).toBe(200);
    for (const table of ["factor", "passkey", "recovery_code", "access_token", "closing", "session"])
      expect([table, visitor.test.raw(`SELECT * FROM ${table}`)]).toEqual([table, []]);
    await owner.get("login");
    expect((await owner.post("login", { email: old, password: current })).status).toBe(303);
  });

  it.each([
    ["raised by a thief is off", true, ["owner", "owner", "undone"]],
    ["of before stays on", false, ["owner"]],
  ])("finds that an automatic recharge %s", async (_what, isRaised, whys) => {
    const wish = { below: "5", amount: "20", cap: "20", current };
    const started = await visitor.post("recharge", { ...wish, do: "card" });
    const back = await visitor.pressAtStripe(started.headers.get("Location") ?? "", "save-good");
    await visitor.get("recharge", Object.fromEntries(back.searchParams));
    visitor.test.clock.ms += 1000;
    const undo = await move();
    const thief = await visitor.again();
    await thief.get("login");
    await thief.post("login", { email: next, password: current });
    if (isRaised) {
      await thief.post("recharge", { ...wish, cap: "9999", do: "on" });
      // And a page that waits for another card.
      await thief.post("recharge", { ...wish, cap: "9999", do: "card" });
    }
    const owner = await visitor.again();
    await owner.get("address", { undo });
    await owner.post("address", { undo });
    expect(visitor.test.raw("SELECT why FROM recharge_rule ORDER BY number")).toEqual(
      whys.map((why) => ({ why })),
    );
    expect(visitor.test.raw("SELECT id FROM card_page")).toEqual([]);
  });

  it("keeps a second factor of before the change", async () => {
    await visitor.get("factor");
    await visitor.post("factor", { do: "begin", current });
    const { secret } = visitor.given.get("account/factor-new") as { secret: string };
    const code = () => {
      visitor.test.clock.ms += 60_000;
      return new TOTP({ secret: secret.replaceAll(" ", "") }).generate({ timestamp: visitor.test.clock.ms });
    };
    await visitor.post("factor", { do: "confirm", code: code() });
    await visitor.post("address", { email: next, current, code: code() });
    await visitor.post("address", { token: linkOf(-1) });
    await visitor.post("address", { undo: linkOf(-1) });
    expect(visitor.test.raw("SELECT count(*) AS n FROM recovery_code")).toEqual([{ n: 10n }]);
    expect(addresses()).toEqual([{ email: old }]);
  });

  it("keeps a passkey of before the change, and no question for another", async () => {
    await addPasskey(visitor, { name: "own", current });
    const { codes } = visitor.given.get("account/factor-codes") as { codes: string[] };
    visitor.test.clock.ms += 1000;
    await visitor.post("address", { email: next, current, code: codes[0] ?? "" });
    await visitor.post("address", { token: linkOf(-1) });
    await addPasskey(visitor, { name: "thief", current, code: codes[1] ?? "" });
    await visitor.post("passkey", { do: "new", name: "more", current, code: codes[2] ?? "" });
    expect(visitor.test.raw("SELECT name FROM passkey_challenge")).toHaveLength(1);
    await visitor.post("address", { undo: linkOf(-1) });
    expect(visitor.test.raw("SELECT name FROM passkey")).toEqual([{ name: "own" }]);
    expect(visitor.test.raw("SELECT name FROM passkey_challenge")).toEqual([]);
    expect(visitor.test.raw("SELECT count(*) AS n FROM recovery_code")).toEqual([{ n: 10n }]);
  });

  it("has a week", async () => {
    const undo = await move();
    visitor.test.clock.ms += 7 * dayMs - 1;
    expect((await visitor.get("address", { undo })).status).toBe(200);
    visitor.test.clock.ms += 1;
    expect((await visitor.post("address", { undo })).status).toBe(410);
    expect(addresses()).toEqual([{ email: next }]);
  });

  it("goes before every reader who came after", async () => {
    const first = await move();
    const second = await move("thief@example.com");
    await visitor.post("address", { undo: first });
    expect(addresses()).toEqual([{ email: old }]);
    expect((await visitor.post("address", { undo: second })).status).toBe(410);
  });

  it("is safe from strangers who sign up with the address, or move to it, meanwhile", async () => {
    const undo = await move();
    const stranger = await visitor.again();
    await stranger.get("signup");
    await stranger.post("signup", { email: old, password: "five words are quite enough" });
    expect(visitor.test.raw("SELECT * FROM signup")).toEqual([]);
    await stranger.become("bob@example.com");
    await stranger.get("address");
    await stranger.post("address", { email: old, current: "the password of 15" });
    expect(visitor.test.raw("SELECT * FROM address_change")).toEqual([]);
    expect((await visitor.post("address", { undo })).status).toBe(200);
    // After a week it is anybody's.
    await visitor.get("login");
    await visitor.post("login", { email: old, password: current });
    await move();
    visitor.test.clock.ms += 7 * dayMs;
    await stranger.post("signup", { email: old, password: "five words are quite enough" });
    expect(visitor.test.raw("SELECT email FROM signup")).toEqual([{ email: old }]);
  });
});
