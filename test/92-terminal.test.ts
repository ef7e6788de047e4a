// Goal of this test: what a file or a customer brings is shown to the operator's terminal as words, and does nothing to it.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { disarm } from "../lib/util/terminal.ts";
import { projectFolder } from "./support/served.ts";

/** Another title of the window, and a line that looks like one of ours. */
const hostile = "\u001b]0;pwn\u0007\u009b2J\r\nusage: all is well \u202e";

let folder: string;
const site = (...words: readonly string[]) =>
  spawnSync(process.execPath, [join(projectFolder, "out/cli/site.cjs"), ...words], {
    cwd: folder,
    encoding: "utf8",
  });

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "picodollar-terminal-")));
  for (const name of ["content", "etc"])
    cpSync(join(projectFolder, name), join(folder, name), { recursive: true });
  expect(site("build").status).toBe(0);
  mkdirSync(join(folder, "data"));
  expect(site("migrate").status).toBe(0);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ["\u001b]0;pwn\u0007", "\\u001b]0;pwn\\u0007"],
  ["a\nb\tc\r", "a\\u000ab\\u0009c\\u000d"],
  ["\u009b2J \u007f \u2028 \u202e", "\\u009b2J \\u007f \\u2028 \\u202e"],
  ["M\u00fcller, \u{1F469}\u200d\u{1F467}, 10 000", "M\u00fcller, \u{1F469}\u200d\u{1F467}, 10 000"],
])("of a line %j is shown", (line, shown) => {
  expect(disarm(line)).toBe(shown);
});

it.each([
  ["a file of usage", ["usage", "import", "usage.ndjson"]],
  [
    "a list of those who move in",
    ["account", "import", "accounts.csv", "--reason", "they move in", "--by", "me"],
  ],
  ["what is looked for", ["account", "find", hostile]],
  ["who is shown", ["account", "show", hostile]],
])("%s does nothing to the terminal", (_what, words) => {
  const line = { account: hostile, machine: "m", day: "2026-11-01", meter: "storage", quantity: 1 };
  writeFileSync(join(folder, "usage.ndjson"), `${JSON.stringify(line)}\n`);
  writeFileSync(join(folder, "accounts.csv"), `email,balance\n"${hostile}@b.example",1\n`);
  const { status, stdout, stderr } = site(...words);
  expect(status).not.toBe(0);
  const all = stdout + stderr;
  expect(all).not.toBe("");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
  expect(all).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]|^usage: all/m);
});
