/** Sites and pages looked at as `site check` does, for tests: what is found as it is printed, rule and level included. */
import { type CheckedPage, type CheckOptions, checkPages, checkSite } from "../../build/check/check.ts";
import type { Level } from "../../build/check/rules.ts";
import { formatFault } from "../../build/fault.ts";
import { renderMarkdown } from "../../build/markdown.ts";
import { findPackage } from "../../build/package.ts";
import { readTemplates } from "../../build/template.ts";
import type { Workshop } from "../sites/workshop.ts";

type Told = ReturnType<typeof checkPages>["faults"][number];

/** `warn content/a.html:1:2: message [rule]`; errors have no word before them. */
export function tell(fault: Told): string {
  return `${fault.level === "warn" ? "warn " : ""}${formatFault(fault)} [${fault.rule}]`;
}

export async function checkWorkshop(workshop: Workshop, change: Partial<CheckOptions> = {}) {
  const { source: sourceFolder, out: outFolder, clock, home } = workshop;
  const result = await checkSite({ sourceFolder, outFolder, clock, home, ...change });
  return { ...result, told: result.faults.map(tell) };
}

const head =
  '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>T</title></head>\n<body>\n<main id="main">\n';
const tail = "\n</main>\n</body>\n</html>\n";

/** A page in a small layout; its file is content/x.html, or content/x.md. */
export function makePage(source: string, ending: "html" | "md" = "html", output = "x.html"): CheckedPage {
  const body = ending === "md" ? renderMarkdown(source).html : source;
  return {
    file: `content/${output.replace(/html$/, ending)}`,
    output,
    layout: "page",
    document: head + body + tail,
    source,
    bodyStarts: [head.length],
    bodyLength: body.length,
    bodyLine: 1,
    isMarkdown: ending === "md",
  };
}

const home = findPackage();
const { templates } = await readTemplates(home.folder, home);

/** What is found in pages that the navigation leads to. */
export function checkAlone(
  pages: readonly CheckedPage[],
  change: {
    levels?: Readonly<Record<string, Level>>;
    budgetBytes?: number;
    assets?: Readonly<Record<string, string>>;
    isListed?: boolean;
  } = {},
): readonly string[] {
  const { levels = {}, budgetBytes = 1_000_000, assets = {}, isListed = true } = change;
  const result = checkPages(pages, {
    settings: { levels: new Map(Object.entries(levels)), budgetBytes, ignoredHosts: [] },
    siteUrl: "https://good.example",
    templates,
    navigation: isListed ? pages.map(({ output }) => `/${output}`) : [],
    assets: new Map(Object.entries(assets)),
    cacheFile: undefined,
    tool: "0",
  });
  return result.faults.map(tell);
}
