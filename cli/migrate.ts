/** `site migrate`: brings the database to the schema of the built site. */
import type { Command } from "commander";
import { runReleaseJob, type Where } from "./release.ts";

export function addMigrateCommand(program: Command): void {
  program
    .command("migrate")
    .description("make the database, or bring it to the schema of the built site")
    .option("--source <folder>", "the site's folder", ".")
    .option("--out <folder>", "where the site was built (default: dist in the site's folder)")
    .action((where: Where) => {
      process.exitCode = runReleaseJob("migrate", [], where);
    });
}
