// Goal of this test: whoever guesses passwords, fills mailboxes, or tries cards must wait, longer each time; whoever owns an
// account is never locked out of it by others; and what is answered tells nobody who is a customer.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { networkOf } from "../cgi/support/network.ts";
import { TryLater } from "../lib/util/failure.ts";
import { makeVisitor, type Visitor } from "./support/visitor.ts";

const address = "ada@example.org";
const password = `the password of ${address.length}`;
const minuteMs = 60_000;

let visitor: Visitor;
beforeEach(async () => {
  visitor = await makeVisitor();
  await visitor.become(address);
});
afterEach(() => visitor.end());

const login = (from: Visitor, word = "a wrong password", email = address) =>
  from.post("login", { email, password: word });
const mails = () => visitor.test.raw("SELECT recipient FROM outbox");

describe("wrong passwords", () => {
  it("are free five times, then wait a minute, two, four, up to an hour; the right one ends that", async () => {
    const stranger = await visitor.again();
    await stranger.get("login");
    stranger.moveTo("198.51.100.1");
    for (let time = 0; time < 5; time += 1) expect((await login(stranger)).status).toBe(422);
    const waits: number[] = [];
    for (let time = 0; time < 8; time += 1) {
      const answer = await login(stranger);
      expect([answer.status, answer.body.includes("There were too many attempts.")]).toEqual([429, true]);
      const seconds = Number(answer.headers.get("Retry-After"));
      waits.push(seconds / 60);
      visitor.test.clock.ms += seconds * 1000;
      expect((await login(stranger)).status).toBe(422);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    visitor.test.clock.ms += 60 * minuteMs;
    expect((await login(stranger, password)).status).toBe(303);
    expect((await login(stranger)).status).toBe(422);
    expect((await login(stranger)).status).toBe(422);
  });

  it("do not even reach the hashing while they wait, nor does the right one", async () => {
    const stranger = await visitor.again();
    await stranger.get("login");
    stranger.moveTo("198.51.100.1");
    for (let time = 0; time < 5; time += 1) await login(stranger);
    expect((await login(stranger, password)).status).toBe(429);
    visitor.test.clock.ms += minuteMs;
    expect((await login(stranger, password)).status).toBe(303);
  });

  it("from many networks slow down all but those that the owner came from", async () => {
    const stranger = await visitor.again();
    await stranger.get("login");
    for (let host = 0; host < 30; host += 1) {
      stranger.moveTo(`198.51.100.${host}`);
      expect((await login(stranger)).status).toBe(422);
    }
    stranger.moveTo("203.0.113.9");
    expect((await login(stranger)).status).toBe(429);
    // The owner's own network, from which the account was made: not a moment's wait.
    const owner = await visitor.again();
    await owner.get("login");
    expect((await login(owner, password)).status).toBe(303);
  });

  it.each([
    ["strangers' from many networks", 30, (time: number) => `198.51.100.${time}`],
    ["the owner's own", 5, () => "203.0.113.77"],
  ])("keep nobody waiting who then sets one by mail: %s", async (_whose, tries, networkAt) => {
    const other = await visitor.again();
    await other.get("login");
    for (let time = 0; time < tries; time += 1) {
      other.moveTo(networkAt(time));
      expect((await login(other)).status).toBe(422);
    }
    other.moveTo("203.0.113.77");
    expect((await login(other)).status).toBe(429);
    const next = "quite another set of words";
    await other.post("reset", { email: address });
    const [mail] = visitor.test.raw("SELECT body FROM outbox WHERE id LIKE 'reset/%'") as { body: string }[];
    const token = /token=([\w-]+)/.exec(mail?.body ?? "")?.[1] ?? "";
    // Whoever only has a link that is refused is nobody's owner.
    expect((await other.post("reset", { token, password: "too short" })).status).toBe(422);
    expect((await login(other)).status).toBe(429);
    expect((await other.post("reset", { token, password: next })).status).toBe(200);
    expect((await login(other, next)).status).toBe(303);
    // A guesser elsewhere has won nothing.
    other.moveTo("203.0.113.78");
    expect((await login(other, next)).status).toBe(tries === 30 ? 429 : 303);
  });

  it("of one network for many addresses wait too", async () => {
    const stranger = await visitor.again();
    await stranger.get("login");
    stranger.moveTo("2001:db8:1:2:3::1");
    for (let name = 0; name < 60; name += 1)
      expect((await login(stranger, "a wrong password", `${name}@example.org`)).status).toBe(422);
    stranger.moveTo("2001:db8:1:2:ffff::9");
    expect((await login(stranger, password)).status).toBe(429);
    stranger.moveTo("2001:db8:1:3::1");
    expect((await login(stranger, password)).status).toBe(303);
  });

  it("are answered alike for an address that is nobody's", async () => {
    const bodies: string[] = [];
    for (const email of [address, "eve@example.org"]) {
      const stranger = await visitor.again();
      stranger.setCookie("D".repeat(43));
      stranger.moveTo(`198.51.100.${bodies.length}`);
      for (let time = 0; time < 5; time += 1) await login(stranger, "a wrong password", email);
      const answer = await login(stranger, "a wrong password", email);
      expect(answer.status).toBe(429);
      bodies.push(answer.body.replaceAll(email, "ADDRESS"));
    }
    expect(bodies[0]).toBe(bodies[1]);
  });

  it("of many at once no more are looked at than are free, and the right one among them opens nothing", async () => {
    const stranger = await visitor.again();
    await stranger.get("login");
    stranger.moveTo("198.51.100.1");
    const all = Array.from({ length: 40 }, (_, place) =>
      login(stranger, place === 39 ? password : "a wrong password"),
    );
    const answers = (await Promise.all(all)).map(({ status }) => status);
    expect(answers.toSorted()).toEqual([...Array(5).fill(422), ...Array(35).fill(429)]);
    await visitor.get("password");
    const change = () => visitor.post("password", { current: "a wrong one", password: "another long one" });
    const proofs = (await Promise.all(Array.from({ length: 40 }, change))).map(({ status }) => status);
    expect(proofs.toSorted()).toEqual([...Array(5).fill(422), ...Array(35).fill(429)]);
  });

  it("are not what right ones are, however many come at once, nor what could not be looked at", async () => {
    const counters = () =>
      visitor.test.raw(
        "SELECT name, count, wait_until FROM attempt WHERE name <> 'login-pair' ORDER BY name",
      );
    const stranger = await visitor.again();
    await stranger.get("login");
    for (let time = 0; time < 3; time += 1) expect((await login(stranger)).status).toBe(422);
    const before = counters();
    const both = await Promise.all([login(stranger, password), login(stranger, password)]);
    expect(both.map(({ status }) => status)).toEqual([303, 303]);
    expect(counters()).toEqual(before);
    const busy = await visitor.again({
      hashInTurn: () => Promise.reject(new TryLater("all turns are taken")),
    });
    await busy.get("login");
    for (let time = 0; time < 6; time += 1) expect((await login(busy, password)).status).toBe(503);
    expect(counters()).toEqual(before);
  });

  it("on the page that changes it wait as well", async () => {
    await visitor.get("password");
    const change = () =>
      visitor.post("password", { current: "a wrong one", password: "another long password" });
    for (let time = 0; time < 5; time += 1) expect((await change()).status).toBe(422);
    expect((await change()).status).toBe(429);
  });
});

describe("mails that a stranger causes", () => {
  it("go to one address three times a day, and the page answers as always", async () => {
    const stranger = await visitor.again();
    await stranger.get("signup");
    const signUp = (email: string) => stranger.post("signup", { email, password: "four words are enough" });
    const before = mails().length;
    const bodies = new Set<string>();
    for (let time = 0; time < 6; time += 1) bodies.add((await signUp("victim@example.org")).body);
    expect([mails().length - before, bodies.size]).toEqual([3, 1]);
    // A day later one more is let through, and the next waits for a day.
    visitor.test.clock.ms += 24 * 60 * minuteMs;
    for (let time = 0; time < 2; time += 1) await signUp("victim@example.org");
    expect(mails().length - before).toBe(4);
  });

  it("cannot keep an owner's own mail away: from where the owner came, a link is always sent", async () => {
    const stranger = await visitor.again();
    await stranger.get("reset");
    const ask = async (from: Visitor): Promise<number> => {
      const before = mails().length;
      visitor.test.clock.ms += 11 * minuteMs;
      expect((await from.post("reset", { email: address })).status).toBe(200);
      return mails().length - before;
    };
    stranger.moveTo("198.51.100.1");
    const sent: number[] = [];
    // Those of sign-ups are counted apart.
    for (let time = 0; time < 4; time += 1) sent.push(await ask(stranger));
    expect(sent).toEqual([1, 1, 1, 0]);
    expect(await ask(visitor)).toBe(1);
  });

  it("come from one network twenty times an hour, and one more costs no hash", async () => {
    let hashed = 0;
    const stranger = await visitor.again({
      hashInTurn: (work) => {
        hashed += 1;
        return work();
      },
    });
    await stranger.get("signup");
    stranger.moveTo("198.51.100.1");
    const signUp = (name: number) =>
      stranger.post("signup", { email: `${name}@example.org`, password: "four words are enough" });
    for (let name = 0; name < 20; name += 1) expect((await signUp(name)).status).toBe(200);
    expect((await signUp(20)).status).toBe(429);
    expect(hashed).toBe(20);
    expect((await stranger.post("reset", { email: address })).status).toBe(429);
    stranger.moveTo("198.51.100.2");
    expect((await signUp(20)).status).toBe(200);
  });
});

it("cards are tried ten times an hour", async () => {
  await visitor.get("pay");
  for (let time = 0; time < 10; time += 1)
    expect((await visitor.post("pay", { amount: "10" })).status).toBe(303);
  expect((await visitor.post("pay", { amount: "10" })).status).toBe(429);
  expect(visitor.test.raw("SELECT count(*) AS n FROM payment_order")).toEqual([{ n: 10n }]);
  visitor.test.clock.ms += 10 * minuteMs;
  expect((await visitor.post("pay", { amount: "10" })).status).toBe(303);
});

it.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["", ""],
])("%s is of the network %s", (remote, network) => {
  expect(networkOf(remote)).toBe(network);
});
