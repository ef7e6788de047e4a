// Goal of this test: an open page shows what was saved, a page at fault shows the fault with its line while all others stay,
// and nothing of this is in dist/ or needed to read the site. `SHOTS=FOLDER` leaves screenshots.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initSite } from "../build/init.ts";
import { hasBrowser, openBrowser } from "./support/browser.ts";
import { type Served, serveSite } from "./support/served.ts";

const shots = process.env.SHOTS;
const wait = 30_000;

describe.skipIf(!hasBrowser)("an open page", () => {
  let folder: string;
  let served: Served;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const about = (): string => join(folder, "content", "about.md");
  const save = (text: string): void =>
    writeFileSync(about(), `---\ntitle: About\nnav: About\norder: 4\n---\n${text}\n`);
  const shows = (text: string) => page.getByText(text).first().waitFor({ timeout: 10_000 });

  beforeAll(async () => {
    folder = join(mkdtempSync(join(tmpdir(), "picodollar-live-")), "site");
    initSite(folder);
    served = await serveSite(folder);
    browser = await openBrowser();
    page = await browser.newPage({ viewport: { width: 390, height: 700 }, colorScheme: "dark" });
    page.on("console", (message) => complaints.push(`${page.url()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(error.message));
  }, wait);
  afterAll(async () => {
    await browser?.close();
    await served?.end();
    rmSync(join(folder, ".."), { recursive: true, force: true });
  });

  it(
    "is loaded again when its source is saved, and keeps its policy",
    async () => {
      await page.goto(`${served.url}/about.html`);
      save("# About\n\nA first text that is seen.");
      await shows("A first text that is seen.");
      // A layout is on every page.
      const layout = join(folder, "layouts", "footer.html");
      writeFileSync(
        layout,
        readFileSync(layout, "utf8").replace("<footer>", "<footer><p>Another footer</p>"),
      );
      await shows("Another footer");
      expect(complaints).toEqual([]);
    },
    wait,
  );

  it(
    "shows its fault with the line, the last good page behind a link, and the mended page by itself",
    async () => {
      // The last good page is that of the newest release, which is built beside the server, in its own time.
      const released = () => readFileSync(join(served.outFolder, "current", "www", "about.html"), "utf8");
      await expect.poll(released, { timeout: 10_000 }).toContain("A first text that is seen.");
      save("# About\n\nSee [there](/nowhere.html).");
      await shows('link "/nowhere.html": there is no page and no file /nowhere.html');
      expect(await page.textContent("pre")).toBe("  8 | See [there](/nowhere.html).\n    |             ^");
      if (shots !== undefined) {
        mkdirSync(shots, { recursive: true });
        await page.screenshot({ path: join(shots, "fault-dark.png") });
      }
      const others = await fetch(`${served.url}/docs/`);
      expect([others.status, (await others.text()).includes("nowhere")]).toEqual([200, false]);
      await page.getByText("Show it as it was last").click();
      await shows("A first text that is seen.");
      await page.goBack();
      save("# About\n\nMended now.");
      await shows("Mended now.");
      // The fault page answers 500, which the browser writes down.
      expect(complaints.filter((text) => !text.includes("500"))).toEqual([]);
    },
    wait,
  );

  it(
    "shows a layout's fault whatever the page, and needs no script to be read",
    async () => {
      const context = await browser.newContext({ javaScriptEnabled: false });
      const plain = await context.newPage();
      await plain.goto(`${served.url}/about.html`);
      expect(await plain.textContent("main")).toContain("Mended now.");
      const nav = join(folder, "layouts", "nav.html");
      const good = readFileSync(nav, "utf8");
      writeFileSync(nav, `${good}{{page.titel}}`);
      await shows('"titel" is not among what is given here; did you mean "title"?');
      writeFileSync(nav, good);
      await shows("Mended now.");
      await context.close();
    },
    wait,
  );

  it("is not what is published", () => {
    const built = readFileSync(join(served.outFolder, "current", "www", "about.html"), "utf8");
    expect(built).not.toContain("<script");
    expect(built).not.toContain("_picodollar");
  });
});
