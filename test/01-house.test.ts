// Goal of this test: the house keeps its own rules (imports point downwards, single doors), and this test would
// notice if it did not: planted violations are found, and it fails when it sees no files.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { onBoth, onBothAlone, onFileAlone } from "./support/engines.ts";
import { inspectHouse, packageOf, readImports, type SourceFile } from "./support/house.ts";

const root = new URL("../", import.meta.url).pathname;
const rooms = ["lib", "build", "cgi", "jobs", "cli", "dev"];
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
};
const packages = Object.keys(manifest.dependencies);

function readRoom(room: string): SourceFile[] {
  const names = readdirSync(join(root, room), { recursive: true, encoding: "utf8" });
  const sources = names.filter((name) => name.endsWith(".ts"));
  return sources.map((name) => ({
    path: join(room, name),
    text: readFileSync(join(root, room, name), "utf8"),
  }));
}

describe("the house", () => {
  const files = rooms.flatMap(readRoom);

  it("was seen at all", () => {
    for (const room of rooms)
      expect(files.filter((file) => file.path.startsWith(`${room}/`)).length).toBeGreaterThan(1);
    expect(files.flatMap((file) => readImports(file.text)).length).toBeGreaterThan(100);
  });

  it("keeps its rules", () => {
    expect(inspectHouse(files, packages)).toEqual([]);
  });

  it("uses every package that it depends on", () => {
    const used = new Set(files.flatMap((file) => readImports(file.text)).map(packageOf));
    for (const name of packages) expect(used).toContain(name);
  });
});

describe("the table of engines", () => {
  it("has every file with books of its own, once", () => {
    const own = /\b(?:makeTestStore|makeVisitor|openDesk|startYear|runYear)\b/;
    const names = readdirSync(join(root, "test")).filter((name) => name.endsWith(".test.ts"));
    const users = names.filter((name) => own.test(readFileSync(join(root, "test", name), "utf8")));
    const listed = [...onBoth, ...onBothAlone, ...Object.keys(onFileAlone)];
    expect(users.length).toBeGreaterThan(30);
    expect(listed.filter((name, at) => listed.indexOf(name) !== at)).toEqual([]);
    for (const file of users.filter((name) => !name.startsWith("01-")))
      expect(listed).toContain(file.replace(/\.test\.ts$/, ""));
    for (const name of listed) expect(names).toContain(`${name}.test.ts`);
  });
});

describe("a violation", () => {
  it.each([
    ["lib/money/amount.ts", 'import { openStore } from "../store/sqlite.ts";', /never points upwards/],
    ["lib/ledger/x.ts", 'import type { Account } from "../accounts/account.ts";', /never points upwards/],
    ["lib/new/x.ts", 'import { assert } from "../util/failure.ts";', /no place in lib/],
    ["lib/util/x.ts", 'import { buildSite } from "../../build/build.ts";', /lib may not know build/],
    ["cgi/x.ts", 'import { job } from "../jobs/bill.ts";', /cgi may not know jobs/],
    ["build/x.ts", 'import { handle } from "../cgi/login.ts";', /build may not know cgi/],
    ["cli/x.ts", 'import { readSources } from "../build/sources.ts";', /build has a front door/],
    ["cgi/x.ts", 'import { startStripe } from "../dev/stripe.ts";', /cgi may not know dev/],
    ["cgi/x.ts", 'const stripe = await import("stripe");', /its door is/],
    ["jobs/x.ts", 'import Database from "better-sqlite3";', /its door is/],
    ["build/x.ts", 'const core = require("highlight.js/lib/core");', /its door is/],
    ["build/x.ts", "const one = (require(`highlight.js/lib/languages/x`));", /its door is/],
    ["build/x.ts", 'import { Marked } from "marked";', /its door is/],
    ["lib/util/x.ts", 'import _ from "lodash";', /has no door/],
    ["lib/usage/x.ts", "const now = Date.now();", /the clock/],
    ["cgi/x.ts", "const path = process.env.PATH;", /the environment/],
    ["jobs/x.ts", 'tx.run("INSERT INTO transfer (id) VALUES (?)")', /transfer's insertion/],
    ["lib/store/x.ts", 'db.prepare("SELECT 1").get()', /can be collected/],
    ["lib/util/x.ts", "const id = Math.random();", /weak randomness/],
    ["lib/util/x.ts", "\n".repeat(400), /more than 300 lines/],
  ])("in %s is found", (path, text, message) => {
    const found = inspectHouse([{ path, text }], packages);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });

  it("is not seen where there is none", () => {
    const path = "lib/usage/x.ts";
    expect(inspectHouse([{ path, text: 'import { assert } from "../util/failure.ts";' }], packages)).toEqual(
      [],
    );
  });
});
