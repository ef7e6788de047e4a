/**
 * All rules over the pages of a site, each document seen once: pages may come one by one, and none is held. Returns what it finds; levels are laid over it here. Called by check.ts.
 */
import { type Fault, sortFaults } from "../fault.ts";
import type { CheckedPage } from "../framing.ts";
import { type Markup, scanMarkup } from "../scan.ts";
import type { Template } from "../template.ts";
import { openJudge } from "./judge.ts";
import { makeResolver, openOrphans } from "./orphans.ts";
import { makePlacer, type Place, type Placer } from "./place.ts";
import { chooseHtmlRules, type Finding, type Level, levelOf, wholePage } from "./rules.ts";
import type { CheckSettings } from "./settings.ts";
import { makeScale } from "./weight.ts";

export interface CheckFault extends Fault {
  /** Name of the rule, or "build" for what a build refuses. */
  readonly rule: string;
  readonly level: "error" | "warn";
}

/** A link to another host, and the places where it stands; a layout's is told once. */
export interface OutsideLink {
  readonly url: string;
  readonly places: readonly Place[];
}

export interface PagesOptions {
  readonly settings: CheckSettings;
  readonly siteUrl: string;
  readonly templates: readonly Template[];
  /** Addresses that the navigation leads to. */
  readonly navigation: readonly string[];
  /** Absolute paths of files that are copied as they are, by output. */
  readonly assets: ReadonlyMap<string, string>;
  readonly cacheFile: string | undefined;
  readonly tool: string;
  /** Whether links to other hosts are to be listed. */
  readonly listsOutside?: boolean;
  readonly onProgress?: (checked: number) => void;
}

export interface PagesResult {
  readonly faults: readonly CheckFault[];
  readonly outside: readonly OutsideLink[];
  readonly pages: number;
  /** How many pages were validated anew; the others are known from a run before. */
  readonly validated: number;
}

/** @throws NeedsHuman if the cache cannot be written */
export function checkPages(pages: Iterable<CheckedPage>, options: PagesOptions): PagesResult {
  const { settings, siteUrl, templates, navigation, assets } = options;
  const placer = makePlacer(templates);
  const resolve = makeResolver(siteUrl);
  const orphans = openOrphans(resolve, navigation);
  const scale = makeScale(resolve, assets, settings.budgetBytes);
  const outside = openOutside(siteUrl, placer);
  const rules = chooseHtmlRules(settings.levels);
  const judge = openJudge({ ...options, rules });
  const files = new Map<string, string>();
  const found: (Fault & { readonly rule: string })[] = [];
  const needsTree = rules.length > 0 || treeRules.some((rule) => levelOf(rule, settings.levels) !== "off");
  for (const page of pages) {
    const { file, output, document } = page;
    const markup = scanMarkup(document);
    files.set(output, file);
    orphans.note(output, markup);
    if (options.listsOutside === true) outside.note(page, markup);
    const heavy = scale(output, document, markup);
    if (heavy !== undefined) found.push({ rule: "page-weight", file, line: 0, message: heavy });
    // Where tags are not closed in their order, the build has said so, and all that follows from it is noise.
    if (needsTree && markup.faults.length === 0)
      for (const finding of judge.judge(document)) found.push(...placeFinding(placer, page, finding));
    options.onProgress?.(files.size);
  }
  judge.keep();
  for (const output of orphans.find(files.keys()))
    found.push({
      rule: "orphan-page",
      file: files.get(output) ?? output,
      line: 0,
      message: "no other page leads here, nor does the navigation; link to it, or delete it",
    });
  return {
    faults: layLevels(found, settings.levels),
    outside: outside.list(),
    pages: files.size,
    validated: judge.validated(),
  };
}

// What validate.ts finds by our own rules.
const treeRules = ["missing-alt", "heading-order", "single-h1"];

/** Levels laid over what was found: what is off is left out. In the order of files and lines, each once. */
export function layLevels(
  found: readonly (Fault & { readonly rule: string })[],
  levels: ReadonlyMap<string, Level>,
): readonly CheckFault[] {
  const laid = found.flatMap((fault): CheckFault[] => {
    const level = levelOf(fault.rule, levels);
    return level === "off" ? [] : [{ ...fault, level }];
  });
  return sortFaults(laid) as readonly CheckFault[];
}

function placeFinding(
  placer: Placer,
  page: CheckedPage,
  { rule, offset, message }: Finding,
): readonly (Fault & { readonly rule: string })[] {
  if (offset === wholePage) return [{ rule, file: page.file, line: 0, message }];
  const place = placer(page, offset);
  return place === undefined ? [] : [{ rule, ...toFault(place, message) }];
}

/** What `Place` knows more than a fault does is left behind, so that equal faults are equal. */
export function toFault({ file, line, column }: Place, message: string): Fault {
  return column === undefined ? { file, line, message } : { file, line, column, message };
}

interface Outside {
  readonly note: (page: CheckedPage, markup: Markup) => void;
  readonly list: () => readonly OutsideLink[];
}

// To these a visitor sends something, or the address is no page to be asked for.
const unasked = (tag: string, rel: string): boolean =>
  ["form", "button", "input", "base"].includes(tag) || /\b(?:preconnect|dns-prefetch)\b/.test(rel);

function openOutside(siteUrl: string, placer: Placer): Outside {
  const { origin } = new URL(siteUrl);
  const places = new Map<string, Map<string, Place>>();
  return {
    note: (page, { links }) => {
      for (const { tag, rel, target, offset } of links) {
        if (unasked(tag, rel) || !/^(?:https?:)?\/\//i.test(target) || !URL.canParse(target, siteUrl))
          continue;
        const url = new URL(target, siteUrl);
        url.hash = "";
        const place = url.origin === origin ? undefined : placer(page, offset);
        if (place === undefined) continue;
        const known = places.get(url.href) ?? new Map<string, Place>();
        known.set(`${place.file}:${place.line}:${place.column}`, place);
        places.set(url.href, known);
      }
    },
    list: () => [...places].map(([url, known]) => ({ url, places: [...known.values()] })),
  };
}
