/** All commands of `site`. Called by cli/site. */
import type { Command } from "commander";
import { addAccountCommand, addGoodwillCommand } from "./account.ts";
import { addBillingCommand } from "./billing.ts";
import { addBuildCommand } from "./build.ts";
import { addCheckCommand } from "./check.ts";
import { addConfigCommand } from "./config.ts";
import { type Adders, serveDesk } from "./desk.ts";
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

export async function runCommand(): Promise<readonly string[]> {
  const used = await serveDesk(listAdders);
  const name = process.argv[2] ?? "";
  // One that was refused has perhaps used little of what is its own.
  const isDone = (process.exitCode ?? 0) === 0 && listAdders(() => undefined).has(name);
  return isDone ? [...used, name] : used;
}

function listAdders(use: (part: string) => void): Adders {
  return new Map<string, (program: Command) => void>([
    ["init", addInitCommand],
    ["new", addNewCommand],
    ["layout", addLayoutCommand],
    ["build", (program) => addBuildCommand(program, { use, say: (line) => console.log(line) })],
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
