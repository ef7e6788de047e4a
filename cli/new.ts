/** `site new FOLDER TITLE`: begins a page. */

import { join } from "node:path";
import type { Command } from "commander";
import { systemClock } from "../lib/util/clock.ts";

export function addNewCommand(program: Command): void {
  program
    .command("new")
    .description("begin a page in a folder of content/, named after its title; prints its path")
    .argument("<folder>", 'a folder of content/, such as news; "." is content/ itself')
    .argument("<title>", "the page's title, in quotes")
    .option("--html", "in HTML; pages are in Markdown unless you say so")
    .option("--source <folder>", "the site's folder", ".")
    .addHelpText("after", help)
    .action(runNew);
}

const help = `
The page has a header with its title and today's date (UTC). Where the folder's index page lists its pages (entries:
in its header), it is a draft, which is published when you delete the line "draft: yes". Nothing is written over.`;

interface NewFlags {
  readonly html?: boolean;
  readonly source: string;
}

async function runNew(folder: string, title: string, flags: NewFlags): Promise<void> {
  const { layPage } = await import("../build/scaffold.ts");
  const place = { sourceFolder: flags.source, folder, title };
  const laid = layPage({ ...place, isHtml: flags.html === true, nowMs: systemClock.now() });
  if (laid.ok) console.log(join(flags.source, laid.file));
  else {
    console.error(laid.detail);
    process.exitCode = 1;
  }
}
