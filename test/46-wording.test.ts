// Goal of this test: pages count one as one, and take names as their owners write them.
import { afterEach, beforeEach, expect, it } from "vitest";
import { addPasskey } from "./support/authenticator.ts";
import { makeVisitor, passwordOf, type Visitor } from "./support/visitor.ts";

const address = "ada@example.org";
const current = passwordOf(address);

let visitor: Visitor;
beforeEach(async () => {
  visitor = await makeVisitor();
  await visitor.become(address);
});
afterEach(() => visitor.end());

it("one recovery code is left, and none are", async () => {
  await addPasskey(visitor, { name: "a key", current });
  const useAll = (but: string): void =>
    void visitor.test.raw(`DELETE FROM recovery_code WHERE code_hash NOT IN (${but}) RETURNING 1`);
  expect((await visitor.get("factor")).body).toContain("10 recovery codes are left.");
  useAll("SELECT min(code_hash) FROM recovery_code");
  expect((await visitor.get("factor")).body).toContain("1 recovery code is left.");
  useAll("''");
  expect((await visitor.get("factor")).body).toContain("0 recovery codes are left.");
});

it("a warning is of one day, where one is usual", async () => {
  expect((await visitor.get("warnings")).body).toContain("below 7 days of what a day costs");
  const short = await visitor.again({ settings: { warnDays: 1 } });
  await short.logIn(address);
  expect((await short.get("warnings")).body).toContain("below 1 day of what a day costs");
});

it.each([
  ["a family", "\u{1F469}\u200d\u{1F469}\u200d\u{1F467}", 200],
  ["Hindi", "\u0915\u094d\u200d\u0937", 200],
  ["Persian", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", 200],
  ["a joiner that joins nothing", "box\u200d", 422],
  ["two in a row", "a\u200d\u200db", 422],
  ["one beside a space", "a \u200db", 422],
  ["nothing else than one", "\u200d", 422],
  ["one that turns the line round", "a\u202eb", 422],
  ["a space without width", "a\u200bb", 422],
])("a name with %s is taken as it is, or refused", async (_what, name, status) => {
  await visitor.get("tokens");
  expect((await visitor.post("tokens", { name, current })).status).toBe(status);
  const rows = visitor.test.raw("SELECT name FROM access_token");
  expect(rows).toEqual(status === 200 ? [{ name }] : []);
});
