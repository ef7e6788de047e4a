// Goal of this test: whatever is edited, and however little of it a build reads again, the release is byte for byte
// the one that a build from nothing makes; and a change of one page reads that page alone.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { age, listLayout, openEditor, openKeeping } from "./sites/edits.ts";
import { readTree, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(async () => {
  workshop = await openKeeping();
});
afterEach(() => workshop.end());

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

async function expectAsFromNothing() {
  const fresh = join(workshop.folder, "fresh");
  const [again, cold] = [await workshop.build(), await workshop.build({ outFolder: fresh })];
  expect(again.ok).toBe(cold.ok);
  if (!cold.ok || !again.ok) {
    expect(again).toEqual(cold);
    return again;
  }
  const contents = (folder: string) =>
    Object.fromEntries(Object.entries(readTree(folder)).map(([name, { content }]) => [name, content]));
  expect(contents(again.releaseFolder)).toEqual(contents(cold.releaseFolder));
  rmSync(fresh, { recursive: true });
  return again;
}

describe("a build that finds the last one's notes", () => {
  it("reads nothing where nothing changed", async () => {
    const first = await workshop.built();
    await wait(60);
    await workshop.built();
    expect(first).toMatchObject({ changed: true, sourcesRead: 11 });
    expect(await workshop.built()).toMatchObject({ changed: false, sourcesRead: 0 });
  });

  it("reads one page where one changed, and makes of the oldest release the new one", async () => {
    await workshop.built();
    await wait(60);
    for (const text of ["a", "b", "c", "d", "e"]) {
      workshop.write("site/content/docs/hidden.html", `<h1>Hidden page</h1><p id="x">${text}</p>\n`);
      await wait(60);
      workshop.clock.ms += 1000;
      expect(await workshop.built()).toMatchObject({ changed: true, sourcesRead: 1 });
      await expectAsFromNothing();
    }
  });

  it.each([
    ["another hash", (text: string) => text.replace(/(faq\.html","sha256":")...../, "$1aaaaa")],
    ["half of it", (text: string) => text.slice(0, text.length / 2)],
    ["nothing", () => ""],
    ["null", () => "null"],
    ["a line less", (text: string) => text.replace(/^\{"path":"www\/faq.*\n/m, "")],
  ])("takes no line from a manifest that holds %s", async (_, spoil) => {
    await workshop.built();
    await wait(60);
    const { releaseFolder } = await workshop.built();
    const manifest = join(releaseFolder, "manifest.json");
    const text = readFileSync(manifest, "utf8");
    writeFileSync(manifest, spoil(text));
    expect(readFileSync(manifest, "utf8")).not.toBe(text);
    workshop.write("site/content/docs/hidden.html", "<h1>Hidden page</h1><p>another</p>");
    await wait(60);
    workshop.clock.ms += 1000;
    await expectAsFromNothing();
  });

  it("clears away what was put beside the files of that release, however soon, and looks for it nowhere else", async () => {
    await workshop.built();
    await wait(60);
    const strays = (release: string) =>
      ["www/docs/stray.html", "www/docs/stray", "stray.json"].map((name) => join(release, name));
    for (const text of ["a", "b", "c", "d", "e", "f"]) {
      workshop.write("site/content/docs/hidden.html", `<h1>Hidden page</h1><p id="x">${text}</p>\n`);
      await wait(60);
      workshop.clock.ms += 1000;
      const { releaseFolder } = await workshop.built();
      expect(strays(releaseFolder).filter((stray) => existsSync(stray))).toEqual([]);
      // A folder that is noted as it was left tells of what was done to it in the same moment.
      for (const folder of [releaseFolder, join(releaseFolder, "www/docs")])
        expect(statSync(folder).mtimeMs).toBeLessThan(Date.now() - 1_800_000);
      const [file = "", folder = "", other = ""] = strays(releaseFolder);
      writeFileSync(file, "stray");
      mkdirSync(folder);
      writeFileSync(other, "{}");
    }
  });

  it("changes several lines of the manifest, in whatever order their sources are listed", async () => {
    const names = ["docs/a.html", "docs/a/x.html", "docs/\u00e9.html", "docs/b.html"];
    const put = (text: string): void => {
      for (const name of names) workshop.write(`site/content/${name}`, `<h1>Page</h1><p>${text}</p>\n`);
    };
    put("a");
    await workshop.built();
    await wait(60);
    put("b");
    await wait(60);
    workshop.clock.ms += 1000;
    expect(await workshop.built()).toMatchObject({ changed: true, sourcesRead: names.length });
    await expectAsFromNothing();
  });

  it.each(["}}}", '\u00e9}"', "a,b}"])(
    "finds its line in the manifest, though its name is %j",
    async (name) => {
      const file = `site/content/docs/${name}.html`;
      workshop.write(file, "<h1>Strange</h1><p>a</p>\n");
      await workshop.built();
      await wait(60);
      for (const text of ["b", "c"]) {
        workshop.write(file, `<h1>Strange</h1><p>${text}</p>\n`);
        await wait(60);
        workshop.clock.ms += 1000;
        expect(await workshop.built()).toMatchObject({ changed: true, sourcesRead: 1 });
        await expectAsFromNothing();
      }
    },
  );
});

describe("what other pages show of a page", () => {
  const write = (name: string, header: string, body: string): void =>
    workshop.write(`site/content/news/${name}`, `---\n${header}\n---\n${body}\n`);
  beforeEach(() => {
    workshop.write("site/layouts/list.html", listLayout);
    write("index.html", "layout: list\nentries: 2", "<h1>News</h1>");
    write("a.html", "date: 2026-11-22", "<h1>A</h1>");
    write("b.html", "date: 2026-11-24", "<h1>B</h1>");
    write("../docs/hidden.html", "layout: list\ncontents: yes", "<h1>H</h1><h2 id='a'>a</h2>");
    age(workshop);
  });

  it.each([
    ["its body, in a feed", () => write("a.html", "date: 2026-11-22", "<h1>A</h1><p>more</p>")],
    [
      "its headings",
      () => write("../docs/hidden.html", "layout: list\ncontents: yes", "<h1>H</h1><h2 id='a'>b</h2>"),
    ],
    [
      "nothing until its day",
      () => {
        workshop.clock.ms += 86_400_000;
      },
    ],
    ["nothing while it is a draft", () => write("a.html", "date: 2026-11-22\ndraft: yes", "<h1>A</h1>")],
    ["its title, in a trail", () => write("index.html", "layout: list\nentries: 2", "<h1>Olds</h1>")],
  ])("is made anew: %s", async (_, change) => {
    await workshop.built();
    await wait(60);
    await workshop.built();
    change();
    await wait(60);
    workshop.clock.ms += 1000;
    expect(await expectAsFromNothing()).toMatchObject({ ok: true, changed: true });
  });
});

describe("random edits", () => {
  it.each([
    ["", 160],
    // Texts that are long enough, or just not, to be compressed.
    ["compress: yes\n", 100],
  ])(
    "leave what a build from nothing makes %s",
    async (settings, rounds) => {
      const etc = "site/etc/site.yaml";
      workshop.write(etc, readFileSync(join(workshop.folder, etc), "utf8") + settings);
      age(workshop);
      const editor = openEditor(workshop, 20_261_126);
      let whole = 0;
      let little = 0;
      let faulty = 0;
      for (let round = 0; round < rounds; round += 1) {
        editor.edit();
        if (editor.next(2) === 0) await wait(60);
        workshop.clock.ms += editor.next(3) * 1000;
        const built = await expectAsFromNothing();
        if (built.ok && built.sourcesRead > 5) whole += 1;
        else if (built.ok && built.changed) little += 1;
        else if (!built.ok) editor.reset();
        if (!built.ok) faulty += 1;
      }
      expect(Math.min(whole, little, faulty), `${whole}, ${little}, ${faulty}`).toBeGreaterThan(rounds / 16);
    },
    120_000,
  );
});

describe("notes that cannot be trusted", () => {
  const notes = () => join(workshop.out, ".cache/state");
  const facts = (): string => {
    const names = readdirSync(join(workshop.out, ".cache")).filter((name) => name.startsWith("records-"));
    expect(names).toHaveLength(1);
    return join(workshop.out, ".cache", names[0] ?? "");
  };
  it.each([
    ["are gone", () => rmSync(notes())],
    ["are cut", () => writeFileSync(notes(), readFileSync(notes()).subarray(0, 200))],
    ["are empty", () => writeFileSync(notes(), "")],
    ["were changed by hand", () => writeFileSync(notes(), readFileSync(notes()).fill(0x61, 500, 520))],
    [
      "have lost the pages' facts",
      () => {
        rmSync(facts());
        workshop.write("site/content/docs/hidden.html", "<h1>Hidden page</h1><p>another</p>");
      },
    ],
    [
      "were changed by hand, where a page's facts are",
      () => {
        const bytes = readFileSync(facts());
        const at = bytes.indexOf("Hidden page");
        writeFileSync(facts(), bytes.fill(0x61, at, at + 7));
        workshop.write("site/content/docs/hidden.html", "<h1>Hidden page</h1><p>another</p>");
      },
    ],
    ["speak of another release", () => rmSync(join(workshop.out, "current"))],
    [
      "cannot be kept, since a file is in the way",
      () => {
        rmSync(join(workshop.out, ".cache"), { recursive: true });
        writeFileSync(join(workshop.out, ".cache"), "in the way");
      },
    ],
    ["are of other settings", () => workshop.write("site/etc/prices.yaml", "currency: USD\nmeters: {}\n")],
  ])("are none: they %s", async (_, spoil) => {
    await workshop.built();
    await wait(60);
    await workshop.built();
    spoil();
    expect(await workshop.built()).toMatchObject({ sourcesRead: 11 });
    await expectAsFromNothing();
  });
});
