/** `site maintenance`: the programs stopped, or their forms, while pages stay. */
import { chmodSync, chownSync, existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Argument, type Command } from "commander";
import { NeedsHuman } from "../lib/util/failure.ts";
import { readMaintenance, setMaintenance } from "../lib/util/maintenance.ts";
import { usualSource } from "./release.ts";

interface MaintenanceFlags {
  readonly source: string;
  readonly data?: string;
  readonly readOnly?: boolean;
}

export function addMaintenanceCommand(program: Command): void {
  program
    .command("maintenance")
    .description("stop the account programs while pages stay, or say whether they are stopped")
    .addArgument(new Argument("[state]", "what shall be").choices(["on", "off"]))
    .option("--read-only", "with on: stop forms alone; what is only looked at goes on")
    .option("--source <folder>", "the site's folder", usualSource)
    .option(
      "--data <folder>",
      "where the books are (default: as etc/cluster.yaml says, or data in the site's folder)",
    )
    .action(async (state: "on" | "off" | undefined, { source, data, readOnly = false }: MaintenanceFlags) => {
      const { findDataFolder } = await import("../build/host/place.ts");
      const folder = resolve(data ?? findDataFolder(source));
      if (!existsSync(folder))
        throw new NeedsHuman(`${folder} is not there; say where the books are: --data DIR`);
      if (state !== undefined) {
        setMaintenance(folder, state === "on" && readOnly ? "read-only" : state);
        if (state === "on") hand(folder);
      }
      console.log(`maintenance: ${readMaintenance(folder)}`);
    });
}

/** Whoever runs the programs reads it, whoever it was that said so. */
function hand(folder: string): void {
  const file = join(folder, "maintenance");
  chmodSync(file, 0o644);
  if (process.getuid?.() === 0) chownSync(file, statSync(folder).uid, statSync(folder).gid);
}
