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
  const adders = listAdders((part) => used.push(part));
  // Describing all commands takes some milliseconds; whoever names one needs no other.
  const named = adders.get(process.argv[2] ?? "");
  for (const add of named === undefined ? adders.values() : [named]) add(program);
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = reportError(error);
  }
  return used;
}

/** What adds each command, by its name, in the order in which they are listed. `use`: told which parts of the code a build used. */
function listAdders(use: (part: string) => void): ReadonlyMap<string, (program: Command) => void> {
  return new Map([
    ["init", addInitCommand],
    ["new", addNewCommand],
    ["layout", addLayoutCommand],
    ["build", (program) => addBuildCommand(program, use)],
    ["warm", addWarmCommand],
    ["publish", addPublishCommand],
    ["rollback", addRollbackCommand],
    ["install", addInstallCommand],
    ["config", addConfigCommand],
    ["doctor", addDoctorCommand],
    ["tls", addTlsCommand],
    ["secrets", addSecretsCommand],
    ["check", addCheckCommand],
    ["serve", addServeCommand],
    ["migrate", addMigrateCommand],
    ["job", addJobCommand],
    ["usage", addUsageCommand],
    ["account", addAccountCommand],
    ["goodwill", addGoodwillCommand],
    ["billing", addBillingCommand],
    ["price", addPriceCommand],
    ["ledger", addLedgerCommand],
    ["reconcile", addReconcileCommand],
    ["maintenance", addMaintenanceCommand],
    ["report", addReportCommand],
    ["restore", addRestoreCommand],
    ["store", addStoreCommand],
    ["take", addTakeCommand],
  ]);
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
