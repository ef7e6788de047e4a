/** `site migrate`: brings the database to the schema of the built site. */
import type { Command } from "commander";
import { addWhere, runReleaseJob, type Where } from "./release.ts";

export function addMigrateCommand(program: Command): void {
  addWhere(program.command("migrate"))
    .description("make the database, or bring it to the schema of the built site")
    .action(async (where: Where) => {
      process.exitCode = await runReleaseJob("migrate", [], where);
    });
}
