// Goal of this test: every page of the documentation, and the account pages that a stranger sees, is whole and readable at
// three widths, in both colours, by everybody: axe-core finds nothing, nothing is wider than the window, no message.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, openBrowser } from "./support/browser.ts";
import { lookAt } from "./support/looking.ts";
import { type Served, serveSite } from "./support/served.ts";

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
      expect(await lookAt(page), path).toEqual([]);
    }
    expect(messages).toEqual([]);
    await page.close();
  }, 120_000);
});
