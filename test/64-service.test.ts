// Goal of this test: the service hands in usage and asks for standings with a token of its own, whole or not at all; what it
// hears while the books are away is what was decided.
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../lib/accounts/account.ts";
import { amountOf } from "../lib/money/amount.ts";
import { NeedsHuman, TryLater } from "../lib/util/failure.ts";
import { addAccount, topUp } from "./support/books.ts";
import { makeVisitor, type Visitor } from "./support/visitor.ts";

let visitor: Visitor;
let ada: AccountId;
beforeEach(async () => {
  visitor = await makeVisitor();
  ada = await addAccount(visitor.test.store, "ada@example.org");
});
afterEach(() => visitor.end());

const token = "service-token";
const row = (change: object = {}) =>
  JSON.stringify({ day: "2026-11-22", account: ada, machine: "m", meter: "storage", quantity: 5, ...change });
const lines = (...rows: readonly string[]): Buffer => Buffer.from(rows.map((one) => `${one}\n`).join(""));
const countRows = () => visitor.test.raw("SELECT count(*) AS n FROM usage");
const json = (answer: { readonly body: string }): unknown => JSON.parse(answer.body);

describe("usage that the service hands in", () => {
  it("is taken once, with its revisions and the days that are complete", async () => {
    const body = lines(row(), row({ machine: "n" }), '{"complete":"2026-11-22"}');
    const answer = await visitor.ask("usage", token, { body });
    expect([answer.status, json(answer)]).toEqual([
      200,
      { added: 2, revised: 0, known: 0, retired: 0, complete: ["2026-11-22"] },
    ]);
    expect(answer.headers.get("Content-Type")).toBe("application/json");
    expect(answer.headers.has("Set-Cookie")).toBe(false);
    expect(json(await visitor.ask("usage", token, { body }))).toMatchObject({ added: 0, known: 2 });
    const again = lines(row({ quantity: 4, revision: 2 }));
    expect(json(await visitor.ask("usage", token, { body: again }))).toMatchObject({ revised: 1 });
  });

  it("may declare a day complete by itself, once it is over", async () => {
    const declare = (day: string) =>
      visitor.ask("usage", token, { body: lines(JSON.stringify({ complete: day })) });
    expect(json(await declare("2026-11-22"))).toMatchObject({ added: 0, complete: ["2026-11-22"] });
    expect(json(await declare("2026-11-23"))).toMatchObject({
      faults: [{ line: 1, message: "day 2026-11-23 is not over yet (today is 2026-11-23 UTC)" }],
    });
    expect(visitor.test.raw("SELECT day FROM complete_day")).toEqual([{ day: "2026-11-22" }]);
  });

  it("may be compressed by gzip, and by nothing else", async () => {
    const body = gzipSync(lines(row()));
    expect(json(await visitor.ask("usage", token, { body, encoding: "gzip" }))).toMatchObject({ added: 1 });
    expect((await visitor.ask("usage", token, { body, encoding: "br" })).status).toBe(415);
    const cut = body.subarray(0, body.length - 9);
    expect((await visitor.ask("usage", token, { body: cut, encoding: "gzip" })).status).toBe(400);
  });

  it("is refused whole with the line and column of each fault", async () => {
    const answer = await visitor.ask("usage", token, { body: lines(row(), row({ quantity: -1 }), "{") });
    expect([answer.status, json(answer)]).toEqual([
      422,
      {
        error: "nothing was taken; see faults",
        faults: [
          { line: 2, column: expect.any(Number), message: '"-1" is no whole, positive quantity' },
          { line: 3, column: 2, message: "this is no JSON" },
        ],
        more: 0,
      },
    ]);
    const stranger = await visitor.ask("usage", token, { body: lines(row({ account: "acct_none" })) });
    expect(json(stranger)).toMatchObject({
      faults: [{ line: 1, message: expect.stringContaining("acct_none") }],
    });
    expect(countRows()).toEqual([{ n: 0n }]);
  });

  it("is refused where it is longer than 10 MiB, packed or unpacked", async () => {
    const bomb = gzipSync(Buffer.alloc(10_485_761, 32));
    expect((await visitor.ask("usage", token, { body: bomb, encoding: "gzip" })).status).toBe(413);
    const long = await visitor.ask("usage", token, { body: Buffer.alloc(10_485_761, 32) });
    expect([long.status, Object.keys(json(long) as object)]).toEqual([413, ["error"]]);
  });
});

describe("whoever has no token", () => {
  it.each(["", "other", "service-token2", "service-toke"])("and shows %j learns nothing", async (shown) => {
    for (const request of [
      visitor.ask("usage", shown, { body: lines(row()) }),
      visitor.ask("standing", shown, { query: { account: ada } }),
    ]) {
      const answer = await request;
      expect([answer.status, answer.headers.get("WWW-Authenticate")]).toEqual([
        401,
        'Bearer realm="service"',
      ]);
      expect(answer.body).not.toContain(ada);
    }
    expect(countRows()).toEqual([{ n: 0n }]);
  });

  it("is let in by the token before, while it is being changed", async () => {
    const other = await visitor.again({ secrets: { usage_token: "new", usage_token_old: "old" } });
    for (const [shown, status] of [
      ["new", 200],
      ["old", 200],
      [token, 401],
    ] as const)
      expect((await other.ask("standing", shown, { query: { account: ada } })).status).toBe(status);
  });

  it("is told to come back where the site has none set", async () => {
    const other = await visitor.again({ secrets: {} });
    expect((await other.ask("standing", "", { query: { account: ada } })).status).toBe(503);
  });
});

describe("the standing of an account", () => {
  const ask = async (account: string = ada) => visitor.ask("standing", token, { query: { account } });

  it("says that it may write while there is more than nothing", async () => {
    expect(json(await ask())).toMatchObject({
      state: "new",
      mayWrite: false,
      balance: "0.000000000000000000",
    });
    await topUp(visitor.test.store, ada, amountOf(1n));
    expect(json(await ask())).toEqual({
      account: ada,
      state: "ok",
      mayWrite: true,
      balance: "0.000000000000000001",
      asOf: "2026-11-23T08:00:00.000Z",
      goodUntil: "2026-11-24T08:00:00.000Z",
    });
  });

  it("of nobody is not found", async () => {
    const answer = await ask("acct_none");
    expect([answer.status, json(answer)]).toEqual([404, { error: 'there is no account "acct_none"' }]);
  });

  it.each([new TryLater("the disk failed"), new NeedsHuman("the file is gone"), new Error("a bug")])(
    "is open while the books cannot be read: %s",
    async (cause) => {
      const store = { ...visitor.test.store, read: () => Promise.reject(cause) };
      const answer = await visitor.ask("standing", token, { query: { account: ada }, store });
      expect([answer.status, json(answer)]).toEqual([
        cause.constructor === Error ? 500 : 503,
        { error: expect.any(String), state: "unknown", mayWrite: true },
      ]);
    },
  );
});
