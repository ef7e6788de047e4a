/** Pages that nothing leads to, found from the links of all pages. Called by pages.ts. */
import type { Markup } from "../scan.ts";

export interface Orphans {
  /** Notes where a page leads to. */
  readonly note: (output: string, markup: Markup) => void;
  /** The outputs, of those given, to which neither another page nor the navigation leads. */
  readonly find: (outputs: Iterable<string>) => readonly string[];
}

// The front page, and what the web server shows by itself: 403.html, 404.html.
const isExempt = (output: string): boolean => output === "index.html" || /^[45]\d\d\.html$/.test(output);

export function openOrphans(resolve: Resolve, navigation: readonly string[]): Orphans {
  const reached = new Set<string>();
  for (const href of navigation) {
    const output = resolve("", href);
    if (output !== undefined) reached.add(output);
  }
  return {
    note: (from, { links }) => {
      for (const { tag, target } of links) {
        if (tag !== "a" && tag !== "area") continue;
        const output = resolve(from, target);
        if (output !== undefined && output !== from) reached.add(output);
      }
    },
    find: (outputs) => [...outputs].filter((output) => !reached.has(output) && !isExempt(output)),
  };
}

/** From a page's output and an address in it to the output that it leads to; undefined for other hosts. */
export type Resolve = (from: string, target: string) => string | undefined;

/** What means the same on every page ("/a", not "//host") is looked at once. */
export function makeResolver(siteUrl: string): Resolve {
  const { origin } = new URL(siteUrl);
  const known = new Map<string, string | undefined>();
  const resolveAnew: Resolve = (from, target) => {
    const base = `${origin}/${from.split("/").map(encodeURIComponent).join("/")}`;
    if (!URL.canParse(target, base)) return undefined;
    const url = new URL(target, base);
    if (url.origin !== origin) return undefined;
    const path = decode(url.pathname).slice(1);
    return path === "" || path.endsWith("/") ? `${path}index.html` : path;
  };
  return (from, target) => {
    if (!target.startsWith("/") || target.startsWith("//")) return resolveAnew(from, target);
    if (!known.has(target)) known.set(target, resolveAnew(from, target));
    return known.get(target);
  };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // The build tells of percent signs that are wrong.
    return path;
  }
}
