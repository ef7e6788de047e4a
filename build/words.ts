/**
 * The words of a page: the texts that layouts may show of it, in lists and groups as they are. Two pages whose lists and
 * groups have the same form, and that lack the same words, differ for a layout in nothing but what the words are
 * (segments.ts). Only what some layout shows is looked at: pages have much that most layouts leave out.
 */
import { noSurroundings, type PageData, type PageFrame, type Surroundings } from "../lib/util/templates.ts";
import type { Template } from "./template.ts";

/** A part of a page's data that has words. */
export type Field = Exclude<keyof PageData, "home">;

type Tree = string | null | readonly Tree[] | { readonly [name: string]: Tree };

const always = ["title", "description", "path"] as const;
const surrounding = Object.keys(noSurroundings) as readonly (keyof Surroundings)[];

/** The fields that any template may look at. */
export function listFields(templates: readonly Template[]): readonly Field[] {
  const paths = templates.flatMap(({ uses }) => uses.paths.map(({ parts }) => parts));
  // `{{#each page}}` and `{{this}}` may show all of them.
  const showsAll = paths.some(
    ([last, ...above]) => last === undefined || (last === "page" && above.length === 0),
  );
  const names = new Set(paths.flat());
  return [...always, ...surrounding.filter((name) => showsAll || names.has(name))];
}

/** A page's words in their order, and the form that they stand in. */
export function takeWords(
  page: Omit<PageFrame, "content">,
  fields: readonly Field[],
): { readonly words: readonly string[]; readonly shape: string } {
  const words: string[] = [];
  const { surroundings = noSurroundings } = page;
  let shape = "";
  for (const field of fields) shape += take(pick(page, surroundings, field), words);
  return { words, shape };
}

function pick(page: Omit<PageFrame, "content">, surroundings: Surroundings, field: Field): Tree {
  if (field === "title" || field === "description" || field === "path") return page[field];
  return surroundings[field] as unknown as Tree;
}

/** Puts the words of a tree behind the others; its form: "0" for a word that is not there, "1" for one that is. */
function take(tree: Tree, words: string[]): string {
  if (typeof tree === "string") {
    words.push(tree);
    return tree === "" ? "0" : "1";
  }
  if (tree === null) return "-";
  const isList = Array.isArray(tree);
  let shape = isList ? "[" : "{";
  for (const part of isList ? (tree as readonly Tree[]) : Object.values(tree)) shape += take(part, words);
  return shape + (isList ? "]" : "}");
}

// The build worked these out itself: where they stand as an address, they are right.
const addresses = new Set(["href", "path", "canonical", "image"]);

/** The same fields with a mark for each word that is there, numbered as takeWords does. */
export function markFields(
  data: PageData,
  fields: readonly Field[],
  markOf: (word: number, isAddress: boolean) => string,
): object {
  let count = 0;
  const mark = (tree: Tree, name: string): Tree => {
    if (typeof tree === "string") {
      count += 1;
      return tree === "" ? "" : markOf(count - 1, addresses.has(name));
    }
    if (tree === null) return null;
    if (Array.isArray(tree)) return tree.map((part) => mark(part, name));
    return Object.fromEntries(Object.entries(tree).map(([key, part]) => [key, mark(part, key)]));
  };
  return Object.fromEntries(fields.map((field) => [field, mark(data[field] as unknown as Tree, field)]));
}
