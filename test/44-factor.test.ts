// Goal of this test: with a second factor on, a password alone opens nothing, not even by a reset; each code opens once; what
// turns it off takes both; who lost the app gets in by a recovery code; and the secret is of no use to who has the file.
import { TOTP } from "otpauth";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../lib/accounts/account.ts";
import { type Factor, openSecret, readFactor } from "../lib/accounts/factor.ts";
import { resealFactors } from "../lib/accounts/reseal.ts";
import { findTotpStep } from "../lib/accounts/totp.ts";
import { openSealed, sealText } from "../lib/util/sealed.ts";
import { makeVisitor, type Visitor } from "./support/visitor.ts";

const address = "ada@example.org";
const password = `the password of ${address.length}`;
const halfMinute = 30_000;

let visitor: Visitor;
beforeEach(async () => {
  visitor = await makeVisitor();
  await visitor.become(address);
  await visitor.get("factor");
});
afterEach(() => visitor.end());

const shownSecret = () =>
  (visitor.given.get("account/factor-new") as { secret: string }).secret.replaceAll(" ", "");
const shownCodes = () => (visitor.given.get("account/factor-codes") as { codes: string[] }).codes;
const codeAt = (ms: number) => new TOTP({ secret: shownSecret() }).generate({ timestamp: ms });
const codeNow = () => codeAt(visitor.test.clock.ms);
const notices = (id: string) =>
  visitor.test.raw(`SELECT recipient, body FROM outbox WHERE id LIKE '${id}/%' ORDER BY rowid`) as {
    recipient: string;
    body: string;
  }[];

async function turnOn(): Promise<void> {
  await visitor.post("factor", { do: "begin", current: password });
  const answer = await visitor.post("factor", { do: "confirm", code: codeNow() });
  expect(answer.body).toContain("Recovery codes");
  visitor.test.clock.ms += 2 * halfMinute;
}

async function logIn(code: string, word = password): Promise<number> {
  const other = await visitor.again();
  await other.get("login");
  return (await other.post("login", { email: address, password: word, code })).status;
}

