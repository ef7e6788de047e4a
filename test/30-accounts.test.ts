// Goal of this test: addresses have one form, passwords are judged and kept as written down, a sign-up makes one
// account once, and sessions end when they should.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { beginSignup, confirmSignup, findAccountByEmail, readSignups } from "../lib/accounts/account.ts";
import { parseEmail } from "../lib/accounts/email.ts";
import { hashPassword, standardCost, verifyPassword } from "../lib/accounts/password.ts";
import { beginSession, endSession, noteSession, readSession } from "../lib/accounts/session.ts";
import { judgePassword } from "../lib/accounts/strength.ts";
import { addAccount, emailOf } from "./support/books.ts";
import { makeTestStore, type TestStore } from "./support/store.ts";

const hour = 3_600_000;
const cheap = { log2N: 10, r: 8, p: 1 };

describe("addresses", () => {
  it.each([
    ["Ada@Example.ORG", "ada@example.org"],
    ["  ada+tag@example.org ", "ada+tag@example.org"],
    ["a.b_c'd@sub.example.org", "a.b_c'd@sub.example.org"],
    ["ada@bücher.example", "ada@xn--bcher-kva.example"],
  ])("%j is known as %s", (typed, canonical) => {
    expect(parseEmail(typed)).toBe(canonical);
  });

  it.each([
    "",
    "ada",
    "@example.org",
    "ada@",
    "ada@localhost",
    "ada@127.0.0.1",
    "ada@[127.0.0.1]",
    "ada@example..org",
    ".ada@example.org",
    "ada.@example.org",
    "a..b@example.org",
    '"ada b"@example.org',
    "ada b@example.org",
    "ada@exam ple.org",
    "ada@example.org\r\nBcc: x@example.org",
    "ada@example.org,eve@example.org",
    "ada@example.org/path",
    "ada@-example.org",
    `${"a".repeat(65)}@example.org`,
    `ada@${"a.".repeat(125)}example.org`,
  ])("%j is refused", (typed) => {
    expect(parseEmail(typed)).toBeUndefined();
  });
});

describe("passwords", () => {
  const context = {
    email: "adalovelace@example.org",
    site: { name: "Picodollar", url: "https://backups.example" },
    hasFactor: false,
  };
  it.each([
    ["correct horse battery", "ok"],
    ["fourteen chars", "too-short"],
    ["ﬁfteen chars ..", "ok"],
    ["🐎🐎🐎 horses hey", "too-short"],
    ["aaaaaaaaaaaaaaaaaaaa", "too-simple"],
    ["my adalovelace@example.org word", "is-address"],
    [`${"long password ".repeat(80)}`, "too-long"],
    ["AdaLovelace-Picodollar-1", "is-name"],
    ["backups backups 2026", "is-name"],
    ["picodollar horse battery", "ok"],
    // On the list as they are, in another case, again and again, with something before or behind, in two words.
    ["1qaz2wsx3edc4rfv", "is-common"],
    ["PasswordPassword", "is-common"],
    ["sunshinesunshinesunshine", "is-common"],
    ["!!!Sunshine2026!", "is-common"],
    ["123456789 qwerty", "is-common"],
    ["sunshine over the hill", "ok"],
  ])("%j is %s", async (password, verdict) => {
    const judged = await judgePassword(password, context);
    expect(judged.ok ? "ok" : judged.why).toBe(verdict);
    if (!judged.ok) expect(judged.detail).toMatch(/password,? .+\.$/);
  });

  it.each([
    ["horse hey", "ok"],
    ["horsehe", "too-short"],
    ["sunshine", "is-common"],
    ["letmein!!", "is-common"],
  ])("%j is %s beside a second factor", async (password, verdict) => {
    const judged = await judgePassword(password, { ...context, hasFactor: true });
    expect(judged.ok ? "ok" : judged.why).toBe(verdict);
  });

  it("are kept as scrypt with its parameters, salted", async () => {
    const [one, two] = [
      await hashPassword("correct horse battery", cheap),
      await hashPassword("correct horse battery", cheap),
    ];
    expect(one).toMatch(/^scrypt\$10\$8\$1\$[\w-]{43}\$[\w-]{43}$/);
    expect(one).not.toBe(two);
    expect(await verifyPassword("correct horse battery", one, standardCost)).toBe(true);
    expect(await verifyPassword("correct horse batterx", one, standardCost)).toBe(false);
    expect(await verifyPassword("", one, standardCost)).toBe(false);
  });

  it("of unknown addresses take the same work and never fit", async () => {
    expect(await verifyPassword("correct horse battery", undefined, cheap)).toBe(false);
  });

  it("take the strength that OWASP ASVS asks for in production", async () => {
    expect(standardCost).toEqual({ log2N: 17, r: 8, p: 1 });
    const hash = await hashPassword("correct horse battery", standardCost);
    expect(await verifyPassword("correct horse battery", hash, standardCost)).toBe(true);
  });
});

