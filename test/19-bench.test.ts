// Goal of this test: the bench compares like with like. Its corpus is the same for a seed, what it takes for the right
// document is what this builder makes, a wrong or stale or cut document is found, and its arithmetic is right.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { showBilling } from "../dev/bench/billing.ts";
import { layDownSite, makePicodollar } from "../dev/bench/builders.ts";
import { type CgiResult, showCgi } from "../dev/bench/cgi.ts";
import { run } from "../dev/bench/command.ts";
import { countTouched, findDifference, snapshot } from "../dev/bench/compare.ts";
import { expectedDocument, type Format, makeBody, makeCorpus, put } from "../dev/bench/corpus.ts";
import { showCrowd } from "../dev/bench/crowd.ts";
import { alignRows, quantileOf, ratioOf, showNumber, spreadOf } from "../dev/bench/figures.ts";
import { canHostCrowd } from "../dev/bench/hosting.ts";
import { readOne, type Seen } from "../dev/bench/reader.ts";
import type { Row } from "../dev/bench/rounds.ts";
import { type StoreResult, type StoreTimes, showStore } from "../dev/bench/store.ts";
import { showGrowth, showSize } from "../dev/bench/table.ts";
import { projectFolder } from "./support/served.ts";
import { serverPrograms } from "./support/server.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "picodollar-bench-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the corpus", () => {
  it("is the same for a seed, and another for another", () => {
    const bodies = (seed: number, format: Format): readonly string[] => {
      const corpus = makeCorpus(60, seed);
      return corpus.pages.map((page) => makeBody(corpus, page, format));
    };
    expect(makeCorpus(60, 7)).toEqual(makeCorpus(60, 7));
    expect(bodies(7, "html")).toEqual(bodies(7, "html"));
    expect(bodies(7, "html")).not.toEqual(bodies(8, "html"));
    expect(bodies(7, "markdown")).not.toEqual(bodies(7, "html"));
  });

  it("is what it claims: pages of 4 KiB, folders of forty, nineteen links a page", () => {
    const corpus = makeCorpus(1000, 7);
    expect(new Set(corpus.pages.map(({ path }) => path)).size).toBe(1000);
    const sizes = corpus.pages.map((page) => makeBody(corpus, page, "html").length);
    expect((spreadOf(sizes)?.median ?? 0) / 1024).toBeCloseTo(4.1, 0);
    const folders = new Map<string, number>();
    for (const { path } of corpus.pages) {
      const above = path.replace(/[^/]+$/, "");
      folders.set(above, (folders.get(above) ?? 0) + 1);
    }
    expect(Math.max(...folders.values())).toBe(41);
    expect(Math.max(...[...folders.keys()].map((name) => name.split("/").length - 1))).toBe(3);
    for (const page of corpus.pages.slice(0, 50))
      expect(expectedDocument(corpus, page).match(/<a /g)).toHaveLength(19);
  });

  it("changes one word from revision to revision", () => {
    const corpus = makeCorpus(20, 7);
    const page = corpus.pages[12];
    if (page === undefined) throw new Error("no page");
    const [before, after] = [0, 1].map((revision) =>
      makeBody(corpus, page, "html", revision).split(/\s+/),
    ) as [string[], string[]];
    expect(after).toHaveLength(before.length);
    expect(after.filter((word, index) => word !== before[index])).toEqual(["1"]);
  });
});

describe("the expected document", () => {
  it.each(["html", "markdown"] as const)("is what this builder makes of %s", (format) => {
    const builder = makePicodollar("picodollar", "");
    const corpus = makeCorpus(30, 7);
    const site = join(folder, "site");
    layDownSite(builder, site, corpus, format);
    const { ok, output } = run({ folder: site, command: builder.command });
    expect({ ok, output }).toMatchObject({ ok: true });
    const differences = (revision: number): readonly string[] =>
      corpus.pages.flatMap((page) => findDifference(builder, site, corpus, page, format, revision) ?? []);
    expect(differences(0)).toEqual([]);
    // A page that was left as it was is seen.
    expect(differences(1)).toHaveLength(30);
    const last = corpus.pages.at(-1)?.path ?? "";
    rmSync(join(site, builder.output, last));
    expect(differences(0)).toEqual([`picodollar made no ${last}`]);
  });
});