describe("a second factor", () => {
  it("is on when its first code came back, and no sooner", async () => {
    const begun = await visitor.post("factor", { do: "begin", current: password });
    expect(begun.body).toMatch(/<path d="(M\d+ \d+h1v1h-1z)+"/);
    expect(shownSecret()).toMatch(/^[A-Z2-7]{32}$/);
    expect(await logIn("")).toBe(303);
    for (const code of ["", "12345", "abcdef", codeAt(visitor.test.clock.ms - 10 * halfMinute)])
      expect((await visitor.post("factor", { do: "confirm", code })).status, code).toBe(422);
    expect(await logIn("")).toBe(303);
    visitor.moveTo("198.51.100.9");
    const done = await visitor.post("factor", { do: "confirm", code: codeNow() });
    expect(done.status).toBe(200);
    expect(shownCodes()).toHaveLength(10);
    expect(new Set(shownCodes()).size).toBe(10);
    expect(notices("factor")).toMatchObject(
      [{ recipient: address, body: /turned on/ }].map(({ recipient }) => ({ recipient })),
    );
    expect(notices("factor")[0]?.body).toContain("turned on");
    visitor.test.clock.ms += 2 * halfMinute;
    expect(await logIn("")).toBe(422);
    expect(await logIn(codeNow())).toBe(303);
  });

  it("ends every other session, and keeps this one", async () => {
    const other = await visitor.again();
    await other.logIn(address);
    await turnOn();
    expect((await other.get("account")).status).toBe(303);
    expect((await visitor.get("account")).status).toBe(200);
  });

  it("takes each code once, and those of half a minute around", async () => {
    await turnOn();
    const now = codeNow();
    expect(await logIn(now)).toBe(303);
    expect(await logIn(now)).toBe(422);
    expect(
      await logIn(codeAt(visitor.test.clock.ms - halfMinute)),
      "one from before is not taken after it",
    ).toBe(422);
    expect(await logIn(`${codeAt(visitor.test.clock.ms + halfMinute).replace(/^.../, "$& ")}`)).toBe(303);
    visitor.test.clock.ms += 10 * halfMinute;
    expect(await logIn(codeAt(visitor.test.clock.ms - 2 * halfMinute))).toBe(422);
    expect(await logIn(codeAt(visitor.test.clock.ms + 2 * halfMinute))).toBe(422);
    expect(await logIn(codeAt(visitor.test.clock.ms - halfMinute))).toBe(303);
  });

  it("is stood in for by each recovery code once; new ones end the old", async () => {
    await turnOn();
    const [first = "", second = ""] = shownCodes();
    expect(await logIn(first.toUpperCase().replaceAll("-", " "))).toBe(303);
    expect(await logIn(first)).toBe(422);
    expect(notices("recovery-used")).toHaveLength(1);
    expect(notices("recovery-used")[0]).toMatchObject({ recipient: address });
    expect(await logIn(second, "not the password at all")).toBe(422);
    await visitor.get("factor");
    expect(visitor.given.get("account/factor")).toMatchObject({ codesLeft: 9 });
    await visitor.post("factor", { do: "codes", current: password, code: codeNow() });
    expect(await logIn(second)).toBe(422);
    expect(await logIn(shownCodes()[0] ?? "")).toBe(303);
  });

  it("is not gone around by a forgotten password, which may be shorter now", async () => {
    await turnOn();
    const stranger = await visitor.again();
    await stranger.get("reset");
    await stranger.post("reset", { email: address });
    const token = /token=([\w-]+)/.exec(notices("reset")[0]?.body ?? "")?.[1] ?? "";
    await stranger.get("reset", { token });
    expect((await stranger.post("reset", { token, password: "horse hey" })).status).toBe(200);
    expect(await logIn("", "horse hey")).toBe(422);
    expect(await logIn(codeNow(), "horse hey")).toBe(303);
  });

  it("is turned off by password and code together, and by a password that is long enough alone", async () => {
    await turnOn();
    const off = (current: string, code: string) => visitor.post("factor", { do: "off", current, code });
    expect((await off(password, "")).status).toBe(422);
    expect((await off("not the password at all", codeNow())).status).toBe(422);
    await visitor.get("password");
    await visitor.post("password", { current: password, code: codeNow(), password: "horse hey" });
    visitor.test.clock.ms += halfMinute;
    expect((await off("horse hey", codeNow())).body).toContain("too short to be alone");
    visitor.test.clock.ms += halfMinute;
    expect((await visitor.post("password", { current: "horse hey", code: codeNow(), password })).status).toBe(
      303,
    );
    visitor.test.clock.ms += halfMinute;
    expect((await off(password, codeNow())).status).toBe(200);
    expect(notices("factor").at(-1)?.body).toContain("turned off");
    expect(await logIn("")).toBe(303);
    expect(visitor.test.raw("SELECT * FROM factor, recovery_code")).toEqual([]);
  });

  it("is asked for before an address or a password changes", async () => {
    await turnOn();
    const wish = { current: password, email: "ada@example.net" };
    expect((await visitor.post("address", wish)).status).toBe(422);
    expect(
      (await visitor.post("password", { current: password, password: "five words are enough" })).status,
    ).toBe(422);
    expect((await visitor.post("address", { ...wish, code: codeNow() })).status).toBe(200);
  });

  it("that a thief with the password does not have is told to the owner, once a day, and to the thief not at all", async () => {
    await turnOn();
    const thief = await visitor.again();
    thief.moveTo("203.0.113.5");
    await thief.get("login");
    const right = await thief.post("login", { email: address, password, code: "123456" });
    const wrong = await thief.post("login", {
      email: address,
      password: "no such password at all",
      code: "123456",
    });
    await thief.post("login", { email: address, password });
    expect([right.status, right.body, [...right.headers]]).toEqual([
      wrong.status,
      wrong.body,
      [...wrong.headers],
    ]);
    expect(notices("wrong-code")).toHaveLength(1);
    expect(notices("wrong-code")[0]).toMatchObject({ recipient: address });
    expect(notices("wrong-code")[0]?.body).toContain("203.0.113.5");
  });

  it("counts wrong codes as wrong passwords", async () => {
    await turnOn();
    const thief = await visitor.again();
    thief.moveTo("203.0.113.5");
    await thief.get("login");
    const statuses: number[] = [];
    for (let time = 0; time < 7; time += 1)
      statuses.push((await thief.post("login", { email: address, password, code: `00000${time}` })).status);
    expect(statuses.slice(0, 5)).toEqual([422, 422, 422, 422, 422]);
    expect(statuses.slice(5)).toEqual([429, 429]);
  });

  it("waits for its first code for an hour", async () => {
    await visitor.post("factor", { do: "begin", current: password });
    visitor.test.clock.ms += 3_600_000 - 60_000;
    await visitor.logIn(address);
    visitor.test.clock.ms += 60_000;
    const late = await visitor.post("factor", { do: "confirm", code: codeNow() });
    expect(late.body).not.toContain("Recovery codes");
    expect(await logIn("")).toBe(303);
  });

  it("is begun by whoever shows the password alone, and is not offered without a key", async () => {
    expect((await visitor.post("factor", { do: "begin", current: "not the password at all" })).status).toBe(
      422,
    );
    expect(visitor.test.raw("SELECT * FROM factor")).toEqual([]);
    const bare = await visitor.again({ secrets: {} });
    bare.setCookie(visitor.cookie());
    expect((await bare.get("factor")).body).toContain("not offered");
    await bare.post("factor", { do: "begin", current: password });
    expect(visitor.test.raw("SELECT * FROM factor")).toEqual([]);
  });

  it("fails closed where the key is gone, and tells so to nobody without the password", async () => {
    await turnOn();
    const bare = await visitor.again({ secrets: {} });
    await bare.get("login");
    expect(
      (await bare.post("login", { email: address, password: "not the password at all", code: "1" })).status,
    ).toBe(422);
    expect((await bare.post("login", { email: address, password, code: codeNow() })).status).toBe(503);
    expect(bare.logged.join()).toContain("account_key");
  });

  it("keeps its secret and codes from whoever has the file", async () => {
    await turnOn();
    const file = JSON.stringify([
      visitor.test.raw("SELECT sealed_secret FROM factor"),
      visitor.test.raw("SELECT code_hash FROM recovery_code"),
    ]);
    expect(file).not.toContain(shownSecret());
    for (const code of shownCodes()) expect(file).not.toContain(code.replaceAll("-", ""));
  });
});

