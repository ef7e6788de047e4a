/** `site ledger verify` and `site ledger export`: the books looked at, and handed to other programs. */
import { type Command, Option } from "commander";
import { addWhere, runReleaseJob, type Where } from "./release.ts";

export function addLedgerCommand(program: Command): void {
  const ledger = program.command("ledger").description("look at the books, and hand them to other programs");
  const add = (name: string, text: string): Command => addWhere(ledger.command(name)).description(text);
  add("verify", "work out everything again from the first row, and say what is wrong, row by row")
    .option("--json", "what is wrong as lines of JSON")
    .action(async (options: Where & { json?: boolean }) => {
      process.exitCode = await runReleaseJob(
        "ledger",
        ["verify", ...(options.json ? ["--json"] : [])],
        options,
      );
    });
  add("export", "write every transfer, by day and id")
    .addOption(
      new Option("--format <name>", "with balance assertions for hledger, or as rows")
        .choices(["hledger", "csv", "json"])
        .default("hledger"),
    )
    .action(async (options: Where & { format: string }) => {
      process.exitCode = await runReleaseJob("ledger", ["export", "--format", options.format], options);
    });
}