describe("what a build touches", () => {
  it("is counted: files made, removed, and written again with the same bytes", () => {
    for (const name of ["same", "again", "gone"]) put(folder, `a/${name}`, "x");
    const before = snapshot(folder);
    expect(countTouched(before, snapshot(folder))).toBe(0);
    rmSync(join(folder, "a/gone"));
    rmSync(join(folder, "a/again"));
    put(folder, "a/b/new", "x");
    put(folder, "a/again", "x");
    expect(countTouched(before, snapshot(folder))).toBe(3);
  });
});

describe("the reader", () => {
  it("tells whole pages from cut and missing ones", () => {
    const corpus = makeCorpus(9, 7);
    for (const page of corpus.pages) put(folder, page.path, expectedDocument(corpus, page));
    const seen: Seen = { reads: 0, missing: 0, cut: 0, examples: [] };
    for (const { path } of corpus.pages) readOne(folder, path, seen);
    expect(seen).toEqual({ reads: 9, missing: 0, cut: 0, examples: [] });
    const whole = readFileSync(join(folder, "index.html"), "utf8");
    for (const part of [whole.slice(0, 4096 % whole.length), whole.slice(20), ""]) {
      writeFileSync(join(folder, "index.html"), part);
      readOne(folder, "index.html", seen);
    }
    readOne(folder, "nothing.html", seen);
    expect(seen).toMatchObject({ reads: 13, missing: 1, cut: 3 });
    expect(seen.examples.at(-1)).toBe("nothing.html: missing");
  });
});

describe("the table", () => {
  it("takes the middle of several measurements, and divides only by what there is", () => {
    expect(spreadOf([3, 10, 1])).toEqual({ median: 3, least: 1, most: 10 });
    expect(spreadOf([4, 10, 1, 2])).toEqual({ median: 3, least: 1, most: 10 });
    expect(spreadOf([])).toBeUndefined();
    expect(ratioOf(3, 4)).toBe(0.75);
    expect([ratioOf(undefined, 4), ratioOf(3, undefined), ratioOf(3, 0)]).toEqual(Array(3).fill(undefined));
    expect([showNumber(1.005, 1), showNumber(undefined, 1)]).toEqual(["1.0", "-"]);
    expect(
      alignRows([
        ["a", "bbb"],
        ["aaa", "1"],
      ]),
    ).toBe("a    bbb\naaa    1");
  });

  const makeRow = (name: string, ms: readonly number[], more: Partial<Row> = {}): Row => ({
    name,
    cold: ms.map((wallMs) => ({ wallMs, processorSeconds: wallMs / 500, memoryMiB: 64 })),
    again: [],
    change: [],
    aboveAgainMs: [],
    touched: undefined,
    systemCallsPerPage: 7.25,
    skipped: undefined,
    ...more,
  });
  const makeSize = (pages: number, rows: readonly Row[]) =>
    ({ pages, format: "html", rounds: 3, onOneProcessor: false, rows }) as const;

  it("shows each builder's median beside Hugo's and the floor's", () => {
    const rows = [
      makeRow("picodollar", [300, 100, 200]),
      makeRow("hugo", [400, 500, 400]),
      makeRow("node floor", [100, 100, 100]),
      makeRow("picodollar search", [], { skipped: "unknown key" }),
    ];
    const lines = showSize(makeSize(1000, rows)).split("\n");
    const line = lines.find((text) => text.startsWith("picodollar "))?.split(/ +/);
    expect(line).toEqual(["picodollar", "200", "100", "300", "0.50", "2.00", "0.40", "64", "7.3"]);
    expect(lines.at(-1)).toBe("picodollar search: left out: unknown key");
  });

  it("shows how builds grow from size to size", () => {
    const results = [
      makeSize(10_000, [makeRow("picodollar", [100])]),
      makeSize(100_000, [makeRow("picodollar", [1100])]),
    ];
    expect(showGrowth(results.slice(0, 1))).toBe("");
    const pinned = { ...makeSize(100, [makeRow("picodollar", [10])]), onOneProcessor: true };
    expect(showGrowth([pinned, ...results.slice(0, 1)])).toBe("");
    const line = showGrowth(results).split("\n").at(-1)?.split(/ {2,}/);
    expect(line).toEqual(["picodollar", "10000 to 100000", "10", "11.00", "11.00", "1.00"]);
  });
});

