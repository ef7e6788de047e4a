/** `site install`: what of a release's configuration the system looks for in /etc. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { usualSource } from "./release.ts";

interface InstallFlags {
  readonly source: string;
  readonly out?: string;
  readonly root: string;
  readonly start?: boolean;
  readonly json?: boolean;
}

export function addInstallCommand(program: Command): void {
  program
    .command("install")
    .description(
      "on a host, by root: put units, logrotate's and the firewall's rules of the release into /etc",
    )
    .option("--source <folder>", "the site's folder", usualSource)
    .option("--out <folder>", "where it was built (default: dist in the site's folder)")
    .option("--start", "start all units, now and with the machine; hitch where it has a certificate")
    .option("--root <folder>", "below which /etc is", "/")
    .option("--json", "print what was put in place as JSON")
    .action(async ({ source, out, root, start = false, json = false }: InstallFlags) => {
      const { findOutFolder, readHostSettings } = await import("../build/host/place.ts");
      const { installFiles, settle, startUnits } = await import("../build/host/install.ts");
      const release = join(findOutFolder(source, out), "current");
      const installed = installFiles(release, resolve(root));
      const { changed } = installed;
      if (root === "/") settle(installed, root);
      const { pemFile } = readHostSettings(release).cluster;
      const started = start && root === "/" ? startUnits(release, existsSync(pemFile)) : [];
      if (json) console.log(JSON.stringify({ changed, started }));
      else if (changed.length === 0) console.log("install: nothing to do");
      else for (const path of changed) console.log(join(resolve(root), path));
      if (!json && started.length > 0) console.log(`started: ${started.join(", ")}`);
    });
}
