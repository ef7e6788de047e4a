// Goal of this test: an account begins for whoever reads its address's mail and chose its password, and for nobody else; strangers
// who sign up with somebody's address can neither take the account that is to be, nor use up the mails without which there is none.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeVisitor, type Visitor } from "./support/visitor.ts";

const address = "vic@example.org";
const [own, theirs] = ["the victim has chosen this", "the stranger chose these words"];

let victim: Visitor;
let stranger: Visitor;
beforeEach(async () => {
  victim = await makeVisitor();
  await victim.get("signup");
  stranger = await victim.again();
  stranger.moveTo("203.0.113.7");
  await stranger.get("signup");
});
afterEach(() => victim.end());

const signUp = async (from: Visitor, password: string) => {
  victim.test.clock.ms += 1000;
  return from.post("signup", { email: address, password });
};
/** The links that were mailed, in their order. */
const links = () =>
  (victim.test.raw("SELECT body FROM outbox ORDER BY rowid") as { body: string }[]).map(
    ({ body }) => /confirm\.cgi\?token=([\w-]+)/.exec(body)?.[1] ?? "no link",
  );
const confirm = async (from: Visitor, token: string, password: string) =>
  (await from.post("confirm", { token, password })).status;
const logIn = async (from: Visitor, password: string) =>
  (await from.post("login", { email: address, password })).status;

describe("a sign-up", () => {
  it("is confirmed by its own password alone, and told so plainly", async () => {
    await signUp(stranger, theirs);
    const [link = ""] = links();
    const shown = await victim.get("confirm", { token: link });
    expect([shown.status, shown.body.includes(address)]).toEqual([200, true]);
    for (const password of [own, ""]) {
      const answer = await victim.post("confirm", { token: link, password });
      expect([answer.status, answer.body.includes("not the password of the sign-up")]).toEqual([422, true]);
      expect(answer.body).toContain("somebody else did with your address");
    }
    expect(victim.test.raw("SELECT id FROM account")).toEqual([]);
    expect(await confirm(victim, link, theirs)).toBe(200);
  });

  it("of before does not take the account of whoever reads the mail", async () => {
    await signUp(stranger, theirs);
    await signUp(victim, own);
    await signUp(stranger, theirs);
    const [first = "", , third = ""] = links();
    expect(await confirm(victim, third, own)).toBe(200);
    expect([await logIn(victim, own), await logIn(stranger, theirs)]).toEqual([303, 422]);
    expect(await confirm(victim, first, theirs)).toBe(410);
  });

  it("is confirmed by the link of a stranger's, where strangers used up the address's mails", async () => {
    for (let time = 0; time < 6; time += 1) await signUp(stranger, theirs);
    expect(links()).toHaveLength(3);
    const answer = await signUp(victim, own);
    expect([answer.status, answer.body.includes("take the newest one")]).toEqual([200, true]);
    expect(links()).toHaveLength(3);
    expect(await confirm(victim, links().at(-1) ?? "", own)).toBe(200);
    expect([await logIn(victim, own), await logIn(stranger, theirs)]).toEqual([303, 422]);
  });

  it("has a link for as long as it gets none of its own, whatever other mails its address got", async () => {
    await stranger.become("eve@example.net");
    await stranger.get("address");
    const current = "the password of 15";
    for (let time = 0; time < 3; time += 1) await stranger.post("address", { email: address, current });
    // Waits between mails grow up to a day, which is how long a link works.
    for (let time = 0; time < 12; time += 1) {
      await signUp(stranger, theirs);
      victim.test.clock.ms += 8 * 3_600_000;
      await signUp(victim, own);
      const mailed = links().filter((link) => link !== "no link");
      expect((await victim.get("confirm", { token: mailed.at(-1) ?? "" })).status).toBe(200);
    }
  });

  it("is not lost where a reader of mail appends words to the link: the page leads back to it", async () => {
    await signUp(victim, own);
    const [token = ""] = links();
    const answer = await victim.get("confirm", { utm_source: "mail", token });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain(`href="/account/confirm.cgi?token&#x3D;${token}"`);
  });

  it("answers the same where its address has had its mails, for a customer and for nobody", async () => {
    await victim.become("ada@example.org");
    await victim.post("logout", {});
    const bodies: string[] = [];
    for (const email of ["ada@example.org", "eve@example.org"]) {
      const other = await victim.again();
      other.setCookie("C".repeat(43));
      for (let time = 0; time < 5; time += 1) {
        const answer = await other.post("signup", { email, password: own });
        bodies.push(answer.body.replaceAll(email, "ADDRESS"));
      }
    }
    expect(new Set(bodies).size).toBe(1);
  });

  it("is guessed at five times by who has its link, and then waits, by no other link", async () => {
    await signUp(victim, own);
    await signUp(stranger, theirs);
    const [first = "", second = ""] = links();
    for (let time = 0; time < 5; time += 1) expect(await confirm(victim, first, "wrong")).toBe(422);
    expect(await confirm(victim, first, own)).toBe(429);
    expect(await confirm(victim, second, "wrong")).toBe(422);
    victim.test.clock.ms += 60_000;
    expect(await confirm(victim, first, own)).toBe(200);
    expect(victim.logged.filter((line) => line.includes("confirm-"))).toHaveLength(7);
  });

  it("is guessed at five times, also where many guesses come at once", async () => {
    await signUp(victim, own);
    const [link = ""] = links();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, time) => confirm(victim, link, `wrong ${time}`)),
    );
    expect(answers.filter((status) => status === 422)).toHaveLength(5);
    expect(answers.filter((status) => status === 429)).toHaveLength(15);
  });
});
