/** `site restore`: a backup tried, or put in place on a new machine. */
import type { Command } from "commander";
import { addWhere, runReleaseJob, type Where } from "./release.ts";

export function addRestoreCommand(program: Command): void {
  addWhere(program.command("restore"))
    .description("open a backup, prove it right, and put it in place where there are no books yet")
    .argument("<file>", "the backup, sealed or not")
    .option("--drill", "only try it, in a folder that is thrown away")
    .option("--identity <file>", "where the key is, for a backup that is sealed with age")
    .action(async (file: string, options: Where & { drill?: boolean; identity?: string }) => {
      const drill = options.drill ? ["--drill"] : [];
      const identity = options.identity === undefined ? [] : [`--identity=${options.identity}`];
      process.exitCode = await runReleaseJob("restore", [...drill, ...identity, "--", file], options);
    });
}
