// Goal of this test: a build that is killed at any moment leaves the old site or the new one, whole, and the next build makes
// what a build from nothing makes.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { initSite } from "../build/init.ts";
import { sha256Hex } from "../lib/util/digest.ts";
import { projectFolder } from "./support/served.ts";

const rounds = 40;
const command = join(projectFolder, "out", "cli", "site.cjs");
let folder: string;
const source = (): string => join(folder, "site");
const current = (): string => join(source(), "dist", "current");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "picodollar-killed-"));
  initSite(source());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a build; kills it after some milliseconds, unless it has ended by then. */
function build(killMs?: number): Promise<number | null> {
  const child = spawn(process.execPath, [command, "build", "--source", source()], { stdio: "ignore" });
  const timer = killMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killMs);
  return new Promise((resolve) =>
    child.once("exit", (code) => {
      clearTimeout(timer);
      resolve(code);
    }),
  );
}

/** A word in two pages and the style sheet, so that a mixture is seen. */
function write(word: number, alsoLayout: boolean): void {
  writeFileSync(join(source(), "content", "about.md"), `---\ntitle: About\n---\n# About\n\nword${word}\n`);
  writeFileSync(
    join(source(), "content", "extra.html"),
    `<h1>Extra</h1>\n<p>word${word} <a href="/about.html">a</a></p>\n`,
  );
  if (alsoLayout) writeFileSync(join(source(), "content", "more.css"), `.word${word} { margin: 0 }\n`);
}

/** The word of the site that is served, after each of its files was compared with the manifest. */
function readWord(): string {
  const { files } = JSON.parse(readFileSync(join(current(), "manifest.json"), "utf8")) as {
    readonly files: readonly { readonly path: string; readonly sha256: string }[];
  };
  for (const { path, sha256 } of files)
    expect([path, sha256Hex(readFileSync(join(current(), path)))]).toEqual([path, sha256]);
  const words = ["about.html", "extra.html"].map(
    (name) => /word\d+/.exec(readFileSync(join(current(), "www", name), "utf8"))?.[0],
  );
  expect(words[0]).toBe(words[1]);
  return words[0] ?? "";
}

it("is never seen half done", async () => {
  write(0, true);
  expect(await build()).toBe(0);
  let state = 20_261_126;
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) / (1 << 23);
  };
  // Half are to be killed before the moment that counts and half after it, whatever machine this is: builds are given more
  // time after a kill that left the old site, and less after a new one.
  let aroundMs = 300;
  let [killed, old, before] = [0, 0, readWord()];
  for (let round = 1; round <= rounds; round += 1) {
    write(round, round % 2 === 0);
    const code = await build(aroundMs * (0.3 + 1.4 * random()));
    const word = readWord();
    expect([before, `word${round}`]).toContain(word);
    if (code === 0) expect(word).toBe(`word${round}`);
    if (code === null) killed += 1;
    if (word === before) old += 1;
    aroundMs *= word === before ? 1.2 : 1 / 1.2;
    before = word;
  }
  // Some were killed before and some after the moment that counts, or it was not looked for.
  expect(Math.min(killed, old, rounds - old), `${killed} killed, ${old} old`).toBeGreaterThan(6);
  expect(await build()).toBe(0);
  const incremental = readFileSync(join(current(), "manifest.json"), "utf8");
  rmSync(join(source(), "dist"), { recursive: true });
  expect(await build()).toBe(0);
  expect(readFileSync(join(current(), "manifest.json"), "utf8")).toBe(incremental);
}, 120_000);

it("leaves nothing behind that the next build does not clear away", async () => {
  write(-1, true);
  await build(150);
  write(-2, true);
  expect(await build()).toBe(0);
  const releases = readdirSync(join(source(), "dist", "releases"));
  expect(releases.length).toBeLessThanOrEqual(3);
  expect(
    readdirSync(join(source(), "dist")).filter(
      (name) => !/^(?:current|releases|\.cache|\.gitignore)$/.test(name),
    ),
  ).toEqual([]);
  expect(existsSync(current())).toBe(true);
}, 60_000);