describe("the bench of nights", () => {
  it("shows each size beside its floor, and how time and memory grow", () => {
    const small = { accounts: 1000, nightMs: [60, 40, 50], floorMs: [25, 20, 40], memoryMiB: 50 };
    const large = { accounts: 100_000, nightMs: [4000], floorMs: [2500], memoryMiB: 100 };
    const shown = showBilling([small, large]).split("\n");
    const cells = shown.map((line) => line.split(/ {2,}/));
    expect(cells[1]).toEqual(["1000", "0.05", "0.03", "2.00", "20000", "50"]);
    expect(cells[2]).toEqual(["100000", "4.00", "2.50", "1.60", "25000", "100"]);
    expect(cells.slice(3)).toEqual([
      [""],
      ["times as much", "accounts", "night", "floor", "MiB"],
      ["1000 to 100000", "100.00", "80.00", "100.00", "2.00"],
    ]);
    expect(showBilling([small]).split("\n")).toHaveLength(2);
  });

  it("bills every account, and its floor writes the same rows", () => {
    const child = spawnSync(
      process.execPath,
      [join(projectFolder, "out/dev/bench/main.js"), "bill", "--accounts", "120", "--rounds", "1", "--json"],
      { encoding: "utf8" },
    );
    expect(child.stderr).not.toContain("Error");
    const { nights } = JSON.parse(child.stdout);
    expect(nights).toEqual([
      {
        accounts: 120,
        nightMs: [expect.any(Number)],
        floorMs: [expect.any(Number)],
        memoryMiB: expect.any(Number),
      },
    ]);
  }, 60_000);
});

describe("the bench of the store", () => {
  const times = (engine: "sqlite" | "postgres", factor: number): StoreTimes => ({
    engine,
    page: { ours: factor, floor: 0.5 },
    payment: { ours: 2 * factor, floor: 2 },
    night: { ours: 1000 * factor, floor: 400 },
    bytesPerRow: { usage: 80 * factor, transfer: 300 * factor },
    workers:
      engine === "sqlite" ? [] : [1, 2].map((count) => ({ count, ms: 4000 / count, undone: count - 1 })),
  });

  it("shows each engine beside its floor and beside SQLite, and what several workers gain", () => {
    const shown = showStore({ accounts: 2000, engines: [times("sqlite", 1), times("postgres", 4)] });
    expect(shown.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["2000 accounts", "ms", "floor ms", "/ floor", "/ sqlite", "accounts/s"],
      ["page, sqlite", "1.00", "0.50", "2.00", "1.00"],
      ["page, postgres", "4.00", "0.50", "8.00", "4.00"],
      ["payment, sqlite", "2.00", "2.00", "1.00", "1.00"],
      ["payment, postgres", "8.00", "2.00", "4.00", "4.00"],
      ["night, sqlite", "1000.00", "400.00", "2.50", "1.00", "2000"],
      ["night, postgres", "4000.00", "400.00", "10.00", "4.00", "500"],
      [""],
      ["bytes a row", "usage", "transfer"],
      ["sqlite", "80", "300"],
      ["postgres", "320", "1200"],
      [""],
      ["workers", "ms", "/ one", "undone"],
      ["night by 1, postgres", "4000", "1.00", "0"],
      ["night by 2, postgres", "2000", "0.50", "1"],
    ]);
    expect(showStore({ accounts: 1, engines: [times("sqlite", 1)] })).toContain(
      "PostgreSQL is not installed",
    );
  });

  it("runs pages, payments, and nights on both engines; several workers bill every account once", () => {
    const words = ["store", "--accounts", "250", "--rounds", "5", "--json"];
    const child = spawnSync(process.execPath, [join(projectFolder, "out/dev/bench/main.js"), ...words], {
      encoding: "utf8",
    });
    expect(child.stderr).not.toContain("Error");
    const [{ accounts, engines }] = JSON.parse(child.stdout).stores as [StoreResult];
    const names = serverPrograms === undefined ? ["sqlite"] : ["sqlite", "postgres"];
    expect([accounts, engines.map(({ engine }) => engine)]).toEqual([250, names]);
    for (const { engine, page, payment, night, workers, bytesPerRow } of engines) {
      expect(Object.values(bytesPerRow).filter((bytes) => bytes > 50)).toHaveLength(4);
      for (const { ours, floor } of [page, payment, night]) expect(Math.min(ours, floor)).toBeGreaterThan(0);
      expect(workers.map(({ count }) => count)).toEqual(engine === "sqlite" ? [] : [1, 2, 4]);
    }
  }, 120_000);
});

