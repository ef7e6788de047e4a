// Goal of this test: at login, sign-up, and reset a stranger learns neither from words, status, headers, nor time who is a customer.
// Time is judged by two samples, taken in turn: they are told apart where the Mann-Whitney statistic is beyond what chance gives
// once in 15,000 times, and the medians lie more than a twentieth apart (less is below what a network adds). A program that
// leaves the hashing out for strangers is told apart by the same rule.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeRandom } from "./support/fuzz.ts";
import { type Answer, makeVisitor, type Visitor } from "./support/visitor.ts";

const known = "ada@example.org";
// As long as the other, so that the page is as long too.
const unknown = "eve@example.org";
const cost = { log2N: 10, r: 8, p: 1 } as const;
const samples = 200;

let customer: Visitor;
let stranger: Visitor;
beforeEach(async () => {
  customer = await makeVisitor();
  stranger = await customer.again({ cost });
  await stranger.become(known);
  await stranger.post("logout", {});
});
afterEach(() => customer.end());

interface Asked {
  readonly name: string;
  readonly fields: (email: string) => Readonly<Record<string, string>>;
}
const forms: readonly Asked[] = [
  { name: "login", fields: (email) => ({ email, password: "not the password at all", code: "" }) },
  { name: "signup", fields: (email) => ({ email, password: "five words are quite enough" }) },
  { name: "reset", fields: (email) => ({ email }) },
];

/** What one request leaves behind goes, so that each begins alike. */
const forget = (): Promise<void> =>
  customer.test.store.write(async (tx) => {
    for (const table of ["attempt", "signup", "password_reset", "outbox"])
      await tx.run(`DELETE FROM ${table}`);
  });

async function ask({ name, fields }: Asked, email: string): Promise<{ answer: Answer; ms: number }> {
  await forget();
  const began = performance.now();
  const answer = await stranger.post(name, fields(email));
  return { answer, ms: performance.now() - began };
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
