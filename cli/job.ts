/** `site job NAME`: runs a job of the built site, as cron does in production. */
import type { Command } from "commander";
import { addWhere, runReleaseJob, type Where } from "./release.ts";

export function addJobCommand(program: Command): void {
  addWhere(program.command("job"))
    .description("run a job of the built site: bill [--day DAY], warn, mail [--every SECONDS]")
    .argument("<name>", "bill, warn, or mail")
    .argument("[arguments...]", "what the job takes")
    .allowUnknownOption()
    .action(async (name: string, jobArguments: readonly string[], where: Where) => {
      process.exitCode = await runReleaseJob(name, jobArguments, where);
    });
}
