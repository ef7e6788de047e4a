// Goal of this test: pages that threads render are those that one thread renders, in the same order, whatever becomes of the
// threads; what they cannot read is left to the one who asked.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { openCrew } from "../build/crew.ts";
import { initSite } from "../build/init.ts";
import { renderMarkdown } from "../build/markdown.ts";
import { type Raw, readRaw } from "../build/raw.ts";
import { makeReader } from "../build/reader.ts";
import type { Source } from "../build/sources.ts";

const compiled = new URL("../out", import.meta.url).pathname;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "picodollar-crew-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Pages, of which one is gone, one is no text, and one is too deep; a file between them. */
function makeSources(count: number): readonly Source[] {
  return Array.from({ length: count }, (_, index) => {
    const absolute = join(folder, `${index}.md`);
    const text = `---\ntitle: ${index}\n---\n# Page ${index}\n\n${"Words of *it*. ".repeat(index % 40)}\n\n[^${index % 90 === 0 ? 1 : ""}\n`;
    writeFileSync(absolute, index === 77 ? Buffer.from([0xff]) : text);
    if (index === 99) rmSync(absolute);
    if (index === 111) writeFileSync(absolute, "> ".repeat(500));
    const kind = index === 50 ? "file" : "markdown";
    return { file: `content/${index}.md`, absolute, output: `${index}.html`, kind };
  });
}

const show = ({ body, ...rest }: Raw) => ({ ...rest, body: body.toString() });

async function readAll(sources: readonly Source[], codeFolder: string) {
  const tools = { read: makeReader(), renderMarkdown };
  const crew = await openCrew(sources, { codeFolder }, 400);
  let byOthers = 0;
  const pages: unknown[] = [];
  try {
    for (const source of sources) {
      if (source.kind === "file") continue;
      const raw = await crew.next();
      if (raw !== undefined) byOthers += 1;
      const read = raw ?? readRaw(source, tools);
      pages.push("body" in read ? show(read) : read);
    }
  } finally {
    await crew.close();
  }
  return { pages, byOthers };
}

function plant(code: string): string {
  mkdirSync(join(folder, "code/build"), { recursive: true });
  writeFileSync(join(folder, "code/build/render.cjs"), code);
  return join(folder, "code");
}

describe("a crew", () => {
  it("makes of each page what one thread makes of it", async () => {
    expect(existsSync(join(compiled, "build/render.cjs"))).toBe(true);
    const sources = makeSources(1500);
    const alone = await readAll(sources, join(folder, "nothing"));
    expect(alone.byOthers).toBe(0);
    expect(alone.pages.slice(0, 50)).toContainEqual(
      expect.objectContaining({ head: "---\ntitle: 49\n---\n" }),
    );
    const together = await readAll(sources, compiled);
    if (availableParallelism() > 1) expect(together.byOthers).toBeGreaterThan(500);
    expect(together.pages).toEqual(alone.pages);
  });

  it("is not called for a few pages", async () => {
    expect((await readAll(makeSources(300), compiled)).byOthers).toBe(0);
  });

  it("may be sent away before it is done", async () => {
    const crew = await openCrew(makeSources(1000), { codeFolder: compiled }, 400);
    await crew.next();
    await crew.close();
  });

  it.each([
    ["at once", 'throw new Error("planted");'],
    [
      "with the first batch",
      'const { parentPort } = require("node:worker_threads"); parentPort.on("message", () => process.exit(1));',
    ],
    [
      "with the third batch",
      `const { parentPort } = require("node:worker_threads"); const { renderBatch } = require(${JSON.stringify(join(compiled, "build/render.cjs"))});
      let count = 0;
      parentPort.removeAllListeners("message");
      parentPort.on("message", (batch) => { count += 1; if (count === 3) throw new Error("planted"); parentPort.postMessage(renderBatch(batch)); });`,
    ],
  ])("whose threads end %s leaves nothing undone", async (_when, code) => {
    const sources = makeSources(800);
    const alone = await readAll(sources, join(folder, "nothing"));
    expect((await readAll(sources, plant(code))).pages).toEqual(alone.pages);
  });
});

it("work for the command as well, whether its machine code was kept or not", () => {
  // In memory, where there is a folder there: twice five thousand files take a disk some seconds.
  const memory = existsSync("/dev/shm") ? mkdtempSync("/dev/shm/picodollar-crew-") : folder;
  onTestFinished(() => rmSync(memory, { recursive: true, force: true }));
  const site = join(memory, "site");
  initSite(site);
  const settings = join(site, "etc/site.yaml");
  writeFileSync(settings, readFileSync(settings, "utf8").replace("compress: yes", "compress: no"));
  for (let number = 0; number < 5050; number += 1)
    writeFileSync(join(site, "content/docs", `${number}.md`), `# Page ${number}\n\nA *word*.\n`);
  const release: string[] = [];
  for (const out of ["first", "second"]) {
    const words = [
      join(compiled, "cli/site.cjs"),
      "build",
      "--source",
      site,
      "--out",
      join(memory, out),
      "--json",
    ];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    const { releaseId, markdown } = JSON.parse(stdout) as { releaseId: string; markdown: number };
    expect(markdown).toBeGreaterThan(5050);
    release.push(releaseId.slice(-8));
  }
  expect(release[0]).toBe(release[1]);
}, 60_000);
