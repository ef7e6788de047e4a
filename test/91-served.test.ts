// Goal of this test: the served site by plain HTTP requests: bad input gets a plain page and writes nothing, a night
// billed twice is one bill, dist/ holds nothing of development, and the server ends with everything it started.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { becomeCustomer, countRows, openBrowser, rowsOf } from "./support/customer.ts";
import { findLongMonthDay, type Served, serveSite } from "./support/served.ts";

let served: Served;
beforeAll(async () => {
  served = await serveSite();
});
afterAll(() => served?.end());

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
      const before = countRows(served);
      const answer = await fetch(served.url + path, { ...init, redirect: "manual" });
      const page = await answer.text();
      expect(answer.status).toBe(status);
      expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(page).toContain('<nav class="sections"');
      expect(page).not.toMatch(/\bat .*\.ts:|node:|sqlite|\/tmp\//i);
      expect(countRows(served)).toEqual(before);
    },
  );
});

describe("a plain page", () => {
  it("can only be read", async () => {
    const answer = await fetch(`${served.url}/faq.html`, { method: "POST", body: "x" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});

describe("a sign-up", () => {
  it("with a password of the list of common ones, which lies beside the programs once, is refused", async () => {
    const folder = join(served.outFolder, "current", "programs");
    const lists = readdirSync(folder).filter((name) => readFileSync(join(folder, name)).length > 400_000);
    expect(lists.map((name) => name.split(".")[0])).toEqual(["passkey", "words"]);
    const browser = openBrowser(served);
    await browser.get("/account/signup.cgi");
    const fields = { email: "sunny@example.com", password: "sunshinesunshinesunshine" };
    const answer = await browser.post("/account/signup.cgi", fields);
    expect([answer.status, await answer.text()]).toEqual([
      422,
      expect.stringContaining("on a list of common"),
    ]);
    expect(rowsOf(served, "SELECT count(*) AS n FROM signup")).toEqual([{ n: 0n }]);
  });
});

describe("a night", () => {
  beforeAll(async () => {
    await becomeCustomer(served, "mira@example.com");
  });

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
    for (const line of [3, 4]) expect(err).toContain(`${file}:${line}:`);
    expect(err).toContain("2 faults; nothing was imported");
    expect(importLines(`${day},mira@example.com,web1,storage,-5`)).toMatchObject({
      code: 1,
      err: `${file}:2:${day.length + 32}: "-5" is no whole, positive quantity\n${file}: 1 fault; nothing was imported\n`,
    });
    expect(rowsOf(served, "SELECT count(*) AS n FROM usage")).toEqual([{ n: 0n }]);
  });

  it("that is billed twice is one bill, of exactly the amount worked out by hand", () => {
    const day = findLongMonthDay();
    expect(importLines(`${day},mira@example.com,web1,storage,259688348`).code).toBe(0);
    expect(served.site("job", "bill", "--day", day).out).toContain("1 bills written, $0.002094260837459568");
    expect(served.site("job", "bill", "--day", day).out).toContain("0 bills written");
    expect(served.site("job", "bill").out).toContain("no complete day is waiting");
    // floor(250,000,000 / 31) = 8,064,516; x 259,688,348 = 2,094,260,837,459,568 attodollars.
    expect(rowsOf(served, "SELECT picodollars, attodollars FROM transfer WHERE code = 'bill'")).toEqual([
      { picodollars: 2_094_260_837n, attodollars: 459_568n },
    ]);
    expect(importLines(`${day},mira@example.com,web2,storage,1`)).toMatchObject({
      code: 1,
      err: expect.stringContaining("billed already and takes no new rows"),
    });
  });

  it("leaves books that are verified, and exported with an assertion behind every posting", () => {
    expect(served.site("ledger", "verify")).toMatchObject({
      code: 0,
      err: "",
      out: expect.stringMatching(
        /^ledger: 1 transfers, 10 accounts, 0 seals; no day is sealed\nledger: all is right\n$/,
      ),
    });
    expect(served.site("ledger", "verify", "--json")).toEqual({ code: 0, out: "", err: "" });
    const { code, out } = served.site("ledger", "export");
    expect([code, out]).toEqual([
      0,
      expect.stringContaining("    revenues:usage  $-0.002094260837459568 = $-0.002094260837459568\n"),
    ]);
    expect(served.site("ledger", "export", "--format", "csv").out).toContain(
      "day,id,code,debit,credit,amount,reference\n",
    );
    expect(served.site("ledger", "export", "--format", "xml")).toMatchObject({ code: 64 });
  });

  it("shows what a quantity costs, step by step", () => {
    expect(
      served.site("price", "explain", "--day", "2028-02-01", "--meter", "storage", "--quantity", "10"),
    ).toMatchObject({ code: 0, out: expect.stringMatching(/2028-02 has 29 days.*\n.*\n= \$0\.0+\d+\n$/) });
  });

  it.each([
    [["job", "bill", "--day", "2026-02-30"], 64, "is no day"],
    [["job", "bill", "--day", "2999-01-01"], 1, "is not over yet"],
    [
      ["job", "bil"],
      64,
      'there is no job "bil"; there are: account, backup, bill, billing, close, credit, export, ledger, mail, migrate, opening, price, recharge, reconcile, refund, report, reseal, restore, store, tidy, usage, warn',
    ],
    [["job", "../../../../x"], 64, 'there is no job "../../../../x"'],
    [["usage", "import", "/no/such/file.csv"], 1, "/no/such/file.csv"],
    [["billing", "skip-day", "2999-01-01", "--reason", "no"], 1, "2999-01-01 is not over yet"],
    [["billing", "skip-day", "2026-01-01", "--reason", " "], 64, "say why in one line"],
    [["price", "explain", "--day", "2026-01-01", "--meter", "x", "--quantity", "1"], 64, 'no meter "x"'],
    [
      ["price", "explain", "--day", "2026-02-01", "--meter", "storage", "--quantity", "1.5"],
      64,
      "no whole quantity",
    ],
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
    const programs = files.filter((name) => /\/(cgi|jobs|programs)\//.test(name));
    expect(programs.length).toBeGreaterThanOrEqual(12);
    for (const file of programs)
      expect([file, telling.exec(readFileSync(file, "utf8"))]).toEqual([file, null]);
  });

  it("carries Stripe's library in the programs that take payments, and in no other", () => {
    const folder = join(served.outFolder, "current", "programs");
    const carriers = readdirSync(folder).filter((name) =>
      readFileSync(join(folder, name), "utf8").includes("api.stripe.com"),
    );
    const jobs = "jobs-recharge-reconcile-refund";
    expect(carriers.map((name) => name.split(".")[0])).toEqual([jobs, "pay", "recharge", "stripe-webhook"]);
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
