// Goal of this test: what the development server shows of a site kept in memory is, byte for byte and fault for fault, what a
// build from nothing would make of its sources at that moment, whatever was edited before.
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BuildResult, openPreview, type Preview, type Previewed } from "../build/build.ts";
import { openEditor } from "./sites/edits.ts";
import { openWorkshop, readTree, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
let preview: Preview;

beforeEach(async () => {
  workshop = openWorkshop();
});
afterEach(() => {
  preview.close();
  workshop.end();
});

async function open(): Promise<void> {
  const { source: sourceFolder, clock, home } = workshop;
  preview = await openPreview({ sourceFolder, clock, home });
}

const listFiles = (): Readonly<Record<string, unknown>> => readTree(workshop.source);

/** Does something to the sources, and notes what that changed. */
function change(act: () => void): void {
  const before = listFiles();
  act();
  const after = listFiles();
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
    if (JSON.stringify(before[name]) !== JSON.stringify(after[name]))
      preview.note(join(workshop.source, name));
}

async function find(output: string): Promise<string | undefined> {
  const found = await preview.find(output);
  if (found === undefined) return undefined;
  return "bytes" in found ? Buffer.from(found.bytes).toString("latin1") : JSON.stringify(found.faults);
}

/** Every output that there has been. */
const outputs = new Set<string>();

async function expectAsBuilt(): Promise<BuildResult> {
  const outFolder = join(workshop.folder, "fresh");
  const built = await workshop.build({ outFolder });
  if (built.ok) {
    const www = join(built.releaseFolder, "www");
    const tree = new Map(Object.entries(readTree(www)).map(([name, { content }]) => [name, content]));
    for (const output of tree.keys()) outputs.add(output);
    for (const output of outputs) expect(await find(output), output).toBe(tree.get(output));
  } else await expectFaults(built.faults);
  rmSync(outFolder, { recursive: true, force: true });
  return built;
}

async function expectFaults(faults: readonly { readonly file: string }[]): Promise<void> {
  const all = faults.map((fault) => JSON.stringify(fault));
  for (const output of outputs) {
    const found: Previewed | undefined = await preview.find(output);
    if (found === undefined || !("faults" in found)) continue;
    expect(found.faults).not.toEqual([]);
    for (const fault of found.faults) expect(all).toContain(JSON.stringify(fault));
  }
  for (const fault of faults) {
    const page = /^content\/(.*)\.(?:html|md)$/.exec(fault.file)?.[1];
    if (page !== undefined) expect(await find(`${page}.html`)).toContain(JSON.stringify(fault));
  }
}

describe("what is shown of a site in memory", () => {
  it.each(["", "assets: plain\n"])(
    "is what would be built, whatever was edited %s",
    async (settings) => {
      outputs.clear();
      const editor = openEditor(workshop, 20_261_127);
      writeFileSync(join(workshop.source, "etc/site.yaml"), settings, { flag: "a" });
      await open();
      await expectAsBuilt();
      const counts = { good: 0, faulty: 0 };
      for (let round = 0; round < 120; round += 1) {
        change(editor.edit);
        const built = await expectAsBuilt();
        counts[built.ok ? "good" : "faulty"] += 1;
        if (!built.ok) change(editor.reset);
      }
      expect(Math.min(counts.good, counts.faulty), JSON.stringify(counts)).toBeGreaterThan(10);
    },
    120_000,
  );

  it("is what its source says when it is asked for, before anything was said of it", async () => {
    await open();
    const file = join(workshop.source, "content/docs/hidden.html");
    writeFileSync(file, "<h1>Hidden page</h1>\n<p>other</p>\n");
    expect(await find("docs/hidden.html")).toContain("<p>other</p>");
    rmSync(file);
    expect(await find("docs/hidden.html")).toBeUndefined();
  });

  it("follows a file that becomes a link, and a folder that comes and goes", async () => {
    await open();
    const file = join(workshop.source, "content/docs/hidden.html");
    change(() => {
      rmSync(file);
      symlinkSync("../faq.md", file);
    });
    await expectAsBuilt();
    change(() => workshop.write("site/content/a/b/c.html", "<h1>C</h1>"));
    await expectAsBuilt();
    change(() => rmSync(join(workshop.source, "content/a"), { recursive: true }));
    await expectAsBuilt();
    change(() => rmSync(join(workshop.source, "content"), { recursive: true }));
    await expectAsBuilt();
  });
});
