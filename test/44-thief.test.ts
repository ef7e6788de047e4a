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
