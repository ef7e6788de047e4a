// Goal of this test: a form that is sent twice, one after the other or at the same moment, changes things once; nobody's ids open
// another's things.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeAuthenticator, questionOf } from "./support/authenticator.ts";
import { testUrl } from "./support/site.ts";
import { type Answer, makeVisitor, passwordOf, type Visitor } from "./support/visitor.ts";

const address = "ada@example.org";
const current = passwordOf(address);

let visitor: Visitor;
beforeEach(async () => {
  visitor = await makeVisitor();
  await visitor.become(address);
});
afterEach(() => visitor.end());

const count = (sql: string): bigint =>
  (visitor.test.raw(`SELECT count(*) AS n FROM ${sql}`)[0] as { n: bigint }).n;
const linkOf = (id: string, name = "token"): string => {
  const rows = visitor.test.raw(`SELECT body FROM outbox WHERE id LIKE '${id}/%' AND body LIKE '%${name}=%'`);
  return (
    new RegExp(`${name}=([\\w-]+)`).exec((rows.at(-1) as { body: string } | undefined)?.body ?? "")?.[1] ??
    "no link"
  );
};

type Fields = Readonly<Record<string, string>>;
/** Sends a form as two clicks do: both with the cookie of before. */
async function twice(name: string, fields: Fields): Promise<readonly Answer[]> {
  const cookie = visitor.cookie();
  const [first, second] = [await visitor.again(), await visitor.again()];
  for (const browser of [first, second]) browser.setCookie(cookie);
  const answers = await Promise.all([first.post(name, fields), second.post(name, fields)]);
  const third = await visitor.again();
  third.setCookie(cookie);
  return [...answers, await third.post(name, fields)];
}

describe("sent three times, two of them at once", () => {
  it("a payment is one order, and leads to one page of Stripe's", async () => {
    await visitor.get("pay");
    const { order } = visitor.given.get("account/pay") as { order: string };
    const answers = await twice("pay", { amount: "10", order });
    expect(new Set(answers.map(({ headers }) => headers.get("Location"))).size).toBe(1);
    expect(count("payment_order")).toBe(1n);
    // Another amount is another order, whatever the form names; and nobody else's order is taken up.
    await twice("pay", { amount: "11", order });
    expect(count("payment_order WHERE picodollars = 11000000000000")).toBe(3n);
    const bob = await visitor.again();
    await bob.become("bob@example.com");
    await bob.get("pay");
    await bob.post("pay", { amount: "10", order });
    expect(count(`payment_order WHERE id = '${order}'`)).toBe(1n);
    expect(count("payment_order WHERE picodollars = 10000000000000")).toBe(2n);
  });

  it("a confirmation makes one account", async () => {
    const stranger = await visitor.again();
    await stranger.get("signup");
    const password = "four words are enough";
    await stranger.post("signup", { email: "bob@example.com", password });
    const answers = await twice("confirm", { token: linkOf("signup"), password });
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410, 410]);
    expect(count("account")).toBe(2n);
  });

  it("a forgotten password is mailed once, and set once", async () => {
    await twice("reset", { email: address });
    expect(count("outbox WHERE id LIKE 'reset/%'")).toBe(1n);
    const answers = await twice("reset", { token: linkOf("reset"), password: "five words are enough too" });
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410, 410]);
    expect(count("outbox WHERE id LIKE 'password-changed/%'")).toBe(1n);
  });

  it("a change of address is one, and so is its undoing", async () => {
    await visitor.post("address", { email: "ada@example.net", current });
    const moved = await twice("address", { token: linkOf("address") });
    expect(moved.map(({ status }) => status).sort()).toEqual([200, 410, 410]);
    expect(count("outbox WHERE id LIKE 'address-moved/%'")).toBe(1n);
    const undone = await twice("address", { undo: linkOf("address-moved", "undo") });
    expect(undone.map(({ status }) => status).sort()).toEqual([200, 410, 410]);
    expect(count("outbox WHERE id LIKE 'address-undone/%'")).toBe(1n);
  });

  it("a password is changed once: the second has no session any more", async () => {
    const answers = await twice("password", { current, password: "five words are enough too" });
    expect(answers.filter(({ headers }) => headers.get("Set-Cookie") !== undefined)).not.toEqual([]);
    expect(count("session")).toBe(1n);
  });

  it("a token, a second address, and a closing are one", async () => {
    const tokens = await twice("tokens", { name: "graph", current });
    expect(tokens.map(({ status }) => status).sort()).toEqual([200, 422, 422]);
    expect(count("access_token")).toBe(1n);
    await twice("warnings", { second: "office@example.org" });
    expect(count("outbox WHERE id LIKE 'second/%'")).toBe(1n);
    await twice("close", { current, sure: "yes" });
    expect(count("closing")).toBe(1n);
    expect(count("outbox WHERE id LIKE 'closing/%'")).toBe(1n);
    const undone = await twice("close", { token: linkOf("closing") });
    expect(undone.map(({ status }) => status).sort()).toEqual([200, 410, 410]);
  });

  it("a passkey is one, and its removal", async () => {
    const device = makeAuthenticator({ origin: testUrl });
    await visitor.get("passkey");
    await visitor.post("passkey", { do: "new", name: "telephone", current });
    const made = await twice("passkey", { do: "add", answer: device.create(questionOf(visitor)) });
    expect(made.map(({ status }) => status).sort()).toEqual([200, 422, 422]);
    expect(count("passkey")).toBe(1n);
    expect(count("recovery_code")).toBe(10n);
    await visitor.post("passkey", { do: "show" });
    await visitor.post("passkey", { do: "shown", answer: device.get(questionOf(visitor)) });
    const [{ id } = { id: "" }] = visitor.test.raw("SELECT id FROM passkey") as { id: string }[];
    await twice("passkey", { do: "remove", passkey: id, current });
    expect(count("passkey")).toBe(0n);
    expect(count("outbox WHERE id LIKE 'passkey/%'")).toBe(2n);
  });

  it("logging out and ending sessions end what there is", async () => {
    await twice("sessions", { end: "others" });
    expect(count("session")).toBe(1n);
    await twice("logout", {});
    expect(count("session")).toBe(0n);
  });
});

