/** `site config check`: whether a host is as its configuration says. */
import type { Command } from "commander";
import { systemClock } from "../lib/util/clock.ts";
import { sayFindings } from "./findings.ts";
import { usualSource } from "./release.ts";

interface CheckFlags {
  readonly source: string;
  readonly out?: string;
  readonly json?: boolean;
}

export function addConfigCommand(program: Command): void {
  program
    .command("config")
    .description("the configuration of a host, as the build made it")
    .command("check")
    .description(
      "look at it with every checker that this machine has, at the certificate, and at who may read what",
    )
    .option("--source <folder>", "the site's folder", usualSource)
    .option("--out <folder>", "where it was built (default: dist in the site's folder)")
    .option("--json", "print what was found as JSON")
    .action(async ({ source, out, json = false }: CheckFlags) => {
      const { checkHost } = await import("../build/host/check.ts");
      const { findOutFolder } = await import("../build/host/place.ts");
      const outFolder = findOutFolder(source, out);
      const found = checkHost({ sourceFolder: source, outFolder, clock: systemClock });
      sayFindings(found, json);
      // A person must act.
      process.exitCode = found.some(({ state }) => state === "wrong") ? 100 : 0;
    });
}
