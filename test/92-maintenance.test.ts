// Goal of this test: while the operator works on the accounts, programs say so and touch nothing, machines of customers go on, and
// pages and search stay; with --read-only only forms are stopped; and afterwards all is as before.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a program answers to a request without a form. */
function ask(name: string, method = "GET") {
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
        HTTP_COOKIE: `session=${"T".repeat(43)}`,
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
    writeFileSync(join(folder, "data/maintenance"), "raed-only");
    expect([ask("login").status, ask("search").status]).toEqual([503, 200]);
    site("maintenance", "off");
  });
});