describe("another customer's ids", () => {
  it("are answered as those that are nobody's, on every page that takes one", async () => {
    const bob = await visitor.again();
    await bob.become("bob@example.com");
    await bob.get("pay");
    const { order } = bob.given.get("account/pay") as { order: string };
    await bob.post("pay", { amount: "10", order });
    await bob.get("sessions");
    const session =
      (bob.given.get("account/sessions") as { sessions: { id: string }[] }).sessions[0]?.id ?? "";
    await bob.get("tokens");
    await bob.post("tokens", { name: "graph", current: passwordOf("bob@example.com") });
    await bob.get("tokens");
    const token = (bob.given.get("account/tokens") as { tokens: { id: string }[] }).tokens[0]?.id ?? "";
    await visitor.get("account");
    const strip = (answer: Answer): string => `${answer.status} ${answer.body}`;
    for (const [name, theirs, nobodys] of [
      ["pay", { order }, { order: "order_aaaaaaaaaaaaaaaa" }],
      ["receipt", { order }, { order: "order_aaaaaaaaaaaaaaaa" }],
    ] as const)
      expect(strip(await visitor.get(name, theirs))).toBe(strip(await visitor.get(name, nobodys)));
    for (const [name, theirs, nobodys] of [
      ["receipt", { order, buyer: "Ada" }, { order: "order_aaaaaaaaaaaaaaaa", buyer: "Ada" }],
      ["sessions", { end: session }, { end: "aaaaaaaaaaaaaaaa" }],
      ["tokens", { end: token }, { end: "tok_aaaaaaaaaaaaaaaa" }],
    ] as readonly (readonly [string, Fields, Fields])[])
      expect(strip(await visitor.post(name, theirs))).toBe(strip(await visitor.post(name, nobodys)));
    expect((await bob.get("account")).status).toBe(200);
    expect(count("access_token")).toBe(1n);
  });
});
