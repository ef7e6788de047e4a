/** `site billing skip-day DAY --reason TEXT`: a day that is never billed, as after an outage. */
import type { Command } from "commander";
import { addWhere, runReleaseJob, type Where } from "./release.ts";

export function addBillingCommand(program: Command): void {
  const billing = program.command("billing").description("decide about days that are to be billed");
  addWhere(billing.command("skip-day"))
    .description("never bill a day that is not billed yet, as after an outage")
    .argument("<day>", "the UTC day, 2026-11-23")
    .requiredOption("--reason <text>", "why, for whoever reads the books later")
    .option("--old", "a day of more than 400 days ago is meant")
    .action(async (day: string, options: Where & { reason: string; old?: boolean }) => {
      process.exitCode = await runReleaseJob(
        "billing",
        ["skip-day", `--reason=${options.reason}`, ...(options.old ? ["--old"] : []), "--", day],
        options,
      );
    });
}
