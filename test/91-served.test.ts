// Goal of this test: the served site by plain HTTP requests: bad input gets a plain page and writes nothing, events
// that are forged or replayed change nothing, a night billed twice is one bill, dist/ holds nothing of development,
// and the server ends with everything that it started.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { endServer, listen } from "../dev/listen.ts";
import { startStripe } from "../dev/stripe.ts";
import { stripeApiVersion } from "../lib/payments/stripe.ts";
import { systemClock } from "../lib/util/clock.ts";
import { eventually, findLongMonthDay, type Served, serveSite } from "./support/served.ts";
import { readRows } from "./support/store.ts";

let served: Served;
beforeAll(async () => {
  served = await serveSite();
});
afterAll(() => served?.end());

const rows = (sql: string) => readRows(join(served.dataFolder, "books.sqlite"), sql);
const counts = () =>
  rows(
    `SELECT (SELECT count(*) FROM signup) AS signups, (SELECT count(*) FROM account) AS accounts,
     (SELECT count(*) FROM outbox) AS mails, (SELECT count(*) FROM transfer) AS transfers,
     (SELECT count(*) FROM stripe_event) AS events, (SELECT count(*) FROM payment_order) AS orders`,
  )[0];

interface Browser {
  readonly get: (path: string) => Promise<Response>;
  readonly post: (path: string, fields: Readonly<Record<string, string>>) => Promise<Response>;
  readonly cookie: () => string;
}

