/** `site rollback`: an older release served again. */
import { join, resolve } from "node:path";
import type { Command } from "commander";

interface RollbackFlags {
  readonly source: string;
  readonly out?: string;
  readonly data?: string;
  readonly dryRun?: boolean;
  readonly list?: boolean;
  readonly json?: boolean;
}

export function addRollbackCommand(program: Command): void {
  program
    .command("rollback")
    .description("serve the release before the current one again, or another one")
    .argument("[id]", "which release; --list says which there are")
    .option("--source <folder>", "the site's folder", ".")
    .option("--out <folder>", "where it was built (default: dist in the site's folder)")
    .option(
      "--data <folder>",
      "where the books are (default: as etc/cluster.yaml says, or data in the site's folder)",
    )
    .option("--dry-run", "only try whether it would work")
    .option("--list", "say which releases there are, and which is served")
    .option("--json", "print what was done as JSON")
    .action(async (id: string | undefined, flags: RollbackFlags) => {
      const { listReleases, rollBack } = await import("../build/rollback.ts");
      const { findDataFolder } = await import("../build/host/data.ts");
      const outFolder = resolve(flags.out ?? join(flags.source, "dist"));
      if (flags.list) {
        const { ids, current } = listReleases(outFolder);
        if (flags.json) console.log(JSON.stringify({ ids, current }));
        else for (const name of ids) console.log(`${name}${name === current ? "  is served" : ""}`);
        return;
      }
      const dataFolder = flags.data ?? findDataFolder(flags.source);
      const result = rollBack({
        outFolder,
        dataFolder: resolve(dataFolder),
        id,
        isDry: flags.dryRun === true,
      });
      if (flags.json) console.log(JSON.stringify(result));
      else if (!result.ok) for (const fault of result.faults) console.error(`site rollback: ${fault}`);
      else {
        const { from, to, changedConfiguration } = result;
        console.log(
          flags.dryRun ? `${to} would be served instead of ${from}` : `${to} is served; it was ${from}`,
        );
        if (changedConfiguration.length > 0)
          console.log(`reload what reads them: ${changedConfiguration.join(", ")}`);
      }
      process.exitCode = result.ok ? 0 : 1;
    });
}
