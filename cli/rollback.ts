/** `site rollback`: an older release served again. */
import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { systemClock } from "../lib/util/clock.ts";
import { usualSource } from "./release.ts";
import { addControl, type ControlFlags, chooseControl, makeWarmer, sayTaken } from "./taking.ts";

interface RollbackFlags extends ControlFlags {
  readonly source: string;
  readonly out?: string;
  readonly data?: string;
  readonly list?: boolean;
}

export function addRollbackCommand(program: Command): void {
  const rollback = program
    .command("rollback")
    .description("serve the release before the current one again, or another one")
    .argument("[id]", "which release; --list says which there are")
    .option("--source <folder>", "the site's folder", usualSource)
    .option("--out <folder>", "where it was built (default: dist in the site's folder)")
    .option(
      "--data <folder>",
      "where the books are (default: as etc/cluster.yaml says, or data in the site's folder)",
    )
    .option("--list", "say which releases there are, and which is served");
  addControl(rollback).action(async (id: string | undefined, flags: RollbackFlags) => {
    const { listReleases, rollBack } = await import("../build/rollback.ts");
    const { readTold } = await import("../build/host/take.ts");
    const { findDataFolder, findOutFolder } = await import("../build/host/place.ts");
    const outFolder = findOutFolder(flags.source, flags.out);
    if (flags.list) {
      const { ids, current } = listReleases(outFolder);
      const told = readTold(outFolder);
      const toldId = told === undefined ? undefined : basename(told);
      if (flags.json) console.log(JSON.stringify({ ids, current, told: toldId }));
      else for (const name of ids) console.log(`${name}${name === current ? "  is served" : ""}`);
      return;
    }
    const result = await rollBack({
      outFolder,
      dataFolder: resolve(flags.data ?? findDataFolder(flags.source)),
      id,
      isDry: flags.dryRun === true,
      ...chooseControl(flags),
      clock: systemClock,
      warm: makeWarmer(outFolder),
    });
    sayTaken("rollback", result, flags);
  });
}
