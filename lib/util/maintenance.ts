/** Maintenance: a file in the data folder by which the operator stops the programs, or their forms, while pages stay. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hasCode } from "./failure.ts";
import { writePrivate } from "./files.ts";

/** "read-only": what is only looked at goes on. */
export type Maintenance = "off" | "read-only" | "on";

const fileOf = (dataFolder: string): string => join(dataFolder, "maintenance");

/** What cannot be read, or is no word of ours, stops everything: somebody meant something by it. */
export function readMaintenance(dataFolder: string): Maintenance {
  try {
    return readFileSync(fileOf(dataFolder), "utf8").trim() === "read-only" ? "read-only" : "on";
  } catch (error) {
    return hasCode(error, ["ENOENT", "ENOTDIR"]) ? "off" : "on";
  }
}

export function setMaintenance(dataFolder: string, state: Maintenance): void {
  if (state === "off") rmSync(fileOf(dataFolder), { force: true });
  else writePrivate(fileOf(dataFolder), `${state}\n`);
}