/** What a browser adds to a request: its cookie, and the hidden fields of the form that it was shown. */
function openBrowser(): Browser {
  let cookie = "";
  let shown = "";
  const send = async (path: string, init: RequestInit): Promise<Response> => {
    const headers = { ...init.headers, cookie };
    const answer = await fetch(served.url + path, { ...init, headers, redirect: "manual" });
    cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? cookie;
    shown = await answer.clone().text();
    return answer;
  };
  return {
    get: (path) => send(path, {}),
    post: (path, fields) => {
      const hidden = [...shown.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
      const form = { ...Object.fromEntries(hidden.map((found) => [found[1], found[2]])), ...fields };
      return send(path, { method: "POST", body: new URLSearchParams(form), headers: { origin: served.url } });
    },
    cookie: () => cookie,
  };
}

const password = "four words are enough";

async function becomeCustomer(email: string): Promise<Browser> {
  const browser = openBrowser();
  await browser.get("/account/signup.cgi");
  await browser.post("/account/signup.cgi", { email, password });
  const mailed = rows(`SELECT body FROM outbox WHERE recipient = '${email}'`)[0] as { body: string };
  const token = /token=([\w-]+)/.exec(mailed.body)?.[1] ?? "";
  await browser.get(`/account/confirm.cgi?token=${token}`);
  await browser.post("/account/confirm.cgi", {});
  await browser.get("/account/login.cgi");
  expect((await browser.post("/account/login.cgi", { email, password })).status).toBe(303);
  return browser;
}

describe("bad input", () => {
  const form = { "content-type": "application/x-www-form-urlencoded" };
  it.each([
    ["a method that the page has not", "/account/signup.cgi", { method: "DELETE" }, 405],
    ["a query that the page does not know", "/account/signup.cgi?next=//evil.example", {}, 400],
    [
      "a body that is too long",
      "/account/signup.cgi",
      { method: "POST", body: "a".repeat(9000), headers: form },
      413,
    ],
    [
      "a body of another type",
      "/account/login.cgi",
      { method: "POST", body: "{}", headers: { "content-type": "application/json" } },
      415,
    ],
    [
      "a repeated field",
      "/account/login.cgi",
      { method: "POST", body: "email=a&email=b", headers: form },
      400,
    ],
    ["an unknown field", "/account/login.cgi", { method: "POST", body: "admin=1", headers: form }, 400],
    ["a broken encoding", "/account/login.cgi", { method: "POST", body: "email=%ff%fe", headers: form }, 400],
    [
      "a form without its token",
      "/account/signup.cgi",
      { method: "POST", body: "email=a%40b.example&password=four+words+are+enough", headers: form },
      403,
    ],
    [
      "a form from another site",
      "/account/signup.cgi",
      { method: "POST", body: "email=a%40b.example", headers: { ...form, origin: "https://evil.example" } },
      403,
    ],
    ["a program that is not there", "/account/admin.cgi", {}, 404],
    ["a way out of the folder", "/account/..%2f..%2f..%2fjobs/bill", {}, 404],
    ["a page that is not there", "/no/such/page", {}, 404],
  ] as const)(
    "%s gets a page that says what to do, and nothing is written",
    async (_what, path, init, status) => {
      const before = counts();
      const answer = await fetch(served.url + path, { ...init, redirect: "manual" });
      const page = await answer.text();
      expect(answer.status).toBe(status);
      expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(page).toContain('<nav class="sections"');
      expect(page).not.toMatch(/\bat .*\.ts:|node:|sqlite|\/tmp\//i);
      expect(counts()).toEqual(before);
    },
  );
});

describe("a plain page", () => {
  it("can only be read", async () => {
    const answer = await fetch(`${served.url}/faq.html`, { method: "POST", body: "x" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});

describe("an event", () => {
  const secrets = () => {
    const text = readFileSync(join(served.dataFolder, "development-secrets"), "utf8");
    const read = (name: string): string => new RegExp(`^${name} = (\\S+)$`, "m").exec(text)?.[1] ?? "";
    return { key: read("stripe_key"), webhookSecret: read("stripe_webhook_secret") };
  };
  const tell = (payload: string, signature: string) =>
    fetch(`${served.url}/account/stripe-webhook.cgi`, {
      method: "POST",
      body: payload,
      headers: { "content-type": "application/json; charset=utf-8", "stripe-signature": signature },
    });

  it("that is replayed credits nobody again; forged, stale, or changed ones are refused", async () => {
    const browser = await becomeCustomer("mira@example.com");
    await browser.get("/account/pay.cgi");
    const started = await browser.post("/account/pay.cgi", { amount: "10" });
    const checkout = started.headers.get("location") ?? "";
    const paid = await fetch(checkout, {
      method: "POST",
      body: new URLSearchParams({ outcome: "pay" }),
      redirect: "manual",
    });
    expect(paid.status).toBe(303);
    await eventually("the credit", () => (rows("SELECT 1 FROM transfer").length === 1 ? true : undefined));
    // The raw event as it came, out of the books; signed anew, as Stripe signs each repetition.
    const [kept] = rows("SELECT raw FROM stripe_event") as { raw: Uint8Array }[];
    const payload = Buffer.from(kept?.raw ?? []).toString();
    expect(payload).toContain('"checkout.session.completed"');
    const before = counts();
    const sign = (text: string, secret: string, ageSeconds = 0): string =>
      Stripe.webhooks.generateTestHeaderString({
        payload: text,
        secret,
        timestamp: Math.floor(systemClock.now() / 1000) - ageSeconds,
      });
    const { webhookSecret } = secrets();
    expect((await tell(payload, sign(payload, webhookSecret))).status).toBe(200);
    expect((await tell(payload, sign(payload, "whsec_guessed"))).status).toBe(400);
    expect((await tell(payload, sign(payload, webhookSecret, 301))).status).toBe(400);
    expect((await tell(payload, "")).status).toBe(400);
    const dearer = payload.replaceAll("1000", "100000");
    expect(dearer).not.toBe(payload);
    expect((await tell(dearer, sign(payload, webhookSecret))).status).toBe(400);
    expect(counts()).toEqual(before);
    expect(await (await browser.get("/account/account.cgi")).text()).toContain(
      '<p class="balance">$10.00</p>',
    );
  });

  it("of another Stripe with another secret is refused", async () => {
    const sent: { payload: string; signature: string }[] = [];
    const hook = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      sent.push({
        payload: Buffer.concat(chunks).toString(),
        signature: String(request.headers["stripe-signature"]),
      });
      response.end();
    });
    const other = await startStripe({
      port: 0,
      key: "sk_test_other",
      webhookSecret: "whsec_other",
      webhookUrl: `http://127.0.0.1:${await listen(hook, 0)}/`,
      clock: systemClock,
      apiVersion: stripeApiVersion,
    });
    try {
      const { hostname, port } = new URL(other.url);
      const stripe = new Stripe("sk_test_other", { protocol: "http", host: hostname, port });
      const session = await stripe.checkout.sessions.create({
        mode: "payment",
        line_items: [
          {
            quantity: 1,
            price_data: { currency: "usd", unit_amount: 100_000, product_data: { name: "credit" } },
          },
        ],
        success_url: "http://127.0.0.1/",
      });
      const form = new URLSearchParams({ outcome: "pay" });
      await fetch(session.url ?? "", { method: "POST", body: form, redirect: "manual" });
      const before = counts();
      expect((await tell(sent[0]?.payload ?? "", sent[0]?.signature ?? "")).status).toBe(400);
      expect(counts()).toEqual(before);
    } finally {
      await other.close();
      await endServer(hook);
    }
  });
});

describe("a night", () => {
  const importLines = (...lines: readonly string[]) => {
    const file = join(served.folder, "usage.csv");
    writeFileSync(file, ["day,account,machine,meter,quantity", ...lines, ""].join("\n"));
    return { file, ...served.site("usage", "import", file) };
  };

  it("with bad lines names each line and takes none of the file", () => {
    const day = findLongMonthDay();
    const { file, code, err } = importLines(
      `${day},mira@example.com,web1,storage,1000`,
      `${day},nobody@example.com,web1,storage,1000`,
      `${day},mira@example.com,web1,strage,1000`,
    );
    expect(code).toBe(1);
    for (const line of [3, 4]) expect(err).toContain(`${file}:${line}: `);
    expect(err).toContain("2 faults; nothing was imported");
    expect(importLines(`${day},mira@example.com,web1,storage,-5`)).toMatchObject({
      code: 1,
      err: `${file}:2: "-5" is no whole, positive quantity\n${file}: 1 fault; nothing was imported\n`,
    });
    expect(rows("SELECT count(*) AS n FROM usage")).toEqual([{ n: 0n }]);
  });

  it("that is billed twice is one bill, of exactly the amount worked out by hand", () => {
    const day = findLongMonthDay();
    expect(importLines(`${day},mira@example.com,web1,storage,259688348`).code).toBe(0);
    expect(served.site("job", "bill", "--day", day).out).toContain("1 bills written, $0.002094260837459568");
    expect(served.site("job", "bill", "--day", day).out).toContain("0 bills written");
    expect(served.site("job", "bill").out).toContain("no complete day is waiting");
    // floor(250,000,000 / 31) = 8,064,516; x 259,688,348 = 2,094,260,837,459,568 attodollars.
    expect(rows("SELECT picodollars, attodollars FROM transfer WHERE code = 'bill'")).toEqual([
      { picodollars: 2_094_260_837n, attodollars: 459_568n },
    ]);
    expect(importLines(`${day},mira@example.com,web2,storage,1`)).toMatchObject({
      code: 1,
      err: expect.stringContaining("billed already and takes no new rows"),
    });
  });

  it.each([
    [["job", "bill", "--day", "2026-02-30"], 64, "is no day"],
    [["job", "bill", "--day", "2999-01-01"], 1, "is not over yet"],
    [["job", "nothing"], 100, 'there is no job "nothing"'],
    [["usage", "import", "/no/such/file.csv"], 1, "/no/such/file.csv"],
  ])("refuses `site %j`", (words, code, message) => {
    expect(served.site(...words)).toMatchObject({ code, err: expect.stringContaining(message) });
  });
});

describe("what was built", () => {
  it("holds nothing of the development server, its stand-in, or its keys", () => {
    const names = readdirSync(served.outFolder, { recursive: true, encoding: "utf8" });
    const files = names.map((name) => join(served.outFolder, name)).filter((name) => statSync(name).isFile());
    expect(files.length).toBeGreaterThan(20);
    const telling =
      /stand-?in for Stripe|dev\/standin|sk_test_standin|Development mailbox|whsec_[A-Za-z0-9]/i;
    const programs = files.filter((name) => /\/(cgi|jobs)\//.test(name));
    expect(programs.length).toBeGreaterThanOrEqual(12);
    for (const file of programs)
      expect([file, telling.exec(readFileSync(file, "utf8"))]).toEqual([file, null]);
  });

  it("carries Stripe's library in the programs that take payments, and in no other", () => {
    const folder = join(served.outFolder, "current", "cgi", "account");
    const carriers = readdirSync(folder).filter((name) =>
      readFileSync(join(folder, name), "utf8").includes("api.stripe.com"),
    );
    expect(carriers).toEqual(["pay.cgi", "stripe-webhook.cgi"]);
  });
});

describe("the server", () => {
  it("ends at Ctrl-C with everything that it started", async () => {
    const standIn = /stand-in at (\S+);/.exec(served.output())?.[1] ?? "";
    expect([await isListening(standIn), await isListening(served.url)]).toEqual([true, true]);
    expect(processesOf(served.outFolder).length).toBeGreaterThan(1);
    expect(await served.interrupt()).toBe(0);
    expect([await isListening(standIn), await isListening(served.url)]).toEqual([false, false]);
    expect(processesOf(served.outFolder)).toEqual([]);
  });
});

function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.on("connect", () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

/** Command lines of running processes that name a folder; empty where there is no /proc to tell. */
function processesOf(folder: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return line.includes(folder) ? [line] : [];
      } catch {
        return []; // It has ended meanwhile.
      }
    });
}
