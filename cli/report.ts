/** `site report month MONTH`: a month for the house's own bookkeeping. */
import type { Command } from "commander";
import { addWhere, runReleaseJob, type Where } from "./release.ts";

export function addReportCommand(program: Command): void {
  const report = program.command("report").description("figures for the house's own bookkeeping");
  addWhere(report.command("month"))
    .description("what was moved in a month, and what stood on each account at its end")
    .argument("<month>", "2026-11")
    .option("--json", "as JSON")
    .action(async (month: string, options: Where & { json?: boolean }) => {
      process.exitCode = await runReleaseJob(
        "report",
        ["month", ...(options.json ? ["--json"] : []), "--", month],
        options,
      );
    });
}
