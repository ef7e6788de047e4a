// Goal of this test: documents put together from pieces are, byte for byte, those that a full rendering makes,
// whatever a layout does with a page's words; and a layout that measures words is rendered in full.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadBaked } from "../build/build.ts";
import { makeMoulds, pour } from "../build/segments.ts";
import { loadTemplates, readTemplates } from "../build/template.ts";
import { makeRenderer, noSurroundings, type PageFrame, type Surroundings } from "../lib/util/templates.ts";
import { openWorkshop, type Workshop } from "./sites/workshop.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = openWorkshop();
});
afterEach(() => workshop.end());

const snippets = [
  "{{page.title}}",
  "{{{page.title}}}",
  "<a title='{{page.title}}'>{{page.path}}</a>",
  "{{#if page.description}}<p>{{page.description}}</p>{{else}}none{{/if}}",
  "{{#unless page.home}}not home{{/unless}}",
  "{{#with page}}{{title}} {{../site.name}}{{/with}}",
  "{{#each page}}{{@key}}={{this}};{{/each}}",
  "{{#if content}}full{{/if}}",
  "{{{content}}}",
  "{{#each page.breadcrumbs}}<a href='{{href}}'>{{label}}</a>{{@index}}{{else}}top{{/each}}",
  "{{#with page.next}}<a href='{{href}}'>{{label}} {{{@root.page.date}}}</a>{{/with}}",
  "{{#if page.previous}}{{page.previous.label}}{{/if}}",
  "{{#each page.entries}}{{title}} {{date}}{{#each tags}}{{label}}{{#unless @last}},{{/unless}}{{/each}}{{/each}}",
  "<link rel=canonical href='{{page.canonical}}'>{{page.dateText}}",
  "{{> nav}}",
  "{{> header}}",
  "\u0002<1>\u0002",
  "\u0002&lt;0&gt;\u0002",
];
/** Lists of several lengths, and words and links that are there or not. */
function surround(path: string, index: number): Surroundings {
  const link = { href: path, label: `<${index}> & ${path}` };
  const links = Array.from({ length: (path.length + index) % 4 }, () => link);
  const date = index === 1 ? "" : `2026-11-2${index}`;
  const entries = links.map((_, at) => {
    return { href: path, title: `${at}`, description: "", date, dateText: date, tags: links.slice(at) };
  });
  const [previous, next] = [index === 0 ? link : null, path.endsWith("/") ? link : null];
  const canonical = index === 2 ? "" : `https://site.example${path}`;
  return { ...noSurroundings, date, dateText: date, canonical, breadcrumbs: links, previous, next, entries };
}

const pages = [
  "/",
  "/docs/",
  "/docs/start.html",
  "/docs/hidden.html",
  "/faq.html",
  "/x/y.html",
  "/a.html",
  "/bb.html",
  "/ccc.html",
].flatMap((path) =>
  [
    ["A & <b>", ""],
    ["\u0002<3>\u0002", "d & 'e'"],
    ["Ünïcode", "x"],
  ].map(([title = "", description = ""], index) => ({
    layout: "try",
    title,
    description,
    path,
    surroundings: surround(path, index),
    content: index === 1 ? "" : `<h1>$& ${path}</h1>`,
  })),
);

async function framers(layout: string) {
  workshop.write("site/layouts/try.html", layout);
  const loaded = await loadBaked(workshop.source, workshop.home);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  const { templates } = await readTemplates(workshop.source, workshop.home);
  const baked = { ...loaded.baked, templates: loadTemplates(templates) };
  const renderer = makeRenderer(baked);
  let renderings = 0;
  const counting = {
    render: (name: string, data: object) => {
      renderings += 1;
      return renderer.render(name, data);
    },
  };
  const moulds = makeMoulds(counting, baked, templates);
  const frame = (page: PageFrame) => {
    const { mould, words } = moulds.find(page, page.content !== "", () => page.content);
    const { bytes, bodyStarts } = pour(mould.pieces, words, Buffer.from(page.content));
    return { bytes, document: bytes.toString("utf8"), bodyStarts };
  };
  return { renderer, frame, count: () => renderings };
}

describe("a document put together from pieces", () => {
  it("is what a full rendering makes", async () => {
    let state = 20_261_126;
    const next = (): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return state >> 8;
    };
    for (let round = 0; round < 40; round += 1) {
      const layout = Array.from({ length: 1 + (next() % 6) }, () => snippets[next() % snippets.length]).join(
        "\n",
      );
      const { renderer, frame } = await framers(`${layout}{{{content}}}`);
      // Twice: the second time from the pieces alone.
      for (const page of [...pages, ...pages]) {
        const { bytes, document, bodyStarts } = frame(page);
        expect(document, layout).toBe(renderer.frame(page));
        for (const start of bodyStarts)
          expect(bytes.subarray(start).toString("utf8").startsWith(page.content)).toBe(true);
        expect(bodyStarts.length > 0).toBe(page.content !== "");
      }
    }
  });

  it("costs no rendering after the first of its kind", async () => {
    const { frame, count } = await framers("{{page.title}}{{> nav}}{{{content}}}");
    for (const page of pages) frame({ ...page, surroundings: surround("/other/", 0) });
    const after = count();
    for (let round = 0; round < 10; round += 1)
      for (const page of pages) frame({ ...page, title: `T${round}`, surroundings: noSurroundings });
    expect(count()).toBe(after);
  });

  it("is not tried where a word is looked up", async () => {
    const { renderer, frame, count } = await framers("{{lookup page 'title'}}{{{content}}}");
    for (const page of pages) expect(frame(page).document).toBe(renderer.frame(page));
    expect(count()).toBe(pages.length);
  });
});
