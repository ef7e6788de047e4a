// Goal of this test: whoever closes an account is told what happens, chooses what becomes of the money, and can undo it for a
// week; then nothing personal is left, and the books still add up.
import { strFromU8, unzipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { job as accountJob } from "../jobs/account.ts";
import { job as closeJob } from "../jobs/close.ts";
import type { AccountId } from "../lib/accounts/account.ts";
import { readBalance } from "../lib/ledger/transfer.ts";
import { verifyBooks } from "../lib/ledger/verify.ts";
import { amountOf } from "../lib/money/amount.ts";
import { giveCredit } from "../lib/staff/credit.ts";
import { readExpectedSchema } from "../lib/store/migrate.ts";
import { billDay } from "../lib/usage/bill.ts";
import { readUsageFile } from "../lib/usage/file.ts";
import { importUsage } from "../lib/usage/import.ts";
import { addPasskey } from "./support/authenticator.ts";
import { dayUtc, meters, usageFile } from "./support/books.ts";
import { runTestJob } from "./support/job.ts";
import { makeVisitor, passwordOf, type Visitor } from "./support/visitor.ts";

const address = "ada@example.org";
const current = passwordOf(address);
const dayMs = 86_400_000;

let visitor: Visitor;
let ada: AccountId;
beforeEach(async () => {
  visitor = await makeVisitor();
  ada = await visitor.become(address);
});
afterEach(async () => {
  await visitor.test.store.read((tx) =>
    verifyBooks(tx, readExpectedSchema({}), (finding) => expect(finding).toBeUndefined()),
  );
  await visitor.end();
});

const give = (atto: bigint, kind: "gift" | "charge" = "gift") => {
  const by = { operator: "colin", reason: kind };
  const credit = { kind, account: ada, amount: amountOf(atto), batch: kind, ...by } as const;
  return visitor.test.store.write((tx) => giveCredit(tx, credit));
};
const balance = () => visitor.test.store.read((tx) => readBalance(tx, ada));
const close = async (change: Record<string, string> = {}) => {
  await visitor.get("close");
  return visitor.post("close", { current, sure: "yes", ...change });
};
const undoToken = () => {
  const [mail] = visitor.test.raw("SELECT body FROM outbox WHERE id LIKE 'closing/%'") as { body: string }[];
  return /token=([\w-]+)/.exec(mail?.body ?? "")?.[1] ?? "no link";
};
const finish = async () => (await runTestJob(visitor.test, closeJob, [])).said;
/** Every text of every table, as whoever has the file would search it. */
const searchFile = (word: string): readonly string[] =>
  visitor.test
    .listTables()
    .filter((name) =>
      visitor.test
        .raw(`SELECT * FROM ${name}`)
        .some((row) => Object.values(row as object).some((cell) => String(cell).includes(word))),
    );

describe("closing", () => {
  it("takes the password, a ticked box, and a choice where money is left", async () => {
    await give(10n ** 18n);
    for (const [change, sentence, chosen] of [
      [{}, "Say what we do with the money", ["yes"]],
      [{ money: "leave", sure: "" }, "Tick the box", ["leave"]],
      [
        { money: "refund", current: "not the password at all" },
        "current password is wrong",
        ["refund", "yes"],
      ],
    ] as const) {
      const answer = await close(change);
      expect([answer.status, answer.body.includes(sentence)]).toEqual([422, true]);
      const checked = answer.body.matchAll(/value="(\w+)" required checked>/g);
      expect([...checked].map((found) => found[1])).toEqual(chosen);
    }
    expect(visitor.test.raw("SELECT * FROM closing")).toEqual([]);
    expect((await visitor.get("close")).body).toContain("$1.000000000000000000 are left");
  });

  it("ends every way in at once, and tells the service", async () => {
    await visitor.get("tokens");
    await visitor.post("tokens", { name: "graph", current });
    const { token } = visitor.given.get("account/tokens") as { token: string };
    const phone = await visitor.again();
    await phone.logIn(address);
    expect((await close()).status).toBe(200);
    for (const browser of [visitor, phone]) expect((await browser.get("account")).status).toBe(303);
    expect((await visitor.ask("data", token, {})).status).toBe(401);
    await phone.get("login");
    expect((await phone.post("login", { email: address, password: current })).status).toBe(422);
    await phone.get("reset");
    await phone.post("reset", { email: address });
    expect(visitor.test.raw("SELECT * FROM password_reset")).toEqual([]);
    const standing = await visitor.ask("standing", "service-token", { query: { account: ada } });
    expect(JSON.parse(standing.body)).toMatchObject({ state: "closed", mayWrite: false });
  });

  it("is undone by the link, once it is pressed, for a week", async () => {
    await close();
    const reader = await visitor.again();
    const token = undoToken();
    visitor.test.clock.ms += 7 * dayMs - 1;
    expect(await finish()).toEqual(["close: 0 accounts erased, 0 waiting"]);
    expect((await reader.get("close", { token })).status).toBe(200);
    expect((await reader.post("close", { token })).status).toBe(200);
    expect((await reader.post("close", { token })).status).toBe(410);
    await visitor.logIn(address);
    visitor.test.clock.ms += dayMs;
    expect(await finish()).toEqual(["close: 0 accounts erased, 0 waiting"]);
  });

  it("tells whoever signs up or asks for a password how the account is opened, while it can be", async () => {
    await close();
    const other = await visitor.again();
    await other.get("signup");
    const ask = [
      () => other.post("signup", { email: address, password: "five words are quite enough" }),
      () => other.post("reset", { email: address }),
    ];
    const subjects = () => visitor.test.raw("SELECT subject, body FROM outbox ORDER BY rowid DESC LIMIT 1");
    for (const send of ask) {
      const before = visitor.test.raw("SELECT count(*) AS n FROM outbox");
      expect((await send()).status).toBe(200);
      expect(visitor.test.raw("SELECT count(*) AS n FROM outbox")).not.toEqual(before);
      expect(subjects()).toEqual([
        {
          subject: expect.stringMatching(/is closed$/),
          body: expect.stringContaining("opens the account again"),
        },
      ]);
    }
    for (let time = 0; time < 9; time += 1) await ask[1]?.();
    expect(visitor.test.raw("SELECT 1 AS one FROM outbox WHERE id LIKE 'reset/%'")).toHaveLength(3);
    visitor.test.clock.ms += 7 * dayMs;
    await finish();
    await ask[0]?.();
    expect(visitor.test.raw("SELECT email FROM signup")).toEqual([{ email: address }]);
  });

  it("erases the addresses that it had before, and no mail of whoever has them now", async () => {
    const move = async (email: string) => {
      await visitor.get("address");
      await visitor.post("address", { email, current });
      const [mail] = visitor.test.raw(
        `SELECT body FROM outbox WHERE recipient = '${email}' ORDER BY rowid DESC`,
      ) as { body: string }[];
      await visitor.post("address", { token: /token=([\w-]+)/.exec(mail?.body ?? "")?.[1] ?? "" });
      visitor.test.clock.ms += 1;
    };
    await move("bea@example.org");
    await move("cleo@example.org");
    await visitor.post("signup", { email: address, password: "five words are quite enough" });
    visitor.test.clock.ms += 7 * dayMs + 1;
    await (await visitor.again()).become(address);
    const mailed = () => visitor.test.raw(`SELECT id FROM outbox WHERE recipient = '${address}'`);
    expect(mailed().length).toBeGreaterThan(1);
    await visitor.get("login");
    await visitor.post("login", { email: "cleo@example.org", password: current });
    await close();
    visitor.test.clock.ms += 7 * dayMs;
    expect(await finish()).toEqual(["close: 1 accounts erased, 0 waiting"]);
    for (const name of ["bea@", "cleo@"]) expect(searchFile(name)).toEqual([]);
    // Its own sign-up is gone; the next owner's is not.
    expect(mailed()).toHaveLength(1);
  });

  it("erases what is personal after a week, and the books end with nothing", async () => {
    await give(5n);
    await visitor.get("warnings");
    await visitor.post("warnings", { second: "office@example.org" });
    const [mail] = visitor.test.raw("SELECT body FROM outbox WHERE id LIKE 'second/%'") as { body: string }[];
    await visitor.post("second", { token: /token=([\w-]+)/.exec(mail?.body ?? "")?.[1] ?? "" });
    const started = await visitor.post("pay", { amount: "10" });
    await visitor.tellWebhook((await visitor.payAtStripe(started.headers.get("Location") ?? "")).event);
    await visitor.post("login", { email: address, password: current });
    await addPasskey(visitor, { name: "the telephone of Ada", current });
    const { codes } = visitor.given.get("account/factor-codes") as { codes: string[] };
    await close({ money: "leave", code: codes[0] ?? "" });
    const token = undoToken();
    visitor.test.clock.ms += 7 * dayMs;
    expect(await finish()).toEqual(["close: 1 accounts erased, 0 waiting"]);
    expect(await finish()).toEqual(["close: 0 accounts erased, 0 waiting"]);
    expect(await balance()).toBe(0n);
    for (const word of [address, "office@example.org", "192.0.2.1", "the telephone of Ada"])
      expect([word, searchFile(word)]).toEqual([word, []]);
    expect((await visitor.get("close", { token })).status).toBe(410);
    expect((await runTestJob(visitor.test, accountJob, ["show", ada], { json: true })).said[0]).toContain(
      "closed.invalid",
    );
    // The address is free again, for another account.
    await visitor.become(address);
    expect((await visitor.get("account")).body).not.toContain(ada);
  });

  it("waits for the last usage to be billed, and for money that is to be given back", async () => {
    await give(10n ** 18n);
    await close({ money: "refund" });
    const day = new Date(visitor.test.clock.ms - dayMs).toISOString().slice(0, 10);
    const { lines } = readUsageFile(usageFile([`${day},${ada},box,storage,5`]));
    await visitor.test.store.write((tx) => importUsage(tx, { lines, meters, complete: [dayUtc(day)] }));
    visitor.test.clock.ms += 7 * dayMs;
    expect((await finish())[1]).toContain(`its usage of ${day} is not billed yet`);
    await billDay(visitor.test.store, dayUtc(day), meters);
    expect((await finish())[1]).toMatch(/give \$0\.9{6}\d+ back: site account refund acct_\w+ 0\.99, or/);
    expect(searchFile(address)).not.toEqual([]);
    await runTestJob(visitor.test, accountJob, ["close", ada], {
      money: "leave",
      reason: "card is gone",
      by: "colin",
    });
    expect(await finish()).toEqual(["close: 1 accounts erased, 0 waiting"]);
  });

  it("writes off what is owed", async () => {
    await give(7n, "charge");
    await close();
    visitor.test.clock.ms += 7 * dayMs;
    await finish();
    expect(await balance()).toBe(0n);
    expect(visitor.test.raw("SELECT id, debit FROM transfer WHERE code = 'written-off'")).toEqual([
      { id: `closing/${ada}`, debit: "adjustments" },
    ]);
  });

  it("is done and undone by the staff too, with a reason", async () => {
    const by = { reason: "asked by letter", by: "colin" };
    const run = async (words: readonly string[], values: Record<string, string | boolean>) =>
      runTestJob(visitor.test, accountJob, words, values);
    expect((await run(["close", ada], { ...by })).outcome).toBe("misused");
    await run(["close", ada], { ...by, money: "leave", preview: true });
    expect(visitor.test.raw("SELECT * FROM closing")).toEqual([]);
    await run(["close", ada], { ...by, money: "leave" });
    expect((await run(["close", ada], { ...by, money: "leave" })).said[0]).toContain("as before: ");
    expect((await visitor.get("account")).status).toBe(303);
    await run(["reopen", ada], by);
    await visitor.logIn(address);
    await run(["close", ada], { ...by, money: "leave" });
    visitor.test.clock.ms += 7 * dayMs;
    await finish();
    await expect(run(["reopen", ada], by)).rejects.toThrow("was erased");
  });
});

it("an export has everything that is kept, in files that programs and people read", async () => {
  await give(10n ** 18n);
  const answer = await visitor.get("export");
  expect(answer.headers.get("Content-Disposition")).toContain(`${ada}-`);
  const files = unzipSync(Buffer.from(answer.body, "latin1"));
  expect(Object.keys(files).sort()).toEqual([
    "account.json",
    "statement.csv",
    "statement.json",
    "usage.csv",
    "usage.json",
  ]);
  const read = (name: string): string => strFromU8(files[name] ?? new Uint8Array());
  expect(JSON.parse(read("account.json"))).toMatchObject({
    account: ada,
    email: address,
    sessions: [{ network: "192.0.2.1" }],
    mails: [{ subject: expect.any(String) }],
  });
  expect(read("statement.csv")).toContain("1.000000000000000000");
  const stranger = await visitor.again();
  expect((await stranger.get("export")).status).toBe(303);
});
