// Goal of this test: with `compress: yes`, what stands beside a file is that file, compressed, and small; it is made once,
// however many builds there are, and no fault of what is kept reaches the site.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundlePrograms } from "../build/bundle.ts";
import { keepBundles } from "../build/bundles.ts";
import { compressFiles } from "../build/compress.ts";
import { sha256Hex } from "../lib/util/digest.ts";
import { openWorkshop, readTree, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
  setCompress("yes");
  workshop.write("site/content/long.txt", "a long text. ".repeat(50));
});
afterEach(() => workshop.end());

const site = readFileSync(new URL("sites/good/etc/site.yaml", import.meta.url), "utf8");
const setCompress = (value: string) => workshop.write("site/etc/site.yaml", `${site}compress: ${value}\n`);
const listCompressed = () =>
  Object.keys(readTree(join(workshop.out, "current/www"))).filter((name) => /\.(?:br|gz)$/.test(name));
const shelf = () => {
  const above = join(workshop.out, ".cache/compressed");
  const [folder = ""] = readdirSync(above);
  return join(above, folder);
};

/** How many files a build compressed anew. */
async function countAnew(): Promise<number> {
  return (await workshop.built()).compressed.anew;
}

describe("compressed files", () => {
  it("hold what they stand beside, have its time, and are there for texts that they make smaller", async () => {
    const noise = Array.from({ length: 40 }, (_, index) => sha256Hex(String(index))).join("");
    workshop.write("site/content/noise.json", Buffer.from(noise, "hex"));
    workshop.write("site/content/small.txt", "a".repeat(255));
    workshop.write("site/content/picture.png", "a".repeat(1000));
    workshop.write("site/content/own.css", "main { margin: 0 }\n".repeat(40));
    workshop.write("site/content/own.css.gz", "the site's own");
    await workshop.built();
    const names = listCompressed();
    for (const name of ["faq.html.br", "faq.html.gz", "long.txt.br", "long.txt.gz", "own.css.br"])
      expect(names).toContain(name);
    expect(names.filter((name) => /^(?:noise|small|picture)/.test(name))).toEqual([]);
    expect(workshop.read("www/own.css.gz")).toBe("the site's own");
    for (const name of names.filter((each) => each !== "own.css.gz")) {
      const file = join(workshop.out, "current/www", name);
      const unpack = name.endsWith(".br") ? brotliDecompressSync : gunzipSync;
      const of = file.slice(0, -3);
      expect(unpack(readFileSync(file)).equals(readFileSync(of))).toBe(true);
      expect(statSync(file).size).toBeLessThan(statSync(of).size);
      expect(statSync(file).mtimeMs).toBeCloseTo(statSync(of).mtimeMs, 0);
      expect(statSync(file).mode & 0o777).toBe(0o644);
    }
    expect(workshop.read("manifest.json")).not.toContain("long.txt.br");
  });

  it("come and go with the setting, even within a second", async () => {
    setCompress("no");
    await workshop.built();
    const plain = readTree(join(workshop.out, "current/www"));
    expect(listCompressed()).toEqual([]);
    setCompress("yes");
    await workshop.built();
    expect(listCompressed()).toContain("long.txt.br");
    expect(readTree(join(workshop.out, "current/www"))).toMatchObject(plain);
    setCompress("no");
    await workshop.built();
    expect(readTree(join(workshop.out, "current/www"))).toEqual(plain);
  });

  it("are put right where they were damaged, by hand or by a power failure", async () => {
    await workshop.built();
    for (const spoil of [(file: string) => writeFileSync(file, "x"), (file: string) => rmSync(file)]) {
      const file = join(workshop.out, "current/www/long.txt.br");
      const good = readFileSync(file);
      spoil(file);
      workshop.clock.ms += 1000;
      expect(await workshop.built()).toMatchObject({ changed: true });
      expect(readFileSync(join(workshop.out, "current/www/long.txt.br"))).toEqual(good);
    }
  });
});

describe("what was compressed", () => {
  it("is kept by its text, and used even where the release is gone", async () => {
    expect(await countAnew()).toBeGreaterThan(5);
    const first = readTree(join(workshop.out, "current/www"));
    for (const name of ["releases", "current"]) rmSync(join(workshop.out, name), { recursive: true });
    expect(await countAnew()).toBe(0);
    const contents = Object.values(readTree(join(workshop.out, "current/www"))).map(({ content }) => content);
    expect(contents).toEqual(Object.values(first).map(({ content }) => content));
    workshop.write("site/content/copy.txt", "a long text. ".repeat(50));
    expect(await countAnew()).toBe(0);
  });

  it("is not believed where it was changed", async () => {
    await workshop.built();
    const good = workshop.read("www/long.txt.br");
    for (const name of readdirSync(shelf())) {
      const bytes = readFileSync(join(shelf(), name));
      writeFileSync(join(shelf(), name), bytes.fill(0x61, bytes.length - 4));
    }
    for (const name of ["releases", "current"]) rmSync(join(workshop.out, name), { recursive: true });
    expect(await countAnew()).toBe(0);
    expect(workshop.read("www/long.txt.br")).toBe(good);
  });

  it("is forgotten when no release has it any more", async () => {
    // As set-up leaves it, for quick builds.
    keepBundles(workshop.home.codeFolder, await bundlePrograms(workshop.home));
    const has = (text: string) => readdirSync(shelf()).some((name) => name.startsWith(sha256Hex(text)));
    const texts = ["one ", "two ", "three ", "four "].map((word) => word.repeat(100));
    const age = () => {
      for (const name of readdirSync(shelf())) utimesSync(join(shelf(), name), 1, 1);
    };
    for (const text of texts) {
      workshop.write("site/content/long.txt", text);
      workshop.write("site/etc/prices.yaml", `currency: USD\nmeters: {}\n# ${text}\n`);
      workshop.clock.ms += 1000;
      await workshop.built();
      expect(has(text)).toBe(true);
      age();
    }
    expect(texts.map(has)).toEqual([false, true, true, true]);
  });
});

it("threads make the same as one alone", async () => {
  const plans = Array.from({ length: 450 }, (_, index) => {
    const bytes = Buffer.from(`<p>page ${index}</p>`.repeat(20 + (index % 90)));
    const path = `www/${index}.${index % 50 === 0 ? "css" : "html"}`;
    return { path, sha256: sha256Hex(bytes), bytes: bytes.length, bytesNow: () => bytes };
  });
  const compiled = new URL("../out", import.meta.url).pathname;
  expect(existsSync(join(compiled, "build/squeeze.js"))).toBe(true);
  const run = async (codeFolder: string, name: string) => {
    const task = { outFolder: join(workshop.folder, name), home: { codeFolder } };
    const { besides, anew } = await compressFiles(task, plans);
    expect(anew).toBe(450);
    return besides.map(({ path, read }) => [path, sha256Hex(read())]);
  };
  const alone = await run(workshop.home.codeFolder, "alone");
  expect(alone.length).toBe(900);
  expect(await run(compiled, "threads")).toEqual(alone);
});
