/**
 * Where each page stands among the others, as data for layouts: the pages above it, before it, and after it, its
 * headings, its tags, what it lists. Only what some layout shows is worked out. Called by site.ts.
 */

import type { NavSection } from "../lib/util/navigation.ts";
import { type ListedPage, type NamedLink, noSurroundings, type Surroundings } from "../lib/util/templates.ts";
import type { Bodies } from "./bodies.ts";
import type { Collection, ListPage } from "./collections.ts";
import { listHeadings } from "./headings.ts";
import { addressOf, type Page } from "./page.ts";
import type { Field } from "./words.ts";

/** What the web server shows where something went wrong, at any address: "404.html". */
const errorPage = /^[45]\d\d\.html$/;

export function isErrorPage({ source }: Page): boolean {
  return errorPage.test(source.output);
}

interface Ground {
  readonly pages: readonly Page[];
  readonly collections: readonly Collection[];
  readonly lists: readonly ListPage[];
  readonly navigation: readonly NavSection[];
  readonly bodies: Bodies;
  readonly url: string;
  /** What layouts may look at. */
  readonly fields: readonly Field[];
}

type Makers = { readonly [Name in keyof Surroundings]: (page: Page) => Surroundings[Name] };

export function makeSurroundings(ground: Ground): (page: Page) => Surroundings {
  const makers = prepare(ground);
  const wanted = ground.fields.filter((field): field is keyof Surroundings => field in makers);
  if (wanted.length === 0) return () => noSurroundings;
  return (page) => {
    // The same keys in the same order for all pages: objects of one form are quick to make.
    const made: { -readonly [Name in keyof Surroundings]: unknown } = { ...noSurroundings };
    for (const name of wanted) made[name] = makers[name](page);
    return made as Surroundings;
  };
}

function prepare(ground: Ground): Makers {
  const { collections, url, bodies } = ground;
  const collectionOf = new Map<Page, Collection>();
  for (const collection of collections)
    for (const page of [collection.index, ...collection.entries]) collectionOf.set(page, collection);
  const listOf = new Map(ground.lists.map((list) => [list.page, list]));
  const neighboursOf = findNeighbours(ground);
  const tagsOf = (page: Page): readonly NamedLink[] => {
    const tags = collectionOf.get(page)?.tags ?? [];
    return page.header.tags.flatMap((label) => {
      const tag = tags.find((candidate) => candidate.label === label);
      return tag === undefined ? [] : [{ href: addressOf(tag.output), label }];
    });
  };
  const list = (page: Page): ListedPage => {
    const { description, date } = page.header;
    return {
      href: page.path,
      title: page.title,
      description,
      date,
      dateText: sayDay(date),
      tags: tagsOf(page),
    };
  };
  const whole = (address: string): string => (address.startsWith("/") ? url + encodeURI(address) : address);
  return {
    date: ({ header }) => header.date,
    dateText: ({ header }) => sayDay(header.date),
    updated: ({ header }) => header.updated,
    updatedText: ({ header }) => sayDay(header.updated),
    canonical: (page) => (isErrorPage(page) ? "" : url + page.path),
    image: ({ header }) => whole(header.image),
    breadcrumbs: makeBreadcrumbs(ground),
    previous: (page) => neighboursOf(page).previous,
    next: (page) => neighboursOf(page).next,
    contents: ({ header, body }) => (header.contents ? listHeadings(bodies.read(body).toString("utf8")) : []),
    tags: tagsOf,
    entries: (page) => (listOf.get(page)?.entries ?? []).map(list),
    feed: (page) => {
      const collection = collectionOf.get(page);
      return collection === undefined
        ? null
        : { href: addressOf(feedOutput(collection)), label: collection.index.title };
    },
  };
}

export function feedOutput({ folder }: Collection): string {
  return `${folder}feed.xml`;
}

/** The index pages of the folders that a page lies in, the front page first. */
function makeBreadcrumbs({ pages, lists }: Ground): (page: Page) => readonly NamedLink[] {
  const indexes = new Map<string, NamedLink>();
  for (const { path, header, title } of [...pages, ...lists.map(({ page }) => page)])
    if (path.endsWith("/")) indexes.set(path, { href: path, label: header.nav === "" ? title : header.nav });
  const known = new Map<string, readonly NamedLink[]>();
  // Of a folder, "/docs/": its own index page comes last.
  const inFolder = (folder: string): readonly NamedLink[] => {
    const before = known.get(folder);
    if (before !== undefined) return before;
    const own = indexes.get(folder);
    const above = folder === "/" ? [] : inFolder(folderOf(folder.slice(0, -1)));
    const crumbs = own === undefined ? above : [...above, own];
    known.set(folder, crumbs);
    return crumbs;
  };
  return ({ path }) => {
    if (path === "/") return [];
    return path.endsWith("/") ? inFolder(folderOf(path.slice(0, -1))) : inFolder(folderOf(path));
  };
}

/** "/docs/a.html" -> "/docs/". */
function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

interface Neighbours {
  readonly previous: NamedLink | null;
  readonly next: NamedLink | null;
}

const none: Neighbours = { previous: null, next: null };

/** Of the pages of a section of the navigation, of a collection's entries, and of a list's pages. */
function findNeighbours({ navigation, collections, lists }: Ground): (page: Page) => Neighbours {
  const known = new Map<string, Neighbours>();
  const chain = (links: readonly NamedLink[]): void => {
    for (const [at, { href }] of links.entries())
      known.set(href, { previous: links[at - 1] ?? null, next: links[at + 1] ?? null });
  };
  for (const { href, label, children } of navigation)
    if (children.length > 0) chain([{ href, label }, ...children]);
  for (const { entries } of collections)
    chain([...entries].reverse().map(({ path, title }) => ({ href: path, label: title })));
  const link = (output: string, label: string): NamedLink | null =>
    output === "" ? null : { href: addressOf(output), label };
  for (const { page, newer, older } of lists)
    if (newer !== "" || older !== "")
      known.set(page.path, { previous: link(newer, "Newer"), next: link(older, "Older") });
  return ({ path }) => known.get(path) ?? none;
}

const months = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];

/** "2026-11-23" -> "23 November 2026". */
function sayDay(day: string): string {
  if (day === "") return "";
  const [year = "", month = "", date = ""] = day.split("-");
  return `${Number(date)} ${months[Number(month) - 1] ?? month} ${year}`;
}
