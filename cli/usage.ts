/** `site usage import FILE` and `site usage complete DAY`: usage by hand. */
import type { Command } from "commander";
import { addWhere, runReleaseJob, type Where } from "./release.ts";

export function addUsageCommand(program: Command): void {
  const usage = program.command("usage").description("take metered usage into the books");
  const add = (name: string, text: string): Command => addWhere(usage.command(name)).description(text);
  add(
    "import",
    "import a CSV or NDJSON file with day, account, machine, meter, and quantity, whole or not at all",
  )
    .argument("<file>", "the file")
    .option("--complete <day>", "declare that with this file all usage of the day is in")
    .option("--old", "take days of more than 400 days ago too")
    .option("--future", "take days to come too, from a service whose clock is ahead")
    .action(async (file: string, options: Where & { complete?: string; old?: boolean; future?: boolean }) => {
      const complete = options.complete === undefined ? [] : ["--complete", options.complete];
      const old = options.old ? ["--old"] : [];
      const future = options.future ? ["--future"] : [];
      process.exitCode = await runReleaseJob(
        "usage",
        ["import", ...complete, ...old, ...future, "--", file],
        options,
      );
    });
  add("complete", "declare that all usage of a day is in")
    .argument("<day>", "the UTC day, 2026-11-23")
    .option("--old", "a day of more than 400 days ago is meant")
    .action(async (day: string, options: Where & { old?: boolean }) => {
      const old = options.old ? ["--old"] : [];
      process.exitCode = await runReleaseJob("usage", ["complete", ...old, "--", day], options);
    });
}
