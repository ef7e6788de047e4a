// Goal of this test: SECURITY.md says of each requirement of OWASP ASVS 5.0.0 at levels 1 and 2, once, how it is met, and each test
// that it names is there.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = new URL("../", import.meta.url).pathname;
const text = readFileSync(join(root, "SECURITY.md"), "utf8");

interface Row {
  readonly ids: readonly string[];
  readonly level: string;
  readonly state: string;
  readonly how: string;
  readonly proof: string;
}

function readTable(page: string): readonly Row[] {
  const table = page.slice(page.indexOf("| Requirement | Level |")).split("\n").slice(2);
  return table
    .filter((line) => line.startsWith("| "))
    .map((line) => {
      const [ids = "", level = "", state = "", how = "", proof = ""] = line.slice(2, -2).split(" | ");
      return { ids: ids.split(", "), level, state, how, proof: proof.trim() };
    });
}

/** What is wrong with a row's proof; "" where it is right. */
function judgeProof({ state, proof }: Row): string {
  if (proof === "") return state === "met" ? "names no test" : "";
  const [, name = "", words = ""] = /^`test\/([\w-]+)`: (.+)$/.exec(proof) ?? [];
  const file = readdirSync(join(root, "test")).find((found) => found === `${name}.test.ts`);
  if (file === undefined) return `names test/${name}, which is not there`;
  const source = readFileSync(join(root, "test", file), "utf8");
  // In a title, or a row of a table that is one: not in a comment, or in the code.
  const isTitle = [...source.matchAll(/"((?:[^"\\\n]|\\.)*)"|`([^`]*)`/g)].some(
    ([, plain = "", other = ""]) => (plain + other).includes(words),
  );
  return isTitle ? "" : `names words that ${file} does not have: ${words}`;
}

const rows = readTable(text);
/** Met by what SECURITY.md itself says. */
const byWords = ["15.1.1", "15.2.1"];

describe("SECURITY.md", () => {
  it("has each requirement of level 1 and 2 once", () => {
    const ids = rows.flatMap((row) => row.ids.map((id) => ({ id, level: row.level })));
    for (const { id } of ids) expect(id).toMatch(/^([1-9]|1[0-7])\.[1-8]\.\d{1,2}$/);
    expect(new Set(ids.map(({ id }) => id)).size).toBe(ids.length);
    // Of 345 requirements 70 are of level 1, and 183 of level 2.
    expect([
      ids.filter(({ level }) => level === "1").length,
      ids.filter(({ level }) => level === "2").length,
    ]).toEqual([70, 183]);
    for (const { state, how } of rows) {
      expect(["met", "part", "open", "none"]).toContain(state);
      expect(how).toMatch(/\.$/);
    }
  });

  it("names tests that are there", () => {
    const wrong = rows
      .filter(({ ids }) => !byWords.includes(ids[0] ?? ""))
      .map((row) => `${row.ids[0]} ${judgeProof(row)}`);
    expect(wrong.filter((line) => /\s\S/.test(line))).toEqual([]);
  });

  it("would be told of a test, or words, that are not there", () => {
    const row = { ids: ["1.1.1"], level: "2", state: "met", how: "So." };
    expect(judgeProof({ ...row, proof: "`test/99-none`: x" })).toContain("which is not there");
    expect(judgeProof({ ...row, proof: "`test/49-asvs`: ".concat("no such", " words") })).toContain(
      "does not have",
    );
    expect(judgeProof({ ...row, proof: "" })).toBe("names no test");
    expect(existsSync(join(root, "test/49-asvs.test.ts"))).toBe(true);
  });
});
