/** `site take`: what `site publish` runs on the host. */
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { systemClock } from "../lib/util/clock.ts";
import { addControl, type ControlFlags, chooseControl, makeWarmer, sayTaken } from "./taking.ts";

interface TakeFlags extends ControlFlags {
  readonly out: string;
  readonly data?: string;
  readonly migrate?: boolean;
}

export function addTakeCommand(program: Command): void {
  const take = program
    .command("take")
    .description("on a host: try a release that was brought into dist/incoming, and serve it")
    .argument("<id>", "which release")
    .option("--out <folder>", "the dist folder of the host", "/srv/site/dist")
    .option("--data <folder>", "where the books are (default: data beside it)")
    .option("--migrate", "bring the books to its schema, tried on a copy of them first");
  addControl(take).action(async (id: string, flags: TakeFlags) => {
    const { takeRelease } = await import("../build/host/take.ts");
    const outFolder = resolve(flags.out);
    const result = await takeRelease({
      outFolder,
      dataFolder: resolve(flags.data ?? join(outFolder, "..", "data")),
      id,
      isDry: flags.dryRun === true,
      mayMigrate: flags.migrate === true,
      ...chooseControl(flags),
      clock: systemClock,
      warm: makeWarmer(outFolder),
    });
    sayTaken("take", result, flags);
  });
}
