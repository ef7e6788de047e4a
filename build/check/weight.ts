/**
 * What a page makes a visitor load: its document and its own pictures, styles, and scripts, in bytes as they lie on the
 * disk. Of the sizes that a picture comes in, the largest counts; what a style sheet imports counts, what it merely
 * names (fonts, backgrounds) does not, since a browser loads it only where it is used. Called by pages.ts.
 */
import { statSync } from "node:fs";
import type { FoundLink, Markup } from "../scan.ts";
import { readStyleLinks } from "../styles.ts";
import { readUtf8 } from "../text.ts";
import type { Resolve } from "./orphans.ts";

/** What is wrong with a page's weight; undefined if nothing is. */
export type Scale = (output: string, document: string, markup: Markup) => string | undefined;

/** `assets`: absolute paths by output, "pictures/a.png". */
export function makeScale(resolve: Resolve, assets: ReadonlyMap<string, string>, budgetBytes: number): Scale {
  const sizes = new Map<string, number>();
  const imports = new Map<string, readonly string[]>();
  const sizeOf = (output: string): number => {
    const file = assets.get(output);
    const size =
      sizes.get(output) ?? (file === undefined ? 0 : (statSync(file, { throwIfNoEntry: false })?.size ?? 0));
    sizes.set(output, size);
    return size;
  };
  const importsOf = (output: string): readonly string[] => {
    const file = assets.get(output);
    const text = file === undefined || !output.endsWith(".css") ? "" : readUtf8(file);
    const links = typeof text === "string" ? readStyleLinks(text) : [];
    const sheets =
      imports.get(output) ?? toOutputs(resolve, output, links).filter((one) => one.endsWith(".css"));
    imports.set(output, sheets);
    return sheets;
  };
  return (output, document, markup) => {
    const parts = new Set<string>();
    const add = (part: string): void => {
      if (parts.has(part)) return;
      parts.add(part);
      for (const sheet of importsOf(part)) add(sheet);
    };
    for (const choices of groupChoices(markup.links)) {
      const own = toOutputs(resolve, output, choices).filter((one) => assets.has(one));
      const [largest] = own.sort((a, b) => sizeOf(b) - sizeOf(a));
      if (largest !== undefined) add(largest);
    }
    const documentBytes = Buffer.byteLength(document);
    const total = [...parts].reduce((sum, part) => sum + sizeOf(part), documentBytes);
    if (total <= budgetBytes) return undefined;
    const heaviest = [...parts].sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, 3);
    const named = heaviest.map((part) => `/${part} (${kilobytes(sizeOf(part))})`);
    const most = named.length === 0 ? "all of it in the page itself" : `most of it in ${named.join(", ")}`;
    return `weighs ${kilobytes(total)} with its pictures, styles, and scripts, ${most}; the budget is ${kilobytes(budgetBytes)}`;
  };
}

/** The addresses of one element are choices: a browser loads one of them. */
function groupChoices(links: readonly FoundLink[]): Iterable<readonly FoundLink[]> {
  const groups = new Map<number, FoundLink[]>();
  for (const link of links.filter(isLoaded))
    groups.set(link.tagEnd, [...(groups.get(link.tagEnd) ?? []), link]);
  return groups.values();
}

function isLoaded({ tag, attribute, rel }: FoundLink): boolean {
  if (tag === "link") return /\b(?:stylesheet|modulepreload|preload)\b/.test(rel);
  return ["img", "script", "input"].includes(tag) && ["src", "srcset", "xlink:href"].includes(attribute);
}

function toOutputs(resolve: Resolve, from: string, links: readonly { readonly target: string }[]): string[] {
  return links.map(({ target }) => resolve(from, target)).filter((output) => output !== undefined);
}

function kilobytes(bytes: number): string {
  return `${Math.ceil(bytes / 1000)} kB`;
}
