// Goal of this test: the quick way through plain header blocks reads what the YAML library reads, or leaves it alone.
import { describe, expect, it } from "vitest";
import { readByLibrary, readPlain } from "../build/header.ts";
import { makeRandom } from "../dev/bench/corpus.ts";
import { systemClock } from "../lib/util/clock.ts";

const keys = [
  ...["title", "description", "layout", "nav", "order", "date", "titel", ""],
  ...["updated", "tags", "image", "draft", "contents", "entries"],
];
const pieces = [
  ..."abcXYZ 0123456789-_.,:;#'\"!?%&*|>@`~{}[]()<>/\\=+^$\t\u00e4\u65e5\u2028\u00a0\u0085\ufeff",
  ": ",
  " #",
  "null",
  "true",
  "~",
  "2026-11-23",
  "0x1f",
  "1e3",
  "---",
  "\n",
  "\r\n",
];

/** A header block as a person, or a malicious one, might write it. */
function writeHeader(random: () => number): string {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const lines = Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
    const value = Array.from({ length: Math.floor(random() * 6) }, () => pick(pieces)).join("");
    const usual =
      random() < 0.5
        ? pick([
            "A title",
            "7",
            "page",
            "2026-02-29",
            "2026-11-23",
            "null",
            "12345678",
            "yes",
            "no",
            "all",
            "a, b,a ,",
          ])
        : value;
    return `${pick(keys)}:${pick([" ", " ", " ", "  ", ""])}${usual}`;
  });
  return lines.join("\n");
}

describe("a plain header", () => {
  it("is read as by the library, in twenty thousand random blocks", () => {
    const seed = systemClock.now() % 1_000_000;
    const random = makeRandom(seed);
    let plain = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const yaml = writeHeader(random);
      const quick = readPlain(yaml);
      if (quick === undefined) continue;
      plain += 1;
      expect([seed, yaml, readByLibrary("x", yaml)]).toEqual([seed, yaml, { header: quick, faults: [] }]);
    }
    expect(plain).toBeGreaterThan(500);
  });

  it("is recognised where it is the usual one", () => {
    const news = "updated: 2026-11-24\ntags: money, a b,money\ndraft: yes\ncontents: no\nentries: 10";
    const block = `title: Prices\nnav: Prices\norder: 3\ndate: 2026-11-23\nlayout: page\n${news}`;
    expect(readPlain(block)).toEqual({
      title: "Prices",
      description: "",
      layout: "page",
      layoutLine: 6,
      nav: "Prices",
      navLine: 3,
      order: 3,
      date: "2026-11-23",
      updated: "2026-11-24",
      tags: ["money", "a b"],
      image: "",
      draft: true,
      contents: false,
      entries: 10,
    });
    for (const other of [
      'title: "x"',
      "title: a: b",
      "title: a #b",
      "title:",
      "titel: x",
      "title: x\ntitle: y",
      "order: x",
      "draft: maybe",
      "entries: all",
    ])
      expect([other, readPlain(other)]).toEqual([other, undefined]);
  });
});
