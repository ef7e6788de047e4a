/** What `site take` and `site rollback` share: how units are told, and how it is said what was done. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { Taken } from "../build/host/take.ts";
import { systemClock } from "../lib/util/clock.ts";

export interface ControlFlags {
  readonly control?: string;
  readonly json?: boolean;
  readonly dryRun?: boolean;
}

/** The options of whoever puts a release in service. */
export function addControl(command: Command): Command {
  return command
    .option("--dry-run", "only try whether it would work")
    .option(
      "--control <command>",
      "what reloads and restarts units (default: systemctl, by root where it runs)",
    )
    .option("--json", "print what was done as JSON");
}

/** A command as it is typed, without quotes. */
export function splitWords(command: string): readonly string[] {
  return command.split(/\s+/).filter((word) => word !== "");
}

/** By root on a host with systemd, units are told, and files that it looks for in /etc are put there. */
export function chooseControl({ control }: ControlFlags): {
  readonly control: readonly string[] | undefined;
  readonly root: string | undefined;
} {
  if (control !== undefined) return { control: splitWords(control), root: undefined };
  const rules = process.getuid?.() === 0 && existsSync("/run/systemd/system");
  return rules ? { control: ["systemctl"], root: "/" } : { control: undefined, root: undefined };
}

/** Keeps what V8 makes of the programs, where nothing is kept yet. A release is served without it, too. */
export function makeWarmer(outFolder: string): (id: string) => Promise<void> {
  return async (id) => {
    const { listCold, warmRelease } = await import("../build/warm.ts");
    try {
      if (listCold(outFolder, join(outFolder, "releases", id), process.version).length > 0)
        await warmRelease({ outFolder, id, clock: systemClock });
    } catch (error) {
      console.error(`site: programs start slower: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
}

export function sayTaken(command: string, result: Taken, { json, dryRun }: ControlFlags): void {
  process.exitCode = result.ok ? 0 : 1;
  if (json) console.log(JSON.stringify(result));
  else if (result.ok) for (const line of describeTaken(result, dryRun === true)) console.log(line);
  else for (const fault of result.faults) console.error(`site ${command}: ${fault}`);
}

export function describeTaken(taken: Extract<Taken, { ok: true }>, isDry: boolean): readonly string[] {
  const { from, to, changedConfiguration, told, installed, migrated } = taken;
  const was = from === undefined || from === to ? "" : isDry ? ` instead of ${from}` : `; it was ${from}`;
  const missing = changedConfiguration.length > 0 && told.length === 0;
  return [
    isDry ? `${to} would be served${was}` : `${to} is served${was}`,
    ...(migrated.length > 0 ? [`the books ${isDry ? "would get" : "got"} ${migrated.join(", ")}`] : []),
    ...(installed.length > 0 ? [`put in place: ${installed.map((path) => `/${path}`).join(", ")}`] : []),
    ...(told.length > 0 ? [`told: ${told.join(", ")}`] : []),
    ...(missing ? [`reload what reads them: ${changedConfiguration.join(", ")}`] : []),
  ];
}
