// Goal of this test: files that were written one after the other are known again by what was noted of them together, each change of
// one is seen, and none is taken for a file of another release; paths are short where that means the same file.
import { chmodSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { near } from "../build/near.ts";
import { writeEntry } from "../build/release.ts";
import {
  hasSeal,
  isSameFile,
  makeSeals,
  noteWritten,
  putSeal,
  readOwnSeal,
  type Seal,
} from "../build/stamps.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "picodollar-seals-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const sealOf = (name: string): Seal => readOwnSeal(at(name));
const names = ["a", "b", "c"];

/** Three files, a second apart, of which the first and the last were looked at. */
function write(mode: number) {
  const seals = makeSeals(names.length);
  const noted = noteWritten(seals);
  for (const [index, name] of names.entries()) {
    writeFileSync(at(name), "text", { mode });
    chmodSync(at(name), mode);
    utimesSync(at(name), 1_790_000_000, 1_790_000_000 + index);
    noted.add(index, 4, 0o644);
  }
  noted.finish((index) => sealOf(names[index] ?? ""));
  return seals;
}

describe("seals of files that were just written", () => {
  it("hold while nothing happens to them", () => {
    const seals = write(0o644);
    expect(names.map((name, index) => hasSeal(seals, index, sealOf(name)))).toEqual([true, true, true]);
  });

  it.each<[string, () => void]>([
    ["another length", () => writeFileSync(at("b"), "longer")],
    ["a later time", () => utimesSync(at("b"), 1, 1_790_000_003)],
    ["an earlier time", () => utimesSync(at("b"), 1, 1_789_999_999)],
    ["another mode", () => chmodSync(at("b"), 0o640)],
  ])("do not hold with %s", (_, change) => {
    const seals = write(0o644);
    change();
    expect(names.map((name, index) => hasSeal(seals, index, sealOf(name)))).toEqual([true, false, true]);
  });

  it("take no file for that of another release, until it was looked at", () => {
    const seals = write(0o644);
    expect(isSameFile(seals, 1, sealOf("b"))).toBe(false);
    putSeal(seals, 1, sealOf("b"));
    expect(isSameFile(seals, 1, sealOf("b"))).toBe(true);
    expect(isSameFile(seals, 1, sealOf("a"))).toBe(false);
  });

  it("are those of the files themselves where the folder gives them other modes", () => {
    const seals = write(0o640);
    expect(names.map((name, index) => isSameFile(seals, index, sealOf(name)))).toEqual([true, true, true]);
  });
});

it("a path is shortened where it lies below, and nowhere else", () => {
  const own = process.cwd();
  expect(near(join(own, "content/a.html"))).toBe("content/a.html");
  for (const other of [own, `${own}x/a.html`, `${own}/`, "/", "a.html", folder]) {
    expect(near(other)).toBe(other);
  }
});

it.each(["www/a.html", 'www/a"b.html', "www/\u00e9\u2028.html", "www/a\\b", "www/}"])(
  "the manifest's line of %j is JSON",
  (path) => {
    const entry = { path, sha256: "0123", bytes: 5 };
    expect(writeEntry(entry)).toBe(JSON.stringify(entry));
  },
);
