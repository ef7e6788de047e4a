/**
 * Random edits of a site, from a seed: bodies, headers, layouts, style sheets, pictures, redirects, deletions, renames, days, and
 * clocks that go wrong. For tests in which what is made step by step must be what is made from nothing.
 */
import { existsSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { bundlePrograms } from "../../build/bundle.ts";
import { keepBundles } from "../../build/bundles.ts";
import { openWorkshop, readTree, type Workshop } from "./workshop.ts";

export interface Editor {
  /** One or two edits. */
  readonly edit: () => void;
  /** The site as it was at first: a fault that stays would hide all others. */
  readonly reset: () => void;
  /** A number below `count`. */
  readonly next: (count: number) => number;
}

/** Shows what pages know of each other. */
export const listLayout = `{{page.title}}{{#each page.breadcrumbs}}<a href="{{href}}">{{label}}</a>{{/each}}
{{#each page.entries}}<a href="{{href}}">{{title}}</a>{{dateText}}{{#each tags}}{{label}}{{/each}}{{/each}}
{{#with page.previous}}{{href}}{{label}}{{/with}}{{#with page.next}}{{href}}{{label}}{{/with}}
{{#each page.contents}}<a href="{{href}}">{{label}}</a>{{/each}}
{{{content}}}`;

const pages = ["index.html", "docs/index.html", "docs/hidden.html", "docs/start.html", "faq.md", "new/a.html"];

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

const moved = ["", "/old.html: /faq.html\n", "/old.html: /news/\n", "/old.html: /news/1.html\n"];

export function openEditor(workshop: Workshop, seed: number): Editor {
  let state = seed;
  const next = (count: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % count;
  };
  workshop.write("site/layouts/list.html", listLayout);
  workshop.write("site/content/news/index.html", "---\nlayout: list\nentries: 2\n---\n<h1>News</h1>");
  age(workshop);
  const goodSite = readTree(workshop.source);
  // Drafts, days to come, tags, and words that a feed has.
  const writeNews = () => {
    const day = `2026-11-2${2 + next(3)}`;
    const header = `layout: list\ndate: ${day}\ndraft: ${next(4) === 0 ? "yes" : "no"}\ntags: ${next(2) === 0 ? "a" : "b"}`;
    const contents = next(3) === 0 ? "\ncontents: yes" : "";
    const body = `<h1>N</h1>\n<h2 id="x">${next(2)}</h2>`;
    workshop.write(`site/content/news/${next(4)}.html`, `---\n${header}${contents}\n---\n${body}\n`);
  };
  /** Another title, and perhaps another description, in as many lines. */
  const retitle = (file: string): void => {
    const absolute = join(workshop.folder, file);
    if (!existsSync(absolute)) return;
    const number = next(3);
    const text = readFileSync(absolute, "utf8")
      .replace(/^(# |<h1>).*?(<\/h1>|$)/m, `$1Title ${number}$2`)
      .replace(/^(title|description): .*$/gm, `$1: Words ${number}`);
    workshop.write(file, text);
  };
  const start = workshop.clock.ms;
  const editOnce = () => {
    const file = `site/content/${pages[next(pages.length)]}`;
    const absolute = join(workshop.folder, file);
    const kind = next(22);
    const there = statSync(absolute, { throwIfNoEntry: false }) !== undefined;
    const first = goodSite[file.slice("site/".length)]?.content ?? "<h1>A</h1>";
    if (kind < 9)
      workshop.write(file, Buffer.from(`${first}\n${additions[next(additions.length)]}`, "latin1"));
    else if (kind === 9 && there) rmSync(absolute);
    else if (kind === 10) workshop.write("site/layouts/footer.html", `<footer>${next(3)}</footer>`);
    else if (kind === 11) workshop.write("site/content/style.css", `main { margin: ${next(3)}em }`);
    else if (kind === 12)
      workshop.write("site/content/note.txt", String(next(3)).repeat(250 + 10 * next(2)));
    else if (kind === 13 && there && next(2) === 0)
      renameSync(absolute, join(workshop.source, "content/renamed.html"));
    else if (kind === 14 || kind === 15) writeNews();
    else if (kind === 16) workshop.write("site/etc/redirects.yaml", `# moved\n${moved[next(moved.length)]}`);
    else if (kind === 17) workshop.clock.ms = start + next(3) * 86_400_000;
    else if (kind === 18)
      workshop.write("site/content/pictures/my dot.svg", `<svg width="${1 + next(3)}" height="2"/>`);
    else if (kind === 19 && there) retitle(file);
    else if (kind > 19) retitle(`site/content/news/${next(4)}.html`);
    // A clock that was set back, or a copy with its old time.
    if (next(3) === 0 && statSync(absolute, { throwIfNoEntry: false })) touch(absolute, -next(1000));
  };
  return {
    next,
    edit: () => {
      for (let edits = 1 + next(2); edits > 0; edits -= 1) editOnce();
    },
    reset: () => {
      rmSync(join(workshop.source, "content"), { recursive: true });
      rmSync(join(workshop.source, "etc/redirects.yaml"), { force: true });
      for (const [name, { content }] of Object.entries(goodSite))
        workshop.write(`site/${name}`, Buffer.from(content, "latin1"));
      age(workshop);
    },
  };
}

/** A workshop in which builds keep notes, and believe them. */
export async function openKeeping(): Promise<Workshop> {
  const workshop = openWorkshop();
  // As set-up leaves it: without it nothing is kept from build to build.
  keepBundles(workshop.home.codeFolder, await bundlePrograms(workshop.home));
  age(workshop);
  // Changing a file's time is a change as well.
  await new Promise((done) => setTimeout(done, 60));
  return workshop;
}

/** Makes every source old enough to be believed by its stamp. */
export function age({ source }: Workshop): void {
  for (const name of Object.keys(readTree(source))) touch(join(source, name), -100);
}

function touch(file: string, seconds: number): void {
  const { mtimeMs } = statSync(file);
  const at = mtimeMs / 1000 + seconds;
  utimesSync(file, at, at);
}
