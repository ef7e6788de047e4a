/** What hinders people in a page, at three widths and in both colours, and pictures of it for a person to look at. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";
import type { Page } from "playwright-core";

interface Findings {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
  readonly passes: readonly unknown[];
}

const widths = [320, 768, 1600] as const;

/**
 * Looks at the page that is shown; one line for each thing that is wrong, none where all is well. With a folder, pictures are left
 * there: `NAME-320-light.png` and so on.
 */
export async function lookAt(
  page: Page,
  pictures?: { readonly folder: string; readonly name: string },
): Promise<readonly string[]> {
  const wrong: string[] = [];
  const before = page.viewportSize();
  await page.evaluate(axe.source);
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      // Dark pages differ in their colours alone.
      const run = colorScheme === "light" ? "axe.run()" : "axe.run({ runOnly: ['color-contrast'] })";
      const { violations, passes } = (await page.evaluate(run)) as Findings;
      const where = `${width} pixels, ${colorScheme}`;
      for (const { id, nodes } of violations)
        wrong.push(`${where}: ${id}: ${nodes.map(({ html }) => html).join(" ")}`);
      const over = await page.locator("html").evaluate((root) => root.scrollWidth - root.clientWidth);
      if (over > 0) wrong.push(`${where}: ${over} pixels wider than the window`);
      if (passes.length === 0) wrong.push(`${where}: nothing was looked at`);
      if (pictures === undefined) continue;
      mkdirSync(pictures.folder, { recursive: true });
      const path = join(pictures.folder, `${pictures.name}-${width}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  if (before !== null) await page.setViewportSize(before);
  return wrong;
}
