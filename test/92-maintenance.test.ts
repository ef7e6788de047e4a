// Goal of this test: while the operator works on the accounts, programs say so and touch nothing, machines of customers go on, and
// pages and search stay; with --read-only only forms are stopped; and afterwards all is as before.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../lib/util/digest.ts";
import { routes } from "../lib/util/routes.ts";
import { projectFolder } from "./support/served.ts";
import { readRows } from "./support/store.ts";

let folder: string;
const site = (...words: readonly string[]) =>
  spawnSync(process.execPath, [join(projectFolder, "out/cli/site.cjs"), ...words], {
    cwd: folder,
    encoding: "utf8",
  });

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-maintenance-")));
  for (const name of ["content", "etc"])
    cpSync(join(projectFolder, name), join(folder, name), { recursive: true });
  expect(site("build").status).toBe(0);
  mkdirSync(join(folder, "data"));
  expect(site("migrate").status).toBe(0);
  inBooks((db) =>
    db.exec(`INSERT INTO ledger_account (id, kind, opened_at) VALUES ('${account}', 'customer', 0);
      INSERT INTO account (id, email, password_hash, created_at) VALUES ('${account}', 'a@b.example', '', 0)`),
  );
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const session = "S".repeat(43);
const booksFile = () => join(folder, "data/books.sqlite");
const account = "acct_aaaaaaaaaaaaaaab";
const inBooks = (work: (db: Database.Database) => void): void => {
  const db = new Database(booksFile());
  work(db);
  db.close();
};
/** A customer is logged in, and was last seen so long ago. */
const logIn = (agoMs: number): void =>
  inBooks((db) => {
    const now = Date.now();
    db.prepare(
      `INSERT OR REPLACE INTO session (token_hash, account, created_at, expires_at, seen_at, browser, network)
       VALUES (?, ?, ?, ?, ?, '', '')`,
    ).run(sha256Hex(session), account, now - agoMs, now + 3_600_000, now - agoMs);
  });
const lastSeen = () => readRows(booksFile(), "SELECT seen_at FROM session");

/** What a program answers to a request without a form. */
function ask(name: string, method = "GET", cookie = "T".repeat(43)) {
  const route = routes.find((candidate) => candidate.name === name);
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(folder, "dist/current/cgi", route?.path ?? "")],
    {
      encoding: "utf8",
      input: method === "POST" ? "x" : "",
      env: {
        SITE_DATA: join(folder, "data"),
        REQUEST_METHOD: method,
        SCRIPT_NAME: route?.path,
        CONTENT_LENGTH: method === "POST" ? "1" : "",
        CONTENT_TYPE: "application/x-www-form-urlencoded",
        HTTP_HOST: "127.0.0.1:8080",
        HTTP_COOKIE: `session=${cookie}`,
        REMOTE_ADDR: "127.0.0.1",
      },
    },
  );
  return { status: Number(/^Status: (\d+)/.exec(stdout)?.[1]), text: stdout, stderr };
}

describe("maintenance", () => {
  it("is off until it is said, and off again after", () => {
    expect(site("maintenance").stdout).toBe("maintenance: off\n");
    const before = ask("login").text;
    expect(site("maintenance", "on").stdout).toBe("maintenance: on\n");
    expect(site("maintenance").stdout).toBe("maintenance: on\n");
    expect(ask("login").status).toBe(503);
    expect(site("maintenance", "off").stdout).toBe("maintenance: off\n");
    expect(ask("login").text).toBe(before);
    expect(site("maintenance", "maybe").status).toBe(64);
    expect(site("maintenance", "on", "--data", "nowhere")).toMatchObject({ status: 100 });
  });

  it("stops every account program, and nothing else", () => {
    site("maintenance", "on");
    const before = readRows(join(folder, "data/books.sqlite"), "PRAGMA data_version");
    for (const { name, methods, speaks, hasAccounts, unavailable } of routes) {
      const answer = ask(name, methods.includes("GET") ? "GET" : "POST");
      expect([name, answer.status, answer.stderr]).toEqual([name, hasAccounts ? 503 : 200, ""]);
      if (!hasAccounts) continue;
      expect(answer.text).toContain("Retry-After: 300");
      expect(answer.text).toContain(
        speaks === "json" ? '"error":"We are working on the accounts' : "<h1>Back in some minutes</h1>",
      );
      // A backup that fails costs a customer more than a day unpaid costs us.
      if (unavailable !== undefined) expect(answer.text).toContain('"mayWrite":true');
    }
    expect(readRows(join(folder, "data/books.sqlite"), "PRAGMA data_version")).toEqual(before);
    site("maintenance", "off");
  }, 60_000);

  it("stops forms alone where it is said so; an odd word stops everything", () => {
    expect(site("maintenance", "on", "--read-only").stdout).toBe("maintenance: read-only\n");
    expect([ask("login").status, ask("account").status, ask("login", "POST").status]).toEqual([
      200, 303, 503,
    ]);
    // What is looked at is shown to whoever is logged in, and writes nothing.
    logIn(600_000);
    const before = lastSeen();
    expect([ask("account", "GET", session).status, lastSeen()]).toEqual([200, before]);
    writeFileSync(join(folder, "data/maintenance"), "raed-only");
    expect([ask("login").status, ask("search").status]).toEqual([503, 200]);
    site("maintenance", "off");
    expect(ask("account", "GET", session).status).toBe(200);
    expect(lastSeen()).not.toEqual(before);
  });
});

it("while somebody else writes to the books, what is only looked at waits for nobody", () => {
  logIn(600_000);
  const writer = new Database(booksFile());
  writer.exec("BEGIN IMMEDIATE");
  try {
    const startedAt = performance.now();
    for (const name of ["account", "history", "settings"])
      expect([name, ask(name, "GET", session).status]).toEqual([name, 200]);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  } finally {
    writer.close();
  }
});
