// Goal of this test: a forgotten password is set anew by whoever reads the mail, once, within the hour; a known one is changed
// by whoever knows it; both end other sessions and are told to the owner; nobody learns who is a customer.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hashPassword } from "../lib/accounts/password.ts";
import { makeVisitor, type Visitor } from "./support/visitor.ts";

const address = "ada@example.org";
const password = `the password of ${address.length}`;
const next = "another long password";

let visitor: Visitor;
beforeEach(async () => {
  visitor = await makeVisitor();
  await visitor.become(address);
});
afterEach(() => visitor.end());

const mails = () =>
  visitor.test.raw("SELECT recipient, subject, body, has_token FROM outbox ORDER BY created_at, rowid") as {
    recipient: string;
    subject: string;
    body: string;
    has_token: bigint;
  }[];
const count = (table: string) =>
  (visitor.test.raw(`SELECT count(*) AS n FROM ${table}`)[0] as { n: bigint }).n;

/** Asks for a link, and reads it in the mail. */
async function ask(from: Visitor = visitor): Promise<string> {
  await from.get("reset");
  await from.post("reset", { email: address });
  const token = /reset\.cgi\?token=([\w-]+)/.exec(mails().at(-1)?.body ?? "")?.[1];
  if (token === undefined) throw new Error("no link was mailed");
  return token;
}

const login = async (word: string, from: Visitor) =>
  (await from.post("login", { email: address, password: word })).status;

it("a hash of another cost is made anew at the next login, and no other", async () => {
  const hash = () => visitor.test.raw("SELECT password_hash AS hash FROM account")[0] as { hash: string };
  const before = hash();
  await login(password, visitor);
  expect(hash()).toEqual(before);
  const weak = await hashPassword(password, { log2N: 2, r: 8, p: 1 });
  await visitor.test.store.write((tx) => tx.run("UPDATE account SET password_hash = ?", [weak]));
  expect(await login("not the password at all", visitor)).toBe(422);
  expect(hash()).toEqual({ hash: weak });
  expect(await login(password, visitor)).toBe(303);
  expect(hash().hash).toMatch(/^scrypt\$4\$8\$1\$/);
  expect(await login(password, visitor)).toBe(303);
});

describe("a forgotten password", () => {
  it("is set by the link in the mail, ends every session, logs nobody in, and is told to the owner", async () => {
    const other = await visitor.again();
    const token = await ask(other);
    expect(mails().at(-1)).toMatchObject({ recipient: address, has_token: 1n });
    const shown = await other.get("reset", { token });
    expect([shown.status, shown.body.includes('autocomplete="new-password"')]).toEqual([200, true]);
    expect((await visitor.get("account")).status).toBe(200);
    expect((await other.post("reset", { token, password: next })).status).toBe(200);
    expect(mails().at(-1)).toMatchObject({
      recipient: address,
      subject: expect.stringMatching(/was changed$/),
    });
    expect([count("session"), count("password_reset")]).toEqual([0n, 0n]);
    expect((await visitor.get("account")).status).toBe(303);
    expect((await other.get("account")).status).toBe(303);
    expect([await login(password, other), await login(next, other)]).toEqual([422, 303]);
  });

  it("is set once, within the hour, by the newest link", async () => {
    const first = await ask();
    for (const status of [200, 410])
      expect((await visitor.post("reset", { token: first, password: next })).status).toBe(status);
    visitor.test.clock.ms += 11 * 60_000;
    const second = await ask();
    visitor.test.clock.ms += 11 * 60_000;
    const third = await ask();
    expect((await visitor.get("reset", { token: second })).status).toBe(410);
    visitor.test.clock.ms += 3_600_000;
    expect((await visitor.get("reset", { token: third })).status).toBe(410);
    for (const token of ["", "x".repeat(43)]) {
      expect((await visitor.get("reset", { token })).status).toBe(410);
      expect((await visitor.post("reset", { token, password: next })).status).toBe(410);
    }
  });

  it("keeps the link where the new password is refused", async () => {
    const token = await ask();
    const answer = await visitor.post("reset", { token, password: "too short" });
    expect([answer.status, answer.body.includes("15 characters or more")]).toEqual([422, true]);
    expect((await visitor.post("reset", { token, password: next })).status).toBe(200);
  });

  it("is answered alike for who has an account and who has none, and writes to the first alone", async () => {
    const before = mails().length;
    const bodies: string[] = [];
    for (const email of [address, "eve@example.org"]) {
      const other = await visitor.again();
      other.setCookie("C".repeat(43));
      const answer = await other.post("reset", { email });
      expect(answer.status).toBe(200);
      bodies.push(answer.body.replaceAll(email, "ADDRESS"));
    }
    expect(bodies[0]).toBe(bodies[1]);
    expect(
      mails()
        .slice(before)
        .map((mail) => mail.recipient),
    ).toEqual([address]);
  });

  it("is mailed once in ten minutes, however often it is asked for", async () => {
    const before = mails().length;
    for (let time = 0; time < 5; time += 1) await visitor.post("reset", { email: address });
    expect(mails().length).toBe(before + 1);
    visitor.test.clock.ms += 10 * 60_000;
    await visitor.post("reset", { email: address });
    expect(mails().length).toBe(before + 2);
  });

  it("is told what is no address", async () => {
    const answer = await visitor.post("reset", { email: "ada" });
    expect([answer.status, answer.body.includes("no address we can write to")]).toEqual([422, true]);
  });
});

describe("a known password", () => {
  it("is changed by whoever knows it, who stays logged in while all others are logged out", async () => {
    const other = await visitor.again();
    await other.get("login");
    expect(await login(password, other)).toBe(303);
    await visitor.get("password");
    const before = visitor.cookie();
    const answer = await visitor.post("password", { current: password, password: next });
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, "/account/account.cgi"]);
    expect(visitor.cookie()).not.toBe(before);
    expect((await visitor.get("account")).status).toBe(200);
    expect((await other.get("account")).status).toBe(303);
    expect(mails().at(-1)).toMatchObject({
      recipient: address,
      subject: expect.stringMatching(/was changed$/),
    });
    await other.get("login");
    expect([await login(password, other), await login(next, other)]).toEqual([422, 303]);
  });

  it.each([
    ["not the one", next, "The current password is wrong"],
    [password, "too short", "15 characters or more"],
    [password, `${address} and more`, "must not hold your address"],
  ])("is not changed by %j to %j", async (current, password2, sentence) => {
    const sent = mails().length;
    await visitor.get("password");
    const answer = await visitor.post("password", { current, password: password2 });
    expect([answer.status, answer.body.includes(sentence)]).toEqual([422, true]);
    expect([mails().length, count("session")]).toEqual([sent, 1n]);
  });

  it("is not changed by who is not logged in", async () => {
    const other = await visitor.again();
    await other.get("login");
    const answer = await other.post("password", { current: password, password: next });
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, "/account/login.cgi"]);
  });
});
