// Goal of this test: at login, sign-up, and reset a stranger learns neither from words, status, headers, nor time who is a customer.
// Time is judged by two samples, taken in turn: they are told apart where the Mann-Whitney statistic is beyond what chance gives
// once in 15,000 times, and the medians lie more than a twentieth apart (less is below what a network adds). A program that
// leaves the hashing out for strangers is told apart by the same rule.
import { TOTP } from "otpauth";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeRandom } from "./support/fuzz.ts";
import { type Answer, makeVisitor, passwordOf, type Visitor } from "./support/visitor.ts";

const known = "ada@example.org";
// As long as the other, so that the page is as long too.
const unknown = "eve@example.org";
const cost = { log2N: 10, r: 8, p: 1 } as const;
const samples = 200;

let customer: Visitor;
let stranger: Visitor;
beforeEach(async () => {
  customer = await makeVisitor();
  stranger = await customer.again({ cost, evenMs: 15 });
  await stranger.become(known);
  await stranger.post("logout", {});
  await stranger.get("login");
});
afterEach(() => customer.end());

interface Asked {
  readonly name: string;
  readonly fields: (email: string) => Readonly<Record<string, string>>;
  /** Of every answer: a form that was refused before it was read would prove nothing. */
  readonly status: number;
}
const forms: readonly Asked[] = [
  {
    name: "login",
    fields: (email) => ({ email, password: "not the password at all", code: "" }),
    status: 422,
  },
  { name: "signup", fields: (email) => ({ email, password: "five words are quite enough" }), status: 200 },
  { name: "reset", fields: (email) => ({ email }), status: 200 },
];

/** What one request leaves behind goes, so that each begins alike. */
const forget = (): Promise<void> =>
  customer.test.store.write(async (tx) => {
    for (const table of ["attempt", "signup", "password_reset", "outbox"])
      await tx.run(`DELETE FROM ${table}`);
  });

async function ask({ name, fields, status }: Asked, email: string): Promise<{ answer: Answer; ms: number }> {
  await forget();
  const began = performance.now();
  const answer = await stranger.post(name, fields(email));
  const ms = performance.now() - began;
  expect(answer.status).toBe(status);
  return { answer, ms };
}

/** How far apart two samples lie: the Mann-Whitney z, and the medians' distance as a share of the smaller. */
function compare(left: readonly number[], right: readonly number[]): { z: number; apart: number } {
  const all = [...left.map((ms) => ({ ms, isLeft: true })), ...right.map((ms) => ({ ms, isLeft: false }))];
  all.sort((a, b) => a.ms - b.ms);
  const ranks = all.reduce((sum, { isLeft }, place) => (isLeft ? sum + place + 1 : sum), 0);
  const [n, m] = [left.length, right.length];
  const u = ranks - (n * (n + 1)) / 2;
  const z = (u - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
  const median = (values: readonly number[]): number =>
    [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
  const [a, b] = [median(left), median(right)];
  return { z: Math.abs(z), apart: Math.abs(a - b) / Math.min(a, b) };
}
const isTold = ({ z, apart }: { z: number; apart: number }): boolean => z > 4 && apart > 0.05;

async function sample(one: () => Promise<number>, other: () => Promise<number>) {
  const random = makeRandom(1);
  const [left, right]: [number[], number[]] = [[], []];
  // Both are warm before they are counted, and neither is always the first.
  for (let time = -20; time < samples; time += 1) {
    const isFirst = random() < 0.5;
    const [a, b] = isFirst
      ? [await one(), await other()]
      : ((await other().then(async (b) => [await one(), b])) as [number, number]);
    if (time < 0) continue;
    left.push(a);
    right.push(b);
  }
  return compare(left, right);
}

describe.each(forms)("$name", (form) => {
  it("has the same words, status, and headers for a customer and for nobody", async () => {
    const [one, other] = [(await ask(form, known)).answer, (await ask(form, unknown)).answer];
    expect(one.body.replaceAll(known, "ADDRESS")).toBe(other.body.replaceAll(unknown, "ADDRESS"));
    expect(one.body.length).toBe(other.body.length);
    expect([one.status, [...one.headers]]).toEqual([other.status, [...other.headers]]);
  });

  it("takes the same time for both", async () => {
    const told = await sample(
      async () => (await ask(form, known)).ms,
      async () => (await ask(form, unknown)).ms,
    );
    expect(isTold(told), JSON.stringify(told)).toBe(false);
  }, 60_000);
});

it("a right password without its code takes the time of a wrong one", async () => {
  await stranger.logIn(known);
  const current = passwordOf(known);
  await stranger.get("factor");
  await stranger.post("factor", { do: "begin", current });
  const { secret } = stranger.given.get("account/factor-new") as { secret: string };
  const code = new TOTP({ secret: secret.replaceAll(" ", "") }).generate({
    timestamp: customer.test.clock.ms,
  });
  await stranger.post("factor", { do: "confirm", code });
  await stranger.post("logout", {});
  await stranger.get("login");
  const wrong = code === "123456" ? "654321" : "123456";
  const time = (password: string) => async (): Promise<number> => {
    const fields = (email: string) => ({ email, password, code: wrong });
    return (await ask({ name: "login", fields, status: 422 }, known)).ms;
  };
  const told = await sample(time(current), time("not the password at all"));
  expect(isTold(told), JSON.stringify(told)).toBe(false);
}, 60_000);

it("a reset that did not take even time would be told apart", async () => {
  const [, , reset] = forms;
  if (reset === undefined) throw new Error("there is a reset");
  const uneven = await customer.again({ cost });
  await uneven.get("reset");
  const time = (email: string) => async (): Promise<number> => {
    await forget();
    const began = performance.now();
    await uneven.post("reset", reset.fields(email));
    return performance.now() - began;
  };
  const told = await sample(time(known), time(unknown));
  expect(isTold(told), JSON.stringify(told)).toBe(true);
}, 60_000);

it("a program that hashed for customers alone would be told apart", async () => {
  const [login] = forms;
  if (login === undefined) throw new Error("there is a login");
  const quick = await customer.again({ cost: { log2N: 1, r: 8, p: 1 } });
  await quick.get("login");
  const told = await sample(
    async () => (await ask(login, known)).ms,
    async () => {
      await forget();
      const began = performance.now();
      await quick.post("login", login.fields(unknown));
      return performance.now() - began;
    },
  );
  expect(isTold(told), JSON.stringify(told)).toBe(true);
}, 60_000);
