// Goal of this test: a customer says when and where to be warned; a second address counts only when its reader has said yes.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeVisitor, type Visitor } from "./support/visitor.ts";

let visitor: Visitor;
beforeEach(async () => {
  visitor = await makeVisitor();
  await visitor.become("ada@example.org");
  await visitor.get("warnings");
});
afterEach(() => visitor.end());

const newest = () =>
  visitor.test.raw(
    "SELECT warn_days AS days, warn_below_cents AS cents, second_email AS second FROM preference ORDER BY number DESC LIMIT 1",
  );
const save = (fields: Readonly<Record<string, string>>) => visitor.post("warnings", fields);
const mailed = () =>
  visitor.test.raw(
    "SELECT recipient, body FROM outbox WHERE id LIKE 'second/%' ORDER BY created_at, rowid",
  ) as {
    recipient: string;
    body: string;
  }[];
const tokenOf = (place: number) =>
  /second\.cgi\?token=([\w-]+)/.exec(mailed().at(place)?.body ?? "")?.[1] ?? "";

describe("a customer's warnings", () => {
  it("are by days, by dollars, or as the site says", async () => {
    expect((await save({ days: "14" })).body).toContain("Saved.");
    expect(newest()).toEqual([{ days: 14n, cents: null, second: null }]);
    await save({ dollars: "5.00" });
    expect(newest()).toEqual([{ days: null, cents: 500n, second: null }]);
    expect((await visitor.get("warnings")).body).toContain('value="5.00"');
    await save({ days: "", dollars: "", second: "" });
    expect(newest()).toEqual([{ days: null, cents: null, second: null }]);
  });

  it.each([
    [{ days: "0" }, "from 1 to 365"],
    [{ days: "366" }, "from 1 to 365"],
    [{ days: "1.5" }, "from 1 to 365"],
    [{ dollars: "0" }, "such as 5 or 5.00"],
    [{ dollars: "-1" }, "such as 5 or 5.00"],
    [{ days: "7", dollars: "5" }, "not both"],
    [{ second: "office" }, "none that we can write to"],
  ])("are not %j", async (fields, sentence) => {
    const answer = await save(fields as Record<string, string>);
    expect([answer.status, answer.body.includes(sentence)]).toEqual([422, true]);
    expect(newest()).toEqual([]);
  });

  it("go to a second address once its reader has pressed the button, and no sooner", async () => {
    const answer = await save({ second: "Office@example.org" });
    expect(answer.body).toContain("We have written to office@example.org");
    expect(newest()).toEqual([{ days: null, cents: null, second: null }]);
    expect(mailed()).toMatchObject([{ recipient: "office@example.org" }]);
    // Whoever reads that mail is nobody's customer.
    const reader = await visitor.again();
    const token = tokenOf(0);
    expect((await reader.get("second", { token })).status).toBe(200);
    expect(newest()).toEqual([{ days: null, cents: null, second: null }]);
    expect((await reader.post("second", { token })).status).toBe(200);
    expect(newest()).toEqual([{ days: null, cents: null, second: "office@example.org" }]);
    for (const again of [await reader.get("second", { token }), await reader.post("second", { token })])
      expect(again.status).toBe(410);
    // What is saved afterwards keeps it; an empty field ends it.
    await save({ days: "3", second: "office@example.org" });
    expect(newest()).toEqual([{ days: 3n, cents: null, second: "office@example.org" }]);
    expect(mailed()).toHaveLength(1);
    await save({ days: "3", second: "" });
    expect(newest()).toEqual([{ days: 3n, cents: null, second: null }]);
  });

  it("are confirmed by the newest link alone, within a day, and not after the wish was taken back", async () => {
    await save({ second: "a@example.org" });
    await save({ second: "b@example.org" });
    expect((await visitor.get("second", { token: tokenOf(0) })).status).toBe(410);
    visitor.test.clock.ms += 23 * 3_600_000;
    await visitor.logIn("ada@example.org");
    await save({ second: "" });
    expect((await visitor.get("second", { token: tokenOf(1) })).status).toBe(410);
    await save({ second: "c@example.org" });
    visitor.test.clock.ms += 24 * 3_600_000;
    expect((await visitor.get("second", { token: tokenOf(2) })).status).toBe(410);
  });

  it("go on waiting for the second address where something else is saved", async () => {
    await save({ second: "office@example.org" });
    const shown = await visitor.get("warnings");
    expect(shown.body).toContain('value="office@example.org"');
    await save({ days: "9", second: "office@example.org" });
    expect(mailed()).toHaveLength(1);
    await visitor.post("second", { token: tokenOf(0) });
    expect(newest()).toEqual([{ days: 9n, cents: null, second: "office@example.org" }]);
  });

  it("are not said to be saved where the second address has had enough mails", async () => {
    for (const second of ["a", "b", "a", "b", "a"]) await save({ second: `${second}@example.org` });
    await save({ days: "9", second: "b@example.org" });
    const answer = await save({ days: "3", second: "a@example.org" });
    expect([answer.status, answer.body.includes("Saved."), answer.body.includes("gets no more")]).toEqual([
      429,
      false,
      true,
    ]);
    // What was typed stands there still, and what was saved stays.
    expect(visitor.given.get("account/warnings")).toMatchObject({ days: "3", second: "a@example.org" });
    expect(newest()).toEqual([{ days: 9n, cents: null, second: null }]);
    await visitor.post("second", { token: tokenOf(-1) });
    expect(newest()).toEqual([{ days: 9n, cents: null, second: "b@example.org" }]);
  });

  it("cannot be used to fill a mailbox", async () => {
    for (let time = 0; time < 6; time += 1) {
      await save({ second: "victim@example.org" });
      await save({ second: "victim@example.org", days: "9" });
      await save({ second: "" });
    }
    expect(mailed()).toHaveLength(3);
  });
});
