/** The package's layouts, compiled once for all builds, and looked at. Called by set-up. */
import { assert } from "../lib/util/failure.ts";
import { checkTemplateNames } from "./names.ts";
import type { Package } from "./package.ts";
import { forgetReady, writeReady } from "./ready.ts";
import { listLayouts, readTemplates } from "./template.ts";

/** Leaves them beside the package's code, in which there are no layouts that could take their place. */
export async function writeLayouts(home: Pick<Package, "folder" | "codeFolder">): Promise<void> {
  forgetReady(home.codeFolder);
  const { templates, faults } = await readTemplates(home.codeFolder, home);
  const [fault] = [...faults, ...checkTemplateNames(templates, listLayouts(templates))];
  assert(fault === undefined, `the package's layouts are right: ${fault?.file}: ${fault?.message}`);
  writeReady(home.codeFolder, templates);
}
