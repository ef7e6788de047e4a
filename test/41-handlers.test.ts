// Goal of this test: the account programs, by request and response: a stranger becomes a paying customer, each
// refusal says what to do and writes nothing, and nobody learns who is a customer.
import Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeVisitor, type Visitor } from "./support/visitor.ts";

const password = "correct horse battery";
const address = "ada@example.org";

let visitor: Visitor;
beforeEach(async () => {
  visitor = await makeVisitor();
});
afterEach(() => visitor.end());

const count = (table: string) =>
  (visitor.test.raw(`SELECT count(*) AS n FROM ${table}`)[0] as { n: bigint }).n;
const mailBodies = () =>
  (visitor.test.raw("SELECT body FROM outbox ORDER BY created_at, id") as { body: string }[]).map(
    (m) => m.body,
  );

async function signUp(email = address): Promise<string> {
  await visitor.get("signup");
  const answer = await visitor.post("signup", { email, password });
  expect(answer.status).toBe(200);
  return answer.body;
}

function tokenInMail(): string {
  const link = mailBodies()
    .map((body) => /confirm\.cgi\?token=([\w-]+)/.exec(body)?.[1])
    .findLast((token) => token !== undefined);
  if (link === undefined) throw new Error("no link was mailed");
  return link;
}

async function becomeCustomer(): Promise<void> {
  await signUp();
  await visitor.get("confirm", { token: tokenInMail() });
  expect((await visitor.post("confirm", { token: tokenInMail(), password })).status).toBe(200);
  const login = await visitor.post("login", { email: address, password });
  expect(login.status).toBe(303);
}

describe("a stranger", () => {
  it("becomes a customer: sign-up, mail, button, log in, empty account", async () => {
    await becomeCustomer();
    const account = await visitor.get("account");
    expect(account.status).toBe(200);
    expect(account.body).toContain("$0.00");
    expect(account.body).toContain("Nothing has happened yet");
    expect(account.body).toContain(address);
  });

  it("confirms by the password and a button: opening the link changes nothing", async () => {
    await signUp();
    const shown = await visitor.get("confirm", { token: tokenInMail() });
    expect(shown.body).toContain("<button>Confirm my address</button>");
    expect(count("account")).toBe(0n);
    await visitor.post("confirm", { token: tokenInMail(), password });
    expect(count("account")).toBe(1n);
  });

  it("cannot confirm twice, nor with a token that is none", async () => {
    await becomeCustomer();
    for (const token of [tokenInMail(), "", "x".repeat(43)]) {
      expect((await visitor.get("confirm", { token })).status).toBe(410);
      expect((await visitor.post("confirm", { token, password })).status).toBe(410);
    }
    expect(count("account")).toBe(1n);
  });

  it.each([
    ["not-an-address", password, "no address we can write to"],
    [address, "too short", "15 characters or more"],
    [address, "a".repeat(20), "repeats too few"],
    [address, `${address} and more`, "must not hold your address"],
  ])("who types %j and %j is told what to do, and nothing is written", async (email, typed, sentence) => {
    await visitor.get("signup");
    const answer = await visitor.post("signup", { email, password: typed });
    expect(answer.status).toBe(422);
    expect(answer.body).toContain(sentence);
    expect(answer.body).not.toContain(typed === address ? "never" : `value="${typed}"`);
    expect([count("signup"), count("outbox")]).toEqual([0n, 0n]);
  });

  it("learns nothing about who is a customer: sign-up answers byte for byte the same", async () => {
    const first = await signUp();
    await visitor.post("confirm", { token: tokenInMail(), password });
    const again = await signUp();
    expect(again).toBe(first);
    expect(mailBodies().filter((body) => body.includes("There is one already"))).toHaveLength(1);
  });

  it("learns nothing about who is a customer: log in answers byte for byte the same", async () => {
    await becomeCustomer();
    const stranger = await visitor.again();
    await stranger.get("login");
    const known = await stranger.post("login", { email: address, password: "wrong horse battery" });
    const unknown = await stranger.post("login", {
      email: "eve@example.org",
      password: "wrong horse battery",
    });
    expect([known.status, unknown.status]).toEqual([422, 422]);
    expect(unknown.body.replace("eve@example.org", address)).toBe(known.body);
    expect(unknown.headers).toEqual(known.headers);
  });

  it.each(["account", "pay"])("who opens %s is sent to the login page", async (name) => {
    const answer = await visitor.get(name);
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, "/account/login.cgi"]);
  });
});

