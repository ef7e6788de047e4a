/** `site reconcile`: the books compared with Stripe's account of what it holds. */
import type { Command } from "commander";
import { addWhere, runReleaseJob, type Where } from "./release.ts";

export function addReconcileCommand(program: Command): void {
  addWhere(program.command("reconcile"))
    .description("compare the books with Stripe, bring in what they missed, and name each difference")
    .option("--since <day>", "read Stripe's account from this UTC day on again")
    .option("--json", "the differences as lines of JSON")
    .action(async (options: Where & { since?: string; json?: boolean }) => {
      const since = options.since === undefined ? [] : [`--since=${options.since}`];
      process.exitCode = await runReleaseJob(
        "reconcile",
        [...since, ...(options.json ? ["--json"] : [])],
        options,
      );
    });
}
