// Goal of this test: a short hash is the same whether it is made in JavaScript or by Node, and nothing is loaded for it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sameSecret } from "../lib/util/digest.ts";
import { projectFolder } from "./support/served.ts";

// Every length around the blocks of SHA-256, and what is not ASCII; the last one is long, and makes Node's own be loaded.
const texts = [
  ...Array.from({ length: 257 }, (_, n) => "x".repeat(n)),
  "\u00e4\u20ac\ud83d\ude00".repeat(9),
  "y".repeat(5000),
];

describe("SHA-256", () => {
  it("in JavaScript is Node's, up to the length from which Node's own is loaded", () => {
    const digest = JSON.stringify(join(projectFolder, "out/lib/util/digest.js"));
    const code = `import { sha256Hex } from ${digest};
      const texts = JSON.parse(process.argv[1]);
      const isLoaded = () => process.moduleLoadList.includes("NativeModule crypto");
      const rows = texts.map((text) => [sha256Hex(text), sha256Hex(Buffer.from(text)), isLoaded()]);
      console.log(JSON.stringify(rows));`;
    const words = ["--input-type=module", "-e", code, JSON.stringify(texts)];
    const { stdout, stderr } = spawnSync(process.execPath, words, {
      encoding: "utf8",
      env: { PATH: "/usr/bin:/bin" },
    });
    expect(stderr).toBe("");
    const rows = JSON.parse(stdout) as (readonly [string, string, boolean])[];
    const wanted = texts.map((text) => createHash("sha256").update(text).digest("hex"));
    expect(rows.map(([text]) => text)).toEqual(wanted);
    expect(rows.map(([, bytes]) => bytes)).toEqual(wanted);
    expect(rows.map(([, , isLoaded]) => isLoaded)).toEqual(texts.map((text) => text.length > 256));
  });

  it.each([
    ["", "", true],
    ["a", "a", true],
    ["a", "b", false],
    ["a", "aa", false],
    ["\u00e4", "a\u0308", false],
    ["same".repeat(99), "same".repeat(99), true],
    [`${"same".repeat(99)}a`, `${"same".repeat(99)}b`, false],
  ])("%j and %j as secrets are the same: %s", (left, right, isSame) => {
    expect(sameSecret(left, right)).toBe(isSame);
  });
});
