/**
 * Where a link leads, and whether there is anything: the judge that every check of links asks, whether it has the
 * whole site before it (links.ts) or one changed page (change.ts).
 */
import { findRoute, isOffered } from "../lib/util/routes.ts";
import type { Settings } from "../lib/util/settings.ts";
import { type Facts, isPacked, openPacked, type Packed, short, unpack } from "./facts.ts";
import { didYouMean } from "./fault.ts";

export interface Ground {
  /** The base URL, since links that spell it out are links inside the site; and what decides which programs it has. */
  readonly settings: Pick<Settings, "url" | "search">;
  /** True for every path below www/, "docs/index.html". */
  readonly hasOutput: (output: string) => boolean;
  /** All of them, for hints. */
  readonly outputs: () => readonly string[];
  /** The ids of a page; undefined where the file is no page. */
  readonly idsOf: (output: string) => Ids | undefined;
  /** The page at an address, "/docs/", where that takes no time; undefined where it does, or is none. */
  readonly pageAt: (address: string) => Anchored | undefined;
  /** What is to be said of an output that a source would make, were it not left out. */
  readonly whyNot: (output: string) => string | undefined;
}

/** A page with its ids, and those of what is around it. */
export interface Anchored {
  readonly page: { readonly facts: Pick<Facts, "ids"> };
  readonly outside: Pick<Facts, "ids">;
}

/** The ids of a page, its own and its layout's. */
export interface Ids {
  readonly has: (id: string) => boolean;
  readonly list: () => readonly string[];
}

export function makeIds(own: Packed, outside: Packed): Ids {
  const [isOwn, isOutside] = [openPacked(own), openPacked(outside)];
  return { list: () => [...unpack(own), ...unpack(outside)], has: (id) => isOwn(id) || isOutside(id) };
}

export interface Judge {
  /** What is wrong with a link on the page at `path`; undefined if nothing is, or if it leads to another host. */
  readonly judge: (target: string, path: string) => string | undefined;
}

/** The ground, and what was worked out for a hint: of links that lead nowhere there may be thousands, to the same few places. */
interface Asked extends Ground {
  /** What was said of addresses where there is nothing. */
  readonly missing: Map<string, string>;
  /** Those that there are; undefined before the first hint. */
  addresses: readonly string[] | undefined;
}

export const baseMessage = "a base moves every link of the page; write each link in full instead";

export function makeJudge(ground: Ground): Judge {
  // What is right, or what is wrong ("" where nothing is), of addresses that lead to the same place from everywhere.
  const known = new Map<string, string>();
  const all: Asked = { ...ground, missing: new Map(), addresses: undefined };
  const judge = (target: string, path: string): string | undefined => {
    const at = target.indexOf("#");
    // "#id" leads to the page itself.
    const page = ground.pageAt(at < 0 ? target : at === 0 ? path : target.slice(0, at));
    if (page !== undefined && (at < 0 || hasShort(page, target.slice(at + 1)))) return undefined;
    // Not "//host", nor what begins at the page itself.
    if (target.charCodeAt(0) !== 0x2f || target.charCodeAt(1) === 0x2f) return judgeAnew(target, path, all);
    const before = known.get(target);
    if (before !== undefined) return before === "" ? undefined : before;
    const wrong = judgeAnew(target, path, all);
    known.set(target, wrong ?? "");
    return wrong;
  };
  return { judge };
}

/** Whether a page is known to have an id; of one that has many, it is not. */
function hasShort({ page, outside }: Anchored, id: string): boolean {
  const { ids } = page.facts;
  if (ids.length + outside.ids.length > short) return false;
  return isPacked(ids, id) || isPacked(outside.ids, id);
}

// Nothing in it is changed by the rules of URLs: no dots to resolve, nothing encoded, no query.
const plainTarget = /^((?:\/[\w-]+(?:\.[\w-]+)*)*\/?)(?:#([\w-]+))?$/;

/** "/docs/" -> "docs/index.html". */
function outputOf(path: string): string {
  return `${path.slice(1)}${path.endsWith("/") ? "index.html" : ""}`;
}

function judgeAnew(target: string, path: string, ground: Asked): string | undefined {
  const plain = plainTarget.exec(target);
  if (plain !== null) return judgePath(plain[1] || (decode(path) ?? path), plain[2] ?? "", ground);
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) && !/^https?:/i.test(target)) return undefined;
  const { url } = ground.settings;
  if (!URL.canParse(target, url + path)) return "this is no address";
  const resolved = new URL(target, url + path);
  if (resolved.origin !== new URL(url).origin) return undefined;
  if (path === "/404.html" && !/^(?:[/#]|https?:)/i.test(target))
    return 'this page is shown at every address that is not found; begin the link with "/"';
  const pathname = decode(resolved.pathname);
  if (pathname === undefined) return "its percent signs are not right; write %25 for %";
  return judgePath(pathname, resolved.hash.slice(1), ground);
}

function judgePath(path: string, hash: string, ground: Asked): string | undefined {
  const output = outputOf(path);
  // Routes are no outputs (build/sources.ts).
  if (ground.hasOutput(output))
    return hash === "" ? undefined : judgeAnchor(hash, path, ground.idsOf(output));
  const route = findRoute(path);
  if (route === undefined) return explainMissing(path, ground);
  if (isOffered(route, ground.settings)) return undefined;
  return `only sites with "${route.setting}: yes" in etc/site.yaml have this; write that, or take the link out`;
}

function judgeAnchor(written: string, path: string, ids: Ids | undefined): string | undefined {
  // Files that are no pages have no ids here.
  if (ids === undefined || ids.has(written)) return undefined;
  // What follows ":~:" (text to scroll to) is for the browser alone.
  const own = written.split(":~:")[0] ?? "";
  const anchor = decode(own) ?? own;
  // By a NUL ids are told apart.
  if (anchor.includes("\0")) return `${path} has nothing with the id ${JSON.stringify(anchor)}`;
  // HTML Standard, 7.4.6.4: "" and "top" are the top of every page.
  if (anchor === "" || anchor.toLowerCase() === "top") return undefined;
  if (ids.has(own) || ids.has(anchor)) return undefined;
  return `${path} has nothing with the id ${JSON.stringify(anchor)}${didYouMean(anchor, ids.list())}`;
}

function explainMissing(path: string, ground: Asked): string {
  const before = ground.missing.get(path);
  if (before !== undefined) return before;
  const why = findReason(path, ground) ?? `there is no page and no file ${path}${suggest(path, ground)}`;
  ground.missing.set(path, why);
  return why;
}

function findReason(path: string, { hasOutput, whyNot }: Ground): string | undefined {
  const why = whyNot(outputOf(path));
  if (why !== undefined) return why;
  if (hasOutput(`${path.slice(1)}/index.html`)) return `this is a folder; write "${path}/"`;
  if (path.endsWith("/") && hasOutput(path.slice(1, -1)))
    return `this is a file; write "${path.slice(0, -1)}"`;
  if (hasOutput(`${path.slice(1)}.html`)) return `the page is named "${path}.html"`;
  if (path.endsWith(".md") && hasOutput(`${path.slice(1, -3)}.html`))
    return `Markdown becomes HTML; write "${path.slice(0, -3)}.html"`;
  return undefined;
}

function suggest(path: string, ground: Asked): string {
  ground.addresses ??= ground.outputs().map((output) => `/${output}`.replace(/\/index\.html$/, "/"));
  return didYouMean(path, ground.addresses);
}

export function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
