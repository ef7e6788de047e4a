/**
 * The front door of `site check`: everything that a build would refuse, and beyond it invalid HTML, missing alt,
 * headings out of order, orphan pages, and pages that weigh too much; links to other hosts where that is asked for.
 * Nothing is written but the cache beside the releases. Called by cli/check.ts, by whatever publishes, and by tests.
 */
import { join, resolve } from "node:path";
import type { Clock } from "../../lib/util/clock.ts";
import { frameForCheck } from "../build.ts";
import { findPackage, type Package } from "../package.ts";
import { isPrivateHost } from "./address.ts";
import { type Answer, askHosts, type ExternalOptions } from "./external.ts";
import { type CheckFault, checkPages, layLevels, type OutsideLink, toFault } from "./pages.ts";
import { buildRule, type OwnRule } from "./rules.ts";
import { readCheckSettings } from "./settings.ts";

export type { CheckedPage } from "../framing.ts";
export { type CheckFault, checkPages, type PagesOptions } from "./pages.ts";

export interface CheckOptions {
  readonly sourceFolder: string;
  readonly outFolder: string;
  readonly clock: Clock;
  readonly home?: Package;
  readonly onProgress?: (line: string) => void;
  /** Other hosts are asked as well; what is given here is for tests. */
  readonly external?: Partial<Pick<ExternalOptions, "resolve" | "pauseMs" | "timeoutMs" | "mayAskPrivate">>;
}

export interface CheckResult {
  /** No fault but warnings. */
  readonly ok: boolean;
  readonly pages: number;
  /** Pages that were validated anew; the others are known from a run before. */
  readonly validated: number;
  /** Links to other hosts, and how many of them were asked in this run; only where that was wanted. */
  readonly external?: { readonly links: number; readonly asked: number };
  /** Errors and warnings in the order of files and lines. */
  readonly faults: readonly CheckFault[];
}

/** @throws NeedsHuman if the cache cannot be written */
export async function checkSite(options: CheckOptions): Promise<CheckResult> {
  const say = options.onProgress ?? (() => undefined);
  const sourceFolder = resolve(options.sourceFolder);
  const outFolder = resolve(options.outFolder);
  const home = options.home ?? findPackage();
  const framing = await frameForCheck({ sourceFolder, outFolder, home, clock: options.clock });
  const { settings, faults: settingFaults } = readCheckSettings(sourceFolder);
  // In a folder that is none of ours nothing is kept.
  const cache = (name: string): string | undefined =>
    framing.isOutRight ? join(outFolder, ".cache", name) : undefined;
  const checked = checkPages(framing.pages(), {
    settings,
    siteUrl: framing.url,
    templates: framing.templates,
    navigation: framing.navigation,
    assets: framing.assets,
    cacheFile: cache("check.json"),
    tool: home.version,
    listsOutside: options.external !== undefined,
    onProgress: (count) => (count % 20 === 0 ? say(`${count} pages looked at`) : undefined),
  });
  framing.close();
  const fixed = [...framing.faults, ...settingFaults].map((fault) => ({ ...fault, rule: buildRule }));
  const outside =
    options.external === undefined
      ? undefined
      : await askHosts(
          checked.outside.map(({ url }) => url),
          {
            userAgent: `picodollar/${home.version} (site check; +${framing.url})`,
            timeoutMs: 15_000,
            pauseMs: 1000,
            mayAskPrivate: isPrivateHost(new URL(framing.url).hostname),
            clock: options.clock,
            cacheFile: cache("external.json"),
            ignoredHosts: settings.ignoredHosts,
            onProgress: (done, total, host) => say(`${done} of ${total} links asked: ${host}`),
            ...options.external,
          },
        );
  const told = outside === undefined ? [] : tellOutside(checked.outside, outside.answers);
  const levels = new Map([...settings.levels, [buildRule, "error"] as const]);
  const faults = layLevels([...fixed, ...told, ...checked.faults], levels);
  return {
    ok: faults.every(({ level }) => level === "warn"),
    pages: checked.pages,
    validated: checked.validated,
    ...(outside === undefined ? {} : { external: { links: checked.outside.length, asked: outside.asked } }),
    faults,
  };
}

const outsideRules: Readonly<Record<Exclude<Answer["kind"], "ok">, OwnRule>> = {
  broken: "external-link",
  moved: "external-moved",
  unsure: "external-unsure",
};

/** Each answer that is not right, at every place where the link stands. */
function tellOutside(links: readonly OutsideLink[], answers: ReadonlyMap<string, Answer>) {
  return links.flatMap(({ url, places }) => {
    const answer = answers.get(url);
    if (answer === undefined || answer.kind === "ok") return [];
    const what =
      answer.kind === "moved" ? `moved for good; write ${JSON.stringify(answer.detail)}` : answer.detail;
    const message = `link ${JSON.stringify(url)}: ${what}`;
    const rule = outsideRules[answer.kind];
    return places.map((place) => ({ rule, ...toFault(place, message) }));
  });
}
