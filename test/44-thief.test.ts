// Goal of this test: whoever learnt a password keeps nothing from its owner, who reads the mail: an older change of address is
// undone whatever was changed since, and what the thief left waiting opens nothing any more.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeVisitor, passwordOf, type Visitor } from "./support/visitor.ts";

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
