/** `site layout list` and `site layout copy NAME`: the package's layouts, and how to change one. */
import { join } from "node:path";
import type { Command } from "commander";

interface LayoutFlags {
  readonly source: string;
}

export function addLayoutCommand(program: Command): void {
  const layout = program
    .command("layout")
    .description("list the package's layouts, or copy one to change it");
  const add = (name: string, text: string): Command =>
    layout.command(name).description(text).option("--source <folder>", "the site's folder", ".");
  add("list", "the names of all layouts, and which of them the site has in place of the package's").action(
    listLayouts,
  );
  add("copy", "copy one of the package's layouts into layouts/ of the site; nothing is written over")
    .argument("<name>", "page, account/login, mail/low, ...")
    .action(copyOne);
}

async function listLayouts({ source }: LayoutFlags): Promise<void> {
  const { listAllLayouts } = await import("../build/scaffold.ts");
  const layouts = listAllLayouts(source);
  const width = Math.max(...layouts.map(({ name }) => name.length));
  for (const { name, isGiven, isOwn } of layouts) {
    const note = isOwn ? (isGiven ? "yours, in place of the package's" : "yours") : "";
    console.log(`${name.padEnd(width)}  ${note}`.trimEnd());
  }
}

async function copyOne(name: string, { source }: LayoutFlags): Promise<void> {
  const { copyLayout } = await import("../build/scaffold.ts");
  const laid = copyLayout(source, name);
  if (laid.ok) console.log(join(source, laid.file));
  else {
    console.error(laid.detail);
    process.exitCode = 1;
  }
}
