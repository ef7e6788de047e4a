/**
 * Collections: a folder whose index page has `entries:` lists the dated pages that lie in it, newest first, on as many
 * pages as that takes, and once more by tag. What is made here is pages like all others, without a source of their
 * own. Called by site.ts.
 */
import { escapeText } from "../lib/util/templates.ts";
import { slugOf } from "./anchors.ts";
import type { Bodies } from "./bodies.ts";
import { collectFacts } from "./facts.ts";
import { compareText, type Fault } from "./fault.ts";
import { lineOfKey } from "./header.ts";
import { addressOf, type Page } from "./page.ts";
import { scanMarkup } from "./scan.ts";

export interface Collection {
  /** The page that asks for the list. */
  readonly index: Page;
  /** "news/": what lies below it is in the collection. */
  readonly folder: string;
  /** Newest first; pages of one day in the order of their `order` and addresses. */
  readonly entries: readonly Page[];
  /** In the order of their words. */
  readonly tags: readonly Tag[];
}

export interface Tag {
  readonly label: string;
  /** Path below www/ of the page that lists what has it, "news/tags/money/index.html". */
  readonly output: string;
  readonly entries: readonly Page[];
}

/** A page that lists others. */
export interface ListPage {
  /** The index page itself, or one without a source. */
  readonly page: Page;
  readonly isMade: boolean;
  readonly entries: readonly Page[];
  /** Outputs of the list's pages before and after this one; "" at its ends. */
  readonly newer: string;
  readonly older: string;
}

/** @param pages those that are published */
export function findCollections(pages: readonly Page[]): {
  readonly collections: readonly Collection[];
  readonly faults: readonly Fault[];
} {
  const faults: Fault[] = [];
  const report = (page: Page, key: string, message: string): void => {
    faults.push({ file: page.source.file, line: lineOfKey(page.head, key), message });
  };
  const indexes = new Map<string, { readonly index: Page; readonly entries: Page[] }>();
  for (const page of pages) {
    if (page.header.entries === 0) continue;
    const { output } = page.source;
    if (/(?:^|\/)index\.html$/.test(output)) indexes.set(output.slice(0, -10), { index: page, entries: [] });
    else report(page, "entries", '"entries" is for the index page of a folder; put it there');
  }
  for (const page of pages) {
    const { header, source } = page;
    const found = page.header.entries > 0 ? undefined : findAbove(indexes, source.output);
    if (found === undefined) {
      if (header.tags.length > 0)
        report(page, "tags", `"tags" shows nothing; the index page of a folder above needs "entries: 10"`);
    } else if (header.date === "") {
      const folder = `content/${found.index.source.output.slice(0, -10)}`;
      report(page, "date", `no date: pages in ${folder} are listed by their date; write date: 2026-11-23`);
    } else found.entries.push(page);
  }
  const collections = [...indexes].map(([folder, { index, entries }]): Collection => {
    const sorted = [...entries].sort(byDate);
    return { index, folder, entries: sorted, tags: findTags(folder, sorted, report) };
  });
  return { collections, faults };
}

/** The nearest one of the folders that a file lies in. */
function findAbove<Value>(folders: ReadonlyMap<string, Value>, output: string): Value | undefined {
  if (folders.size === 0) return undefined;
  for (let end = output.lastIndexOf("/"); end >= 0; end = end === 0 ? -1 : output.lastIndexOf("/", end - 1)) {
    const found = folders.get(output.slice(0, end + 1));
    if (found !== undefined) return found;
  }
  return folders.get("");
}

function byDate(left: Page, right: Page): number {
  return (
    compareText(right.header.date, left.header.date) ||
    left.header.order - right.header.order ||
    compareText(left.path, right.path)
  );
}

function findTags(
  folder: string,
  entries: readonly Page[],
  report: (page: Page, key: string, message: string) => void,
): readonly Tag[] {
  const tags = new Map<string, { readonly label: string; readonly entries: Page[] }>();
  for (const page of entries)
    for (const label of page.header.tags) {
      const slug = slugOf(label);
      const known = tags.get(slug) ?? { label, entries: [] };
      if (known.label !== label)
        report(
          page,
          "tags",
          `the tags "${known.label}" and "${label}" would have one address; write one of them`,
        );
      tags.set(slug, known);
      known.entries.push(page);
    }
  return [...tags]
    .map(([slug, { label, entries: tagged }]) => {
      return { label, output: `${folder}tags/${slug}/index.html`, entries: tagged };
    })
    .sort((a, b) => compareText(a.label, b.label));
}

/** What collections make; the first page of each collection's list is its index page, which has a source. */
export function makeListPages(collections: readonly Collection[], bodies: Bodies): readonly ListPage[] {
  return collections.flatMap((collection) => {
    const { index, folder, entries, tags } = collection;
    const { title } = index;
    const make = (output: string, name: string, body: string): Page =>
      makePage(index, output, name, body, bodies);
    const list = cutList(`${folder}index.html`, entries, index.header.entries, (output, name) =>
      name === "" ? index : make(output, `${title}, ${name}`, ""),
    );
    const tagged = tags.flatMap((tag) =>
      cutList(tag.output, tag.entries, index.header.entries, (output, name) =>
        make(output, `${title}: ${tag.label}${name === "" ? "" : `, ${name}`}`, ""),
      ),
    );
    if (tags.length === 0) return list;
    const all = make(`${folder}tags/index.html`, `${title} by tag`, listTags(tags));
    return [...list, { page: all, isMade: true, entries: [], newer: "", older: "" }, ...tagged];
  });
}

/** @param make the page at an output; its name is "" for the first, "page 2" for the next */
function cutList(
  first: string,
  entries: readonly Page[],
  size: number,
  make: (output: string, name: string) => Page,
): readonly ListPage[] {
  const count = Math.max(1, Math.ceil(entries.length / size));
  const outputOf = (number: number): string => {
    if (number < 1 || number > count) return "";
    return number === 1 ? first : first.replace(/index\.html$/, `page-${number}.html`);
  };
  return Array.from({ length: count }, (_, at) => {
    const page = make(outputOf(at + 1), at === 0 ? "" : `page ${at + 1}`);
    return {
      page,
      isMade: page.header.entries === 0,
      entries: entries.slice(at * size, (at + 1) * size),
      newer: outputOf(at),
      older: outputOf(at + 2),
    };
  });
}

function listTags(tags: readonly Tag[]): string {
  const items = tags.map(({ label, output, entries }) => {
    const link = `<a href="${escapeText(addressOf(output))}">${escapeText(label)}</a>`;
    return `<li>${link} (${entries.length})</li>\n`;
  });
  return `<ul>\n${items.join("")}</ul>\n`;
}

function makePage(index: Page, output: string, title: string, rest: string, bodies: Bodies): Page {
  const html = `<h1>${escapeText(title)}</h1>\n${rest}`;
  const { layout, layoutLine, navLine, order } = index.header;
  const header = { ...index.header, layout, layoutLine, navLine, order, title, nav: "", description: "" };
  return {
    ...index,
    source: { ...index.source, output, kind: "html" },
    header: { ...header, date: "", updated: "", contents: false, entries: 0 },
    title,
    path: addressOf(output),
    body: bodies.keep(Buffer.from(html)),
    isEmpty: false,
    facts: collectFacts(scanMarkup(html)),
    edits: undefined,
  };
}
