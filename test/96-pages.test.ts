// Goal of this test: every page of the documentation, and the account pages that a stranger sees, is whole and readable at
// three widths, in both colours, by everybody: axe-core finds nothing, nothing is wider than the window, no message.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, openBrowser } from "./support/browser.ts";
import { type Served, serveSite } from "./support/served.ts";

interface Findings {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
  readonly passes: readonly unknown[];
}

describe.skipIf(!hasBrowser)("every page", () => {
  let served: Served;
  let browser: Browser;
  let paths: readonly string[];

  beforeAll(async () => {
    served = await serveSite();
    const sitemap = readFileSync(join(served.outFolder, "current", "www", "sitemap.xml"), "utf8");
    const pages = [...sitemap.matchAll(/<loc>https?:\/\/[^/]+(.*?)<\/loc>/g)].map(([, path = ""]) => path);
    const programs = ["signup", "login", "account"].map((name) => `/account/${name}.cgi`);
    paths = [...pages, ...programs, "/search.cgi?q=price", "/404.html", "/403.html"];
    browser = await openBrowser();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await served?.end();
  });

  it("is for everybody", async () => {
    const page = await browser.newPage();
    const messages: string[] = [];
    page.on("console", (message) => messages.push(`${page.url()}: ${message.text()}`));
    page.on("pageerror", (error) => messages.push(`${page.url()}: ${error.message}`));
    expect(paths.length).toBeGreaterThan(15);
    for (const path of paths) {
      await page.goto(served.url + path);
      await page.evaluate(axe.source);
      for (const width of [320, 768, 1600]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await look(page, "axe.run()"), `${path}, ${width} pixels wide`).toEqual(clean);
        await page.emulateMedia({ colorScheme: "dark" });
        // Dark pages differ in their colours alone.
        expect(
          await look(page, "axe.run({ runOnly: ['color-contrast'] })"),
          `${path}, ${width}, dark`,
        ).toEqual(clean);
        await page.emulateMedia({ colorScheme: "light" });
      }
    }
    expect(messages).toEqual([]);
    await page.close();
  }, 120_000);
});

const clean = { violations: [], overflow: 0, looked: true };

/** What axe finds in a page, and by how many pixels the page is wider than its window. */
async function look(page: Page, run: string): Promise<unknown> {
  const { violations, passes } = (await page.evaluate(run)) as Findings;
  return {
    violations: violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
    overflow: await page.locator("html").evaluate((root) => root.scrollWidth - root.clientWidth),
    looked: passes.length > 0,
  };
}
