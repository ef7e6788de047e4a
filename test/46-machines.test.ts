// Goal of this test: a machine is registered by a token that its customer made, once, and never by the password; it has the name
// that its customer gives it; and one that is retired costs nothing any more, whatever is sent for it.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../lib/accounts/account.ts";
import { billDay } from "../lib/usage/bill.ts";
import { readUsageFile } from "../lib/usage/file.ts";
import { importUsage } from "../lib/usage/import.ts";
import { dayUtc, meters, usageFile } from "./support/books.ts";
import { makeVisitor, passwordOf, type Visitor } from "./support/visitor.ts";

const address = "ada@example.org";
const current = passwordOf(address);
const dayMs = 86_400_000;

let visitor: Visitor;
let ada: AccountId;
beforeEach(async () => {
  visitor = await makeVisitor();
  ada = await visitor.become(address);
  await visitor.get("machines");
});
afterEach(() => visitor.end());

async function makeToken(name: string): Promise<string> {
  const answer = await visitor.post("machines", { name, current });
  expect(answer.status).toBe(200);
  return (visitor.given.get("account/machines") as { token: string }).token;
}
const register = async (token: string, bearer = "service-token") => {
  const answer = await visitor.ask("machine", bearer, { body: Buffer.from(JSON.stringify({ token })) });
  return { status: answer.status, ...(JSON.parse(answer.body) as { machine: string; error: string }) };
};
const list = async (): Promise<unknown> => {
  const answer = await visitor.ask("machine", "service-token", { query: { account: ada } });
  return (JSON.parse(answer.body) as { machines: unknown }).machines;
};
const dayOf = (ms: number) => dayUtc(new Date(ms).toISOString().slice(0, 10));
async function take(day: string, rows: readonly string[], isComplete = false) {
  const { lines } = readUsageFile(
    usageFile(
      rows.map((row) => `${day},${row}`),
      "day,account,machine,meter,quantity,revision",
    ),
  );
  const complete = isComplete ? [dayUtc(day)] : [];
  return visitor.test.store.write((tx) => importUsage(tx, { lines, meters, complete, takesFuture: true }));
}

