/** `site store copy`: the books moved to the other engine, or back. */
import type { Command } from "commander";
import { addWhere, runReleaseJob, type Where } from "./release.ts";

export function addStoreCommand(program: Command): void {
  const store = program.command("store").description("look after where the books are kept");
  addWhere(store.command("copy"))
    .description("copy the books to the other engine, and compare every row")
    .requiredOption("--from <books>", "sqlite:/PATH/OF/FILE or postgres://USER@HOST/DATABASE")
    .requiredOption("--to <books>", "the same")
    .action(async (options: Where & { from: string; to: string }) => {
      process.exitCode = await runReleaseJob(
        "store",
        ["copy", `--from=${options.from}`, `--to=${options.to}`],
        options,
      );
    });
}
