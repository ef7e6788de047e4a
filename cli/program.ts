/**
 * The front desk: the `site` command (also known as `picodollar`). One file per subcommand; here is only what
 * they share: usage errors end with exit code 64, a refusal with 1, NeedsHuman with 100, TryLater with 111.
 * Called by cli/site.
 */
import { Command, CommanderError } from "commander";
import { packageVersion } from "../build/init.ts";
import { NeedsHuman, TryLater } from "../lib/util/failure.ts";
import { addAccountCommand, addGoodwillCommand } from "./account.ts";
import { addBillingCommand } from "./billing.ts";
import { addBuildCommand } from "./build.ts";
import { addCheckCommand } from "./check.ts";
import { addConfigCommand } from "./config.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addInitCommand } from "./init.ts";
import { addInstallCommand } from "./install.ts";
import { addJobCommand } from "./job.ts";
import { addLayoutCommand } from "./layout.ts";
import { addLedgerCommand } from "./ledger.ts";
import { addMaintenanceCommand } from "./maintenance.ts";
import { addMigrateCommand } from "./migrate.ts";
import { addNewCommand } from "./new.ts";
import { addPriceCommand } from "./price.ts";
import { addPublishCommand } from "./publish.ts";
import { addReconcileCommand } from "./reconcile.ts";
import { addReportCommand } from "./report.ts";
import { addRestoreCommand } from "./restore.ts";
import { addRollbackCommand } from "./rollback.ts";
import { addSecretsCommand } from "./secrets.ts";
import { addServeCommand } from "./serve.ts";
import { addStoreCommand } from "./store.ts";
import { addTakeCommand } from "./take.ts";
import { addTlsCommand } from "./tls.ts";
import { addUsageCommand } from "./usage.ts";
import { addWarmCommand } from "./warm.ts";

/**
 * Reads the command line and does what it says; sets the exit code. Answers which parts of the code it used that are
 * worth keeping in V8's form (cli/site.ts): those of builds, by which alone time is lost.
 */
export async function runCommand(): Promise<readonly string[]> {
  const used: string[] = [];
  const program = new Command("site")
    .description("The website and the prepaid customer accounts of a small online service")
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError("(site --help lists the commands)");
  addInitCommand(program);
  addNewCommand(program);
  addLayoutCommand(program);
  addBuildCommand(program, (part) => used.push(part));
  addWarmCommand(program);
  addPublishCommand(program);
  addRollbackCommand(program);
  addInstallCommand(program);
  addConfigCommand(program);
  addDoctorCommand(program);
  addTlsCommand(program);
  addSecretsCommand(program);
  addCheckCommand(program);
  addServeCommand(program);
  addMigrateCommand(program);
  addJobCommand(program);
  addUsageCommand(program);
  addAccountCommand(program);
  addGoodwillCommand(program);
  addBillingCommand(program);
  addPriceCommand(program);
  addLedgerCommand(program);
  addReconcileCommand(program);
  addMaintenanceCommand(program);
  addReportCommand(program);
  addRestoreCommand(program);
  addStoreCommand(program);
  addTakeCommand(program);
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = reportError(error);
  }
  return used;
}

function reportError(error: unknown): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
  if (error instanceof NeedsHuman || error instanceof TryLater) {
    console.error(`site: ${error.message}`);
    if (error.cause instanceof Error) console.error(`  because: ${error.cause.message}`);
    return error instanceof NeedsHuman ? 100 : 111;
  }
  console.error("site: this is a bug");
  console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 70;
}