describe("the bench of programs", () => {
  it("shows each beside the first of its table, round by round", () => {
    const timed = (name: string, ms: readonly number[], ratio: number, aim?: number) => ({
      name,
      ms,
      ratio,
      aim,
    });
    const starts = [timed("an empty Node", [20, 30, 10], 1), timed("account", [24, 33, 13], 1.2, 1.15)];
    const shown = showCgi({ starts, served: [], flood: undefined, crowd: [] }).split("\n");
    expect(shown.map((line) => line.split(/ {2,}/))).toEqual([
      ["by itself", "ms", "least", "ratio", "aim"],
      ["an empty Node", "20.0", "10.0", "1.00"],
      ["account", "24.0", "13.0", "1.20", "1.15"],
      ["lighttpd is not installed"],
    ]);
  });

  it("shows what a crowd does, and what the waits of others were", () => {
    expect([0.5, 0.99, 1].map((part) => quantileOf([5, 1, 4, 2, 3], part))).toEqual([3, 5, 5]);
    expect(
      quantileOf(
        Array.from({ length: 200 }, (_, n) => 200 - n),
        0.99,
      ),
    ).toBe(198);
    expect(quantileOf([], 0.5)).toBeUndefined();
    const [idle, meanwhile] = [
      { count: 9, p50: 0.5, p99: 4 },
      { count: 9, p50: 1, p99: 26.44 },
    ];
    const measured = { clients: 200, seconds: 10, answersPerSecond: 36.4, failures: 0, idle, meanwhile };
    const shown = showCrowd([
      { ...measured, programsAre: "cgi", mostPrograms: 5, memoryMiB: 41.6, aimMs: 50 },
      { ...measured, programsAre: "resident", mostPrograms: 2, memoryMiB: undefined, aimMs: 50 },
    ]);
    expect(shown.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      "200 clients at once, 10 s|programs at most|MiB (PSS)|answers a second|failures|static p50 ms|p99|p99 idle|aim p99".split(
        "|",
      ),
      ["cgi", "5", "42", "36", "0", "1.0", "26.4", "4.0", "50"],
      ["resident", "2", "-", "36", "0", "1.0", "26.4", "4.0", "50"],
    ]);
  });

  it("runs the programs of a site, each of which answers", () => {
    const words = [join(projectFolder, "out/dev/bench/main.js"), "cgi", "--rounds", "3", "--json"];
    const child = spawnSync(process.execPath, words, { encoding: "utf8" });
    expect(child.stderr).not.toContain("Error");
    const { cgi } = JSON.parse(child.stdout) as { cgi: CgiResult };
    expect(cgi.starts.map(({ name }) => name)).toContain("account, not warmed");
    for (const { ms, ratio } of [...cgi.starts, ...cgi.served]) {
      expect(ms).toHaveLength(3);
      expect(ratio).toBeGreaterThan(0);
    }
    expect(cgi.crowd.map(({ programsAre }) => programsAre)).toEqual(canHostCrowd ? ["cgi", "resident"] : []);
    for (const { programsAre, mostPrograms, memoryMiB, failures, ...rest } of cgi.crowd) {
      expect(failures).toBe(0);
      // Four, and such as have answered and are about to end; or one for each pool.
      expect(mostPrograms).toBeGreaterThanOrEqual(2);
      expect(mostPrograms).toBeLessThanOrEqual(programsAre === "cgi" ? 8 : 2);
      expect(memoryMiB).toBeGreaterThan(10);
      expect(rest.answersPerSecond).toBeGreaterThan(0);
      expect([rest.idle.count > 20, rest.meanwhile.count > 20]).toEqual([true, true]);
    }
  }, 120_000);
});