describe("accounts", () => {
  let test: TestStore;
  beforeEach(() => {
    test = makeTestStore();
  });
  afterEach(() => test.end());

  const ada = emailOf("ada@example.org");
  const begin = (token: string) =>
    test.store.write((tx) => beginSignup(tx, { email: ada, passwordHash: `hash of ${token}`, token }));
  const confirm = (token: string, of = token) =>
    test.store.write((tx) => confirmSignup(tx, token, `hash of ${of}`));
  const waitingFor = (token: string) => test.store.read((tx) => readSignups(tx, token));

  it("begin when a sign-up is confirmed, once", async () => {
    expect(await begin("one")).toBe("waiting");
    expect(await waitingFor("one")).toEqual({ email: ada, passwordHashes: ["hash of one"] });
    expect(await test.store.read((tx) => findAccountByEmail(tx, ada))).toBeUndefined();
    const confirmed = await confirm("one");
    expect(confirmed).toMatchObject({ ok: true, account: expect.stringMatching(/^acct_[a-z2-7]{16}$/) });
    expect(await confirm("one")).toMatchObject({ ok: false, why: "token-unknown" });
    expect(await waitingFor("one")).toBeUndefined();
  });

  it("have the password of the sign-up that was confirmed; the others end with it", async () => {
    await begin("one");
    await begin("two");
    await confirm("two");
    const account = await test.store.read((tx) => findAccountByEmail(tx, ada));
    expect(account?.passwordHash).toBe("hash of two");
    expect(await confirm("one")).toMatchObject({ ok: false });
  });

  it("may be those of another sign-up of the address, by the token of one; four are looked at", async () => {
    for (const token of ["one", "two", "three", "four", "five"]) {
      await begin(token);
      test.clock.ms += 1;
    }
    expect((await waitingFor("one"))?.passwordHashes).toEqual(
      ["one", "five", "four", "three"].map((token) => `hash of ${token}`),
    );
    expect(await confirm("one", "six")).toMatchObject({ ok: false });
    expect(await confirm("one", "five")).toMatchObject({ ok: true });
    expect((await test.store.read((tx) => findAccountByEmail(tx, ada)))?.passwordHash).toBe("hash of five");
    expect(test.raw("SELECT * FROM signup")).toEqual([]);
  });

  it("are not begun twice for one address", async () => {
    await begin("one");
    await confirm("one");
    expect(await begin("two")).toBe("has-account");
    expect(await confirm("two")).toMatchObject({ ok: false });
  });

  it("are not begun after a day", async () => {
    await begin("one");
    test.clock.ms += 24 * hour;
    expect(await confirm("one")).toMatchObject({ ok: false, why: "token-unknown" });
  });

  it("keep no token that could be stolen from the file", async () => {
    await begin("the-token");
    expect(JSON.stringify(test.raw("SELECT token_hash FROM signup"))).not.toContain("the-token");
  });

  it("have sessions that end by logging out, after twelve hours, and after an hour without use", async () => {
    const account = await addAccount(test.store, "bob@example.org");
    const place = { browser: "Firefox on Linux", network: "192.0.2.1" };
    await test.store.write((tx) => beginSession(tx, account, "token", place));
    const read = (token: string) => test.store.read((tx) => readSession(tx, token));
    expect(await read("token")).toMatchObject({ account: { id: account }, isDue: false });
    expect(await read("tokem")).toBeUndefined();
    for (let passed = 0; passed < 12 * hour - 1; ) {
      const step = Math.min(hour - 1, 12 * hour - 1 - passed);
      test.clock.ms += step;
      passed += step;
      expect(await read("token")).toMatchObject({ isDue: step > 5 * 60_000 });
      await test.store.write((tx) => noteSession(tx, "token"));
      expect(await read("token")).toMatchObject({ isDue: false });
    }
    test.clock.ms += 1;
    expect(await read("token")).toBeUndefined();
    await test.store.write((tx) => beginSession(tx, account, "unused", place));
    test.clock.ms += hour;
    expect(await read("unused")).toBeUndefined();
    await test.store.write((tx) => beginSession(tx, account, "next", place));
    await test.store.write((tx) => endSession(tx, "next"));
    await test.store.write((tx) => endSession(tx, "unused"));
    expect(await read("next")).toBeUndefined();
    expect(test.raw("SELECT * FROM session")).toEqual([]);
  });
});