describe("a machine", () => {
  it("is registered once by the token that was made for it, within an hour, by the service alone", async () => {
    const token = await makeToken("laptop");
    expect(JSON.stringify(visitor.test.raw("SELECT token_hash FROM machine_token"))).not.toContain(token);
    expect((await register(token, "not the service")).status).toBe(401);
    expect((await register("x")).status).toBe(404);
    const done = await register(token);
    expect(done).toMatchObject({
      status: 200,
      account: ada,
      name: "laptop",
      mayWrite: false,
      payUrl: expect.stringContaining("pay.cgi"),
    });
    expect(done.machine).toMatch(/^mach_[a-z2-7]{16}$/);
    expect((await register(token)).status).toBe(404);
    const late = await makeToken("late");
    visitor.test.clock.ms += 3_600_000;
    expect((await register(late)).status).toBe(404);
    expect(await list()).toEqual([{ machine: done.machine, name: "laptop", retiredOn: null }]);
  });

  it.each(["", "{}", '{"token":1}', "[]", "null", '{"token":', "\u00ff"])(
    "is not registered by the body %j",
    async (body) => {
      const answer = await visitor.ask("machine", "service-token", { body: Buffer.from(body, "latin1") });
      expect([answer.status, Object.keys(JSON.parse(answer.body) as object)]).toEqual([400, ["error"]]);
    },
  );

  it("needs the password for its token, and a name", async () => {
    expect((await visitor.post("machines", { name: "box", current: "not the password at all" })).status).toBe(
      422,
    );
    expect((await visitor.post("machines", { name: " ", current })).status).toBe(422);
    expect(visitor.test.raw("SELECT * FROM machine_token")).toEqual([]);
  });

  it("has the name that its customer gives it, wherever it is shown", async () => {
    const { machine } = await register(await makeToken("laptop"));
    // One that is refused stands in the form, to be mended; the page's title is the one that is.
    const refused = await visitor.post("machines", { machine, name: "x".repeat(61), do: "rename" });
    expect(refused.status).toBe(422);
    expect(visitor.given.get("account/machine")).toMatchObject({ name: "laptop", typed: "x".repeat(61) });
    await visitor.post("machines", { machine, name: "Ada's <laptop>", do: "rename" });
    const yesterday = dayOf(visitor.test.clock.ms - dayMs);
    await take(yesterday, [`${ada},${machine},storage,5000000,1`, `${ada},old-one,storage,5,1`], true);
    await billDay(visitor.test.store, yesterday, meters);
    const { body } = await visitor.get("history", { month: yesterday.slice(0, 7) });
    expect(body).toContain("Ada&#x27;s &lt;laptop&gt;");
    // One that was never registered is there too, under its own name, until it gets another.
    await visitor.get("machines");
    expect(visitor.given.get("account/machines")).toMatchObject({
      machines: [{ machine }, { machine: "old-one", registered: "" }],
    });
    await visitor.post("machines", { machine: "old-one", name: "the old one", do: "rename" });
    expect((await visitor.get("machines")).body).toContain("the old one");
  });

  it("of another customer is none", async () => {
    const { machine } = await register(await makeToken("laptop"));
    const bob = await visitor.again();
    await bob.become("bob@example.com");
    await bob.get("machines");
    const answers = [
      await bob.get("machines", { machine }),
      await bob.get("machines", { machine: "none" }),
      await bob.post("machines", { machine, name: "mine", do: "rename" }),
      await bob.post("machines", { machine, do: "retire", current: passwordOf("bob@example.com") }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(await list()).toEqual([{ machine, name: "laptop", retiredOn: null }]);
  });
});

describe("a machine that is retired", () => {
  it("costs nothing from the next day on, and stays retired", async () => {
    const { machine } = await register(await makeToken("laptop"));
    const today = dayOf(visitor.test.clock.ms);
    const wrong = await visitor.post("machines", {
      machine,
      do: "retire",
      current: "not the password at all",
    });
    expect(wrong.status).toBe(422);
    await visitor.post("machines", { machine, do: "retire", current });
    visitor.test.clock.ms += dayMs;
    await visitor.logIn(address);
    await visitor.post("machines", { machine, do: "retire", current });
    expect(await list()).toEqual([{ machine, name: "laptop", retiredOn: today }]);
    const told = visitor.test.raw(
      "SELECT recipient, body LIKE '%laptop%' AS named FROM outbox WHERE id LIKE 'machine-retired/%'",
    );
    expect(told).toEqual([{ recipient: address, named: 1n }]);
    const tomorrow = dayOf(visitor.test.clock.ms);
    expect(await take(today, [`${ada},${machine},storage,5,1`])).toMatchObject({
      ok: true,
      added: 1,
      retired: 0,
    });
    const mixed = [
      `${ada},${machine},storage,5,1`,
      `${ada},${machine},upload,5,2`,
      `${ada},other,storage,5,1`,
    ];
    expect(await take(tomorrow, mixed)).toEqual({ ok: true, added: 1, known: 0, revised: 0, retired: 2 });
    expect(visitor.test.raw(`SELECT machine FROM usage WHERE day = '${tomorrow}'`)).toEqual([
      { machine: "other" },
    ]);
    // A machine of the same name, of another account, is another one.
    const bob = await visitor.again();
    await bob.become("bob@example.com");
    const [row] = visitor.test.raw("SELECT id FROM account WHERE email = 'bob@example.com'") as {
      id: string;
    }[];
    expect(await take(tomorrow, [`${row?.id},${machine},storage,5,1`])).toMatchObject({
      added: 1,
      retired: 0,
    });
  });
});
