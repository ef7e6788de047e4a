/** `site job NAME`: runs a job of the built site, as cron does in production. */
import type { Command } from "commander";
import { addWhere, runReleaseJob, type Where } from "./release.ts";

export function addJobCommand(program: Command): void {
  addWhere(program.command("job"))
    .description("run a job of the built site, as cron does in production")
    .argument(
      "<name>",
      "every night bill, recharge, warn, close, reconcile, backup, and tidy; mail [--every SECONDS] all day; and all others of jobs/ in the release",
    )
    .argument("[arguments...]", "what the job takes")
    .allowUnknownOption()
    .action(async (name: string, jobArguments: readonly string[], where: Where) => {
      process.exitCode = await runReleaseJob(name, jobArguments, where);
    });
}