describe("a session", () => {
  it("begins under a new token at login, and the old one is no good", async () => {
    await becomeCustomer();
    const before = visitor.cookie();
    await visitor.post("login", { email: address, password });
    expect(visitor.cookie()).not.toBe(before);
    expect((await visitor.get("account")).status).toBe(200);
    visitor.setCookie(before);
    expect((await visitor.get("account")).status).toBe(303);
  });

  it("ends on the server when its owner logs out", async () => {
    await becomeCustomer();
    const before = visitor.cookie();
    expect((await visitor.get("logout")).body).toContain("<button>Log out</button>");
    expect((await visitor.get("account")).status).toBe(200);
    const answer = await visitor.post("logout", {});
    expect([answer.status, answer.headers.get("Clear-Site-Data")]).toEqual([303, '"cache", "storage"']);
    expect(answer.headers.get("Set-Cookie")).toMatch(/^__Host-session=; .*Max-Age=0$/);
    visitor.setCookie(before);
    expect((await visitor.get("account")).status).toBe(303);
  });
});

describe("a customer", () => {
  it("pays: order, Stripe's page, back, credited once by page and webhook", async () => {
    await becomeCustomer();
    await visitor.get("pay");
    const started = await visitor.post("pay", { amount: "10" });
    expect(started.status).toBe(303);
    const { event, order } = await visitor.payAtStripe(started.headers.get("Location") ?? "");
    const back = await visitor.get("pay", { order });
    expect([back.status, back.headers.get("Location")]).toEqual([303, "/account/account.cgi"]);
    expect((await visitor.tellWebhook(event)).status).toBe(200);
    expect((await visitor.tellWebhook(event)).status).toBe(200);
    const account = await visitor.get("account");
    expect(account.body).toContain('<p class="balance">$10.00</p>');
    expect(account.body).toContain("+10.000000000000000000");
    expect(count("transfer")).toBe(1n);
  });

  it("is credited by the webhook alone, and the page after it changes nothing", async () => {
    await becomeCustomer();
    await visitor.get("pay");
    const started = await visitor.post("pay", { amount: "10.00" });
    const { event, order } = await visitor.payAtStripe(started.headers.get("Location") ?? "");
    await visitor.tellWebhook(event);
    expect((await visitor.get("pay", { order })).status).toBe(303);
    expect(count("transfer")).toBe(1n);
  });

  it("who comes back without having paid is told to wait, and gets nothing", async () => {
    await becomeCustomer();
    await visitor.get("pay");
    await visitor.post("pay", { amount: "10" });
    const [row] = visitor.test.raw("SELECT id FROM payment_order") as { id: string }[];
    const back = await visitor.get("pay", { order: row?.id ?? "" });
    expect([back.status, back.body.includes("Payment under way")]).toEqual([200, true]);
    expect(count("transfer")).toBe(0n);
  });

  it.each(["", "0", "4.99", "1000.01", "ten", "10.001", "-10", "1e3"])(
    "who types the amount %j is told the limits",
    async (amount) => {
      await becomeCustomer();
      await visitor.get("pay");
      const answer = await visitor.post("pay", { amount });
      expect(answer.status).toBe(422);
      expect(answer.body).toContain("Type an amount from $5.00 to $1000.00");
      expect(count("payment_order")).toBe(0n);
    },
  );

  it("cannot see the order of another", async () => {
    await becomeCustomer();
    await visitor.get("pay");
    await visitor.post("pay", { amount: "10" });
    const [row] = visitor.test.raw("SELECT id FROM payment_order") as { id: string }[];
    const other = await visitor.again();
    await other.become("eve@example.org");
    const answers = [
      await other.get("pay", { order: row?.id ?? "" }),
      await other.get("pay", { order: "order_none" }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([404, 404]);
    expect(answers[0]?.body).toBe(answers[1]?.body);
  });

  it("who writes markup into a form sees it as text", async () => {
    await visitor.get("login");
    const answer = await visitor.post("login", { email: '"><script>alert(1)</script>', password: "x" });
    expect(answer.body).not.toContain("<script");
    expect(answer.body).toContain("&quot;&gt;&lt;script&gt;");
  });
});

describe("the webhook", () => {
  it("refuses what was not signed, and keeps nothing of it", async () => {
    const body = JSON.stringify({ id: "evt_1", object: "event", type: "checkout.session.completed" });
    for (const secret of ["", "whsec_wrong"]) {
      const signature =
        secret === "" ? "" : Stripe.webhooks.generateTestHeaderString({ payload: body, secret });
      const answer = await visitor.postRaw("stripe-webhook", body, signature);
      expect([answer.status, answer.body]).toEqual([400, "the signature does not fit\n"]);
    }
    expect(count("stripe_event")).toBe(0n);
  });
});

describe("an event in another API version", () => {
  it("is credited by what Stripe says when it is asked about the session", async () => {
    await becomeCustomer();
    await visitor.get("pay");
    const started = await visitor.post("pay", { amount: "10" });
    const { event } = await visitor.payAtStripe(started.headers.get("Location") ?? "");
    const body = event.raw.replace(/"api_version": "[^"]*"/, '"api_version": "2020-08-27"');
    expect(body).not.toBe(event.raw);
    const timestamp = Math.floor(visitor.test.clock.ms / 1000);
    const signature = Stripe.webhooks.generateTestHeaderString({
      payload: body,
      secret: "whsec_visitor",
      timestamp,
    });
    expect((await visitor.postRaw("stripe-webhook", body, signature)).status).toBe(200);
    expect((await visitor.postRaw("stripe-webhook", body, signature)).status).toBe(200);
    expect((await visitor.get("account")).body).toContain('<p class="balance">$10.00</p>');
    expect(count("transfer")).toBe(1n);
  });
});

describe("a broken world", () => {
  it("is a fault of ours, with the cause in the log under the same reference and nothing of it on the page", async () => {
    visitor.test.raw("ALTER TABLE session RENAME TO gone");
    const answer = await visitor.get("account");
    expect(answer.status).toBe(500);
    const reference = /write to us and name ([\w-]+)\./.exec(answer.body)?.[1];
    expect(visitor.logged.join("\n")).toContain(`[${reference}]`);
    expect(answer.body).not.toMatch(/SQL|session|table/i);
  });

  it("without payment keys says so to the operator only", async () => {
    await becomeCustomer();
    const keyless = await visitor.again({ secrets: {} });
    keyless.setCookie(visitor.cookie());
    await keyless.get("pay");
    const answer = await keyless.post("pay", { amount: "10" });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("Retry-After")).toBe("300");
    expect(answer.body).not.toContain("stripe_key");
    expect(keyless.logged.join("\n")).toContain("stripe_key is not set in the secrets file");
  });
});

describe("every page", () => {
  it.each(["signup", "login", "logout", "confirm", "search"])(
    "of %s wears the header, forbids storing, and asks for no script",
    async (name) => {
      const answer = await visitor.get(name);
      expect(answer.headers.get("Cache-Control")).toBe("no-store");
      expect(answer.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
      expect(answer.body).toMatch(/<nav[\s>]/);
      expect(answer.body).not.toMatch(/<script|style=|onclick/i);
    },
  );
});

it("terms are accepted at sign-up, and their version is kept with the account", async () => {
  const first = await makeVisitor();
  try {
    const terms = { version: "2026-11-01", page: "/terms.html" };
    const visitor = await first.again({ settings: { terms } });
    const form = await visitor.get("signup");
    expect(form.body).toContain('I accept the <a href="/terms.html">terms</a> of 2026-11-01');
    const typed = { email: "ada@example.org", password: "four words are enough" };
    for (const wrong of [{}, { terms: "yes" }, { terms: "2025-01-01" }] as Record<string, string>[]) {
      const answer = await visitor.post("signup", { ...typed, ...wrong });
      expect([answer.status, answer.body.includes("tick the box")]).toEqual([422, true]);
    }
    expect(first.test.raw("SELECT * FROM signup")).toEqual([]);
    await visitor.post("signup", { ...typed, terms: terms.version });
    const [mail] = first.test.raw("SELECT body FROM outbox") as { body: string }[];
    const token = /token=([\w-]+)/.exec(mail?.body ?? "")?.[1] ?? "";
    await visitor.post("confirm", { token, password: typed.password });
    expect(first.test.raw("SELECT terms, terms_at FROM account")).toEqual([
      { terms: terms.version, terms_at: BigInt(first.test.clock.ms) },
    ]);
  } finally {
    await first.end();
  }
});
