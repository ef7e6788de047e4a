/** `site tls sync`: the newest certificate brought to hitch. */
import type { Command } from "commander";
import { systemClock } from "../lib/util/clock.ts";
import { usualSource } from "./release.ts";
import { splitWords } from "./taking.ts";

interface SyncFlags {
  readonly source: string;
  readonly reload: string;
  readonly json?: boolean;
}

export function addTlsCommand(program: Command): void {
  program
    .command("tls")
    .description("the certificate of a host")
    .command("sync")
    .description(
      "bring what certbot was given to hitch, and see that it is served; certbot's hook, and a line of cron",
    )
    .option("--source <folder>", "the site's folder", usualSource)
    .option("--reload <command>", "what makes hitch read it again", "systemctl reload site-hitch.service")
    .option("--json", "print what was done as JSON")
    .action(async ({ source, reload, json = false }: SyncFlags) => {
      const { syncCertificate } = await import("../build/host/tls.ts");
      const synced = await syncCertificate({
        sourceFolder: source,
        clock: systemClock,
        reload: splitWords(reload),
      });
      if (json) console.log(JSON.stringify(synced));
      // Each hour, it is no news.
      else if (synced.outcome !== "same") console.log(`tls: ${synced.outcome}, and served: ${synced.serial}`);
    });
}
