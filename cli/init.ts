/** `site init DIR`: lays down a new site's folder and says what to do next. */
import type { Command } from "commander";
import { initSite } from "../build/init.ts";

export function addInitCommand(program: Command): void {
  program
    .command("init")
    .description("make the folder of a new site")
    .argument("<folder>", "the folder, which must be new or empty")
    .action((folder: string) => {
      const result = initSite(folder);
      if (!result.ok) {
        console.error(result.detail);
        process.exitCode = 1;
        return;
      }
      console.log(`made ${folder}: ${result.files} files in content/, etc/, and layouts/`);
      console.log(`next: ${folder === "." ? "" : `cd ${quote(folder)} && `}site serve`);
    });
}

/** As it can be typed into a shell. */
function quote(text: string): string {
  return /^[\w./-]+$/.test(text) && !text.startsWith("-") ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
