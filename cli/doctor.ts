/** `site doctor`: everything that is wrong with a host, on one screen. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { systemClock } from "../lib/util/clock.ts";
import { writePrivate } from "../lib/util/files.ts";
import { sayFindings } from "./findings.ts";
import { usualSource } from "./release.ts";

interface DoctorFlags {
  readonly source: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly changes?: string;
}

export function addDoctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("look at everything on a host: configuration, programs, books, mail, nights, backups")
    .option("--source <folder>", "the site's folder", usualSource)
    .option("--out <folder>", "where it was built (default: dist in the site's folder)")
    .option("--changes <file>", "say only what changed since the last time, which is kept in this file")
    .option("--json", "print what was found as JSON")
    .action(async ({ source, out, json = false, changes }: DoctorFlags) => {
      const { examine, findChanges, readLast } = await import("../build/host/doctor.ts");
      const { findOutFolder } = await import("../build/host/place.ts");
      const outFolder = findOutFolder(source, out);
      const found = await examine({ sourceFolder: source, outFolder, clock: systemClock });
      const told = changes === undefined ? found : findChanges(found, readLast(changes) ?? []);
      if (changes !== undefined) writePrivate(resolve(changes), `${JSON.stringify(found)}\n`);
      sayFindings(told, json);
      process.exitCode = found.some(({ state }) => state === "wrong") ? 100 : 0;
    });
}
