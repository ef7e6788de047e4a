// Goal of this test: whatever is edited, and however little of it a build reads again, the release is byte for byte
// the one that a build from nothing makes; and a change of one page reads that page alone.
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundlePrograms } from "../build/bundle.ts";
import { keepBundles } from "../build/programs.ts";
import { openWorkshop, readTree, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(async () => {
  workshop = openWorkshop();
  // As set-up leaves it: without it nothing is kept from build to build.
  keepBundles(workshop.home.codeFolder, await bundlePrograms(workshop.home));
  age();
  // Changing a file's time is a change as well.
  await wait(60);
});
afterEach(() => workshop.end());

/** Makes every source old enough to be believed by its stamp. */
function age(): void {
  for (const name of Object.keys(readTree(workshop.source))) touch(join(workshop.source, name), -100);
}

function touch(file: string, seconds: number): void {
  const { mtimeMs } = statSync(file);
  const at = mtimeMs / 1000 + seconds;
  utimesSync(file, at, at);
}

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
    age();
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

const listLayout = `{{page.title}}{{#each page.breadcrumbs}}<a href="{{href}}">{{label}}</a>{{/each}}
{{#each page.entries}}<a href="{{href}}">{{title}}</a>{{dateText}}{{#each tags}}{{label}}{{/each}}{{/each}}
{{#with page.previous}}{{href}}{{/with}}{{#with page.next}}{{href}}{{/with}}
{{#each page.contents}}<a href="{{href}}">{{label}}</a>{{/each}}
{{{content}}}`;

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
      age();
      let state = 20_261_126;
      const next = (count: number): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
        return (state >> 8) % count;
      };
      const pages = [
        "index.html",
        "docs/index.html",
        "docs/hidden.html",
        "docs/start.html",
        "faq.md",
        "new/a.html",
      ];
      // Put behind what the page was at first, or a heading.
      const additions = [
        "",
        "<p id='a'>a</p>",
        "<p id='b'>b</p><a href='/faq.html'>f</a>",
        "<a href='/docs/hidden.html#a'>h</a>",
        "<p id='a'>a</p><a href='#a'>a</a>",
        "<p>1</p>",
        "<p>2</p>",
        "<img src='/pictures/my%20dot.svg' alt=''>",
        "<p style='margin: 0'>s</p>",
        "<b>",
      ];
      workshop.write("site/layouts/list.html", listLayout);
      workshop.write("site/content/news/index.html", "---\nlayout: list\nentries: 2\n---\n<h1>News</h1>");
      age();
      const goodSite = readTree(workshop.source);
      // Drafts, days to come, tags, and words that a feed has.
      const writeNews = () => {
        const day = `2026-11-2${2 + next(3)}`;
        const header = `layout: list\ndate: ${day}\ndraft: ${next(4) === 0 ? "yes" : "no"}\ntags: ${next(2) === 0 ? "a" : "b"}`;
        const contents = next(3) === 0 ? "\ncontents: yes" : "";
        const body = `<h1>N</h1>\n<h2 id="x">${next(2)}</h2>`;
        workshop.write(`site/content/news/${next(4)}.html`, `---\n${header}${contents}\n---\n${body}\n`);
      };
      const moved = ["", "/old.html: /faq.html\n", "/old.html: /news/\n", "/old.html: /news/1.html\n"];
      const start = workshop.clock.ms;
      let whole = 0;
      let little = 0;
      let faulty = 0;
      const reset = () => {
        rmSync(join(workshop.source, "content"), { recursive: true });
        rmSync(join(workshop.source, "etc/redirects.yaml"), { force: true });
        for (const [name, { content }] of Object.entries(goodSite))
          workshop.write(`site/${name}`, Buffer.from(content, "latin1"));
        age();
      };
      for (let round = 0; round < rounds; round += 1) {
        for (let edits = 1 + next(2); edits > 0; edits -= 1) {
          const file = `site/content/${pages[next(pages.length)]}`;
          const absolute = join(workshop.folder, file);
          const kind = next(17);
          const there = statSync(absolute, { throwIfNoEntry: false }) !== undefined;
          const first = goodSite[file.slice("site/".length)]?.content ?? "<h1>A</h1>";
          if (kind < 7)
            workshop.write(file, Buffer.from(`${first}\n${additions[next(additions.length)]}`, "latin1"));
          else if (kind === 7 && there) rmSync(absolute);
          else if (kind === 8) workshop.write("site/layouts/footer.html", `<footer>${next(3)}</footer>`);
          else if (kind === 9) workshop.write("site/content/style.css", `main { margin: ${next(3)}em }`);
          else if (kind === 10)
            workshop.write("site/content/note.txt", String(next(3)).repeat(250 + 10 * next(2)));
          else if (kind === 11 && there && next(2) === 0)
            renameSync(absolute, join(workshop.source, "content/renamed.html"));
          else if (kind === 12 || kind === 13) writeNews();
          else if (kind === 14)
            workshop.write("site/etc/redirects.yaml", `# moved\n${moved[next(moved.length)]}`);
          else if (kind === 15) workshop.clock.ms = start + next(3) * 86_400_000;
          else if (kind === 16)
            workshop.write("site/content/pictures/my dot.svg", `<svg width="${1 + next(3)}" height="2"/>`);
          // A clock that was set back, or a copy with its old time.
          if (next(3) === 0 && statSync(absolute, { throwIfNoEntry: false })) touch(absolute, -next(1000));
        }
        if (next(2) === 0) await wait(60);
        workshop.clock.ms += next(3) * 1000;
        const built = await expectAsFromNothing();
        if (built.ok && built.sourcesRead > 5) whole += 1;
        else if (built.ok && built.changed) little += 1;
        // A fault that stays would hide all others.
        else if (!built.ok) reset();
        if (!built.ok) faulty += 1;
      }
      expect(Math.min(whole, little, faulty), `${whole}, ${little}, ${faulty}`).toBeGreaterThan(rounds / 16);
    },
    120_000,
  );
});

describe("notes that cannot be trusted", () => {
  const notes = () => join(workshop.out, ".cache/state");
  it.each([
    ["are gone", () => rmSync(notes())],
    ["are cut", () => writeFileSync(notes(), readFileSync(notes()).subarray(0, 200))],
    ["are empty", () => writeFileSync(notes(), "")],
    ["were changed by hand", () => writeFileSync(notes(), readFileSync(notes()).fill(0x61, 500, 520))],
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