describe("codes", () => {
  // RFC 6238, appendix B, SHA-1: the last six of its eight digits.
  const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
  it.each([
    [59, "287082"],
    [1_111_111_109, "081804"],
    [1_111_111_111, "050471"],
    [1_234_567_890, "005924"],
    [2_000_000_000, "279037"],
    [20_000_000_000, "353130"],
  ])("at %d seconds are those of the standard", (seconds, code) => {
    expect(findTotpStep(secret, code, seconds * 1000)).toBe(Math.floor(seconds / 30));
    expect(findTotpStep(secret, code, seconds * 1000 + 30_000)).toBe(Math.floor(seconds / 30));
    expect(findTotpStep(secret, code, seconds * 1000 + 91_000)).toBeUndefined();
  });
});

describe("what is sealed", () => {
  const [key, other] = ["ab".repeat(32), "cd".repeat(32)];
  it("opens with its key, about what it is of, unchanged, and not otherwise", () => {
    const sealed = sealText("the secret", "factor of acct_a", [key]);
    expect(sealed).not.toBe(sealText("the secret", "factor of acct_a", [key]));
    expect(openSealed(sealed, "factor of acct_a", [key])).toBe("the secret");
    expect(openSealed(sealed, "factor of acct_a", [other, key])).toBe("the secret");
    const changed = sealed.replace(/^(v1\.[^.]+\.)(.)/, (_all, start: string, letter: string) =>
      start.concat(letter === "A" ? "B" : "A"),
    );
    for (const [text, about, keys] of [
      [sealed, "factor of acct_b", [key]],
      [sealed, "factor of acct_a", [other]],
      [sealed, "factor of acct_a", []],
      [changed, "factor of acct_a", [key]],
      [sealed.slice(0, -6), "factor of acct_a", [key]],
    ] as const)
      expect(() => openSealed(text, about, keys)).toThrow("account_key");
    expect(() => sealText("x", "y", ["abc"])).toThrow("64 hexadecimal digits");
  });

  it("of one account is of no use in the row of another", async () => {
    await turnOn();
    const bob = await visitor.again();
    await bob.become("bob@example.com");
    const [row] = visitor.test.raw("SELECT id FROM account WHERE email = 'bob@example.com'") as {
      id: AccountId;
    }[];
    await visitor.test.store.write((tx) => tx.run("UPDATE factor SET account = ?", [row?.id ?? ""]));
    const thief = await visitor.again();
    await thief.get("login");
    const fields = { email: "bob@example.com", password: "the password of 15", code: codeNow() };
    expect((await thief.post("login", fields)).status).toBe(503);
  });

  it("is sealed anew with another key, after which the old one opens nothing, and is not needed", async () => {
    await turnOn();
    const old = visitor.secrets.account_key ?? "";
    const key = "fedcba9876543210".repeat(4);
    const { store } = visitor.test;
    const read = async (account: AccountId) => (await store.read((tx) => readFactor(tx, account))) as Factor;
    const [{ account } = { account: "" as AccountId }] = visitor.test.raw("SELECT account FROM factor") as {
      account: AccountId;
    }[];
    const secret = openSecret(await read(account), [old]);
    expect(await resealFactors(store, key, old)).toEqual({ resealed: 1, kept: 0 });
    expect(openSecret(await read(account), [key])).toBe(secret);
    const after = await read(account);
    expect(() => openSecret(after, [old])).toThrow(/does not open/);
    expect(await resealFactors(store, key, undefined)).toEqual({ resealed: 0, kept: 1 });
    await expect(resealFactors(store, old, undefined)).rejects.toThrow(/does not open what was sealed about/);
    await expect(resealFactors(store, "short", old)).rejects.toThrow(/must be 64 hexadecimal digits/);
  });
});
